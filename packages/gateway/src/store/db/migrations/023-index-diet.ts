import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/**
 * Indexes that every message paid for and that no question needs: usage is counted in a table of
 * its own (003), chats are listed by their last message, ages follow from numbers
 * (journal/event-age.ts), and of the inbox only what waits is looked for.
 */
const STATEMENTS = `
drop index deliveries_usage;
drop index events_age;
drop index chats_recent;
drop index inbox_tombstones;
drop index inbox_pending;
create index inbox_pending on inbox (line_id, seq) where done = 0
`;

export const indexDiet: Migration = {
  name: '023-index-diet',
  // Versions before it ask the same questions, some of them more slowly.
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
