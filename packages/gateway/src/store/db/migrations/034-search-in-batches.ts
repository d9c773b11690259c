import { type Kysely, sql } from 'kysely';
import type { DatabaseEngine } from '../dialect.ts';
import type { Migration } from './migration.ts';

/**
 * SQLite's full-text index is written in batches (messages/search-index.ts): every message up to
 * the mark is in it, the ones behind it are looked through by their words.
 */
const SQLITE = [
  'drop trigger messages_search_insert',
  'drop trigger messages_search_delete',
  'drop trigger messages_search_forget',
  'drop trigger messages_search_learn',
  'create table messages_search_mark (indexed_to integer not null)',
  'insert into messages_search_mark (indexed_to) select coalesce(max(seq), 0) from messages',
  `create trigger messages_search_delete after delete on messages
    when old.search <> '' and old.seq <= (select indexed_to from messages_search_mark) begin
    insert into messages_search (messages_search, rowid, line_id, search) values ('delete', old.seq, old.line_id, old.search);
  end`,
  // One trigger: of two it is not said which one runs first.
  `create trigger messages_search_change after update of search on messages
    when old.seq <= (select indexed_to from messages_search_mark) begin
    insert into messages_search (messages_search, rowid, line_id, search)
      select 'delete', old.seq, old.line_id, old.search where old.search <> '';
    insert into messages_search (rowid, line_id, search)
      select new.seq, new.line_id, new.search where new.search <> '';
  end`,
];

/** Usage is counted in a table of its own; no question needs sends by account. */
const BOTH = ['drop index outbox_usage'];

export const searchInBatches: Migration = {
  name: '034-search-in-batches',
  // A version before it would look for its own messages in the index alone.
  breaking: true,
  async up(db: Kysely<unknown>, engine: DatabaseEngine) {
    for (const statement of [...BOTH, ...(engine === 'sqlite' ? SQLITE : [])]) await sql.raw(statement).execute(db);
  },
};
