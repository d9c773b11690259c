import type { ColumnDataType, CreateTableBuilder, Kysely, RawBuilder, SelectQueryBuilder } from 'kysely';
import { sql } from 'kysely';

/** Every difference between the two databases that the rest of the store must know of. */
export type DatabaseEngine = 'sqlite' | 'postgres';

export interface ColumnTypes {
  /** 64-bit integers, read as numbers. */
  integer: ColumnDataType;
  bytes: RawBuilder<unknown>;
  text: ColumnDataType;
}

export const COLUMN_TYPES: Record<DatabaseEngine, ColumnTypes> = {
  sqlite: { integer: 'integer', bytes: sql`blob`, text: 'text' },
  postgres: { integer: 'bigint', bytes: sql`bytea`, text: 'text' },
};

/** Adds a primary key that only grows and is never given twice, also after deletions. */
export function sequenceKey<T extends string, C extends string>(
  engine: DatabaseEngine,
  table: CreateTableBuilder<T, C>,
  name: string,
): CreateTableBuilder<T, C> {
  if (engine === 'sqlite') return table.addColumn(name, 'integer', (c) => c.primaryKey().autoIncrement()) as never;
  return table.addColumn(name, 'bigint', (c) => c.generatedAlwaysAsIdentity().primaryKey()) as never;
}

/** Takes the rows that nobody else holds. SQLite has one writer at a time, so its transactions need nothing. */
export function skipLocked<DB, TB extends keyof DB, O>(
  engine: DatabaseEngine,
  query: SelectQueryBuilder<DB, TB, O>,
): SelectQueryBuilder<DB, TB, O> {
  return engine === 'postgres' ? query.forUpdate().skipLocked() : query;
}

/** Holds back every other process that migrates; freed with the transaction. SQLite's BEGIN IMMEDIATE did it already. */
export async function lockForMigration<DB>(engine: DatabaseEngine, db: Kysely<DB>): Promise<void> {
  if (engine === 'postgres') await sql`select pg_advisory_xact_lock(7305813)`.execute(db);
}
