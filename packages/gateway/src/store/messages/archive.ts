import type { Jid } from '@ponte/engine';
import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** A chat that goes to the archive because a message to it has left. */
export interface DueArchiving {
  outboxId: string;
  to: Jid;
  /** Unix seconds of the message. */
  lastMessageAt: number;
}

/** What a line still has to archive, oldest message first. */
export async function dueArchivings(db: Db, lineId: string, limit: number): Promise<DueArchiving[]> {
  const rows = await db
    .selectFrom('outbox')
    .select(['id', 'to_jid', 'ack_timestamp'])
    .where('line_id', '=', lineId)
    .where('archive_after', 'is not', null)
    .where('state', '=', 'sent')
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ outboxId: row.id, to: row.to_jid, lastMessageAt: Number(row.ack_timestamp) }));
}

export async function archivingDone(db: Db, outboxId: string): Promise<void> {
  await db.updateTable('outbox').set({ archive_after: null }).where('id', '=', outboxId).execute();
}

/**
 * Notes where a chat is; undefined when it was there already, or no message was ever written in it.
 * Answers its key and number.
 */
export async function noteArchived(
  db: Db,
  lineId: string,
  address: Jid,
  archived: boolean,
): Promise<{ jid: Jid; pn: Jid | null; lid: Jid | null } | undefined> {
  return db
    .updateTable('chats')
    .set({ archived: archived ? 1 : 0 })
    .where('line_id', '=', lineId)
    .where((eb) => eb.or([eb('jid', '=', address), eb('pn', '=', address), eb('lid', '=', address)]))
    .where('archived', '=', archived ? 0 : 1)
    .returning(['jid', 'pn', 'lid'])
    .executeTakeFirst();
}

/** Whether the phone changed settings that may not be noted here yet. */
export async function markSettingsStale(db: Db, lineId: string, isStale: boolean): Promise<void> {
  const value = isStale ? 1 : 0;
  await db
    .updateTable('lines')
    .set({ settings_stale: value })
    .where('id', '=', lineId)
    .where('settings_stale', '!=', value)
    .execute();
}

export async function areSettingsStale(db: Db, lineId: string): Promise<boolean> {
  const row = await db.selectFrom('lines').select('settings_stale').where('id', '=', lineId).executeTakeFirst();
  return Number(row?.settings_stale ?? 0) === 1;
}

/** A chat's newest message and whether it is archived, as far as is known. */
export async function archiveFacts(
  db: Db,
  lineId: string,
  address: Jid,
): Promise<{ archived: boolean; lastMessageAt: number | null } | undefined> {
  const row = await db
    .selectFrom('chats')
    .select(['archived', 'last_message_at'])
    .where('line_id', '=', lineId)
    .where((eb) => eb.or([eb('jid', '=', address), eb('pn', '=', address), eb('lid', '=', address)]))
    .executeTakeFirst();
  return (
    row && {
      archived: Number(row.archived) === 1,
      lastMessageAt: row.last_message_at === null ? null : Math.floor(Number(row.last_message_at) / 1_000),
    }
  );
}
