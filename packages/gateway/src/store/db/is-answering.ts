import { sql } from 'kysely';
import type { Db } from './store.ts';

/** Resolves to true once the database answers; rejects when it does not. Takes as long as it takes. */
export async function isAnswering(db: Db): Promise<true> {
  await sql`select 1`.execute(db);
  return true;
}
