import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTestPostgres, openTestSqlite, type TestStore } from '../../../test/store-harness.ts';
import {
  type CuttingProxy,
  databaseServer,
  startCuttingProxy,
  throughProxy,
} from '../../../test/support/cutting-proxy.ts';
import { systemClock } from '../../core/clock.ts';
import { holdWorkersLock, type LockPlace, takeGatewayLock } from './gateway-lock.ts';
import { LockedError, type ProcessLock } from './process-lock.ts';

let dataDir: string;
let opened: TestStore;
const held: ProcessLock[] = [];
afterEach(async () => {
  for (const lock of held.splice(0)) await lock.release();
  await opened.close();
  rmSync(dataDir, { recursive: true });
});

/** A gateway's lock, and what became of its connection. */
async function take(place: LockPlace) {
  const cuts: Error[] = [];
  const lost = Promise.withResolvers<Error>();
  const cut = Promise.withResolvers<void>();
  const lock = await takeGatewayLock(place, {
    clock: systemClock,
    onCut(error) {
      cuts.push(error);
      cut.resolve();
    },
    onLost: lost.resolve,
  });
  held.push(lock);
  return { lock, cuts, cut: cut.promise, lost: lost.promise };
}

async function refusal(place: LockPlace): Promise<string> {
  const error = await take(place).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(LockedError);
  return (error as Error).message;
}

describe('on SQLite', () => {
  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'ponte-lock-'));
    opened = await openTestSqlite();
  });

  test('a second gateway is refused, and told whose the folder is; a third one follows the first', async () => {
    const place: LockPlace = { database: { url: opened.url, engine: 'sqlite' }, dataDir };
    const first = await take(place);
    const message = await refusal(place);
    expect(message).toContain(dataDir);
    expect(message).toContain(`process ${process.pid} on ${hostname()}`);
    await first.lock.release();
    await take(place);
  });
});

describe.runIf(process.env.TEST_DATABASE_URL)('on PostgreSQL', () => {
  let proxy: CuttingProxy;
  let near: LockPlace;
  let far: LockPlace;
  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'ponte-lock-'));
    opened = await openTestPostgres();
    proxy = await startCuttingProxy(databaseServer(opened.url));
    near = { database: { url: opened.url, engine: 'postgres' }, dataDir };
    far = { database: { url: throughProxy(opened.url, proxy), engine: 'postgres' }, dataDir };
  });
  afterEach(() => proxy.stop());

  test('a second gateway is refused, and told who the first one is; a third one follows it', async () => {
    const first = await take(near);
    expect(await refusal(far)).toMatch(
      new RegExp(`in use by another Ponte \\(ponte gateway .* process ${process.pid} at .*since 20`),
    );
    await first.lock.release();
    await take(far);
  });

  test('gateways on two schemas of one database do not meet', async () => {
    await take(near);
    const other = await openTestPostgres();
    try {
      const { lock } = await take({ database: { url: other.url, engine: 'postgres' }, dataDir });
      await lock.release();
    } finally {
      await other.close();
    }
  });

  test('nodes of a fleet hold it together; one that is alone and a fleet keep each other out', async () => {
    const [one, other] = [await take({ ...near, fleet: {} }), await take({ ...far, fleet: {} })];
    expect(await refusal(near)).toContain('set NATS_URL on both');
    await one.lock.release();
    expect(await refusal(near)).toContain('another Ponte');
    await other.lock.release();
    const alone = await take(near);
    expect(await refusal({ ...far, fleet: {} })).toContain('another Ponte');
    await alone.lock.release();
  });

  test('no gateway starts while workers of a killed one live', async () => {
    const watch = { clock: { ...systemClock, monotonic: hurried() }, onCut: () => {}, onLost: () => {} };
    await holdWorkersLock(
      { databaseUrl: throughProxy(opened.url, proxy), lockFile: null },
      { ...watch, clock: systemClock },
    );
    await expect(takeGatewayLock(near, watch)).rejects.toThrow('ponte workers');
    proxy.close();
    await take(near);
  });

  test('a lock whose connection is cut is taken again', async () => {
    const first = await take(far);
    const before = await holder();
    proxy.close();
    await first.cut;
    proxy.open();
    await expect.poll(holder).not.toBeOneOf([undefined, before]);
    expect(await refusal(near)).toContain('another Ponte');
    expect(first.cuts).toHaveLength(1);
  });

  test('a connection that is cut behind the back of the server does not lock its own gateway out', async () => {
    const first = await take(far);
    const before = await holder();
    proxy.cutUnseen();
    await first.cut;
    // The server still holds the old session and its lock: it is ended, and the lock is ours again.
    await expect.poll(holder).not.toBeOneOf([undefined, before]);
    expect(await refusal(near)).toContain('another Ponte');
    await expect(Promise.race([first.lost, systemClock.sleep(0)])).resolves.toBeUndefined();
  });

  test('when another gateway was faster, the first one is told', async () => {
    const first = await take(far);
    proxy.close();
    await take(near);
    proxy.open();
    expect((await first.lost).message).toContain('another Ponte');
  });

  /** The process of the server that holds the gateway's lock. */
  async function holder(): Promise<number | undefined> {
    const { rows } = await sql<{ pid: number }>`
      select pid from pg_locks where locktype = 'advisory' and classid = 7305814
         and objid::bigint = hashtext(current_schema())::bigint & 4294967295`.execute(opened.store.db);
    return rows[0]?.pid;
  }
});

/**
 * Time that runs a thousand times as fast, so that the test does not wait for a holder that stays.
 */
const hurried = () => {
  const start = performance.now();
  return () => start + (performance.now() - start) * 1_000;
};
