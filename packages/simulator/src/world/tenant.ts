import { createHmac } from 'node:crypto';
import { type Node, SERVER_LID } from '@ponte/engine';
import { LineFaults } from '../faults/line-faults.ts';
import type { TenantMedia } from '../media/media-network.ts';
import type { Account } from './accounts.ts';
import { createAccounts, LimitError } from './accounts.ts';
import { createAppStates } from './app-state.ts';
import { createChannels } from './channels/channels.ts';
import type { Clock } from './clock.ts';
import { nowSeconds } from './clock.ts';
import { type Db, prepare, TENANT_TABLES } from './database.ts';
import { createDelivery, type Parcel } from './delivery.ts';
import { createGroups } from './groups/groups.ts';
import { createPeers } from './peers.ts';
import { createPictures } from './pictures.ts';
import { createPreKeys } from './prekeys.ts';
import { createQueue } from './queue.ts';
import { hexId, type Rng } from './rng.ts';
import { createSettings } from './settings.ts';
import { StanzaLog } from './stanza-log.ts';
import { el, SERVER_JID } from './stanzas.ts';

/** Whoever hands a stanza to the server: a logged-in socket or a virtual phone. */
export interface Sender {
  pn: string;
  device: number;
  lineId: string | undefined;
}

/** As many as a simulator takes connections. */
const LINES_WITH_FAULTS_MAX = 20_000;
/** LIDs have 15 digits here. */
const LID_MIN = 10 ** 14;
const LID_SPAN = BigInt(9 * 10 ** 14);

export type Tenant = ReturnType<typeof createTenant>;

export interface TenantOptions {
  name: string;
  db: Db;
  clock: Clock;
  rng: Rng;
  /** Keeps LIDs stable and unguessable. */
  lidSecret: Uint8Array;
  media: TenantMedia;
  /** Mail arrived for a device that is not attached. */
  wake: (tenant: Tenant, pn: string, device: number) => void;
  /** Something went wrong inside that nobody else will hear of. */
  problem: (text: string, cause: unknown) => void;
}

/** One isolated WhatsApp: its accounts, devices, mail, faults and logs. Nothing in it can reach another tenant. */
export function createTenant(options: TenantOptions) {
  const { name, db, clock, rng } = options;
  const accounts = createAccounts(db, name);
  const preKeys = createPreKeys(db, name);
  const queue = createQueue(db, name);
  const settings = createSettings(db, name);
  const peers = createPeers(db, name);
  const pictures = createPictures(db, name, clock, rng);
  const appStates = createAppStates(db, name);
  const channels = createChannels(db, name, clock, rng);
  const groups = createGroups(db, name, clock, rng);
  const log = new StanzaLog(clock);
  const faults = new Map<string, LineFaults>();
  const delivery = createDelivery({ queue, clock, wake: (pn, device) => options.wake(tenant, pn, device) });
  const wipes = TENANT_TABLES.map((table) => prepare<unknown[]>(db, `delete from ${table} where tenant = ?`));

  const tenant = {
    name,
    db,
    clock,
    rng,
    accounts,
    preKeys,
    queue,
    settings,
    peers,
    pictures,
    groups,
    channels,
    appStates,
    log,
    delivery,
    media: options.media,
    problem: options.problem,
    /** The faults of a line; made when first asked for, bounded in number (the oldest line's go first). */
    faults(lineId: string): LineFaults {
      const known = faults.get(lineId);
      if (known) return known;
      const oldest = faults.size >= LINES_WITH_FAULTS_MAX ? faults.keys().next().value : undefined;
      if (oldest !== undefined) faults.delete(oldest);
      const fresh = new LineFaults(clock);
      faults.set(lineId, fresh);
      return fresh;
    },
    /**
     * Uses one of a wished `media_fail` up: of this line, or (a download does not say whose it is) of whichever line has one.
     */
    takeMediaFailure(lineId: string | undefined): number | undefined {
      if (lineId !== undefined) return faults.get(lineId)?.takeMediaFailure();
      for (const line of faults.values()) {
        const status = line.takeMediaFailure();
        if (status !== undefined) return status;
      }
      return undefined;
    },
    /** An account with a phone and its LID; the same number again answers the existing one. */
    createAccount(
      pn: string,
      fields: { name: string; about?: string; isBusiness?: boolean; isLidOnly?: boolean },
    ): Account {
      return (
        accounts.byPn(pn) ??
        db.transaction(() => {
          const account = accounts.create(
            {
              pn,
              lid: lidOf(pn),
              name: fields.name,
              about: fields.about ?? '',
              isBusiness: fields.isBusiness ?? false,
              isLidOnly: fields.isLidOnly ?? false,
            },
            nowSeconds(clock),
          );
          accounts.saveDevice({
            pn,
            id: 0,
            lineId: undefined,
            noiseKey: undefined,
            identity: undefined,
            registrationId: undefined,
            signedPreKey: undefined,
            keyIndex: 0,
            advIdentity: undefined,
            platform: 'phone',
            linkedAt: nowSeconds(clock),
          });
          return account;
        })()
      );
    },
    /** Keeps parcels in one transaction, then pushes them. `work` may do more in the same transaction. */
    post(parcels: Parcel[], work?: () => void): void {
      const pushes = db.transaction(() => {
        work?.();
        return parcels.map((parcel) => delivery.keep(parcel));
      })();
      for (const push of pushes) push();
    },
    /** A `<notification>` from the server or an account, as a parcel. */
    notification(
      to: { pn: string; device: number },
      type: string,
      content: Node[],
      attrs: Record<string, string> = {},
    ): Parcel {
      const node = el(
        'notification',
        { from: SERVER_JID, id: hexId(rng, 8), t: String(nowSeconds(clock)), type, ...attrs },
        content,
      );
      return { pn: to.pn, device: to.device, stanzaClass: 'notification', sender: '', node };
    },
    /** Removes everything of this tenant and ends every connection. */
    reset(): void {
      db.transaction(() => {
        for (const wipe of wipes) wipe.run(name);
      })();
      faults.clear();
      peers.forget();
      delivery.endAll('reset');
      log.clear();
    },
  };

  // A number has the same LID whenever it is made, as on WhatsApp: contacts that remember it still reach it.
  function lidOf(pn: string): string {
    for (let attempt = 0; attempt < 100; attempt++) {
      const hash = createHmac('sha256', options.lidSecret).update(`${name} ${pn} ${attempt}`).digest();
      const lid = String(LID_MIN + Number(hash.readBigUInt64BE() % LID_SPAN));
      if (!accounts.byLid(lid)) return lid;
    }
    throw new LimitError(`no free ${SERVER_LID} could be drawn`);
  }

  return tenant;
}
