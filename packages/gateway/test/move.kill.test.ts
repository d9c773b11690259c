import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fillDatabase } from '../src/bench/fill.ts';
import { readConfig } from '../src/config/config.ts';
import { openInstallation } from '../src/installation.ts';
import { postgresConnection } from '../src/store/db/postgres.ts';
import { openTestPostgres, type TestStore } from './store-harness.ts';
import { gatewayEntry } from './support/product-code.ts';
import { insertLine, insertWebhook } from './support/rows.ts';
import { startS3 } from './support/s3-server.ts';
import { until } from './support/until.ts';

/** Rows of each of the three large tables. */
const GROWN = 12_000;
const KILLS = 4;
/** Not moved: transient, of a fleet, or the record of the schema. */
const LEFT = /^(?:sqlite_.*|migrations|messages_search.*|rate_windows|nodes|line_leases)$/;

/** Some rows of every table, with what texts and bytes may hold. Answers the tables. */
function fillEveryTable(file: string): string[] {
  const db = new Sqlite(file);
  const tables = (db.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => !LEFT.test(name));
  db.pragma('foreign_keys = off');
  const texts = () => `ä'"\\ {,} 💥\u0000 null NULL ${randomBytes(9).toString('base64')}`;
  const done = new Set<string>();
  const fill = (name: string) => {
    if (done.has(name)) return;
    done.add(name);
    const points = db.prepare('select * from pragma_foreign_key_list(?)').all(name) as Record<string, string>[];
    for (const { table } of points) if (table !== undefined) fill(table);
    const columns = db.prepare('select * from pragma_table_info(?)').all(name) as Record<string, unknown>[];
    for (let row = 0; row < 12; row++) {
      const values = columns.map(({ name: column, type: declared, notnull, pk }) => {
        const type = String(declared).toLowerCase();
        const point = points.find(({ from }) => from === column);
        if (point) {
          const parent = `select "${point.to}" as v from "${point.table}" order by random() limit 1`;
          return (db.prepare(parent).get() as { v: unknown } | undefined)?.v ?? null;
        }
        if (!notnull && !pk && row % 3 === 0) return null;
        if (type === 'blob') return row % 4 === 0 ? Buffer.alloc(0) : randomBytes(40);
        if (type === 'integer') return pk || row % 2 ? randomBytes(4).readUInt32BE() : -randomBytes(2).readUInt16BE();
        // No id is empty.
        return row === 1 && !pk && !/(?:^|_)id$/.test(String(column)) ? '' : texts();
      });
      const names = columns.map(({ name: column }) => `"${column}"`).join(', ');
      const marks = columns.map(() => '?').join(', ');
      db.prepare(`insert or ignore into "${name}" (${names}) values (${marks})`).run(values);
    }
  };
  for (const name of tables) fill(name);
  const empty = tables.filter((name) => !db.prepare(`select 1 from "${name}" limit 1`).get());
  db.close();
  expect(empty).toEqual([]);
  return tables;
}

/** Every value, in words that both databases have. */
const inWords = (row: Record<string, unknown>): string =>
  JSON.stringify(
    Object.keys(row)
      .sort()
      .map((name) => {
        const value = row[name];
        if (value === null) return [name, null];
        if (value instanceof Uint8Array) return [name, 'bytes', Buffer.from(value).toString('base64')];
        return [name, String(value).replaceAll('\u0000', '\ufffd')];
      }),
  );
const allOf = (rows: Iterable<Record<string, unknown>>): string =>
  createHash('sha256')
    .update([...rows].map(inWords).sort().join('\n'))
    .digest('hex');

