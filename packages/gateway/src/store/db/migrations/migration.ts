import type { Kysely } from 'kysely';
import type { DatabaseEngine } from '../dialect.ts';

export interface Migration {
  /** `NNN-what`, sorted by time. */
  name: string;
  /**
   * True when a version that does not know this migration must not run on the database any more.
   */
  breaking: boolean;
  up(db: Kysely<unknown>, engine: DatabaseEngine): Promise<void>;
}
