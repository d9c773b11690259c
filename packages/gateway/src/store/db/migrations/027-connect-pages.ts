import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Whose browser a connect link belongs to since its first use, and how its page looks. */
const STATEMENTS = `
alter table connect_links add column visitor BYTES;
alter table connect_links add column page TEXT
`;

export const connectPages: Migration = {
  name: '027-connect-pages',
  // Versions before it show their own page, to anyone who has the address.
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
