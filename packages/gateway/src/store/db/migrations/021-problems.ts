import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** What is wrong and for how long: an alert is told once, also across restarts. */
const STATEMENTS = `
create table problems (
  account_id TEXT not null references accounts (id) on delete cascade,
  mode TEXT not null,
  kind TEXT not null,
  subject TEXT not null,
  line_id TEXT references lines (id) on delete cascade,
  reason TEXT,
  since INT not null,
  told_at INT,
  primary key (account_id, mode, kind, subject)
);
create index problems_line on problems (line_id)
`;

export const problems: Migration = {
  name: '021-problems',
  // Versions before it leave the table alone.
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
