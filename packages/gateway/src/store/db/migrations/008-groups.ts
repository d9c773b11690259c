import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** What a line's groups are called. */
const STATEMENTS = `
create table chat_groups (
  line_id TEXT not null references lines (id) on delete cascade,
  jid TEXT not null,
  subject TEXT not null,
  subject_at INT not null,
  updated_at INT not null,
  primary key (line_id, jid)
)
`;

export const groups: Migration = {
  name: '008-groups',
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
