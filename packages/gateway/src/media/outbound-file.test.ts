import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, filesIn, pieceOf, spoolIn } from '../../test/support/files-in.ts';
import { systemClock } from '../core/clock.ts';
import { createFfmpeg } from './ffmpeg.ts';
import { MEBIBYTE } from './media-limits.ts';
import { lookAtOpus } from './opus.ts';
import { type FileWish, type MediaTools, readyFile } from './outbound-file.ts';

const PATH = process.env.PATH ?? '';
const hasFfmpeg = spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).status === 0;
const isLeftOut = process.env.CI !== 'true' && !hasFfmpeg;
const limits = { image: MEBIBYTE, video: MEBIBYTE, audio: MEBIBYTE, document: 2 * MEBIBYTE };

let folder: string;
let tools: MediaTools;
let names = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ponte-spool-'));
  tools = { spool: spoolIn(folder), ffmpeg: createFfmpeg(systemClock, PATH), limits };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function spool(bytes: Uint8Array, declaredType?: string, fileName?: string) {
  const refusal = new Error('too large') as never;
  return tools.spool.write(
    (async function* () {
      yield bytes;
    })(),
    {
      name: `out_${names++}`,
      accountId: 'acc_a',
      declaredType,
      fileName,
      limit: () => ({ maxBytes: 3 * MEBIBYTE, refusal }),
    },
  );
}
const ready = async (bytes: Uint8Array, wish: FileWish = {}, declaredType?: string, with_ = tools) =>
  readyFile(await spool(bytes, declaredType), wish, with_);
const sent = (name: string) => readFile(join(folder, 'spool', name));
const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: { r: 200, g: 50, b: 20, alpha: 0.5 } } });

/** A second of a tone that grows louder, 8 kHz mono. */
function wav(): Buffer {
  const samples = 8_000;
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples * 2, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples * 2, 40);
  const data = Buffer.alloc(samples * 2);
  for (let at = 0; at < samples; at++) {
    data.writeInt16LE(Math.round((at / samples) * 30_000 * Math.sin((at * 2 * Math.PI * 440) / 8_000)), at * 2);
  }
  return Buffer.concat([head, data]);
}

describe('pictures', () => {
  it('go as they are when every phone shows them, with size and thumbnail', async () => {
    const bytes = await picture(300, 150).flatten().jpeg().toBuffer();
    const { kind, file } = await ready(bytes, {}, 'application/octet-stream');
    expect([kind, file.mimeType, file.width, file.height]).toEqual(['image', 'image/jpeg', 300, 150]);
    expect(await sent(file.name)).toEqual(bytes);
    const thumbnail = await sharp(Buffer.from(file.thumbnail ?? '', 'base64')).metadata();
    expect([thumbnail.format, thumbnail.width, thumbnail.height]).toEqual(['jpeg', 72, 36]);
  });

  it('become JPEG otherwise', async () => {
    const { kind, file } = await ready(await picture(40, 20).webp().toBuffer());
    expect([kind, file.mimeType, file.width]).toEqual(['image', 'image/jpeg', 40]);
    expect((await sharp(await sent(file.name)).metadata()).format).toBe('jpeg');
    expect(file.sizeBytes).toBe((await sent(file.name)).length);
  });

  it('that are damaged are refused', async () => {
    const bytes = (await picture(300, 300).png().toBuffer()).subarray(0, 200);
    await expect(ready(bytes)).rejects.toMatchObject({
      code: 'media_rejected',
      message: expect.stringContaining('damaged'),
    });
  });

  it('become stickers: 512 × 512 WebP on nothing', async () => {
    const { kind, file } = await ready(await picture(100, 50).png().toBuffer(), { kind: 'sticker' });
    expect([kind, file.mimeType, file.width, file.height]).toEqual(['sticker', 'image/webp', 512, 512]);
    const { format, width, height, hasAlpha } = await sharp(await sent(file.name)).metadata();
    expect([format, width, height, hasAlpha]).toEqual(['webp', 512, 512, true]);
    const fit = await picture(512, 512).webp().toBuffer();
    const kept = await ready(fit, { kind: 'sticker' });
    expect(await sent(kept.file.name)).toEqual(fit);
    await expect(ready(wav(), { kind: 'sticker' })).rejects.toMatchObject({ code: 'media_rejected' });
  });
});

