import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Whether an account's contents are encrypted, and since when that is so or on its way. */
const STATEMENTS = `
alter table accounts add column contents TEXT not null default 'plain';
alter table accounts add column contents_since INT not null default 0
`;

export const sealedContents: Migration = {
  name: '026-sealed-contents',
  // Versions before it cannot read sealed contents. Nothing is sealed until an account asks for it,
  // but an older version has no way to tell whether one did.
  breaking: true,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
