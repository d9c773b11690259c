import { sql } from 'kysely';
import type { Store } from '../db/store.ts';

/** `inbox.done` of a row that was set aside: out of the journal's way, bytes kept. */
export const SET_ASIDE = 2;

/**
 * Takes an inbox row that cannot become events out of the way: this one, or the line's oldest.
 * Nothing of it is deleted or changed: `update inbox set done = 0` gives it another try. Returns
 * its seq.
 */
export async function setAside(store: Store, lineId: string, seq?: number): Promise<number | undefined> {
  return store.transaction(async (tx) => {
    const oldest = tx.db
      .selectFrom('inbox')
      .select('seq')
      .where('line_id', '=', lineId)
      .where('done', '=', sql.lit(0))
      .orderBy('seq')
      .limit(1);
    const at = seq ?? (await oldest.executeTakeFirst())?.seq;
    if (at === undefined) return undefined;
    await tx.db
      .updateTable('inbox')
      .set({ done: SET_ASIDE })
      .where('seq', '=', at)
      .where('line_id', '=', lineId)
      .execute();
    return Number(at);
  });
}
