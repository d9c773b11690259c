import type { Jid } from '@ponte/engine';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** What a group is called, and since when (Unix seconds; 0 = unknown). */
export interface GroupName {
  jid: Jid;
  subject: string;
  subjectAt: number;
}

/** Rows per statement: far below the parameter limits of both databases. */
const ROWS_PER_INSERT = 200;

/** Notes what groups are called. An older subject never takes a newer one's place. */
export async function noteGroups(db: Db, lineId: string, groups: readonly GroupName[], nowMs: number): Promise<void> {
  const rows = groups.map(({ jid, subject, subjectAt }) => ({
    line_id: lineId,
    jid,
    subject: subject.replaceAll('\u0000', ''),
    subject_at: subjectAt,
    updated_at: nowMs,
  }));
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    await db
      .insertInto('chat_groups')
      .values(rows.slice(from, from + ROWS_PER_INSERT))
      .onConflict((conflict) =>
        conflict
          .columns(['line_id', 'jid'])
          .doUpdateSet({
            subject: sql`excluded.subject`,
            subject_at: sql`excluded.subject_at`,
            updated_at: sql`excluded.updated_at`,
          })
          .where(sql<boolean>`excluded.subject_at >= chat_groups.subject_at`),
      )
      .execute();
  }
}

/** Those of the groups that have a name, or are known to have none. */
export async function namedGroups(db: Db, lineId: string, groups: readonly Jid[]): Promise<Jid[]> {
  if (groups.length === 0) return [];
  const rows = await db
    .selectFrom('chat_groups')
    .select('jid')
    .where('line_id', '=', lineId)
    .where('jid', 'in', groups)
    .execute();
  return rows.map(({ jid }) => jid);
}

/** Group chats of a line that have no name yet. */
export async function namelessGroups(db: Db, lineId: string, limit: number): Promise<Jid[]> {
  const rows = await db
    .selectFrom('chats as c')
    .leftJoin('chat_groups as g', (join) => join.onRef('g.line_id', '=', 'c.line_id').onRef('g.jid', '=', 'c.jid'))
    .select('c.jid')
    .where('c.line_id', '=', lineId)
    .where('c.is_group', '=', 1)
    .where('g.jid', 'is', null)
    .limit(limit)
    .execute();
  return rows.map(({ jid }) => jid);
}
