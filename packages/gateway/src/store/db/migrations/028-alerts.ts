import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Whom alerts are sent to, and those that have not left yet. */
const STATEMENTS = `
create table alert_settings (
  user_id TEXT primary key references console_users (id) on delete cascade,
  email INT not null,
  url TEXT,
  secret BYTES,
  texts INT not null,
  changed_at INT not null
);
create table alerts (
  id TEXT primary key,
  user_id TEXT not null references console_users (id) on delete cascade,
  channel TEXT not null,
  facts TEXT not null,
  attempts INT not null,
  due_at INT not null,
  created_at INT not null
);
create index alerts_due on alerts (due_at, id);
create index alerts_user on alerts (user_id);
alter table approvals add column alerted_at INT
`;

export const alerts: Migration = {
  name: '028-alerts',
  // Versions before it leave the tables alone.
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
