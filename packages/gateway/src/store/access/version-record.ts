import type { ClientVersion } from '@ponte/engine';
import type { Db, Store } from '../db/store.ts';
import { readSetting, writeSetting } from './settings.ts';

/** What the installation remembers of WhatsApp's client version; shared by every process. */
export interface VersionRecord {
  /** Set by the operator; null = not. */
  override: ClientVersion | null;
  /** The last good answer of WhatsApp's page, and when (Unix milliseconds). */
  fetched: { version: ClientVersion; at: number } | null;
  /** The last try, good or not. */
  triedAt: number | null;
  problem: string | null;
  /** The end that WhatsApp named for a version. */
  expires: { version: ClientVersion; at: number } | null;
}

const NAME = 'whatsapp_version';
const EMPTY: VersionRecord = { override: null, fetched: null, triedAt: null, problem: null, expires: null };

export async function readVersionRecord(db: Db): Promise<VersionRecord> {
  const stored = await readSetting(db, NAME);
  return stored === undefined ? EMPTY : { ...EMPTY, ...(JSON.parse(stored) as Partial<VersionRecord>) };
}

/** Reads, changes and writes it in one transaction. */
export function changeVersionRecord(
  store: Store,
  change: (record: VersionRecord) => Partial<VersionRecord>,
): Promise<VersionRecord> {
  return store.transaction(async ({ db }) => {
    const before = await readVersionRecord(db);
    const after = { ...before, ...change(before) };
    await writeSetting(db, NAME, JSON.stringify(after));
    return after;
  });
}
