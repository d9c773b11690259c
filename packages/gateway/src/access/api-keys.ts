import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { invalid } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { newKeyId } from '../core/ids.ts';
import { isApiKey, keyPrefix, newApiKey } from '../core/key-format.ts';
import type { Mode } from '../core/lines.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Log } from '../observe/logger.ts';
import {
  type ApiKeyRow,
  findKeyByHash,
  findKeyById,
  insertKey,
  listKeys,
  noteKeyUsed,
  retireKey,
  revokeKey,
} from '../store/access/api-keys.ts';
import type { Db, Store } from '../store/db/store.ts';
import { findLineById } from '../store/lines/lines.ts';
import { normalNetwork } from './networks.ts';

/** The caller behind a valid key. */
export interface KeyHolder {
  keyId: string;
  keyName: string;
  keyPrefix: string;
  accountId: string;
  mode: Mode;
  scopes: readonly string[];
  /** What it sends waits for a person's yes. */
  needsApproval?: boolean;
  /** Ids of the lines it is for; undefined: every line of its account and mode. */
  lines?: readonly string[];
  /** Networks (`normalNetwork`) it may be used from; undefined: anywhere. */
  networks?: readonly string[];
}

export interface ListedKey extends KeyHolder {
  createdAt: number;
  expiresAt: number | null;
  revokedAt: number | null;
  lastUsedAt: number | null;
}

/**
 * A key is asked for in the database again after this time, so that a revocation counts everywhere
 * within a second.
 */
const CACHE_MS = 900;
const MAX_CACHED = 10_000;
/** `last_used_at` is written this often at the most. */
const TOUCH_EVERY_MS = 60_000;
const MAX_NAME = 100;

export interface NewKey {
  accountId: string;
  mode: Mode;
  name: string;
  /** Left out: everything. */
  scopes?: string[];
  /** Unix milliseconds; left out or null: never. */
  expiresAt?: number | null;
  /** What it sends waits for a person's yes. */
  needsApproval?: boolean;
  /** Ids of lines of the account and mode; left out: every line. */
  lines?: readonly string[];
  /** Networks or addresses; left out: anywhere. */
  networks?: readonly string[];
}

export interface MadeKey {
  id: string;
  /** The secret text; it cannot be shown again. */
  key: string;
  prefix: string;
}

export interface ApiKeys {
  /** Makes a key; the answer holds the only copy of its text. */
  create(key: NewKey): Promise<MadeKey>;
  /**
   * Who presents this text; undefined for everything that is not a valid key. Unknown, revoked and
   * expired ones take the same path.
   */
  authenticate(presented: string): Promise<KeyHolder | undefined>;
  /**
   * Who holds the key with this id; undefined when there is none, or none that is valid. For those
   * who have proved it otherwise.
   */
  holderOf(id: string): Promise<KeyHolder | undefined>;
  list(accountId?: string): Promise<ListedKey[]>;
  /** False when there is no such key. Revoking twice keeps the first time. */
  revoke(id: string): Promise<boolean>;
  /**
   * A successor with the same rights; the old key stays valid for `graceMs`. Undefined when there
   * is no such valid key.
   */
  rotate(id: string, graceMs: number): Promise<MadeKey | undefined>;
}

interface Cached {
  until: number;
  hash: Buffer;
  holder: KeyHolder | undefined;
}

async function insertNew(
  db: Db,
  { accountId, mode, name, scopes = ['*'], expiresAt = null, needsApproval = false, lines, networks }: NewKey,
  { hashOf, now }: { hashOf(key: string): Buffer; now: number },
): Promise<MadeKey> {
  const key = newApiKey(mode);
  const id = newKeyId();
  await insertKey(db, {
    id,
    account_id: accountId,
    name: name.slice(0, MAX_NAME),
    mode,
    hash: hashOf(key),
    prefix: keyPrefix(key),
    scopes: JSON.stringify(scopes),
    created_at: now,
    expires_at: expiresAt,
    approval: needsApproval ? 'required' : 'none',
    lines: lines === undefined ? null : JSON.stringify(lines),
    networks: networks === undefined ? null : JSON.stringify(networks),
  });
  return { id, key, prefix: keyPrefix(key) };
}

const toListed = (row: ApiKeyRow): ListedKey => ({
  ...toHolder(row),
  createdAt: Number(row.created_at),
  expiresAt: row.expires_at === null ? null : Number(row.expires_at),
  revokedAt: row.revoked_at === null ? null : Number(row.revoked_at),
  lastUsedAt: row.last_used_at === null ? null : Number(row.last_used_at),
});

