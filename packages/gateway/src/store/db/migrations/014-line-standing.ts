import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Until when a line's reason holds, and WhatsApp's own code for it. */
const STATEMENTS = `
alter table lines add column status_until INT;
alter table lines add column status_code INT
`;

export const lineStanding: Migration = {
  name: '014-line-standing',
  breaking: false,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
