import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../src/core/clock.ts';
import { createFfmpeg } from '../src/media/ffmpeg.ts';
import { fetchToSpool } from '../src/media/intake.ts';
import { MEBIBYTE, type MediaLimits } from '../src/media/media-limits.ts';
import { type MediaTools, readyFile } from '../src/media/outbound-file.ts';
import type { Guard } from '../src/net/guarded-fetch.ts';
import { FileServer } from './support/file-server.ts';
import { spoolIn } from './support/files-in.ts';
import { watchMemory } from './support/watch-memory.ts';
import { guardFor } from './support/webhook-world.ts';

const LIMITS: MediaLimits = { image: MEBIBYTE, video: 2 * MEBIBYTE, audio: MEBIBYTE, document: 48 * MEBIBYTE };
const PARALLEL = 10;
const GROWTH_MIB_MAX = 64;
const PNG = Buffer.from('89504e470d0a1a0a', 'hex');

let folder: string;
let server: FileServer;
let guard: Guard;
let tools: MediaTools;
let small: Buffer;
let names = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ponte-edges-'));
  small = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#369' } })
    .png()
    .toBuffer();
  server = await FileServer.start();
  guard = guardFor([server.port]);
  const spool = spoolIn(folder);
  tools = { spool, ffmpeg: createFfmpeg(systemClock, process.env.PATH ?? ''), limits: LIMITS };
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const fetch = (path: string) =>
  fetchToSpool(server.url(path), {
    guard,
    spool: tools.spool,
    name: `out_${names++}`,
    accountId: 'acc_a',
    limits: LIMITS,
    wish: {},
  });
/** Files in the spool and on the bench. */
const left = async () => [...(await readdir(join(folder, 'spool'))), ...(await readdir(join(folder, 'work')))];
/** A PNG of this many bytes: what follows its end is not looked at. */
const picture = (size: number) => Buffer.concat([small, Buffer.alloc(size - small.length)]);
/** A part of a PNG. */
function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, data, Buffer.alloc(4)]);
}

/** Pours without saying how much will come. */
const pour = (response: ServerResponse, type: string, bytes: number) => {
  response.writeHead(200, { 'content-type': type });
  const block = Buffer.alloc(64 * 1024, 7);
  let poured = 0;
  const more = () => {
    while (poured < bytes && !response.destroyed) {
      const piece = block.subarray(0, Math.min(block.length, bytes - poured));
      poured += piece.length;
      if (!response.write(piece)) return void response.once('drain', more);
    }
    response.end();
  };
  more();
};

test('a file of exactly the limit is taken; one byte more is refused, whether it says so or not, and nothing is left', async () => {
  for (const [path, size] of [
    ['/exact.png', LIMITS.image],
    ['/over.png', LIMITS.image + 1],
  ] as const) {
    server.serve(path, picture(size), 'image/png');
    server.acts.set(`${path}?silent`, (_, response) => {
      response.writeHead(200, { 'content-type': 'image/png' });
      response.end(picture(size));
    });
  }
  for (const path of ['/exact.png', '/exact.png?silent']) {
    const file = await fetch(path);
    expect([file.sizeBytes, file.mimeType]).toEqual([LIMITS.image, 'image/png']);
    await tools.spool.remove(file.name);
  }
  for (const path of ['/over.png', '/over.png?silent']) {
    await expect(fetch(path)).rejects.toMatchObject({ code: 'media_rejected', details: { limit_bytes: LIMITS.image } });
  }
  expect(await left()).toEqual([]);
});

test('what unpacks, lies about its type, or breaks off is refused, and nothing is left', async () => {
  const bomb = deflateSync(Buffer.alloc(64 * MEBIBYTE));
  server.acts.set('/packed', (_, response) => {
    response.writeHead(200, { 'content-type': 'image/png', 'content-encoding': 'deflate' });
    response.end(bomb);
  });
  server.acts.set('/short', (_, response) => {
    response.writeHead(200, { 'content-type': 'image/png', 'content-length': 5_000 });
    response.write(picture(1_000), () => response.destroy());
  });
  for (const path of ['/packed', '/short']) {
    await expect(fetch(path), path).rejects.toMatchObject({ code: 'media_fetch_failed' });
  }
  // A picture of 100 000 × 100 000 points in some hundred bytes.
  const size = Buffer.alloc(13);
  size.writeUInt32BE(100_000, 0);
  size.writeUInt32BE(100_000, 4);
  size.set([8, 2, 0, 0, 0], 8);
  const huge = Buffer.concat([PNG, chunk('IHDR', size), chunk('IDAT', deflateSync(Buffer.alloc(1_000)))]);
  server.serve('/huge.png', Buffer.concat([huge, chunk('IEND', Buffer.alloc(0))]), 'image/png');
  const file = await fetch('/huge.png');
  await expect(readyFile(file, {}, tools)).rejects.toMatchObject({ code: 'media_rejected' });
  await tools.spool.remove(file.name);
  // Says that it is a picture, and is text: it goes by what it is.
  server.serve('/lie.png', Buffer.from('<script>alert(1)</script>'.repeat(100)), 'image/png');
  await expect(fetch('/lie.png').then((lie) => readyFile(lie, { kind: 'image' }, tools))).rejects.toMatchObject({
    code: 'media_rejected',
  });
  for (const name of await left()) await tools.spool.remove(name);
  expect(await left()).toEqual([]);
});

test(`${PARALLEL} files at once grow the memory by ${GROWTH_MIB_MAX} MiB at most, whatever their size`, {
  timeout: 120_000,
}, async () => {
  const type = 'application/octet-stream';
  server.acts.set('/large', (_, response) => pour(response, type, LIMITS.document));
  server.acts.set('/too-large', (_, response) => pour(response, type, LIMITS.document + 1));
  // The first one brings in what is loaded when it is needed.
  await tools.spool.remove((await fetch('/large')).name);
  const grown = watchMemory([process.pid]);
  const files = await Promise.all(Array.from({ length: PARALLEL / 2 }, () => fetch('/large')));
  const refused = await Promise.allSettled(Array.from({ length: PARALLEL }, () => fetch('/too-large')));
  const [mib = Number.NaN] = grown();
  process.stdout.write(`media: +${mib} MiB with ${PARALLEL} files of ${LIMITS.document / MEBIBYTE} MiB at once\n`);
  expect(files.map(({ sizeBytes }) => sizeBytes)).toEqual(files.map(() => LIMITS.document));
  expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 'rejected'));
  expect(mib).toBeLessThanOrEqual(GROWTH_MIB_MAX);
  for (const { name } of files) await tools.spool.remove(name);
  expect(await left()).toEqual([]);
});
