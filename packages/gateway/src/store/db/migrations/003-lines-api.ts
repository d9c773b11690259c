import { type Kysely, sql } from 'kysely';
import { searchText } from '../../../core/search-text.ts';
import { type DatabaseEngine, runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Queue, plans, exact usage, connect links, and the columns of the search. */
const STATEMENTS = `
alter table outbox add column rank INT not null default 1;
alter table outbox add column send_at INT;
alter table outbox add column sending_at INT;
create index outbox_scheduled on outbox (line_id, send_at) where finished_at is null and send_at is not null;
alter table lines add column pacing TEXT;
alter table accounts add column cycle_anchor INT;
alter table messages add column search TEXT not null default '';
create index chats_newest on chats (line_id, coalesce(last_message_at, 0), jid);
create table plans (
  name TEXT primary key,
  sent_messages INT,
  webhook_events INT,
  lines INT,
  updated_at INT not null
);
create table usage (
  account_id TEXT not null references accounts (id) on delete cascade,
  mode TEXT not null,
  metric TEXT not null,
  period_start INT not null,
  used INT not null,
  primary key (account_id, mode, metric, period_start)
)CLUSTERED;
create table connect_links (
  hash BYTES primary key,
  line_id TEXT not null references lines (id) on delete cascade,
  created_at INT not null,
  expires_at INT not null,
  used_at INT
);
create index connect_links_line on connect_links (line_id);
create index connect_links_expiry on connect_links (expires_at)
`;

/**
 * The line's id is indexed as a word of its own: a search reads the words of one line, not of all.
 */
const SQLITE_SEARCH = [
  `create virtual table messages_search using fts5(line_id, search, content='messages', content_rowid='seq', tokenize='unicode61')`,
  `create trigger messages_search_insert after insert on messages when new.search <> '' begin
    insert into messages_search (rowid, line_id, search) values (new.seq, new.line_id, new.search);
  end`,
  `create trigger messages_search_delete after delete on messages when old.search <> '' begin
    insert into messages_search (messages_search, rowid, line_id, search) values ('delete', old.seq, old.line_id, old.search);
  end`,
  `create trigger messages_search_forget after update of search on messages when old.search <> '' begin
    insert into messages_search (messages_search, rowid, line_id, search) values ('delete', old.seq, old.line_id, old.search);
  end`,
  `create trigger messages_search_learn after update of search on messages when new.search <> '' begin
    insert into messages_search (rowid, line_id, search) values (new.seq, new.line_id, new.search);
  end`,
];

const POSTGRES_SEARCH = [
  `create index messages_search on messages using gin ((to_tsvector('simple', search) || array_to_tsvector(array[line_id]))) where search <> ''`,
];

const PAGE = 500;

/** Messages that are there already get their words. */
async function fillSearch(db: Kysely<unknown>): Promise<void> {
  for (let after = 0; ; ) {
    const { rows } = await sql<{ seq: number; body: string }>`
      select seq, body from messages where seq > ${after} order by seq limit ${PAGE}
    `.execute(db);
    for (const { seq, body } of rows) {
      await sql`update messages set search = ${searchText(body)} where seq = ${seq}`.execute(db);
    }
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = Number(last.seq);
  }
}

/**
 * What the account sent and what was delivered for it so far, by calendar month, as it was counted
 * until now.
 */
async function fillUsage(db: Kysely<unknown>, engine: DatabaseEngine): Promise<void> {
  const month = (column: string) =>
    sql.raw(
      engine === 'sqlite'
        ? `cast(strftime('%s', ${column} / 1000, 'unixepoch', 'start of month') as integer) * 1000`
        : `(extract(epoch from date_trunc('month', to_timestamp(${column} / 1000.0) at time zone 'UTC')) * 1000)::bigint`,
    );
  await sql`
    insert into usage (account_id, mode, metric, period_start, used)
    select o.account_id, l.mode, 'sent_messages', ${month('o.accepted_at')}, count(*)
    from outbox o join lines l on l.id = o.line_id where o.state <> 'failed' group by 1, 2, 3, 4
  `.execute(db);
  await sql`
    insert into usage (account_id, mode, metric, period_start, used)
    select d.account_id, w.mode, 'webhook_events', ${month('d.created_at')}, count(*)
    from deliveries d join webhooks w on w.id = d.webhook_id group by 1, 2, 3, 4
  `.execute(db);
}

export const linesApi: Migration = {
  name: '003-lines-api',
  // A version that does not count usage would let more through than a plan allows.
  breaking: true,
  async up(db, engine) {
    await runSchema(db, engine, STATEMENTS);
    for (const statement of engine === 'sqlite' ? SQLITE_SEARCH : POSTGRES_SEARCH) {
      await sql.raw(statement).execute(db);
    }
    await fillSearch(db);
    await fillUsage(db, engine);
  },
};
