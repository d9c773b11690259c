import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Each entry of the audit log is sealed with the one before it; those of before have none. */
const STATEMENTS = `
alter table console_audit add column link TEXT
`;

export const auditChain: Migration = {
  name: '016-audit-chain',
  // Versions before it write entries without a seal, which would look like forged ones.
  breaking: true,
  up: (db, engine) => runSchema(db, engine, STATEMENTS),
};
