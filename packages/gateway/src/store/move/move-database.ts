import { randomUUID } from 'node:crypto';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import type { Clock } from '../../core/clock.ts';
import { migrate } from '../db/migrate.ts';
import { MIGRATIONS } from '../db/migrations/index.ts';
import { openStore } from '../db/open.ts';
import { postgresConnection } from '../db/postgres.ts';
import { beginMove, endMove, isMoved, MOVING_SETTING, markMoved, moveUnderWay } from './move-progress.ts';
import { moveTable, requireUnchanged, type TableReport } from './move-table.ts';
import { type MovedTable, MoveError, movedTables } from './moved-tables.ts';

export interface MoveOptions {
  /** The SQLite file. */
  file: string;
  /** The PostgreSQL address. */
  url: string;
  clock: Clock;
  /** Every so often: rows that were dealt with of all there are, copied and read back. */
  onProgress(progress: { table: string; done: number; of: number }): void;
}

/** What was moved, and how to end it. */
export interface MovedDatabase {
  tables: TableReport[];
  /**
   * `retire` puts the SQLite file, which is closed then, where no gateway finds it; after it the
   * target is a database like any other.
   */
  finish(retire: () => void): Promise<void>;
  close(): Promise<void>;
}

/**
 * Copies a SQLite database into an empty PostgreSQL one and reads every row back. To be called
 * while no gateway runs on either (locks are the caller's). What was cut off goes on where it was
 * when it is called again. Until `finish` neither database can be served. Throws MoveError.
 */
export async function moveDatabase(options: MoveOptions): Promise<MovedDatabase> {
  const source = new Sqlite(options.file, { fileMustExist: true });
  const target = new pg.Client({ ...postgresConnection(options.url), application_name: 'ponte move' });
  try {
    requireVersion(namesOf(source));
    await target.connect();
    const isResumed = await begin(source, target, options);
    const tables = await movedTables(source, target);
    const reports = await moveAll(source, target, tables, options);
    if (isResumed) for (const [at, table] of tables.entries()) requireUnchanged(source, table, reports[at]);
    await setCounters(source, target, tables);
    return {
      tables: reports,
      async finish(retire) {
        await markMoved(target);
        source.pragma('wal_checkpoint(TRUNCATE)');
        source.close();
        retire();
        await endMove(target);
      },
      async close() {
        source.close();
        await target.end();
      },
    };
  } catch (error) {
    source.close();
    await target.end().catch(() => {});
    throw error;
  }
}

/** Ends a move that was cut off behind its last row; false when there is none. */
export async function finishCutOffMove(url: string): Promise<boolean> {
  const target = new pg.Client({ ...postgresConnection(url), application_name: 'ponte move' });
  await target.connect();
  try {
    if ((await moveUnderWay(target)) === undefined || !(await isMoved(target))) return false;
    await endMove(target);
    return true;
  } finally {
    await target.end();
  }
}

/** Gives a database that was being moved back to its gateway; what was copied stays where it is. */
export function cancelMove(file: string): boolean {
  const source = new Sqlite(file, { fileMustExist: true });
  try {
    return source.prepare('delete from settings where name = ?').run(MOVING_SETTING).changes > 0;
  } finally {
    source.close();
  }
}

/** Begins a move; true when it is one that was cut off. */
async function begin(source: Sqlite.Database, target: pg.Client, { url, clock }: MoveOptions): Promise<boolean> {
  const marked = source.prepare('select value from settings where name = ?').get(MOVING_SETTING) as
    | { value: string }
    | undefined;
  const underWay = await moveUnderWay(target);
  if (underWay !== undefined) {
    if (underWay === marked?.value) return true;
    throw new MoveError('another database is being moved into this one; empty it, or finish that move');
  }
  await requireEmpty(target);
  const store = await openStore({ url, clock });
  try {
    await migrate(store, clock.now);
  } finally {
    await store.close();
  }
  const id = randomUUID();
  // First here: the gateway must not start on what is being moved.
  source.prepare('insert or replace into settings (name, value) values (?, ?)').run(MOVING_SETTING, id);
  await beginMove(target, id);
  return false;
}

const namesOf = (source: Sqlite.Database): string[] => {
  try {
    return (source.prepare('select name from migrations').all() as { name: string }[]).map(({ name }) => name);
  } catch (cause) {
    throw new MoveError('the SQLite file is none of Ponte', { cause });
  }
};

function requireVersion(names: readonly string[]): void {
  const ours = MIGRATIONS.map(({ name }) => name);
  const newer = names.find((name) => !ours.includes(name));
  if (newer !== undefined)
    throw new MoveError(`the SQLite database is of a newer version (${newer}); move it with that one`);
  const missing = ours.find((name) => !names.includes(name));
  if (missing === undefined) return;
  throw new MoveError('the SQLite database is of an older version: run "ponte migrate" without DATABASE_URL first');
}

/** No tables, or those of this version without a row. */
async function requireEmpty(target: pg.Client): Promise<void> {
  const { rows } = await target.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE'",
  );
  const names = rows.map(({ name }) => name);
  if (names.length === 0) return;
  if (!names.includes('migrations'))
    throw new MoveError('the PostgreSQL database holds tables of something else; name an empty one');
  const { rows: applied } = await target.query<{ name: string }>('select name from migrations');
  const ours = new Set(MIGRATIONS.map(({ name }) => name));
  const isSame = applied.length === ours.size && applied.every(({ name }) => ours.has(name));
  if (!isSame) throw new MoveError('the PostgreSQL database is of another version; name an empty one');
  for (const name of names.filter((one) => one !== 'migrations')) {
    const { rowCount } = await target.query(`select 1 from "${name}" limit 1`);
    if (rowCount) throw new MoveError(`the PostgreSQL database is not empty: ${name} has rows; name an empty one`);
  }
}

async function moveAll(
  source: Sqlite.Database,
  target: pg.Client,
  tables: MovedTable[],
  { onProgress }: MoveOptions,
): Promise<TableReport[]> {
  const counts = tables.map(
    ({ name }) => (source.prepare(`select count(*) as count from "${name}"`).get() as { count: number }).count,
  );
  const of = 2 * counts.reduce((sum, count) => sum + count, 0);
  let done = 0;
  const reports: TableReport[] = [];
  for (const table of tables) {
    reports.push(
      await moveTable({ source, target }, table, (rows) => {
        done += rows;
        onProgress({ table: table.name, done, of });
      }),
    );
  }
  return reports;
}

/** New rows get the numbers that SQLite would have given them: cursors of readers stay true. */
async function setCounters(source: Sqlite.Database, target: pg.Client, tables: MovedTable[]): Promise<void> {
  const last = source.prepare('select seq from sqlite_sequence where name = ?');
  for (const { name, counter } of tables) {
    const found = last.get(name) as { seq: number } | undefined;
    if (counter === undefined || !found || found.seq < 1) continue;
    await target.query('select setval(pg_get_serial_sequence($1, $2), $3)', [`"${name}"`, counter, found.seq]);
  }
}