describe('what a file is', () => {
  it.each<
    [
      what: string,
      bytes: () => Promise<Buffer>,
      declared: string | undefined,
      wish: FileWish,
      kind: string,
      type: string,
    ]
  >([
    ['an image called a PDF', () => picture(9, 9).png().toBuffer(), 'application/pdf', {}, 'image', 'image/png'],
    [
      'a page called an image',
      async () => Buffer.from('<h1>Not found</h1>'),
      'image/png',
      {},
      'document',
      'application/octet-stream',
    ],
    ['a text', async () => Buffer.from('a,b\n1,2'), 'text/csv; charset=utf-8', {}, 'document', 'text/csv'],
    [
      'a text whose type the caller knows',
      async () => Buffer.from('a,b'),
      undefined,
      { mimeType: 'text/csv' },
      'document',
      'text/csv',
    ],
    [
      'an image as document',
      () => picture(9, 9).png().toBuffer(),
      'image/png',
      { kind: 'document' },
      'document',
      'image/png',
    ],
  ])('%s', async (_what, bytes, declared, wish, kind, type) => {
    const found = await ready(await bytes(), wish, declared);
    expect([found.kind, found.file.mimeType]).toEqual([kind, type]);
  });

  it('nothing at all is refused, whatever it is called', async () => {
    for (const [declared, wish] of [
      ['text/plain', {}],
      [undefined, { kind: 'document', fileName: 'a.pdf' }],
      ['image/jpeg', { kind: 'image' }],
      ['audio/ogg', { voice: true }],
    ] as [string | undefined, FileWish][]) {
      await expect(ready(Buffer.alloc(0), wish, declared)).rejects.toMatchObject({
        code: 'media_rejected',
        message: expect.stringContaining('empty'),
      });
    }
  });

  it('documents get a name and a type that say what they are', async () => {
    const named = async (bytes: string, wish: FileWish, declared?: string, name?: string) => {
      const { kind, file } = await readyFile(await spool(Buffer.from(bytes), declared, name), wish, tools);
      return [kind, file.mimeType, file.fileName];
    };
    expect(await named('a,b', { fileName: 'a.csv' }, 'application/octet-stream')).toEqual([
      'document',
      'text/csv',
      'a.csv',
    ]);
    expect(await named('%PDF-1.7\n', {})).toEqual(['document', 'application/pdf', 'document.pdf']);
    expect(await named('%PDF-1.7\n', {}, undefined, 'download')).toEqual([
      'document',
      'application/pdf',
      'download.pdf',
    ]);
    expect(await named('<svg></svg>', {}, 'image/svg+xml')).toEqual(['document', 'image/svg+xml', 'document.svg']);
  });

  it.each<[wish: FileWish, problem: string]>([
    [{ kind: 'video' }, 'is image/png, which is no video'],
    [{ kind: 'audio' }, 'which is no audio'],
    [{ voice: true }, 'voice message is an audio file'],
    [{ kind: 'image', voice: true }, 'voice message is an audio file'],
    [{ gif: true }, 'gif is for videos'],
  ])('is not what contradicts it: %j', async (wish, problem) => {
    const bytes = await picture(9, 9).png().toBuffer();
    await expect(ready(bytes, wish)).rejects.toMatchObject({
      code: 'media_rejected',
      message: expect.stringContaining(problem),
    });
  });

  it('is no status unless it is a picture or a video', async () => {
    await expect(ready(Buffer.from('a,b'), { asStatus: true }, 'text/csv')).rejects.toMatchObject({
      code: 'media_rejected',
      message: expect.stringContaining('A status is'),
    });
  });

  it('decides what can be said and done with it', async () => {
    const bytes = await picture(9, 9).png().toBuffer();
    for (const [wish, field] of [
      [{ kind: 'sticker', caption: 'x' }, 'caption'],
      [{ kind: 'document', viewOnce: true }, 'view_once'],
    ] as [FileWish, string][]) {
      await expect(ready(bytes, wish)).rejects.toMatchObject({
        code: 'validation_error',
        details: { details: [{ path: field }] },
      });
    }
    const large = Buffer.concat([bytes, Buffer.alloc(MEBIBYTE)]);
    await expect(ready(large)).rejects.toMatchObject({
      code: 'media_rejected',
      message: expect.stringContaining('1 MiB'),
    });
    expect((await ready(large, { kind: 'document' })).kind).toBe('document');
  });
});

