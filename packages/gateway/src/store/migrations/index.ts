import { firstLight } from './001-first-light.ts';
import type { Migration } from './migration.ts';

/** In order; names are never changed once released. */
export const MIGRATIONS: readonly Migration[] = [firstLight];
