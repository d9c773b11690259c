import { type Kysely, sql } from 'kysely';
import { serverNow } from '../fleet/server-time.ts';
import { lockForMigration } from './dialect.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { Migration } from './migrations/migration.ts';
import type { Database } from './schema.ts';
import type { Store, Tx } from './store.ts';

/** The schema is one this version cannot work with. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

interface MigrationRow {
  name: string;
  breaking: number;
  applied_at: number;
}

type WithMigrations = Database & { migrations: MigrationRow };

/**
 * Brings the schema up to date, all of it in one transaction; several processes may start at once.
 * Answers the names it applied. Refuses (SchemaError) a database that a newer version has changed
 * in a way this one cannot live with, and a change that running nodes of a fleet could not live
 * with.
 */
export async function migrate(
  store: Store,
  now: () => number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<string[]> {
  return store.transaction(async (tx) => {
    const db = tx.db as unknown as Kysely<WithMigrations>;
    await lockForMigration(store.engine, db);
    await db.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('name', 'text', (c) => c.primaryKey())
      .addColumn('breaking', 'integer', (c) => c.notNull())
      .addColumn('applied_at', store.engine === 'postgres' ? 'bigint' : 'integer', (c) => c.notNull())
      .execute();
    const applied = await db.selectFrom('migrations').selectAll().execute();
    refuseNewer(applied);
    const done = new Set(applied.map((row) => row.name));
    const names: string[] = [];
    const pending = migrations.filter(({ name }) => !done.has(name));
    const isFleetThere = store.engine === 'postgres' && done.has(FLEET_SINCE);
    if (isFleetThere && pending.some(({ breaking }) => breaking)) await refuseBesideNodes(tx);
    for (const migration of pending) {
      await migration.up(tx.db as unknown as Kysely<unknown>, store.engine);
      await db
        .insertInto('migrations')
        .values({ name: migration.name, breaking: migration.breaking ? 1 : 0, applied_at: now() })
        .execute();
      names.push(migration.name);
    }
    return names;
  });
}

/** The tables of a fleet are there since this one. */
const FLEET_SINCE = '029-fleet';

/** Older nodes go on beside a change, unless it breaks what they know. */
async function refuseBesideNodes({ db }: Tx): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select name from nodes where expires_at > ${serverNow} order by started_at`.execute(db);
  if (rows.length === 0) return;
  throw new SchemaError(
    `this version changes the database in a way that the nodes that run cannot live with: stop ${rows.map(({ name }) => name).join(', ')} first, then start this one`,
  );
}

function refuseNewer(applied: MigrationRow[]): void {
  const known = new Set(MIGRATIONS.map((m) => m.name));
  const newer = applied.find((row) => row.breaking === 1 && !known.has(row.name));
  if (!newer) return;
  throw new SchemaError(
    `the database was changed by a newer Ponte (migration ${newer.name}) that this version cannot work with; run that version, or restore a backup made before it`,
  );
}

/** True when every migration of this version is applied. */
export async function isMigrated(store: Store): Promise<boolean> {
  const rows = await sql<{ name: string }>`select name from migrations`.execute(store.db).catch(() => undefined);
  const names = new Set(rows?.rows.map((row) => row.name) ?? []);
  return MIGRATIONS.every((m) => names.has(m.name));
}
