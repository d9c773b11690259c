import type { Node } from '@ponte/engine';
import { FaultTable } from '../faults/fault-table.ts';
import type { LineFaults } from '../faults/line-faults.ts';
import type { TenantMedia } from '../media/media-network.ts';
import { createAccounts } from './accounts.ts';
import { createAppStates } from './app-state.ts';
import { createChannels } from './channels/channels.ts';
import { type ClientVersions, VERSIONS_OF_TODAY } from './client-versions.ts';
import { type Clock, nowSeconds } from './clock.ts';
import { type Db, prepare, TENANT_TABLES } from './database.ts';
import { Delivery, type Parcel } from './delivery.ts';
import { DEMANDS_OF_TODAY, type Demands } from './demands.ts';
import { createGroups } from './groups/groups.ts';
import { LoginCounts } from './login-counts.ts';
import { createNewAccounts } from './new-accounts.ts';
import { createPeers } from './peers.ts';
import { createPictures } from './pictures.ts';
import { createPreKeys } from './prekeys.ts';
import { createQueue } from './queue.ts';
import { hexId, type Rng } from './rng.ts';
import { createSettings } from './settings.ts';
import { atomically } from './shared-commit.ts';
import type { StanzaLog } from './stanza-log.ts';
import { el, SERVER_JID } from './stanzas.ts';

/** The sender of a stanza: a logged-in socket or a virtual phone. */
export interface Sender {
  pn: string;
  device: number;
  lineId: string | undefined;
}

export type Tenant = ReturnType<typeof createTenant>;

export interface TenantOptions {
  name: string;
  db: Db;
  clock: Clock;
  rng: Rng;
  /** Keeps LIDs stable and unguessable. */
  lidSecret: Uint8Array;
  media: TenantMedia;
  /** What crossed the wires; it outlives a restart of the tenant. */
  log: StanzaLog;
  /** What is asked of lines; it outlives a restart, too. */
  demands: Demands;
  /** Which versions of the client it serves; the same. */
  versions: ClientVersions;
  /** Mail arrived for a device that is not attached. */
  wake: (tenant: Tenant, pn: string, device: number) => void;
  /** An internal error that no client is told of. */
  problem: (text: string, cause: unknown) => void;
}

/**
 * One isolated WhatsApp: its accounts, devices, mail, faults and logs. Nothing in it can reach
 * another tenant.
 */
export function createTenant(options: TenantOptions) {
  const { name, db, clock, rng, log, demands, versions, media, problem } = options;
  const stores = createStores(options);
  const faults = new FaultTable(clock);
  const logins = new LoginCounts();
  const delivery = new Delivery({
    queue: stores.queue,
    clock,
    demands,
    wake: (pn, device) => options.wake(tenant, pn, device),
  });
  const wipes = TENANT_TABLES.map((table) => prepare<unknown[]>(db, `delete from ${table} where tenant = ?`));
  const { accounts } = stores;
  const createAccount = createNewAccounts({ tenant: name, db, clock, accounts, lidSecret: options.lidSecret });

  const tenant = {
    name,
    db,
    clock,
    rng,
    ...stores,
    log,
    demands,
    versions,
    delivery,
    media,
    problem,
    createAccount,
    countsOn: (noiseKey: Uint8Array, login: number): boolean => logins.countsOn(noiseKey, login),
    faults: (lineId: string): LineFaults => faults.of(lineId),
    takeMediaFailure: (lineId: string | undefined): number | undefined => faults.takeMediaFailure(lineId),
    /**
     * Keeps parcels in one transaction, then pushes them. `work` may do more in the same
     * transaction.
     */
    post(parcels: Parcel[], work?: () => void): void {
      const keep = (): (() => void)[] => parcels.map((parcel) => delivery.keep(parcel));
      const pushes = work
        ? atomically(db, () => {
            work();
            return keep();
          })
        : keep();
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
      atomically(db, () => {
        for (const wipe of wipes) wipe.run(name);
      });
      stores.accounts.forget();
      stores.settings.forget();
      stores.queue.wiped();
      faults.clear();
      logins.forget();
      Object.assign(demands, DEMANDS_OF_TODAY);
      Object.assign(versions, VERSIONS_OF_TODAY);
      stores.peers.forget();
      delivery.endAll('reset');
      log.clear();
    },
  };
  return tenant;
}

/** What a tenant keeps in the database. */
function createStores({ name, db, clock, rng }: TenantOptions) {
  return {
    accounts: createAccounts(db, name),
    preKeys: createPreKeys(db, name),
    queue: createQueue(db, name),
    settings: createSettings(db, name),
    peers: createPeers(db, name),
    pictures: createPictures(db, name, clock, rng),
    appStates: createAppStates(db, name),
    channels: createChannels(db, name, clock, rng),
    groups: createGroups(db, name, clock, rng),
  };
}
