import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ApiKeys, createApiKeys } from '../src/access/api-keys.ts';
import { openKeyRing } from '../src/access/open-key-ring.ts';
import { systemClock } from '../src/core/clock.ts';
import { isApiKey, newApiKey } from '../src/core/key-format.ts';
import type { KeyRing } from '../src/crypto/key-ring.ts';
import { silentLog } from '../src/observe/logger.ts';
import { openTestSqlite, type TestStore } from './store-harness.ts';
import { SEED, seeded, sized } from './support/seeded.ts';

const SAMPLES = sized('TIMINGS', 8_000);
/** Of either kind; more than the cache of keys remembers would be evicted in turn. */
const KEYS = 2_000;
/** dudect's bound (Reparaz, Balasch, Verbauwhede 2017): below it there is no evidence of a leak. */
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const T_MAX = 4.5;

let opened: TestStore;
let keys: ApiKeys;
let ring: KeyRing;
beforeAll(async () => {
  opened = await openTestSqlite();
  ring = await openKeyRing({ masterKey: Buffer.alloc(32, 7), store: opened.store, clock: systemClock });
  // Time stands still for the cache: every key is looked up in the database every time.
  const clock = { ...systemClock, monotonic: () => (ticks += 10_000) };
  let ticks = 0;
  keys = createApiKeys({ store: opened.store, ring, clock, log: silentLog });
  await opened.store.db
    .insertInto('accounts')
    .values({ id: 'acc_1', name: 'a', plan: 'p', subscription: 'active', created_at: 1 })
    .execute();
});
afterAll(() => opened.close());

interface Sums {
  count: number;
  mean: number;
  squares: number;
}

function note(sums: Sums, value: number): void {
  sums.count += 1;
  const delta = value - sums.mean;
  sums.mean += delta / sums.count;
  sums.squares += delta * (value - sums.mean);
}

const welch = (a: Sums, b: Sums): number =>
  (a.mean - b.mean) / Math.sqrt(a.squares / (a.count - 1) / a.count + b.squares / (b.count - 1) / b.count);

/** A text in one piece, as it comes from a request: one put together costs its first reader. */
const flat = (text: string): string => Buffer.from(text).toString();

/** A well-formed key that is another one in its last random character. */
function nearMissOf(key: string): string {
  const head = key.slice(0, -7) + (key.at(-7) === 'a' ? 'b' : 'a');
  let value = crc32(head);
  let sum = '';
  for (let i = 0; i < 6; i += 1) {
    sum = (BASE62[value % 62] ?? '') + sum;
    value = Math.floor(value / 62);
  }
  if (!isApiKey(head + sum)) throw new Error('the near miss is not well-formed');
  return head + sum;
}

/** Statements that the database ran for this, in order. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const ran: string[] = [];
  const file = new Database(':memory:');
  const { prototype } = file.prepare('select 1').constructor;
  file.close();
  const spies = (['get', 'all', 'run'] as const).map((name) => {
    const original = prototype[name] as (this: { source: string }, ...values: unknown[]) => unknown;
    return vi.spyOn(prototype, name).mockImplementation(function (this: { source: string }, ...values: unknown[]) {
      ran.push(this.source);
      return original.apply(this, values);
    });
  });
  try {
    await work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return ran;
}

const create = async () => (await keys.create({ accountId: 'acc_1', mode: 'test', name: 'there' })).key;

test('whatever a key lacks, the same is done to refuse it: one fingerprint, one statement', async () => {
  const key = await create();
  const { key: revoked, id } = await keys.create({ accountId: 'acc_1', mode: 'test', name: 'gone' });
  await keys.revoke(id);
  const wrong = { near: nearMissOf(key), unknown: newApiKey('test'), revoked };
  const fingerprint = vi.spyOn(ring, 'fingerprint');
  const done: Record<string, { fingerprints: number; statements: string[] }> = {};
  for (const [kind, presented] of Object.entries(wrong)) {
    fingerprint.mockClear();
    const statements = await statementsOf(async () => expect(await keys.authenticate(presented)).toBeUndefined());
    done[kind] = { fingerprints: fingerprint.mock.calls.length, statements };
  }
  expect(done.unknown).toEqual({ fingerprints: 1, statements: [expect.stringContaining('api_keys')] });
  expect([done.near, done.revoked]).toEqual([done.unknown, done.unknown]);
  fingerprint.mockRestore();
});

/*
 * A matter of the clock, so it is measured on a quiet machine only: by the report of the goals, or
 * with VERIFY_TIMINGS=8000.
 */
test.runIf(process.env.VERIFY_TIMINGS !== undefined)(
  `an almost right key takes as long as any other wrong one: Welch’s |t| over ${SAMPLES} samples`,
  {
    timeout: 60_000 + SAMPLES,
  },
  async () => {
    const random = seeded(SEED);
    const near: string[] = [];
    for (let i = 0; i < KEYS; i += 1) {
      near.push(flat(nearMissOf(await create())));
    }
    const unknown = Array.from({ length: KEYS }, () => flat(newApiKey('test')));
    const measured: { isNear: boolean; took: number }[] = [];
    for (let i = 0; i < SAMPLES + 500; i += 1) {
      // In random order: whatever else the machine does falls on both alike.
      const isNear = random() < 0.5;
      const key = (isNear ? near : unknown)[Math.floor(random() * KEYS)] ?? '';
      const from = process.hrtime.bigint();
      const holder = await keys.authenticate(key);
      const took = Number(process.hrtime.bigint() - from);
      if (holder) throw new Error('a key that does not exist was taken');
      // The first ones warm up.
      if (i >= 500) measured.push({ isNear, took });
    }
    // Interruptions are cut off at a common limit, as dudect does.
    const limit = measured.map(({ took }) => took).sort((a, b) => a - b)[Math.floor(measured.length * 0.9)] ?? 0;
    const sums = { near: { count: 0, mean: 0, squares: 0 }, unknown: { count: 0, mean: 0, squares: 0 } };
    for (const { isNear, took } of measured) {
      if (took <= limit) note(sums[isNear ? 'near' : 'unknown'], took);
    }
    const t = welch(sums.near, sums.unknown);
    process.stdout.write(
      `keys: |t| ${Math.abs(t).toFixed(2)}, near ${(sums.near.mean / 1_000).toFixed(1)} µs, unknown ${(sums.unknown.mean / 1_000).toFixed(1)} µs\n`,
    );
    expect(Math.abs(t)).toBeLessThan(T_MAX);
  },
);
