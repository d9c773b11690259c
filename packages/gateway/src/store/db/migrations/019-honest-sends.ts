import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Sends that left and were never confirmed; how long messages of a chat stay. */
const STATEMENTS = `
alter table outbox add column unconfirmed_at INT;
create table chat_expirations (
  line_id TEXT not null references lines (id) on delete cascade,
  jid TEXT not null,
  seconds INT not null,
  set_at INT not null,
  primary key (line_id, jid)
);
create index outbox_unconfirmed on outbox (line_id, seq) where unconfirmed_at is not null and finished_at is null
`;

export const honestSends: Migration = {
  name: '019-honest-sends',
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
