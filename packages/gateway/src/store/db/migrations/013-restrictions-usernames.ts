import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** What WhatsApp limits a line's account in, and the usernames of people. */
const STATEMENTS = `
alter table lines add column restrictions TEXT;
alter table contacts add column username TEXT
`;

export const restrictionsUsernames: Migration = {
  name: '013-restrictions-usernames',
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
