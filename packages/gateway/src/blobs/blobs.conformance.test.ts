import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startS3 } from '../../test/support/s3-server.ts';
import { until } from '../../test/support/until.ts';
import { systemClock } from '../core/clock.ts';
import { createSealedBox, UnreadableError } from '../crypto/sealed-box.ts';
import { createAccountFiles } from './account-files.ts';
import { BlobError, type BlobSettings, type BlobStore } from './blob-store.ts';
import { openBlobs } from './open-blobs.ts';

const CHILD = fileURLToPath(new URL('../../test/support/file-writing-child.ts', import.meta.url));
const CANARY = 'canary bytes of a file ';
const CHUNK = 65_536;
/** Around a chunk of sealed files, and around a part of an upload. */
const SIZES = [0, 1, 15, 16, 17, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 8 * 1024 ** 2, 17 * 1024 ** 2 + 5];

async function* inPieces(bytes: Uint8Array, size = 50_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
async function whole(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}
/** Every file below a folder, as a thief of the disk would see it. */
const onDisk = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const box = createSealedBox(randomBytes(32));
const childBox = createSealedBox(Buffer.alloc(32, 1));
const filesOn = (blobs: BlobStore, isSealing: boolean, of = box) =>
  createAccountFiles({ blobs, ring: { box: async () => of }, sealing: () => (isSealing ? of : undefined) });

interface Place {
  settings: BlobSettings;
  /** Where its bytes are at last. */
  folder: string;
}

/** What every store does. */
function conformance(placeOf: () => Place): void {
  let blobs: BlobStore;
  let name = 0;
  const fresh = () => `spool/out_${name++}`;
  beforeEach(() => {
    blobs = openBlobs(placeOf().settings, systemClock);
  });
  afterEach(() => blobs.close());
  const keys = async (prefix: string) => {
    const all: string[] = [];
    for await (const { key } of blobs.list(prefix)) all.push(key);
    return all.sort();
  };

  test.each([false, true])('gives back what was written, whole and in ranges (sealed: %s)', async (isSealing) => {
    const files = filesOn(blobs, isSealing);
    for (const size of SIZES) {
      const bytes = randomBytes(size);
      const key = fresh();
      expect(await files.write(key, 'acc_a', inPieces(bytes))).toEqual({ isSealed: isSealing });
      const file = await files.open(key);
      if (!file) throw new Error('not there');
      expect([size, file.sizeBytes, file.isSealed]).toEqual([size, size, isSealing]);
      expect((await whole(file.read(0, size - 1))).equals(bytes)).toBe(true);
      const ranges = [
        [0, 0],
        [size - 1, size - 1],
        [CHUNK - 2, CHUNK + 1],
        [1, size - 2],
        [CHUNK, 2 * CHUNK - 1],
      ] as const;
      for (const [start, end] of ranges.filter(([from, to]) => from >= 0 && to >= from && to < size)) {
        expect((await whole(file.read(start, end))).equals(bytes.subarray(start, end + 1))).toBe(true);
      }
      await file.close();
      await files.remove(key);
      expect([await files.open(key), await files.stat(key)]).toEqual([undefined, undefined]);
    }
  });

  test('lists, tells size and time, takes the place of what was there, and removes what is not there', async () => {
    const before = Date.now();
    for (const key of ['cache/a', 'cache/ab', 'spool/a']) await blobs.put(key, inPieces(Buffer.from(key)));
    expect(await keys('cache/')).toEqual(['cache/a', 'cache/ab']);
    const facts = await blobs.stat('cache/ab');
    expect(facts?.sizeBytes).toBe(8);
    // Storage tells whole seconds.
    expect(Math.abs((facts?.modifiedMs ?? 0) - before)).toBeLessThan(10_000);
    await blobs.put('cache/a', inPieces(Buffer.from('another')));
    const file = await blobs.open('cache/a');
    expect((await whole(file?.read(0, 6) ?? inPieces(Buffer.alloc(0)))).toString()).toBe('another');
    await file?.close();
    for (const key of ['cache/a', 'cache/ab', 'spool/a', 'spool/never']) await blobs.remove(key);
    expect(await keys('')).toEqual([]);
  });

  test('a source that fails leaves what was there, and its own error is told', async () => {
    const key = fresh();
    await blobs.put(key, inPieces(Buffer.from('before')));
    const failure = new Error('the source broke off');
    async function* broken() {
      // Beyond the first part of an upload.
      yield* inPieces(randomBytes(9 * 1024 ** 2));
      throw failure;
    }
    await expect(blobs.put(key, broken())).rejects.toBe(failure);
    await expect(blobs.put(`${key}-new`, broken())).rejects.toBe(failure);
    expect((await blobs.stat(key))?.sizeBytes).toBe(6);
    expect(await keys('spool/')).toEqual([key]);
    await blobs.remove(key);
  });

  test('keys that could lead elsewhere are refused', async () => {
    for (const key of ['', '/etc/passwd', '../x', 'a/../b', 'a//b', '.hidden', 'a/.b', 'a\u0000', 'x.part', 'ä']) {
      await expect(blobs.put(key, inPieces(Buffer.from('x'))), key).rejects.toBeInstanceOf(RangeError);
      await expect(blobs.open(key), key).rejects.toBeInstanceOf(RangeError);
    }
  });

  test.each(['plain', 'sealed'])('kill -9 in the middle of a %s file leaves no file', async (how) => {
    const key = fresh();
    const { settings, folder } = placeOf();
    const args = [CHILD, JSON.stringify(settings), key, `${how} ${CANARY}`, how];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let written = 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      written = Number(text.trim().split('\n').at(-1));
    });
    // In the midst of the third part of an upload.
    await until('it to be under way', () => written > 20 * 1024 ** 2);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect([await blobs.open(key), await keys('spool/')]).toEqual([undefined, []]);
    const left = onDisk(folder).filter((path) => readFileSync(path).includes(`${how} ${CANARY}`));
    expect(how === 'sealed' ? left : []).toEqual([]);
    await blobs.tidy(0);
    // Storage keeps parts of uploads until the rule of its bucket removes them.
    if (settings.kind === 'folder') expect(onDisk(folder)).toEqual([]);
    // The next one is as if nothing had been.
    const files = filesOn(blobs, how === 'sealed', childBox);
    await files.write(key, 'acc_a', inPieces(Buffer.from(CANARY)));
    expect((await files.open(key))?.sizeBytes).toBe(CANARY.length);
    await files.remove(key);
  });

  test('nothing of a sealed file is on the disk, and one that was changed, cut off or moved does not open', async () => {
    const { folder } = placeOf();
    const bytes = Buffer.from('words of a secret, '.repeat(11_000));
    const files = filesOn(blobs, true);
    const [key, other] = [fresh(), fresh()];
    await files.write(key, 'acc_a', inPieces(bytes));
    expect(onDisk(folder).filter((path) => readFileSync(path).includes('of a secret'))).toEqual([]);
    const stored = await blobs.open(key);
    const sealed = await whole(stored?.read(0, stored.sizeBytes - 1) ?? inPieces(Buffer.alloc(0)));
    await stored?.close();
    const readAll = async (at: string) => {
      const file = await files.open(at);
      return file && whole(file.read(0, file.sizeBytes - 1)).finally(() => file.close());
    };
    const chunkAt = sealed.length - 4 * (CHUNK + 16);
    expect(chunkAt).toBeLessThan(0);
    const swapped = Buffer.concat([
      sealed.subarray(0, 90),
      sealed.subarray(90 + CHUNK + 16, 90 + 2 * (CHUNK + 16)),
      sealed.subarray(90, 90 + CHUNK + 16),
      sealed.subarray(90 + 2 * (CHUNK + 16)),
    ]);
    const flipped = (at: number) => {
      const copy = Buffer.from(sealed);
      copy[at] = (copy[at] ?? 0) ^ 1;
      return copy;
    };
    const wrong = {
      'its head': flipped(40),
      'its first chunk': flipped(1_000),
      'a chunk in the middle': flipped(100_000),
      'its end': flipped(sealed.length - 1),
      'cut by a byte': sealed.subarray(0, -1),
      'cut at a chunk': sealed.subarray(0, 90 + 2 * (CHUNK + 16)),
      'cut in its head': sealed.subarray(0, 30),
      'only its head': sealed.subarray(0, 90),
      'two chunks in each other’s place': swapped,
      'more than there was': Buffer.concat([sealed, Buffer.alloc(20)]),
    };
    for (const [what, stolen] of Object.entries(wrong)) {
      await blobs.put(key, inPieces(stolen));
      await expect(readAll(key), what).rejects.toBeInstanceOf(UnreadableError);
    }
    await blobs.put(other, inPieces(sealed));
    await expect(readAll(other)).rejects.toBeInstanceOf(UnreadableError);
    await blobs.put(key, inPieces(sealed));
    expect((await readAll(key))?.equals(bytes)).toBe(true);
    await expect(filesOn(blobs, true, createSealedBox(randomBytes(32))).open(key)).rejects.toBeInstanceOf(
      UnreadableError,
    );
    // A stranger's file that looks like a sealed one is a file like any other.
    await filesOn(blobs, false).write(other, 'acc_a', inPieces(sealed, 3));
    expect((await readAll(other))?.equals(sealed)).toBe(true);
    for (const one of [key, other]) await blobs.remove(one);
  });
}

