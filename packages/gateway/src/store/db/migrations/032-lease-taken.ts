import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** When a line came to its node: one that has just moved is about to connect again. */
export const leaseTaken: Migration = {
  name: '032-lease-taken',
  // Versions before it leave the column alone.
  breaking: false,
  up: (db, engine) => runSchema(db, engine, 'alter table line_leases add column taken_at INT'),
};
