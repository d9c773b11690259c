import { type Db, prepare, type Statement } from '../world/database.ts';

interface Row {
  id: string;
  kind: string;
  hash: string;
  size: number;
  created_ms: number;
  expires_ms: number;
}

/** The statements over links to media. */
export interface MediaRows {
  insert: Statement<unknown[]>;
  select: Statement<[string, string], Row>;
  newest: Statement<[string, string], Row>;
  outdated: Statement<[number], { tenant: string; hash: string }>;
  dropOutdated: Statement<unknown[]>;
  stillThere: Statement<[string, string], { n: number }>;
  totals: Statement<[string], { bytes: number | null; links: number | null }>;
  oldest: Statement<[string], { hash: string }>;
  totalOfAll: Statement<[], { bytes: number | null }>;
  oldestOfAll: Statement<[], { tenant: string; hash: string }>;
  dropHash: Statement<unknown[]>;
}

export function mediaRows(db: Db): MediaRows {
  return {
    insert: prepare(
      db,
      'insert into media (tenant, id, kind, hash, size, created_ms, expires_ms) values (?,?,?,?,?,?,?)',
    ),
    select: prepare(db, 'select * from media where tenant = ? and id = ?'),
    newest: prepare(db, 'select * from media where tenant = ? and hash = ? order by created_ms desc limit 1'),
    outdated: prepare(db, 'select distinct tenant, hash from media where created_ms < ?'),
    dropOutdated: prepare(db, 'delete from media where created_ms < ?'),
    stillThere: prepare(db, 'select count(*) as n from media where tenant = ? and hash = ?'),
    totals: prepare(
      db,
      `select sum(size) as bytes, sum(links) as links from
     (select max(size) as size, count(*) as links from media where tenant = ? group by hash)`,
    ),
    oldest: prepare(db, 'select hash from media where tenant = ? order by created_ms, id limit 1'),
    totalOfAll: prepare(
      db,
      'select sum(size) as bytes from (select max(size) as size from media group by tenant, hash)',
    ),
    oldestOfAll: prepare(db, 'select tenant, hash from media order by expires_ms limit 1'),
    dropHash: prepare(db, 'delete from media where tenant = ? and hash = ?'),
  };
}
