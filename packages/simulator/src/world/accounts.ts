import { formatJid, parseJid, SERVER_LID, SERVER_PN } from '@ponte/engine';
import { type Db, prepare } from './database.ts';
import { ReadCache } from './read-cache.ts';

/**
 * Someone on the simulated WhatsApp: one phone number, one LID, one phone (device 0) and its
 * companions.
 */
export interface Account {
  /** Digits of the phone number. */
  pn: string;
  /** Digits of the LID. */
  lid: string;
  name: string;
  about: string;
  /** Seconds since 1970. */
  aboutAt: number;
  isBusiness: boolean;
  /** Contacts are shown the LID only, never the number. */
  isLidOnly: boolean;
  settings: string;
}

/** A device of an account. 0 is the phone; the others are linked companions. */
export interface Device {
  pn: string;
  id: number;
  lineId: string | undefined;
  noiseKey: Uint8Array | undefined;
  identity: Uint8Array | undefined;
  registrationId: number | undefined;
  signedPreKey: { id: number; key: Uint8Array; signature: Uint8Array } | undefined;
  keyIndex: number;
  /** Bytes of the protobuf ADVSignedDeviceIdentity with both signatures; companions only. */
  advIdentity: Uint8Array | undefined;
  platform: string;
  /** Seconds since 1970. */
  linkedAt: number;
}

export interface Address {
  account: Account;
  device: number;
  /** Which of the account's two names the address used. */
  mode: 'pn' | 'lid';
}

interface AccountRow {
  pn: string;
  lid: string;
  name: string;
  about: string;
  about_at: number;
  business: number;
  lid_only: number;
  settings: string;
}

interface DeviceRow {
  pn: string;
  id: number;
  line_id: string | null;
  noise_key: Buffer | null;
  identity: Buffer | null;
  registration_id: number | null;
  skey_id: number | null;
  skey: Buffer | null;
  skey_signature: Buffer | null;
  key_index: number;
  adv_identity: Buffer | null;
  platform: string;
  linked_at: number;
}

export const ACCOUNTS_MAX = 20_000;
/**
 * Device ids fit one byte on the wire; clients treat 99 as a hosted device (Baileys
 * messages-send.js).
 */
const DEVICE_ID_MAX = 250;
const DEVICE_ID_HOSTED = 99;

/** The account would get more than it can have. */
export class LimitError extends Error {
  override readonly name = 'LimitError';
}

export type Accounts = ReturnType<typeof createAccounts>;

/** Accounts and devices of one tenant. Answers are shared and must not be changed. */
export function createAccounts(db: Db, tenant: string) {
  const cache = new ReadCache(db);
  const rows = accountRows(db, tenant, cache);
  return {
    ...rows,
    ...deviceRows(db, tenant, cache),
    /** The rows were changed past this object. */
    forget: (): void => cache.forget(),
    /**
     * Whose address this is, PN or LID. Undefined for groups, servers, and numbers that are not on
     * this WhatsApp.
     */
    resolve(jid: string | undefined): Address | undefined {
      const parts = jid === undefined ? undefined : parseJid(jid);
      if (!parts || (parts.server !== SERVER_PN && parts.server !== SERVER_LID)) return undefined;
      const mode = parts.server === SERVER_LID ? 'lid' : 'pn';
      const account = mode === 'lid' ? rows.byLid(parts.user) : rows.byPn(parts.user);
      return account && { account, device: parts.device, mode };
    },
  };
}

function accountRows(db: Db, tenant: string, cache: ReadCache) {
  const selectAccount = prepare<[string, string], AccountRow>(db, 'select * from account where tenant = ? and pn = ?');
  const selectByLid = prepare<[string, string], AccountRow>(db, 'select * from account where tenant = ? and lid = ?');
  const listAccounts = prepare<[string], AccountRow>(
    db,
    'select * from account where tenant = ? order by created_at, pn',
  );
  const countAccounts = prepare<[string], { n: number }>(db, 'select count(*) as n from account where tenant = ?');
  const insertAccount = prepare<unknown[]>(
    db,
    'insert into account (tenant, pn, lid, name, about, about_at, business, lid_only, created_at) values (?,?,?,?,?,?,?,?,?)',
  );
  const updateAccount = prepare<unknown[]>(
    db,
    'update account set name = ?, about = ?, about_at = ?, settings = ? where tenant = ? and pn = ?',
  );
  const accountRemovals = [
    'account',
    'device',
    'prekey',
    'queue',
    'phone_state',
    'setting',
    'picture',
    'group_member',
    'group_request',
    'app_state',
    'app_state_patch',
    'app_state_record',
    'channel_follower',
    'channel_reaction',
  ].map((table) => prepare<unknown[]>(db, `delete from ${table} where tenant = ? and pn = ?`));

  const byPn = (pn: string): Account | undefined =>
    cache.get(`pn ${pn}`, () => toAccount(selectAccount.get(tenant, pn)));
  const byLid = (lid: string): Account | undefined =>
    cache.get(`lid ${lid}`, () => toAccount(selectByLid.get(tenant, lid)));

  return {
    byPn,
    byLid,
    list: (): Account[] => listAccounts.all(tenant).flatMap((row) => toAccount(row) ?? []),
    create(account: Omit<Account, 'settings' | 'aboutAt'>, createdAt: number): Account {
      if ((countAccounts.get(tenant)?.n ?? 0) >= ACCOUNTS_MAX) {
        throw new LimitError(`this world already has ${ACCOUNTS_MAX} phones: delete some, or reset it`);
      }
      const { pn, lid, name, about, isBusiness, isLidOnly } = account;
      cache.forget();
      insertAccount.run(tenant, pn, lid, name, about, createdAt, Number(isBusiness), Number(isLidOnly), createdAt);
      return { ...account, aboutAt: createdAt, settings: '{}' };
    },
    save(account: Account): void {
      cache.forget();
      updateAccount.run(account.name, account.about, account.aboutAt, account.settings, tenant, account.pn);
    },
    /**
     * Deletes an account with everything it had. Who wrote with it is remembered: the number may
     * come back with other keys.
     */
    remove(pn: string): void {
      cache.forget();
      for (const statement of accountRemovals) statement.run(tenant, pn);
    },
  };
}

