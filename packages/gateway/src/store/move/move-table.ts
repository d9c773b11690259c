import { createHash } from 'node:crypto';
import type Sqlite from 'better-sqlite3';
import type pg from 'pg';
import { MOVING_SETTING, readProgress, type TableProgress, writeProgress } from './move-progress.ts';
import { type MovedTable, MoveError } from './moved-tables.ts';

/** Rows of one transaction. */
const ROWS = 500;
/** Beyond this many bytes a transaction has fewer rows. */
const BYTES = 4 * 1024 * 1024;

/** A value as both databases tell it: numbers as their digits, bytes in hexadecimal. */
type Told = string | null;
type SourceRow = Record<string, unknown>;

/** What the operator sees of a table. */
export interface TableReport {
  name: string;
  rows: number;
  /** Over every row of it, in the order of its key. */
  sha256: string;
}

/** PostgreSQL's text has no U+0000; the store writes U+FFFD in its place, always. */
function told(value: unknown): Told {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return String(value).replaceAll('\0', '\ufffd');
}

const chained = (hash: string, row: readonly Told[]): string =>
  createHash('sha256').update(hash).update(JSON.stringify(row)).digest('hex');

/**
 * Copies one table and reads every row back, from where an earlier run was cut off. The progress is
 * written in the transaction that writes the rows. Throws MoveError when a row is not what it was.
 */
export async function moveTable(
  { source, target }: { source: Sqlite.Database; target: pg.Client },
  table: MovedTable,
  onRows: (rows: number) => void,
): Promise<TableReport> {
  let progress = await readProgress(target, table.name);
  // Of an earlier run.
  onRows(progress.phase === 'done' ? 2 * progress.rows : progress.rows);
  while (progress.phase !== 'done') {
    const rows = next(source, table, progress.cursor);
    if (rows.length === 0) {
      progress = await nextPhase(target, table, progress);
      continue;
    }
    const tellings = rows.map((row) => table.columns.map(({ name }) => told(row[name])));
    progress =
      progress.phase === 'copy'
        ? await copy(target, table, progress, tellings)
        : await verify(target, table, progress, tellings);
    onRows(rows.length);
  }
  return { name: table.name, rows: progress.rows, sha256: progress.copiedHash };
}

/**
 * Proves that the source is what was copied: it may have been written to between two runs. Throws
 * MoveError.
 */
export function requireUnchanged(source: Sqlite.Database, table: MovedTable, report: TableReport | undefined): void {
  let hash = '';
  let cursor: string[] | null = null;
  for (let rows = next(source, table, cursor); rows.length > 0; rows = next(source, table, cursor)) {
    for (const row of rows) {
      const telling = table.columns.map(({ name }) => told(row[name]));
      hash = chained(hash, telling);
      cursor = keyOf(table, telling);
    }
  }
  if (hash === report?.sha256) return;
  throw new MoveError(`${table.name} was changed since the move began; empty the target database and begin anew`);
}

/** The rows behind the cursor, in the order of the key. */
function next(source: Sqlite.Database, table: MovedTable, cursor: string[] | null): SourceRow[] {
  const key = table.key.map(quoted).join(', ');
  const behind = cursor === null ? '' : `where (${key}) > (${cursor.map(() => '?').join(', ')})`;
  const statement = source.prepare(`select * from ${quoted(table.name)} ${behind} order by ${key}`).safeIntegers(true);
  const rows: SourceRow[] = [];
  let bytes = 0;
  for (const row of statement.iterate(
    ...(cursor ?? []).map((part, at) => asKey(table, at, part)),
  ) as Iterable<SourceRow>) {
    // The mark of the move itself stays behind.
    if (table.name === 'settings' && row.name === MOVING_SETTING) continue;
    rows.push(row);
    for (const value of Object.values(row))
      bytes += typeof value === 'string' || value instanceof Uint8Array ? value.length : 8;
    if (rows.length === ROWS || bytes > BYTES) break;
  }
  return rows;
}

const quoted = (name: string): string => `"${name}"`;

/** A part of a key as SQLite compares it. */
function asKey(table: MovedTable, at: number, part: string): unknown {
  const type = table.columns.find(({ name }) => name === table.key[at])?.type;
  if (type === 'bytea') return Buffer.from(part, 'hex');
  return type === 'text' ? part : BigInt(part);
}

