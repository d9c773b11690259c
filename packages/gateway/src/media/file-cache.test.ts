import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bytesOf, filesIn, pieceOf } from '../../test/support/files-in.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { AccountFiles } from '../blobs/account-files.ts';
import { FileCache } from './file-cache.ts';

const HOUR = 3_600_000;
let folder: string;
let clock: ManualClock;
const opened: FileCache[] = [];
let fetches: string[];
let files: AccountFiles;
let isSealing: boolean;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ponte-cache-'));
  clock = new ManualClock();
  fetches = [];
  isSealing = false;
  files = filesIn(folder, clock, () => isSealing);
});
afterEach(async () => {
  for (const cache of opened.splice(0)) cache.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(maxBytes = 1_000, maxFetches = 8, isShared = false): Promise<FileCache> {
  const onError = (error: unknown) => {
    throw error;
  };
  const cache = await FileCache.open({ files, isShared, clock, keepMs: 3 * HOUR, maxBytes, maxFetches, onError });
  opened.push(cache);
  return cache;
}
const which = (key: string, lineId = 'line_a') => ({ accountId: 'acc_a', lineId, key });
/** The bytes of a file. */
const get = async (cache: FileCache, key: string, size = 100, line = 'line_a') =>
  bytesOf(
    await cache.get(which(key, line), async (name) => {
      fetches.push(key);
      await files.write(`cache/${name}`, 'acc_a', pieceOf(Buffer.alloc(size, key)));
    }),
  );
const left = () => readdir(join(folder, 'cache'));

it('keeps a file three hours from when it came, however often it is asked for', async () => {
  const cache = await open();
  const bytes = await get(cache, 'a');
  await clock.advance(3 * HOUR - 1);
  expect(await get(cache, 'a')).toEqual(bytes);
  expect(fetches).toEqual(['a']);
  await clock.advance(1);
  await get(cache, 'a');
  expect(fetches).toEqual(['a', 'a']);
  await clock.advance(3 * HOUR);
  await cache.sweep();
  expect([await left(), cache.totalBytes]).toEqual([[], 0]);
});

it('stays within its bound: what nobody asked for longest goes first', async () => {
  const cache = await open(350);
  for (const key of ['a', 'b', 'c']) await get(cache, key);
  await get(cache, 'a');
  await get(cache, 'd');
  expect([cache.totalBytes, (await left()).length]).toEqual([300, 3]);
  await get(cache, 'a');
  await get(cache, 'b');
  expect(fetches).toEqual(['a', 'b', 'c', 'd', 'b']);
  // A file larger than the bound is kept alone, until the next one comes.
  expect(await get(cache, 'large', 5_000)).toHaveLength(5_000);
  expect(await left()).toHaveLength(1);
});

it('fetches a file once for all who ask at the same time, and not more files at once than allowed', async () => {
  const cache = await open(1_000, 2);
  let running = 0;
  let most = 0;
  const slow = async (key: string) => {
    const file = await cache.get(which(key), async (name) => {
      fetches.push(key);
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      await files.write(`cache/${name}`, 'acc_a', pieceOf(key));
      running -= 1;
    });
    await file.close();
  };
  await Promise.all(['a', 'a', 'b', 'c', 'd', 'a', 'e'].map(slow));
  expect([fetches.sort(), most]).toEqual([['a', 'b', 'c', 'd', 'e'], 2]);
});

it('remembers nothing of a fetch that failed', async () => {
  const cache = await open(1_000, 1);
  const failing = () => cache.get(which('a'), () => Promise.reject(new Error('gone')));
  await expect(failing()).rejects.toThrow('gone');
  await get(cache, 'a');
  expect(fetches).toEqual(['a']);
});

it('takes over what an earlier process left, with its age, and removes what was cut off', async () => {
  const earlier = await open();
  await get(earlier, 'a');
  earlier.close();
  await writeFile(join(folder, 'cache', 'abc.part'), 'half');
  await clock.advance(HOUR);
  await files.tidy(0);
  const later = await open();
  expect([later.totalBytes, await left()]).toEqual([100, [expect.stringMatching(/^[0-9a-f]{64}$/)]]);
  await get(later, 'a');
  expect(fetches).toEqual(['a']);
  await clock.advance(2 * HOUR);
  await get(later, 'a');
  expect(fetches).toEqual(['a', 'a']);
});

it('forgets a line whole', async () => {
  const cache = await open();
  await get(cache, 'a', 100, 'line_a');
  await get(cache, 'a', 100, 'line_b');
  expect([cache.countOf('line_a'), cache.countOf('line_b')]).toEqual([1, 1]);
  await cache.removeLine('line_a');
  expect([cache.countOf('line_a'), cache.countOf('line_b'), cache.totalBytes]).toEqual([0, 1, 100]);
  expect(await left()).toHaveLength(1);
});

it('fetches again what was changed, cut off or removed meanwhile, and what lies in the clear and must not', async () => {
  const cache = await open(10_000_000);
  const stored = async () => join(folder, 'cache', (await left())[0] ?? '');
  const plain = await get(cache, 'a', 200_000);
  isSealing = true;
  expect(await get(cache, 'a', 200_000)).toEqual(plain);
  expect([fetches, (await readFile(await stored())).includes(plain.subarray(0, 32))]).toEqual([['a', 'a'], false]);
  await truncate(await stored(), 100_000);
  expect(await get(cache, 'a', 200_000)).toEqual(plain);
  await rm(await stored());
  expect(await get(cache, 'a', 200_000)).toEqual(plain);
  expect(fetches).toHaveLength(4);
  // In the middle: its beginning is on its way already. This reader gets an error, the next one
  // the file.
  const bytes = await readFile(await stored());
  bytes[100_000] = (bytes[100_000] ?? 0) ^ 1;
  await writeFile(await stored(), bytes);
  await expect(get(cache, 'a', 200_000)).rejects.toThrow(/changed or cut off/);
  expect(await get(cache, 'a', 200_000)).toEqual(plain);
  expect(fetches).toHaveLength(5);
});

it('uses the files of other nodes on the same store, and removes those of a line whoever fetched them', async () => {
  const [one, other] = [await open(1_000, 8, true), await open(1_000, 8, true)];
  const bytes = await get(one, 'a');
  expect([await get(other, 'a'), fetches]).toEqual([bytes, ['a']]);
  await get(one, 'b');
  await other.removeLine('line_a');
  expect(await left()).toEqual([]);
  await get(one, 'a');
  expect(fetches).toEqual(['a', 'b', 'a']);
});
