import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/**
 * People who use the console, their sessions, what they did, and sign-ins that failed; and what a
 * line's timeline is read by.
 */
const STATEMENTS = `
create table console_users (
  id TEXT primary key,
  email TEXT not null unique,
  name TEXT not null,
  role TEXT not null,
  password TEXT not null,
  created_at INT not null,
  disabled_at INT,
  signed_in_at INT
);
create table console_sessions (
  id TEXT primary key,
  hash BYTES not null unique,
  user_id TEXT not null references console_users (id) on delete cascade,
  address TEXT not null,
  user_agent TEXT not null,
  created_at INT not null,
  seen_at INT not null,
  expires_at INT not null
);
create index console_sessions_user on console_sessions (user_id, created_at);
create index console_sessions_expiry on console_sessions (expires_at);
create table console_audit (
  seq SEQUENCE,
  at INT not null,
  user_id TEXT,
  actor TEXT not null,
  action TEXT not null,
  target TEXT not null,
  mode TEXT,
  outcome TEXT not null,
  address TEXT not null,
  request_id TEXT not null
);
create table console_failures (
  subject TEXT primary key,
  failures INT not null,
  last_at INT not null,
  blocked_until INT not null
);
create index console_failures_age on console_failures (last_at);
create index events_line on events (line_id, seq);
`;

export const consoleTables: Migration = {
  name: '002-console',
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
