import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/**
 * The attempt that delivered stands in its delivery's own row, which is written then anyway; the
 * log of attempts keeps the ones that failed, and what older versions wrote.
 */
export const deliveringAttempt: Migration = {
  name: '035-delivering-attempt',
  // A version before it would show deliveries without the attempt that delivered them.
  breaking: true,
  up: (db, engine) => runSchema(db, engine, 'alter table deliveries add column delivered TEXT'),
};
