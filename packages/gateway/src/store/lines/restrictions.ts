import type { Restriction } from '@ponte/engine';
import type { Kysely, Transaction } from 'kysely';
import type { LineRestriction } from '../../core/restrictions.ts';
import type { Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** What `lines.restrictions` says. */
export function readRestrictions(column: string | null): LineRestriction[] {
  return column === null ? [] : (JSON.parse(column) as LineRestriction[]);
}

/** Notes a limit, in the place of an earlier one of the same cause, or that it was lifted. */
export async function noteRestriction(
  db: Db,
  lineId: string,
  { cause, isActive, until, detail }: Restriction,
  since: number,
): Promise<void> {
  const row = await db.selectFrom('lines').select('restrictions').where('id', '=', lineId).executeTakeFirst();
  if (!row) return;
  const others = readRestrictions(row.restrictions).filter((known) => known.cause !== cause);
  const now = isActive ? [...others, { cause, until, detail, since }] : others;
  await db
    .updateTable('lines')
    .set({ restrictions: now.length === 0 ? null : JSON.stringify(now) })
    .where('id', '=', lineId)
    .execute();
}
