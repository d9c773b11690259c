import type { Db } from '../db/store.ts';
import { readSetting, writeSetting } from './settings.ts';

/** What is remembered of the line that writes to itself. */
export interface CanaryRecord {
  lineId: string;
  /** Unix milliseconds; null: never so far. */
  lastSuccessAt: number | null;
  /** Why the last try failed; null: it did not. */
  problem: string | null;
}

const NAME = 'canary';

/** Of another line nothing is remembered. */
export async function readCanaryRecord(db: Db, lineId: string): Promise<CanaryRecord> {
  const stored = await readSetting(db, NAME);
  const record = stored === undefined ? undefined : (JSON.parse(stored) as CanaryRecord);
  return record?.lineId === lineId ? record : { lineId, lastSuccessAt: null, problem: null };
}

export const writeCanaryRecord = (db: Db, record: CanaryRecord): Promise<void> =>
  writeSetting(db, NAME, JSON.stringify(record));
