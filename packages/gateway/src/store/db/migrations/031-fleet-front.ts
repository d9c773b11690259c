import { sql } from 'kysely';
import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/**
 * The places that the nodes of a fleet took in a budget, and when; and by which master key each
 * node was started.
 */
const STATEMENTS = `
create table rate_windows (
  bucket TEXT primary key,
  ats LIST not null,
  ns LIST not null,
  granted INT not null,
  touched_at INT not null
);
alter table nodes add column master_key_id TEXT
`;

export const fleetFront: Migration = {
  name: '031-fleet-front',
  // Versions before it leave the table and the column alone.
  breaking: false,
  async up(db, engine) {
    const list = engine === 'postgres' ? 'bigint[]' : 'text';
    await runSchema(db, engine, STATEMENTS.replaceAll('LIST', list));
    // A row changes with every request of its key: room on its own page.
    if (engine === 'postgres') await sql`alter table rate_windows set (fillfactor = 50)`.execute(db);
  },
};
