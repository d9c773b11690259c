import { type Kysely, sql } from 'kysely';
import type { MessageFacts } from '../../../core/events.ts';
import { searchText, textsOf } from '../../../core/search-text.ts';
import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/**
 * Which number belongs to which LID, also of people who are no contacts; numbers that WhatsApp has
 * under other digits; who got and read a message in a group; webhooks that ask for more than the
 * published members.
 */
const STATEMENTS = `
create table addresses (
  line_id TEXT not null references lines (id) on delete cascade,
  lid TEXT not null,
  pn TEXT not null,
  primary key (line_id, lid)
) CLUSTERED;
create index addresses_pn on addresses (line_id, pn);
create table number_aliases (
  line_id TEXT not null references lines (id) on delete cascade,
  asked TEXT not null,
  pn TEXT not null,
  primary key (line_id, asked)
) CLUSTERED;
create table message_readers (
  line_id TEXT not null references lines (id) on delete cascade,
  message_id TEXT not null,
  reader TEXT not null,
  delivered_at INT,
  read_at INT,
  played_at INT,
  updated_at INT not null,
  primary key (line_id, message_id, reader)
) CLUSTERED;
create index message_readers_age on message_readers (updated_at);
alter table webhooks add column details INT not null default 0;
insert into addresses (line_id, lid, pn) select line_id, jid, pn from contacts where jid like '%@lid' and pn is not null;
insert into addresses (line_id, lid, pn) select line_id, jid, pn from chats where jid like '%@lid' and pn is not null
  on conflict do nothing
`;

const PAGE = 500;

/** Messages whose words are not all in their body get the others. */
async function fillSearch(db: Kysely<unknown>): Promise<void> {
  for (let after = 0; ; ) {
    const { rows } = await sql<{ seq: number; facts: string }>`
      select seq, facts from messages
      where seq > ${after} and kind in ('location', 'contact', 'poll', 'event', 'document') order by seq limit ${PAGE}
    `.execute(db);
    for (const { seq, facts } of rows) {
      const { content } = JSON.parse(facts) as MessageFacts;
      await sql`update messages set search = ${searchText(textsOf(content))} where seq = ${seq}`.execute(db);
    }
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return;
    after = Number(last.seq);
  }
}

export const contentPeople: Migration = {
  name: '017-content-people',
  breaking: false,
  async up(db, engine) {
    await runSchema(db, engine, STATEMENTS);
    await fillSearch(db);
  },
};