describe.skipIf(isLeftOut)(`sounds and films${isLeftOut ? ' (needs ffmpeg: apt-get install ffmpeg)' : ''}`, () => {
  it('a voice message is Opus with its length and a waveform of 64 bars', async () => {
    const { kind, file } = await ready(wav(), { voice: true });
    expect([kind, file.mimeType, file.durationSeconds]).toEqual(['voice', 'audio/ogg; codecs=opus', 1]);
    expect((await sent(file.name)).subarray(28, 36).toString()).toBe('OpusHead');
    const bars = [...Buffer.from(file.waveform ?? '', 'base64')];
    expect(bars).toHaveLength(64);
    expect(Math.max(...bars)).toBe(100);
    expect(bars[60]).toBeGreaterThan((bars[4] ?? 100) + 40);
    expect((await ready(wav())).file.durationSeconds).toBe(1);
  });

  it('a GIF becomes a video with size, length and thumbnail', async () => {
    const frames = await Promise.all(
      [0, 1].map((n) =>
        picture(31 + n * 0, 21)
          .png()
          .toBuffer(),
      ),
    );
    const gif = await sharp(frames, { join: { animated: true } })
      .gif({ delay: [500, 500] })
      .toBuffer();
    const { kind, gif: plays, file } = await ready(gif);
    expect([kind, plays, file.mimeType, file.width, file.height]).toEqual(['video', true, 'video/mp4', 30, 20]);
    expect(file.durationSeconds).toBe(1);
    expect((await sharp(Buffer.from(file.thumbnail ?? '', 'base64')).metadata()).format).toBe('jpeg');
  });

  it('reads no file but the one it is given, whatever that one asks for', async () => {
    const secret = Buffer.from('#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n');
    const { spool: at } = tools;
    const file = await spool(secret, 'audio/mpeg');
    await at.withPath(file, async () => {
      await expect(tools.ffmpeg.probe(file.path)).rejects.toThrow();
      await expect(tools.ffmpeg.run(file.path, ['-f', 'null', 'pipe:1'])).rejects.toThrow();
    });
    await at.remove(file.name);
  });
});