const keyOf = (table: MovedTable, row: readonly Told[]): string[] =>
  table.key.map((name) => row[table.columns.findIndex((column) => column.name === name)] ?? '');

const unnested = (table: MovedTable, names: readonly string[]): string =>
  names
    .map((name, at) => {
      const type = table.columns.find((column) => column.name === name)?.type ?? 'text';
      return type === 'bytea' ? `$${at + 1}::text[]` : `$${at + 1}::${type}[]`;
    })
    .join(', ');

/** Bytes travel in hexadecimal. */
const decoded = (table: MovedTable, name: string): string =>
  table.columns.find((column) => column.name === name)?.type === 'bytea'
    ? `decode(n.${quoted(name)}, 'hex')`
    : `n.${quoted(name)}`;

async function copy(
  target: pg.Client,
  table: MovedTable,
  progress: TableProgress,
  rows: Told[][],
): Promise<TableProgress> {
  const names = table.columns.map(({ name }) => name);
  const columns = names.map(quoted).join(', ');
  let { copiedHash } = progress;
  for (const row of rows) copiedHash = chained(copiedHash, row);
  const after: TableProgress = {
    ...progress,
    cursor: keyOf(table, rows.at(-1) ?? []),
    rows: progress.rows + rows.length,
    copiedHash,
  };
  await inTransaction(target, async () => {
    await target.query(
      `insert into ${quoted(table.name)} (${columns}) overriding system value
       select ${names.map((name) => decoded(table, name)).join(', ')} from unnest(${unnested(table, names)}) as n(${columns})`,
      names.map((_, at) => rows.map((row) => row[at] ?? null)),
    );
    await writeProgress(target, table.name, after);
  });
  return after;
}

async function verify(
  target: pg.Client,
  table: MovedTable,
  progress: TableProgress,
  rows: Told[][],
): Promise<TableProgress> {
  const keys = rows.map((row) => keyOf(table, row));
  const on = table.key.map((name) => `t.${quoted(name)} = ${decoded(table, name)}`).join(' and ');
  const found = await target.query<Record<string, unknown>>(
    `select t.* from unnest(${unnested(table, table.key)}) as n(${table.key.map(quoted).join(', ')})
     join ${quoted(table.name)} t on ${on}`,
    table.key.map((_, at) => keys.map((key) => key[at] ?? null)),
  );
  const byKey = new Map(
    found.rows.map((row) => {
      const telling = table.columns.map(({ name }) => told(row[name]));
      return [JSON.stringify(keyOf(table, telling)), telling];
    }),
  );
  let { verifiedHash } = progress;
  for (const row of rows) {
    const key = keyOf(table, row);
    const there = byKey.get(JSON.stringify(key));
    if (!there || JSON.stringify(there) !== JSON.stringify(row)) {
      throw new MoveError(
        `the row ${key.join(' ')} of ${table.name} is not in PostgreSQL as it is in SQLite; empty the target database and begin anew`,
      );
    }
    verifiedHash = chained(verifiedHash, there);
  }
  const after: TableProgress = { ...progress, cursor: keys.at(-1) ?? null, verifiedHash };
  await writeProgress(target, table.name, after);
  return after;
}

/** Behind the last row: the copy is read back; what was read back is compared as a whole. */
async function nextPhase(target: pg.Client, table: MovedTable, progress: TableProgress): Promise<TableProgress> {
  if (progress.phase === 'copy') {
    const after: TableProgress = { ...progress, phase: 'verify', cursor: null, verifiedHash: '' };
    await writeProgress(target, table.name, after);
    return after;
  }
  const { rows } = await target.query<{ count: string }>(`select count(*) as count from ${quoted(table.name)}`);
  if (Number(rows[0]?.count) !== progress.rows || progress.verifiedHash !== progress.copiedHash) {
    throw new MoveError(
      `${table.name} has other rows in PostgreSQL than in SQLite; empty the target database and begin anew`,
    );
  }
  const after: TableProgress = { ...progress, phase: 'done', cursor: null };
  await writeProgress(target, table.name, after);
  return after;
}

async function inTransaction(target: pg.Client, work: () => Promise<void>): Promise<void> {
  await target.query('begin');
  try {
    await work();
    await target.query('commit');
  } catch (error) {
    await target.query('rollback').catch(() => {});
    throw error;
  }
}
