import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Keys whose sends wait for a person's yes, and what waits. */
const STATEMENTS = `
alter table api_keys add column approval TEXT not null default 'none';
create table approvals (
  id TEXT primary key,
  account_id TEXT not null references accounts (id) on delete cascade,
  mode TEXT not null,
  line_id TEXT not null references lines (id) on delete cascade,
  key_id TEXT not null,
  key_name TEXT not null,
  operation TEXT not null,
  shown TEXT not null,
  command TEXT not null,
  input TEXT not null,
  repeat_key TEXT,
  fingerprint TEXT not null,
  state TEXT not null,
  created_at INT not null,
  expires_at INT not null,
  decided_at INT,
  decided_by TEXT,
  outcome TEXT
);
create index approvals_newest on approvals (account_id, mode, created_at);
create index approvals_line on approvals (line_id);
create index approvals_age on approvals (created_at);
create index approvals_unfinished on approvals (decided_at) where state = 'approved' and outcome is null;
create unique index approvals_repeat on approvals (account_id, mode, repeat_key) where repeat_key is not null
`;

export const approvals: Migration = {
  name: '010-approvals',
  // A version that knows nothing of approvals would send what is to wait for one.
  breaking: true,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