describe.runIf(process.env.TEST_DATABASE_URL)('ponte move', () => {
  let dataDir: string;
  let file: string;
  let opened: TestStore;
  let target: pg.Client;
  let environment: Record<string, string>;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'ponte-move-'));
    file = join(dataDir, 'ponte.db');
    opened = await openTestPostgres({ migrated: false });
    target = new pg.Client(postgresConnection(opened.url));
    await target.connect();
    environment = { PATH: process.env.PATH ?? '', DATA_DIR: dataDir, DATABASE_URL: opened.url };
    const installation = await openOn({ DATA_DIR: dataDir });
    const line = await insertLine(installation.store, 'test', installation.defaultAccountId);
    await insertWebhook(installation.store, line, ['*']);
    await installation.close();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await target.end();
    await opened.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const openOn = (env: Record<string, string>) => openInstallation(env, readConfig(env, { cores: 1, cwd: dataDir }));
  const ponte = (args: string[], more: Record<string, string> = {}) =>
    spawnSync(process.execPath, [gatewayEntry, ...args], { env: { ...environment, ...more }, encoding: 'utf8' });
  const onSqlite = { DATABASE_URL: '' };
  /** The same without standing still: storage in this process must answer. */
  const ponteBeside = async (args: string[], more: Record<string, string>) => {
    const env = { ...environment, ...more };
    const child = spawn(process.execPath, [gatewayEntry, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    const said = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said.stderr += text;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    return { status, ...said };
  };
  /** Rows that the move says it has dealt with. */
  const movedRows = async (): Promise<number> => {
    const { rows } = await target
      .query<{ state: string }>("select state from move_progress where name not in ('', '.')")
      .catch(() => ({ rows: [] }));
    const far = rows.map(({ state }) => JSON.parse(state) as { phase: string; rows: number; verifiedHash: string });
    return far.reduce((sum, { phase, rows: count }) => sum + count + (phase === 'copy' ? 0 : 1), 0);
  };

  test('every row of every table is there afterwards, over kills in the middle, and numbers go on', {
    timeout: 300_000,
  }, async () => {
    const tables = fillEveryTable(file);
    await fillDatabase(`sqlite:${file}`, GROWN);
    const db = new Sqlite(file);
    const wanted = new Map(
      tables.map((name) => [
        name,
        allOf(db.prepare(`select * from "${name}"`).safeIntegers().iterate() as Iterable<Record<string, unknown>>),
      ]),
    );
    const lastEvent = (db.prepare("select seq from sqlite_sequence where name = 'events'").get() as { seq: number })
      .seq;
    const total = tables.reduce(
      (sum, name) => sum + (db.prepare(`select count(*) as n from "${name}"`).get() as { n: number }).n,
      0,
    );
    db.close();
    for (let kill = 1; kill <= KILLS; kill++) {
      const child = spawn(process.execPath, [gatewayEntry, 'move'], {
        env: environment,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      children.push(child);
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const enough = Math.floor((total * kill) / (KILLS + 2));
      const isUnderWay = async () => {
        if (child.exitCode !== null) throw new Error(`the move ended with ${child.exitCode}: ${said}`);
        return (await movedRows()) >= enough;
      };
      await until('it to be under way', isUnderWay, 60_000);
      child.kill('SIGKILL');
      await once(child, 'close');
      expect(await movedRows()).toBeGreaterThanOrEqual(enough);
      // Neither is served meanwhile.
      await expect(openOn(environment)).rejects.toThrow(/a move into this database has begun/);
      await expect(openOn({ DATA_DIR: dataDir })).rejects.toThrow(/is being moved to PostgreSQL/);
    }
    const end = ponte(['move', '--json']);
    expect([end.status, end.stderr]).toEqual([0, expect.any(String)]);
    const report = JSON.parse(end.stdout) as { rows: number; tables: { name: string; rows: number; sha256: string }[] };
    expect([report.rows, report.tables.map(({ name }) => name).sort()]).toEqual([total, [...tables].sort()]);
    for (const name of tables) {
      const { rows } = await target.query<Record<string, unknown>>(`select * from "${name}"`);
      expect([name, allOf(rows)]).toEqual([name, wanted.get(name)]);
    }
    // The SQLite file is out of the way; the installation goes on in PostgreSQL with its keys.
    expect(readdirSync(dataDir).filter((name) => name.startsWith('ponte.db'))).toEqual([
      expect.stringMatching(/^ponte\.db\.moved-/),
    ]);
    const there = await openOn(environment);
    const { key } = await there.keys.create({ accountId: there.defaultAccountId, mode: 'test', name: 'later' });
    expect(key).toMatch(/^wzb_test_/);
    await there.close();
    const next = await target.query<{ seq: string }>(
      "insert into events (id, account_id, line_id, type, dedupe_key, payload, created_at) values ('evt_x', 'a', 'l', 't', 'x', '{}', 1) returning seq",
    );
    expect(Number(next.rows[0]?.seq)).toBe(lastEvent + 1);
    expect(ponte(['move']).stderr).toMatch(/nothing to move/);
  });

  test('what is not empty, of another version, served, or changed meanwhile is refused with a sentence', {
    timeout: 120_000,
  }, async () => {
    const refused = (words: RegExp, more = {}) => {
      const { status, stderr } = ponte(['move'], more);
      expect([status, stderr]).toEqual([1, expect.stringMatching(words)]);
      expect(existsSync(file)).toBe(true);
    };
    refused(/DATABASE_URL is not set/, onSqlite);
    await target.query('create table strangers (id text)');
    refused(/holds tables of something else/);
    await target.query('drop table strangers');
    const other = await openOn(environment);
    await other.close();
    refused(/is not empty: .* has rows/);
    // A gateway on either.
    const [SQLITE, POSTGRES] = [{ ...environment, DATABASE_URL: '' }, environment];
    for (const env of [SQLITE, POSTGRES]) {
      const gateway = spawn(process.execPath, [gatewayEntry, 'start'], {
        env: { ...env, PORT: '0', SANDBOX: 'off', WORKERS: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      children.push(gateway);
      let said = '';
      for (const stream of [gateway.stdout, gateway.stderr])
        stream.setEncoding('utf8').on('data', (text) => (said += text));
      await until('the gateway to be there', () => /http:\/\/127\.0\.0\.1:\d+/.test(said), 60_000);
      refused(/is in use by another Ponte|another Ponte|serves/);
      gateway.kill('SIGTERM');
      await once(gateway, 'close');
    }
    const db = new Sqlite(file);
    db.prepare("delete from migrations where name like '03%'").run();
    db.close();
    refused(/older version: run "ponte migrate"/);
  });

  test('a move can be taken back before its end, and one whose source changed since does not end well', {
    timeout: 120_000,
  }, async () => {
    await fillDatabase(`sqlite:${file}`, 3_000);
    const child = spawn(process.execPath, [gatewayEntry, 'move'], { env: environment, stdio: 'ignore' });
    children.push(child);
    const copied = async () => {
      const asked = target.query<{ state: string }>("select state from move_progress where name = 'messages'");
      const { rows } = await asked.catch(() => ({ rows: [] as { state: string }[] }));
      return (JSON.parse(rows[0]?.state ?? '{"rows":0}') as { rows: number }).rows;
    };
    await until('the first messages to be copied', async () => (await copied()) > 0, 60_000);
    child.kill('SIGKILL');
    await once(child, 'close');
    const db = new Sqlite(file);
    db.prepare('update messages set body = ? where seq = 1').run('changed meanwhile');
    db.close();
    const { status, stderr } = ponte(['move']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/messages.*(?:is not in PostgreSQL as it is|was changed since)/),
    ]);
    expect(ponte(['move', '--cancel'], onSqlite).status).toBe(0);
    await (await openOn({ DATA_DIR: dataDir })).close();
    await expect(openOn(environment)).rejects.toThrow(/a move into this database has begun/);
    expect(ponte(['move']).stderr).toMatch(/another database is being moved into this one/);
  });

  test('files go to BLOB_URL as they lie there, each read back', { timeout: 60_000 }, async () => {
    const s3 = await startS3();
    const media = join(dataDir, 'media');
    const files = new Map([
      ['spool/out_1', randomBytes(9 * 1024 ** 2)],
      ['spool/out_2', Buffer.alloc(0)],
      [`cache/${'a'.repeat(64)}`, randomBytes(1_000)],
    ]);
    for (const folder of ['spool', 'cache']) mkdirSync(join(media, folder), { recursive: true });
    for (const [key, bytes] of files) writeFileSync(join(media, key), bytes);
    const { status, stdout, stderr } = await ponteBeside(['move', '--json'], {
      BLOB_URL: 's3://files/moved',
      BLOB_ENDPOINT: s3.settings.endpoint.replace('/files', ''),
      BLOB_ACCESS_KEY_ID: s3.settings.accessKeyId,
      BLOB_SECRET_ACCESS_KEY: s3.settings.secretAccessKey,
    });
    await s3.close().catch(() => {});
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    expect(JSON.parse(stdout)).toMatchObject({ moved: true, files: { files: 3, bytes: 9 * 1024 ** 2 + 1_000 } });
  });
});
