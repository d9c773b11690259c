import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readOgg } from './ogg.ts';
import { bundleFrames, lookAtOpus } from './opus.ts';

const hasFfmpeg = spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).status === 0;
const isLeftOut = !hasFfmpeg && process.env.CI === undefined;

describe.skipIf(isLeftOut)('Opus in Ogg', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ponte-opus-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const ffmpeg = (...args: string[]) => {
    const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...args]);
    expect([status, stderr.toString()]).toEqual([0, '']);
  };
  const make = (name: string, seconds: number, ...more: string[]) => {
    const path = join(folder, name);
    const source = ['-f', 'lavfi', '-i', `sine=frequency=300:duration=${seconds}`];
    ffmpeg(
      ...source,
      '-ac',
      '1',
      '-ar',
      '16000',
      '-c:a',
      'libopus',
      '-application',
      'voip',
      '-b:a',
      '24k',
      ...more,
      path,
    );
    return path;
  };
  const samples = (path: string) => {
    const raw = join(folder, 'raw');
    ffmpeg('-i', path, '-f', 's16le', '-ac', '1', '-ar', '16000', raw);
    return readFileSync(raw);
  };

  it.each([0.5, 3.33, 61])('puts frames together without touching the sound (%d s)', async (seconds) => {
    const from = make('from.ogg', seconds);
    const to = join(folder, 'to.ogg');
    expect(await lookAtOpus(from)).toEqual({ channels: 1, inputRate: 16_000, isBundled: false });
    await bundleFrames(from, to);
    expect(await lookAtOpus(to)).toEqual({ channels: 1, inputRate: 16_000, isBundled: true });
    expect(samples(to).equals(samples(from))).toBe(true);
    const again = join(folder, 'again.ogg');
    await bundleFrames(to, again);
    expect(readFileSync(again).equals(readFileSync(to))).toBe(true);
    const file = await open(to);
    const sizes: number[] = [];
    for await (const { bytes } of readOgg(file)) if (bytes[0] !== 0x4f) sizes.push((bytes[1] ?? 0) & 0x3f);
    await file.close();
    // Where the encoder changes its mind about the kind of sound, a packet ends early.
    expect(sizes.filter((frames) => frames === 3).length).toBeGreaterThan(sizes.length / 2);
    expect(Math.max(...sizes)).toBe(3);
  });

  it('tells other recordings apart', async () => {
    const stereo = join(folder, 'stereo.ogg');
    ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', '-ac', '2', '-ar', '48000', '-c:a', 'libopus', stereo);
    expect(await lookAtOpus(stereo)).toMatchObject({ channels: 2, inputRate: 48_000 });
    const wav = join(folder, 'a.wav');
    ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', wav);
    expect(await lookAtOpus(wav)).toBeUndefined();
  });
});
