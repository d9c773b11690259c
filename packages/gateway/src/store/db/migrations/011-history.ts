import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/**
 * Parts of the past that a phone offered and that are not read yet; whether a line has to fetch its
 * phone's settings anew.
 */
const STATEMENTS = `
create table history_parts (
  seq SEQUENCE,
  line_id TEXT not null references lines (id) on delete cascade,
  part_id TEXT not null,
  kind TEXT not null,
  part BYTES not null,
  failures INT not null default 0,
  failed TEXT,
  created_at INT not null
);
alter table lines add column settings_stale INT not null default 0;
create unique index history_parts_identity on history_parts (line_id, part_id);
create index history_parts_waiting on history_parts (line_id, seq) where failed is null
`;

export const history: Migration = {
  name: '011-history',
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
