import { sql } from 'kysely';
import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Who follows live facts (typing) as they happen, and until when. */
const STATEMENTS = `
create table event_wishes (
  account_id TEXT not null references accounts (id) on delete cascade,
  mode TEXT not null,
  until INT not null,
  primary key (account_id, mode)
)CLUSTERED
`;

/**
 * On PostgreSQL numbers are given before they are committed, so a reader that sees 7 cannot know
 * whether 6 is still to come. Every writer of events therefore holds a shared lock from before its
 * first number until its commit, by which readers tell (event-log.ts). No writer waits for another
 * because of it.
 */
const POSTGRES_ORDER = [
  `create function events_under_way() returns trigger language plpgsql as $$
  begin
    perform pg_advisory_xact_lock_shared(7305814, tg_relid::int4);
    return null;
  end $$`,
  'create trigger events_under_way before insert on events for each statement execute function events_under_way()',
];

export const eventStreams: Migration = {
  name: '009-event-streams',
  breaking: false,
  async up(db, engine) {
    await runSchema(db, engine, STATEMENTS);
    if (engine === 'sqlite') return;
    for (const statement of POSTGRES_ORDER) await sql.raw(statement).execute(db);
  },
};
