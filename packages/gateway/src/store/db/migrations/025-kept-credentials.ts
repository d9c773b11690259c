import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Credentials of lines that the phone logged out, for the days in which they can be restored. */
const STATEMENTS = `
alter table lines add column credentials_kept_until INT;
create table kept_keys (
  line_id TEXT not null references lines (id) on delete cascade,
  kind TEXT not null,
  id TEXT not null,
  value BYTES not null,
  primary key (line_id, kind, id)
);
create index lines_credentials_kept on lines (credentials_kept_until) where credentials_kept_until is not null
`;

export const keptCredentials: Migration = {
  name: '025-kept-credentials',
  // Versions before it clear credentials at once, and leave the table alone.
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