function deviceRows(db: Db, tenant: string, cache: ReadCache) {
  const selectDevice = prepare<[string, string, number], DeviceRow>(
    db,
    'select * from device where tenant = ? and pn = ? and id = ?',
  );
  const selectDevices = prepare<[string, string], DeviceRow>(
    db,
    'select * from device where tenant = ? and pn = ? order by id',
  );
  const selectLine = prepare<[string, string], DeviceRow>(
    db,
    'select * from device where tenant = ? and line_id = ? order by linked_at desc limit 1',
  );
  const selectNextDevice = prepare<[string, string], { next_device: number }>(
    db,
    'select next_device from account where tenant = ? and pn = ?',
  );
  const updateNextDevice = prepare<unknown[]>(db, 'update account set next_device = ? where tenant = ? and pn = ?');
  const forgetLine = prepare<unknown[]>(db, 'update device set line_id = null where tenant = ? and line_id = ?');
  const upsertDevice = prepare<unknown[]>(
    db,
    `insert or replace into device (tenant, pn, id, line_id, noise_key, identity, registration_id, skey_id, skey,
     skey_signature, key_index, adv_identity, platform, linked_at) values (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
  );
  const removals = [
    'device where tenant = ? and pn = ? and id = ?',
    'prekey where tenant = ? and pn = ? and device = ?',
    'queue where tenant = ? and pn = ? and device = ?',
  ].map((rest) => prepare<unknown[]>(db, `delete from ${rest}`));

  return {
    device: (pn: string, id: number): Device | undefined =>
      cache.get(`device ${pn} ${id}`, () => toDevice(selectDevice.get(tenant, pn, id))),
    devices: (pn: string): readonly Device[] =>
      cache.get(`devices ${pn}`, () => selectDevices.all(tenant, pn).flatMap((row) => toDevice(row) ?? [])),
    deviceOfLine: (lineId: string): Device | undefined => toDevice(selectLine.get(tenant, lineId)),
    /** The number for the next companion. Numbers are not used again before all have been. */
    nextDeviceId(pn: string): number {
      const taken = new Set(selectDevices.all(tenant, pn).map((d) => d.id));
      const start = selectNextDevice.get(tenant, pn)?.next_device ?? 1;
      for (let i = 0; i < DEVICE_ID_MAX; i++) {
        const id = ((start - 1 + i) % DEVICE_ID_MAX) + 1;
        if (id === DEVICE_ID_HOSTED || taken.has(id)) continue;
        updateNextDevice.run((id % DEVICE_ID_MAX) + 1, tenant, pn);
        return id;
      }
      throw new LimitError(`${pn} already has ${DEVICE_ID_MAX - 1} linked devices: unlink some`);
    },
    /** Writes a device; a line id moves to it from whichever device had it. */
    saveDevice(d: Device): void {
      cache.forget();
      if (d.lineId !== undefined) forgetLine.run(tenant, d.lineId);
      upsertDevice.run(tenant, ...columnsOf(d));
    },
    /** Deletes a device with its keys and its mail. */
    removeDevice(pn: string, id: number): void {
      cache.forget();
      for (const statement of removals) statement.run(tenant, pn, id);
    },
  };
}

/** `15550001111:3@s.whatsapp.net` or the LID form of the same device. */
export function deviceJid(account: Account, device: number, mode: 'pn' | 'lid'): string {
  return mode === 'lid' ? formatJid(account.lid, SERVER_LID, device) : formatJid(account.pn, SERVER_PN, device);
}

function toAccount(row: AccountRow | undefined): Account | undefined {
  if (!row) return undefined;
  const { pn, lid, name, about, settings } = row;
  return {
    pn,
    lid,
    name,
    about,
    aboutAt: row.about_at,
    isBusiness: row.business === 1,
    isLidOnly: row.lid_only === 1,
    settings,
  };
}

function toDevice(row: DeviceRow | undefined): Device | undefined {
  if (!row) return undefined;
  const hasSkey = row.skey_id !== null && row.skey !== null && row.skey_signature !== null;
  return {
    pn: row.pn,
    id: row.id,
    lineId: row.line_id ?? undefined,
    noiseKey: row.noise_key ?? undefined,
    identity: row.identity ?? undefined,
    registrationId: row.registration_id ?? undefined,
    signedPreKey: hasSkey
      ? { id: row.skey_id ?? 0, key: row.skey ?? Buffer.alloc(0), signature: row.skey_signature ?? Buffer.alloc(0) }
      : undefined,
    keyIndex: row.key_index,
    advIdentity: row.adv_identity ?? undefined,
    platform: row.platform,
    linkedAt: row.linked_at,
  };
}

/** In the order of the insert: pn to linked_at. */
function columnsOf(d: Device): (string | number | Uint8Array | null)[] {
  const s = d.signedPreKey;
  return [
    d.pn,
    d.id,
    d.lineId ?? null,
    d.noiseKey ?? null,
    d.identity ?? null,
    d.registrationId ?? null,
    s?.id ?? null,
    s?.key ?? null,
    s?.signature ?? null,
    d.keyIndex,
    d.advIdentity ?? null,
    d.platform,
    d.linkedAt,
  ];
}
