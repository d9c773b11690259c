import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Passkeys of people who use the console, and challenges that wait for their answer. */
const STATEMENTS = `
create table console_passkeys (
  id TEXT primary key,
  user_id TEXT not null references console_users (id) on delete cascade,
  name TEXT not null,
  host TEXT not null,
  public_key BYTES not null,
  counter INT not null,
  transports TEXT not null,
  created_at INT not null,
  used_at INT
);
create index console_passkeys_user on console_passkeys (user_id, created_at);
create table console_challenges (
  challenge TEXT primary key,
  user_id TEXT,
  expires_at INT not null
);
create index console_challenges_expiry on console_challenges (expires_at)
`;

export const passkeys: Migration = {
  name: '007-passkeys',
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
