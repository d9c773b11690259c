import type { Self } from '@ponte/engine';
import { phoneOf } from '@ponte/engine';
import type { Kysely } from 'kysely';
import type { LineStatus, Mode } from '../core/lines.ts';
import { accept, type LineRef } from '../journal/accept.ts';
import type { Database } from '../store/db/schema.ts';
import type { Store } from '../store/db/store.ts';
import { isNews, type ToldStatus } from './connection/line-state.ts';

/** What a worker needs of a line's row. */
export interface LineRow {
  id: string;
  accountId: string;
  mode: Mode;
  status: LineStatus;
  reason: string | null;
}

/** Undefined when the line does not exist or is being deleted. */
export async function loadLine(db: Kysely<Database>, lineId: string): Promise<LineRow | undefined> {
  const row = await db
    .selectFrom('lines')
    .select(['id', 'account_id', 'mode', 'status', 'status_reason'])
    .where('id', '=', lineId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      accountId: row.account_id,
      mode: row.mode,
      status: row.status as LineStatus,
      reason: row.status_reason,
    }
  );
}

/** Every line that wants a worker, oldest first. */
export async function listRunnable(db: Kysely<Database>): Promise<{ id: string; accountId: string; mode: Mode }[]> {
  const rows = await db
    .selectFrom('lines')
    .select(['id', 'account_id', 'mode'])
    .where('deleted_at', 'is', null)
    .orderBy('number')
    .execute();
  return rows.map((row) => ({ id: row.id, accountId: row.account_id, mode: row.mode }));
}

/** Keys of status events begin so, and sort by time. */
const KEY = 'line.status:';
/** ';' follows ':' in ASCII: the end of the range of keys. */
const KEY_END = 'line.status;';

/** The last status that was journaled, and when; null for a line that never had any. */
export async function loadTold(db: Kysely<Database>, lineId: string): Promise<(ToldStatus & { atMs: number }) | null> {
  const row = await db
    .selectFrom('events')
    .select(['payload', 'dedupe_key'])
    .where('line_id', '=', lineId)
    .where('dedupe_key', '>=', KEY)
    .where('dedupe_key', '<', KEY_END)
    .orderBy('dedupe_key', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row) return null;
  const { status, reason } = JSON.parse(row.payload) as ToldStatus;
  return { status, reason, atMs: Number(row.dedupe_key.slice(KEY.length)) };
}

/** A moment of a line's life, to be written down. */
export interface StatusSnapshot {
  status: LineStatus;
  reason: string | null;
  self: Self | undefined;
  atMs: number;
}

/**
 * Writes a line's status into its row and, when it is news, into the journal; one transaction.
 * Returns what has been told by now, and whether there are new deliveries.
 */
export async function saveStatus(
  store: Store,
  line: LineRef,
  told: (ToldStatus & { atMs: number }) | null,
  now: StatusSnapshot,
): Promise<{ told: (ToldStatus & { atMs: number }) | null; isNew: boolean }> {
  const isGone = now.status === 'unpaired' || now.status === 'logged_out';
  const news = isNews(told, now);
  // Two events of one line never share a key, and their keys sort, whatever the wall clock does.
  const atMs = Math.max(now.atMs, (told?.atMs ?? 0) + 1);
  await store.transaction(async (tx) => {
    const before = await tx.db
      .selectFrom('lines')
      .select(['phone', 'status'])
      .where('id', '=', line.id)
      .executeTakeFirst();
    if (!before) return;
    await tx.db
      .updateTable('lines')
      .set({
        status: now.status,
        status_reason: now.reason,
        ...(isGone ? { phone: null, jid: null, lid: null, name: null, connected_at: null } : addresses(now.self)),
        ...(now.status === 'connected' && before.status !== 'connected' ? { connected_at: now.atMs } : {}),
      })
      .where('id', '=', line.id)
      .execute();
    if (!news) return;
    const payload = {
      status: now.status,
      previous: told?.status ?? 'unpaired',
      phone: phoneOf(now.self?.pn) ?? before.phone,
      reason: now.reason,
    } as const;
    const dedupeKey = `${KEY}${String(atMs).padStart(15, '0')}`;
    await accept(tx, line, [{ type: 'line.status', payload, dedupeKey, chat: null }], now.atMs);
  }, 'normal');
  return news ? { told: { status: now.status, reason: now.reason, atMs }, isNew: true } : { told, isNew: false };
}

function addresses(self: Self | undefined): { phone?: string | null; jid?: string; lid?: string; name?: string } {
  if (!self) return {};
  return {
    phone: phoneOf(self.pn) ?? null,
    jid: self.pn,
    ...(self.lid === undefined ? {} : { lid: self.lid }),
    ...(self.name === '' ? {} : { name: self.name }),
  };
}
