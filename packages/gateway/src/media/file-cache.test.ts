import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { FileCache } from './file-cache.ts';

const HOUR = 3_600_000;
let folder: string;
let clock: ManualClock;
const opened: FileCache[] = [];
let fetches: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ponte-cache-'));
  clock = new ManualClock();
  fetches = [];
});
afterEach(async () => {
  for (const cache of opened.splice(0)) cache.close();
  await rm(folder, { recursive: true, force: true });
});

function open(maxBytes = 1_000, maxFetches = 8): FileCache {
  const onError = (error: unknown) => {
    throw error;
  };
  const cache = new FileCache({ folder, clock, keepMs: 3 * HOUR, maxBytes, maxFetches, onError });
  opened.push(cache);
  return cache;
}
const get = (cache: FileCache, key: string, size = 100, line = 'line_a') =>
  cache.get(line, key, async (path) => {
    fetches.push(key);
    await writeFile(path, Buffer.alloc(size, key));
  });

it('keeps a file three hours from when it came, however often it is asked for', async () => {
  const cache = open();
  const path = await get(cache, 'a');
  await clock.advance(3 * HOUR - 1);
  expect(await get(cache, 'a')).toBe(path);
  expect(fetches).toEqual(['a']);
  await clock.advance(1);
  await get(cache, 'a');
  expect(fetches).toEqual(['a', 'a']);
  await clock.advance(3 * HOUR);
  cache.sweep();
  expect([await readdir(folder), cache.totalBytes]).toEqual([[], 0]);
});

it('stays within its bound: what nobody asked for longest goes first', async () => {
  const cache = open(350);
  for (const key of ['a', 'b', 'c']) await get(cache, key);
  await get(cache, 'a');
  await get(cache, 'd');
  expect([cache.totalBytes, (await readdir(folder)).length]).toEqual([300, 3]);
  await get(cache, 'a');
  await get(cache, 'b');
  expect(fetches).toEqual(['a', 'b', 'c', 'd', 'b']);
  // A file larger than the bound is kept alone, until the next one comes.
  const large = await get(cache, 'large', 5_000);
  expect((await readFile(large)).length).toBe(5_000);
  expect(await readdir(folder)).toHaveLength(1);
});

it('fetches a file once for all who ask at the same time, and not more files at once than allowed', async () => {
  const cache = open(1_000, 2);
  let running = 0;
  let most = 0;
  const slow = (key: string) =>
    cache.get('line_a', key, async (path) => {
      fetches.push(key);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      await writeFile(path, key);
      running -= 1;
    });
  await Promise.all(['a', 'a', 'b', 'c', 'd', 'a', 'e'].map(slow));
  expect([fetches.sort(), most]).toEqual([['a', 'b', 'c', 'd', 'e'], 2]);
});

it('remembers nothing of a fetch that failed', async () => {
  const cache = open(1_000, 1);
  const failing = () => cache.get('line_a', 'a', () => Promise.reject(new Error('gone')));
  await expect(failing()).rejects.toThrow('gone');
  await get(cache, 'a');
  expect(fetches).toEqual(['a']);
});

it('takes over what an earlier process left, with its age, and removes what was cut off', async () => {
  const earlier = open();
  await get(earlier, 'a');
  earlier.close();
  await writeFile(join(folder, 'abc.part'), 'half');
  await clock.advance(HOUR);
  const later = open();
  expect([later.totalBytes, await readdir(folder)]).toEqual([100, [expect.stringMatching(/^[0-9a-f]{64}$/)]]);
  await get(later, 'a');
  expect(fetches).toEqual(['a']);
  await clock.advance(2 * HOUR);
  await get(later, 'a');
  expect(fetches).toEqual(['a', 'a']);
});

it('forgets a line whole', async () => {
  const cache = open();
  await get(cache, 'a', 100, 'line_a');
  await get(cache, 'a', 100, 'line_b');
  expect([cache.countOf('line_a'), cache.countOf('line_b')]).toEqual([1, 1]);
  cache.removeLine('line_a');
  expect([cache.countOf('line_a'), cache.countOf('line_b'), cache.totalBytes]).toEqual([0, 1, 100]);
  expect(await readdir(folder)).toHaveLength(1);
});
