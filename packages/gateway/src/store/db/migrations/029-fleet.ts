import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Who runs which line, and which nodes there are. Empty while one node serves the database. */
const STATEMENTS = `
create table line_leases (
  line_id TEXT primary key references lines (id) on delete cascade,
  node_id TEXT,
  epoch INT not null,
  expires_at INT not null
);
create index line_leases_node on line_leases (node_id);
create index line_leases_due on line_leases (expires_at);
create table nodes (
  id TEXT primary key,
  name TEXT not null,
  version TEXT not null,
  weight INT not null,
  is_draining INT not null,
  lines INT not null,
  started_at INT not null,
  expires_at INT not null
)
`;

export const fleet: Migration = {
  name: '029-fleet',
  // Versions before it leave the tables alone, and hold the database for themselves.
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
