import { open } from 'node:fs/promises';
import type { OutboundFile } from '@ponte/engine';
import { type Ffmpeg, FfmpegError } from './ffmpeg.ts';
import { rejected } from './media-limits.ts';
import { bundleFrames, lookAtOpus, type OpusTrack } from './opus.ts';
import type { Spool, SpooledFile } from './spool.ts';

export const OPUS = 'audio/ogg; codecs=opus';
/**
 * Bars of the waveform that WhatsApp shows, each 0 to 100 (Baileys messages-media.js
 * getAudioWaveform).
 */
const BARS = 64;
const RATE = 8_000;
/** A tenth of a second. */
const WINDOW_SAMPLES = RATE / 10;
/** Opus counts samples at this rate, whatever it was recorded at (RFC 7845). */
const OPUS_RATE = 48_000;
/** What phones record voice messages at. */
const VOICE_RATE = 16_000;
const OGG_PAGE_MAX_BYTES = 65_307;

type Heard = Pick<OutboundFile, 'durationSeconds' | 'waveform'>;

/**
 * The sound as a voice message that phones play: Opus in Ogg, mono, 16 kHz, several frames a packet
 * (see opus.ts). Other sounds need ffmpeg: `media_rejected` without it, or when the file cannot be
 * read.
 */
export async function sendableVoice(file: SpooledFile, spool: Spool, ffmpeg: Ffmpeg): Promise<SpooledFile> {
  const track = file.mimeType === OPUS ? await lookAtOpus(file.path) : undefined;
  const isPlayed = track?.channels === 1 && track.inputRate === VOICE_RATE;
  if (isPlayed && track.isBundled) return file;
  const inBundles = (from: SpooledFile) => spool.replace(from, OPUS, (path) => bundleFrames(from.path, path));
  if (isPlayed) return inBundles(file);
  if (!(await ffmpeg.isThere())) {
    throw rejected(
      `Phones play voice messages that are mono Opus of 16 kHz in Ogg only. This file is ${named(file, track)}, and this installation has no ffmpeg to convert it. Convert it first (ffmpeg -i IN -ac 1 -ar 16000 -c:a libopus -application voip OUT.ogg), send it as audio, or ask the operator to install ffmpeg.`,
    );
  }
  const output = ['-map', '0:a:0', '-vn', '-map_metadata', '-1', '-ac', '1', '-ar', String(VOICE_RATE)];
  const codec = ['-c:a', 'libopus', '-b:a', '24k', '-application', 'voip', '-frame_duration', '20', '-f', 'ogg'];
  const converted = await spool.replace(file, OPUS, (path) =>
    ffmpeg.run(file.path, [...output, ...codec, path]).catch((cause: unknown) => {
      throw rejected('The sound cannot be read: it is damaged, or of a kind that is not converted here.', {}, cause);
    }),
  );
  return inBundles(converted);
}

const named = (file: SpooledFile, track: OpusTrack | undefined): string =>
  track ? `Opus with ${track.channels} channel(s), recorded at ${track.inputRate} Hz` : file.mimeType;

/** Length and waveform of a voice message; what cannot be found out is left out. */
export async function describeVoice(path: string, ffmpeg: Ffmpeg): Promise<Heard> {
  const heard = (await ffmpeg.isThere()) ? await listen(path, ffmpeg) : undefined;
  if (heard) return heard;
  const durationSeconds = await opusSeconds(path);
  return durationSeconds === undefined ? {} : { durationSeconds };
}

/** Loudness over time; undefined when the sound cannot be decoded. */
async function listen(path: string, ffmpeg: Ffmpeg): Promise<Heard | undefined> {
  const windows: number[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let sum = 0;
  let inWindow = 0;
  let samples = 0;
  const take = (piece: Uint8Array) => {
    const bytes = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    const whole = bytes.length - (bytes.length % 2);
    for (let at = 0; at < whole; at += 2) {
      sum += Math.abs(bytes.readInt16LE(at));
      samples += 1;
      inWindow += 1;
      if (inWindow < WINDOW_SAMPLES) continue;
      windows.push(sum / inWindow);
      sum = 0;
      inWindow = 0;
    }
    rest = bytes.subarray(whole);
  };
  try {
    await ffmpeg.run(path, ['-map', '0:a:0', '-ac', '1', '-ar', String(RATE), '-f', 's16le', 'pipe:1'], take);
  } catch (error) {
    if (error instanceof FfmpegError) return undefined;
    throw error;
  }
  if (samples === 0) return undefined;
  if (inWindow > 0) windows.push(sum / inWindow);
  return { durationSeconds: Math.max(1, Math.round(samples / RATE)), waveform: waveformOf(windows) };
}

function waveformOf(windows: readonly number[]): string {
  const bars = Array.from({ length: BARS }, (_, bar) => {
    const from = Math.floor((bar * windows.length) / BARS);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * windows.length) / BARS));
    const part = windows.slice(from, to);
    return part.reduce((total, value) => total + value, 0) / part.length;
  });
  const loudest = bars.reduce((most, value) => Math.max(most, value), 1);
  return Buffer.from(bars.map((value) => Math.floor((100 * value) / loudest))).toString('base64');
}

/** Length by the last page's position (RFC 3533, 7845): works without any decoder. */
async function opusSeconds(path: string): Promise<number | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(Math.min(size, 2 * OGG_PAGE_MAX_BYTES));
    await file.read(tail, 0, tail.length, size - tail.length);
    const page = tail.lastIndexOf('OggS');
    if (page < 0 || page + 14 > tail.length) return undefined;
    const position = Number(tail.readBigInt64LE(page + 6));
    return position > 0 ? Math.max(1, Math.round(position / OPUS_RATE)) : undefined;
  } finally {
    await file.close();
  }
}