export function createApiKeys(services: { store: Store; ring: KeyRing; clock: Clock; log: Log }): ApiKeys {
  const { store, ring, clock, log } = services;
  const cache = new LRUCache<string, Cached>({ max: MAX_CACHED });
  const touchedAt = new LRUCache<string, number>({ max: MAX_CACHED });
  const hashOf = (key: string) => ring.fingerprint('api-key', key);

  async function look(hash: Buffer): Promise<KeyHolder | undefined> {
    const row = await findKeyByHash(store.db, hash, clock.now());
    if (!row || !timingSafeEqual(row.hash, hash)) return undefined;
    return validHolder(row);
  }

  function validHolder(row: ApiKeyRow): KeyHolder | undefined {
    const now = clock.now();
    if (!isValid(row, now)) return undefined;
    touch(row.id, now);
    return toHolder(row);
  }

  /** Off the request's path: a key's last use is information, not bookkeeping. */
  function touch(id: string, now: number): void {
    if (now - (touchedAt.get(id) ?? 0) < TOUCH_EVERY_MS) return;
    touchedAt.set(id, now);
    noteKeyUsed(store.db, id, now).catch((error: unknown) =>
      log.warn({ error }, 'noting the last use of an api key failed'),
    );
  }

  const insert = (db: Db, made: NewKey): Promise<MadeKey> => insertNew(db, made, { hashOf, now: clock.now() });

  return {
    async create(key) {
      return insert(store.db, { ...key, ...(await checkedLimits(store.db, key)) });
    },
    async authenticate(presented) {
      if (!isApiKey(presented)) return undefined;
      const hash = hashOf(presented);
      const name = hash.toString('base64');
      const now = clock.monotonic();
      const cached = cache.get(name);
      if (cached && cached.until > now) return cached.holder;
      const holder = await look(hash);
      cache.set(name, { until: now + CACHE_MS, hash, holder });
      return holder;
    },
    async holderOf(id) {
      const row = await findKeyById(store.db, id);
      return row && validHolder(row);
    },
    async list(accountId) {
      return (await listKeys(store.db, accountId)).map(toListed);
    },
    async revoke(id) {
      if (!(await revokeKey(store.db, id, clock.now()))) return false;
      cache.clear();
      return true;
    },
    async rotate(id, graceMs) {
      const successor = await store.transaction(async ({ db }) => {
        const now = clock.now();
        // The update comes first: of two rotations at once the second one waits here and then finds
        // no valid key.
        const row = await retireKey(db, id, { now, endsAt: now + graceMs });
        if (!row) return undefined;
        return insert(db, {
          accountId: row.account_id,
          mode: row.mode,
          name: row.name,
          scopes: JSON.parse(row.scopes) as string[],
          expiresAt: row.expires_at === null ? null : Number(row.expires_at),
          needsApproval: row.approval === 'required',
          lines: listOf(row.lines),
          networks: listOf(row.networks),
        });
      });
      cache.clear();
      return successor;
    },
  };
}

const MAX_LIMITS = 100;

/**
 * What a key is limited to, as it is stored. `validation_error` for lines of others and no
 * networks.
 */
async function checkedLimits(db: Db, key: NewKey): Promise<Pick<NewKey, 'lines' | 'networks'>> {
  const lines = key.lines && [...new Set(key.lines)];
  const networks = key.networks?.map((text) => {
    const network = normalNetwork(text);
    if (network) return network;
    throw invalid('networks', `"${text.slice(0, 64)}" is no network: use one such as 203.0.113.7 or 10.1.0.0/16.`);
  });
  if (lines?.length === 0) throw invalid('line_ids', 'Name at least one line, or leave line_ids out for all of them.');
  if (networks?.length === 0) throw invalid('networks', 'Name at least one network, or leave networks out.');
  if ((lines?.length ?? 0) > MAX_LIMITS) throw invalid('line_ids', `Name ${MAX_LIMITS} lines at most.`);
  if ((networks?.length ?? 0) > MAX_LIMITS) throw invalid('networks', `Name ${MAX_LIMITS} networks at most.`);
  for (const id of lines ?? []) {
    if (await findLineById(db, { accountId: key.accountId, mode: key.mode }, id)) continue;
    throw invalid('line_ids', `There is no ${key.mode} line "${id.slice(0, 64)}" in this account.`);
  }
  return { lines, networks: networks && [...new Set(networks)] };
}

const listOf = (json: string | null): string[] | undefined =>
  json === null ? undefined : (JSON.parse(json) as string[]);

/** Neither revoked nor expired. */
const isValid = (row: { revoked_at: number | null; expires_at: number | null }, nowMs: number): boolean =>
  [row.revoked_at, row.expires_at].every((end) => end === null || Number(end) > nowMs);

function toHolder(row: {
  id: string;
  name: string;
  prefix: string;
  account_id: string;
  mode: Mode;
  scopes: string;
  approval: 'none' | 'required';
  lines: string | null;
  networks: string | null;
}): KeyHolder {
  return {
    keyId: row.id,
    keyName: row.name,
    keyPrefix: row.prefix,
    accountId: row.account_id,
    mode: row.mode,
    scopes: JSON.parse(row.scopes) as string[],
    needsApproval: row.approval === 'required',
    ...(row.lines === null ? {} : { lines: listOf(row.lines) }),
    ...(row.networks === null ? {} : { networks: listOf(row.networks) }),
  };
}
