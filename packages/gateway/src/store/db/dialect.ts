import { type Kysely, type SelectQueryBuilder, sql } from 'kysely';

/**
 * Every difference between the two databases that the rest of the store must know of is in this
 * file.
 */
export type DatabaseEngine = 'sqlite' | 'postgres';

/** Words of the migrations that differ. */
export const SCHEMA_WORDS: Record<DatabaseEngine, Readonly<Record<string, string>>> = {
  sqlite: {
    // AUTOINCREMENT: a number is never given twice, not even the highest one after its row was
    // deleted.
    SEQUENCE: 'integer primary key autoincrement',
    TEXT: 'text',
    INT: 'integer',
    BYTES: 'blob',
    // For small rows that are always read by their whole key.
    CLUSTERED: ' without rowid',
  },
  postgres: {
    SEQUENCE: 'bigint generated always as identity primary key',
    // Compared by bytes, as SQLite does: ranges over keys must not depend on the server's language.
    TEXT: 'text collate "C"',
    INT: 'bigint',
    BYTES: 'bytea',
    CLUSTERED: '',
  },
};

/** Runs `;`-separated statements written with SCHEMA_WORDS. */
export async function runSchema(db: Kysely<unknown>, engine: DatabaseEngine, statements: string): Promise<void> {
  const words = SCHEMA_WORDS[engine];
  const text = statements.replace(/\b(?:SEQUENCE|TEXT|INT|BYTES)\b|CLUSTERED/g, (word) => words[word] ?? word);
  for (const statement of text.split(';')) {
    if (statement.trim() !== '') await sql.raw(statement.trim()).execute(db);
  }
}

/**
 * Selects only rows that no other transaction has locked. SQLite has one writer at a time, so its
 * queries stay as they are.
 */
export function skipLocked<DB, TB extends keyof DB, O>(
  engine: DatabaseEngine,
  query: SelectQueryBuilder<DB, TB, O>,
): SelectQueryBuilder<DB, TB, O> {
  return engine === 'postgres' ? query.forUpdate().skipLocked() : query;
}

/** Waits for the rows others hold, and keeps them from changing until the transaction ends. */
export function lockRows<DB, TB extends keyof DB, O>(
  engine: DatabaseEngine,
  query: SelectQueryBuilder<DB, TB, O>,
): SelectQueryBuilder<DB, TB, O> {
  return engine === 'postgres' ? query.forUpdate() : query;
}

/**
 * Holds back every other process that migrates; freed with the transaction. SQLite's BEGIN
 * IMMEDIATE did it already.
 */
export async function lockForMigration<DB>(engine: DatabaseEngine, db: Kysely<DB>): Promise<void> {
  if (engine === 'postgres') await sql`select pg_advisory_xact_lock(7305813)`.execute(db);
}