describe('of an account whose files are sealed', () => {
  let sealed: string;
  beforeAll(async () => {
    sealed = await mkdtemp(join(tmpdir(), 'ponte-sealed-'));
  });
  afterAll(() => rm(sealed, { recursive: true, force: true }));
  const sealing = (memoryFolder?: string) => {
    const files = filesIn(sealed, systemClock, () => true);
    return { ...tools, files, spool: spoolIn(sealed, files, memoryFolder) };
  };
  const readyIn = async (of: ReturnType<typeof sealing>, bytes: Uint8Array, wish: FileWish = {}) => {
    const limit = () => ({ maxBytes: 3 * MEBIBYTE, refusal: new Error('too large') as never });
    const file = await of.spool.write(pieceOf(bytes), { name: `out_${names++}`, accountId: 'acc_a', limit });
    return readyFile(file, wish, of);
  };
  const stored = () =>
    readdirSync(sealed, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  const inMemory = () => readdirSync('/dev/shm').filter((name) => name.startsWith('ponte-'));

  it('is converted in memory: nothing in the clear is on the disk, and nothing stays behind', async () => {
    const of = sealing();
    const png = await picture(80, 40).png().toBuffer();
    const webp = await picture(80, 40).webp().toBuffer();
    for (const [bytes, wish, type] of [
      [png, {}, 'image/png'],
      [webp, {}, 'image/jpeg'],
      [png, { kind: 'sticker' }, 'image/webp'],
      ...(hasFfmpeg ? ([[wav(), { voice: true }, 'audio/ogg; codecs=opus']] as const) : []),
    ] as [Buffer, FileWish, string][]) {
      const { file } = await readyIn(of, bytes, wish);
      expect(file.mimeType).toBe(type);
      expect(file.thumbnail ?? file.waveform ?? file.width).toBeDefined();
      const open = await bytesOf(await of.files.open(`spool/${file.name}`));
      expect([open.length, createHash('sha256').update(open).digest('base64')]).toEqual([file.sizeBytes, file.sha256]);
      expect(
        stored().filter((one) => one.includes(open.subarray(0, 24)) || one.includes(bytes.subarray(0, 24))),
      ).toEqual([]);
      await of.spool.remove(file.name);
    }
    expect([stored(), inMemory()]).toEqual([[], []]);
  });

  it('goes as it is where there is no memory to look at it, or is refused', async () => {
    const of = sealing(sealed);
    const png = await picture(80, 40).png().toBuffer();
    expect((await readyIn(of, png)).file).toMatchObject({ mimeType: 'image/png', sizeBytes: png.length });
    await expect(readyIn(of, await picture(80, 40).webp().toBuffer())).rejects.toThrow(/MEDIA_MEMORY_DIR/);
    expect((await readyIn(of, wav(), { kind: 'document' })).kind).toBe('document');
  });
});

describe('without ffmpeg', () => {
  const without = () => ({ ...tools, ffmpeg: createFfmpeg(systemClock, '/nowhere') });

  it('says what to do about what it cannot convert, and sends the rest', async () => {
    for (const [bytes, wish] of [
      [wav(), { voice: true }],
      [
        await sharp(await picture(9, 9).png().toBuffer())
          .gif()
          .toBuffer(),
        {},
      ],
    ] as [Buffer, FileWish][]) {
      await expect(ready(bytes, wish, undefined, without())).rejects.toMatchObject({
        code: 'media_rejected',
        message: expect.stringContaining('ffmpeg'),
      });
    }
    const { kind, file } = await ready(wav(), {}, undefined, without());
    expect([kind, file.mimeType, file.durationSeconds]).toEqual(['audio', 'audio/wav', undefined]);
  });

  it.skipIf(isLeftOut)(
    'refuses voice messages that phones would not play, and puts single frames together',
    async () => {
      const encode = (...how: string[]) => {
        const args = ['-v', 'error', '-i', 'pipe:0', ...how, '-c:a', 'libopus', '-f', 'ogg', 'pipe:1'];
        return spawnSync('ffmpeg', args, { input: wav() }).stdout;
      };
      for (const stereo of [encode('-ac', '2', '-ar', '16000'), encode('-ac', '1', '-ar', '48000')]) {
        await expect(ready(stereo, { voice: true }, 'audio/ogg', without())).rejects.toMatchObject({
          code: 'media_rejected',
          message: expect.stringMatching(/mono Opus of 16 kHz.*ffmpeg -i IN -ac 1 -ar 16000/),
        });
        const { file } = await ready(stereo, { voice: true }, 'audio/ogg');
        expect(await lookAtOpus(join(folder, 'spool', file.name))).toEqual({
          channels: 1,
          inputRate: 16_000,
          isBundled: true,
        });
      }
      const { file } = await ready(encode('-ac', '1', '-ar', '16000'), { voice: true }, 'audio/ogg', without());
      expect(await lookAtOpus(join(folder, 'spool', file.name))).toEqual({
        channels: 1,
        inputRate: 16_000,
        isBundled: true,
      });
    },
  );

  it.skipIf(isLeftOut)('knows the length of Opus all the same', async () => {
    const opus = await ready(wav(), { voice: true });
    const bytes = await sent(opus.file.name);
    const { kind, file } = await ready(bytes, { voice: true }, 'audio/ogg', without());
    expect([kind, file.durationSeconds, file.waveform]).toEqual(['voice', 1, undefined]);
  });
});

it('leaves nothing half written behind', async () => {
  expect((await readdir(join(folder, 'spool'))).filter((name) => name.includes('.'))).toEqual([]);
});