describe('a folder', () => {
  let place: Place;
  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'ponte-blobs-'));
    place = { folder, settings: { kind: 'folder', folder, isShared: false } };
  });
  afterAll(() => rmSync(place.folder, { recursive: true, force: true }));
  conformance(() => place);

  test('files are open to this user alone; one that is cut off while it is read is an error', async () => {
    const blobs = openBlobs(place.settings, systemClock);
    await blobs.put('cache/x', inPieces(randomBytes(200_000)));
    const path = blobs.pathOf('cache/x') ?? '';
    expect([statSync(path).mode & 0o777, statSync(join(place.folder, 'cache')).mode & 0o777]).toEqual([0o600, 0o700]);
    const file = await blobs.open('cache/x');
    truncateSync(path, 1_000);
    await expect(whole(file?.read(0, 199_999) ?? inPieces(Buffer.alloc(0)))).rejects.toBeInstanceOf(BlobError);
    await file?.close();
    // Written by an older version, without any mark: still read.
    writeFileSync(path, 'plain');
    expect((await filesOn(blobs, true).open('cache/x'))?.isSealed).toBe(false);
    await blobs.remove('cache/x');
  });
});

describe('storage that speaks S3', () => {
  let place: Awaited<ReturnType<typeof startS3>>;
  beforeAll(async () => {
    place = await startS3();
  });
  afterAll(() => place.close());
  conformance(() => place);

  test('says what is wrong without a secret', async () => {
    const wrong = openBlobs(
      { ...place.settings, accessKeyId: 'unknown', secretAccessKey: 'not-the-secret' },
      systemClock,
    );
    const error = await wrong.put('cache/y', inPieces(Buffer.from('x'))).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BlobError);
    expect(String(error)).toMatch(/HTTP 403/);
    expect(String(error)).not.toContain('not-the-secret');
    await wrong.close();
  });
});
