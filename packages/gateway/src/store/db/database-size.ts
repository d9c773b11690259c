import { stat } from 'node:fs/promises';
import { sql } from 'kysely';
import type { Store } from './store.ts';

/** Bytes of the database, and of SQLite's write-ahead log (0 on PostgreSQL and in memory). */
export async function databaseSize(store: Store): Promise<{ size: number; wal: number }> {
  if (store.engine === 'postgres') {
    const { rows } = await sql<{ size: number }>`select pg_database_size(current_database()) as size`.execute(store.db);
    return { size: Number(rows[0]?.size ?? 0), wal: 0 };
  }
  const { rows } = await sql<{ file: string }>`select file from pragma_database_list where name = 'main'`.execute(
    store.db,
  );
  const file = rows[0]?.file ?? '';
  const sizeOf = async (path: string) => (await stat(path).catch(() => undefined))?.size ?? 0;
  return file === '' ? { size: 0, wal: 0 } : { size: await sizeOf(file), wal: await sizeOf(`${file}-wal`) };
}
