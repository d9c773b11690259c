import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';

/** What some work cost the database. */
export interface DatabaseCost {
  /** Statements by process, values left out, in the order they ran. */
  main: string[];
  worker: string[];
  /** Commits that wrote, of both. */
  commits: number;
  /** Pages written to SQLite's write-ahead log, or bytes to PostgreSQL's. */
  wal: number;
  /** Of SQLite's log: whose pages each commit wrote. */
  pages: string[];
}

/** A place in the log of statements. */
export interface Mark {
  lines: Map<string, number>;
  wal: string;
}

/** What the tests of speed ask of a database, beside the processes that use it. */
export interface DatabaseProbe {
  rows<T>(sql: string): Promise<T[]>;
  /** How far its write-ahead log is. */
  walMark(): Promise<string>;
  /** What was written to it since. */
  walSince(mark: string): Promise<number>;
  /** Whose pages each commit since then wrote; of SQLite only. */
  pagesSince(mark: string): Promise<string[]>;
  close(): Promise<void>;
}

/** https://sqlite.org/fileformat2.html#the_write_ahead_log */
const WAL_HEADER = 32;
const PAGE_BYTES = 4096;

/**
 * SQLite's log grows as long as a connection reads an old state: ours does, so that pages can be
 * counted by where the log ends.
 */
export function probeSqlite(file: string): DatabaseProbe {
  const holder = new Sqlite(file, { readonly: true });
  holder.exec('begin');
  holder.prepare('select count(*) from settings').get();
  const reader = new Sqlite(file, { readonly: true });
  // `mxFrame` of the index of the log (https://sqlite.org/walformat.html#the_wal_index_file_format).
  const frames = () => readFileSync(`${file}-shm`).readUInt32LE(16);
  return {
    rows: async <T>(sql: string) => reader.prepare(sql).all() as T[],
    walMark: async () => String(frames()),
    walSince: async (mark) => frames() - Number(mark),
    async pagesSince(mark) {
      const owners = new Map<number, string>();
      for (const { name, pageno } of reader.prepare('select name, pageno from dbstat').all() as {
        name: string;
        pageno: number;
      }[])
        owners.set(pageno, name);
      const commits: string[] = [];
      let written: string[] = [];
      const last = frames();
      const file_ = openSync(`${file}-wal`, 'r');
      for (let frame = Number(mark); frame < last; frame += 1) {
        const header = Buffer.alloc(24);
        readSync(file_, header, 0, 24, WAL_HEADER + frame * (24 + PAGE_BYTES));
        written.push(owners.get(header.readUInt32BE(0)) ?? 'free');
        if (header.readUInt32BE(4) === 0) continue;
        commits.push(`${written.length}: ${written.sort().join(', ')}`);
        written = [];
      }
      closeSync(file_);
      return commits;
    },
    close: async () => {
      holder.close();
      reader.close();
    },
  };
}

/**
 * Others may use the same server: only records of this schema's own tables and indexes count,
 * without the full pages that follow a checkpoint (https://www.postgresql.org/docs/current/pgwalinspect.html).
 */
export async function probePostgres(url: string): Promise<DatabaseProbe> {
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema') ?? 'public';
  parsed.searchParams.delete('schema');
  const client = new pg.Client({ connectionString: parsed.toString(), options: `-c search_path=${schema},public` });
  await client.connect();
  const rows = async <T>(sql: string) => (await client.query(sql)).rows as T[];
  await rows('create extension if not exists pg_walinspect with schema public');
  const end = 'pg_current_wal_flush_lsn()';
  return {
    rows,
    walMark: async () => String((await rows<{ at: string }>(`select ${end} as at`))[0]?.at),
    async walSince(mark) {
      const [counted] = await rows<{ bytes: string | null }>(`
        with mine as (
          select '/' || pg_relation_filenode(oid) || ' ' as file from pg_class
          where relnamespace = '${schema}'::regnamespace or oid in (
            select reltoastrelid from pg_class where relnamespace = '${schema}'::regnamespace)
        )
        select sum(record_length - fpi_length) as bytes from pg_get_wal_records_info('${mark}', ${end})
        where exists (select from mine where position(file in block_ref) > 0)`);
      return Number(counted?.bytes ?? 0);
    },
    pagesSince: async () => [],
    close: () => client.end(),
  };
}

/** Reads what count-statements.mjs writes. */
export class StatementLog {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'ponte-statements-'));

  #lines(): Map<string, string[]> {
    return new Map(
      readdirSync(this.folder).map((name) => [
        name,
        readFileSync(join(this.folder, name), 'utf8').split('\n').slice(0, -1),
      ]),
    );
  }

  async mark(probe: DatabaseProbe): Promise<Mark> {
    return {
      lines: new Map([...this.#lines()].map(([name, lines]) => [name, lines.length])),
      wal: await probe.walMark(),
    };
  }

  async since(mark: Mark, probe: DatabaseProbe): Promise<DatabaseCost> {
    const cost: DatabaseCost = {
      main: [],
      worker: [],
      commits: 0,
      wal: await probe.walSince(mark.wal),
      pages: await probe.pagesSince(mark.wal),
    };
    for (const [name, lines] of this.#lines()) {
      const statements = name.startsWith('main-') ? cost.main : cost.worker;
      for (const line of lines.slice(mark.lines.get(name) ?? 0)) {
        const entry = JSON.parse(line) as { sql?: string; commit?: true };
        if (entry.commit) cost.commits += 1;
        if (entry.sql !== undefined) statements.push(shortened(entry.sql));
      }
    }
    return cost;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A statement as a list shows it. */
const shortened = (sql: string): string => sql.replace(/\s+/g, ' ').replaceAll('"', '').trim().slice(0, 160);

/**
 * The smallest cost of several: what happens beside a message (a lease, a sweep) only ever adds to
 * it, more on a busy machine, and is no part of it.
 */
export function cheapest(costs: readonly DatabaseCost[]): DatabaseCost {
  const [first] = [...costs].sort((a, b) => a.main.length + a.worker.length - (b.main.length + b.worker.length));
  if (!first) throw new Error('nothing was counted');
  const commits = Math.min(...costs.map((cost) => cost.commits));
  return { ...first, commits, wal: Math.min(...costs.map(({ wal }) => wal)) };
}

/** The cost as a list for people. */
export const listed = (title: string, { main, worker, commits, wal, pages }: DatabaseCost): string =>
  [
    `${title}: ${main.length + worker.length} statements (main ${main.length}, worker ${worker.length}), ${commits} commits, ${wal} of WAL`,
    ...main.map((sql) => `  main   ${sql}`),
    ...worker.map((sql) => `  worker ${sql}`),
    ...pages.map((names) => `  commit ${names}`),
  ].join('\n');
