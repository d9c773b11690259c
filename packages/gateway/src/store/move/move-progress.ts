import type pg from 'pg';

/** How far one table is. */
export interface TableProgress {
  phase: 'copy' | 'verify' | 'done';
  /** The key of the last row that was dealt with in this phase; null: none yet. */
  cursor: string[] | null;
  rows: number;
  /** Over every row that was read from the source so far, one after the other. */
  copiedHash: string;
  /** The same over what the target gave back. */
  verifiedHash: string;
}

/** Lives in the target while a move is under way; a gateway does not start on it then. */
export const PROGRESS_TABLE = 'move_progress';
/** Setting of the source: the id of the move that has begun. */
export const MOVING_SETTING = 'moving_to_postgres';

const BEGIN: TableProgress = { phase: 'copy', cursor: null, rows: 0, copiedHash: '', verifiedHash: '' };

/** The id of the move that is under way into this database. */
export async function moveUnderWay(target: pg.Client): Promise<string | undefined> {
  const { rows } = await target.query<{ is: string | null }>(`select to_regclass('${PROGRESS_TABLE}')::text as is`);
  if (rows[0]?.is == null) return undefined;
  const found = await target.query<{ state: string }>(`select state from ${PROGRESS_TABLE} where name = ''`);
  return found.rows[0]?.state;
}

export async function beginMove(target: pg.Client, id: string): Promise<void> {
  await target.query('begin');
  await target.query(`create table ${PROGRESS_TABLE} (name text primary key, state text not null)`);
  await target.query(`insert into ${PROGRESS_TABLE} values ('', $1)`, [id]);
  await target.query('commit');
}

/** Everything was copied and read back: only the ends are left to be tied. */
export async function markMoved(target: pg.Client): Promise<void> {
  await target.query(`insert into ${PROGRESS_TABLE} values ('.', 'moved') on conflict (name) do nothing`);
}

export async function isMoved(target: pg.Client): Promise<boolean> {
  const { rowCount } = await target.query(`select 1 from ${PROGRESS_TABLE} where name = '.'`);
  return rowCount === 1;
}

export async function endMove(target: pg.Client): Promise<void> {
  await target.query(`drop table ${PROGRESS_TABLE}`);
}

export async function readProgress(target: pg.Client, name: string): Promise<TableProgress> {
  const { rows } = await target.query<{ state: string }>(`select state from ${PROGRESS_TABLE} where name = $1`, [name]);
  return rows[0] ? (JSON.parse(rows[0].state) as TableProgress) : BEGIN;
}

export async function writeProgress(target: pg.Client, name: string, progress: TableProgress): Promise<void> {
  await target.query(
    `insert into ${PROGRESS_TABLE} values ($1, $2) on conflict (name) do update set state = excluded.state`,
    [name, JSON.stringify(progress)],
  );
}
