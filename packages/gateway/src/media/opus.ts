import { type FileHandle, open } from 'node:fs/promises';
import { OggWriter, readOgg } from './ogg.ts';

/*
 * Opus in Ogg (RFC 6716, RFC 7845), and what phones want of voice messages: mono, 16 kHz, several
 * frames of 20 ms in a packet ("code 3"). Encoders write one frame a packet ("code 0"), which
 * Android plays and iOS calls "no longer available" (shown on a real iPhone in Baileys #2648;
 * whatsmeow #599 and
 * #937 report the same).
 */

/** Positions count at this rate, whatever the sound was recorded at. */
const RATE = 48_000;
/** WhatsApp's own voice messages have three frames of 20 ms in a packet. */
const SAMPLES_PER_PACKET = (RATE * 60) / 1_000;
const SAMPLES_PER_PAGE = RATE;
/** Packets that are looked at to say how a file is made. */
const LOOKED_AT = 50;
const SEVERAL_FRAMES = 3;
/** Phones write this vendor; some refuse others (openclaw #144507). */
const TAGS = Buffer.concat([
  Buffer.from('OpusTags', 'latin1'),
  Buffer.from([8, 0, 0, 0]),
  Buffer.from('WhatsApp', 'latin1'),
  Buffer.alloc(4),
]);

export interface OpusTrack {
  channels: number;
  /** Hertz of the recording, as the file says it. */
  inputRate: number;
  /** Several frames are in each packet. */
  isBundled: boolean;
}

/** What an Opus file says of itself; undefined when it is none. */
export async function lookAtOpus(path: string): Promise<OpusTrack | undefined> {
  const file = await open(path, 'r');
  try {
    let head: Buffer | undefined;
    let seen = 0;
    let single = 0;
    for await (const { bytes } of readOgg(file)) {
      seen += 1;
      if (seen === 1) head = bytes;
      else if (seen > 2 && ((bytes[0] ?? 0) & 3) !== SEVERAL_FRAMES) single += 1;
      if (seen > LOOKED_AT) break;
    }
    if (head?.toString('latin1', 0, 8) !== 'OpusHead' || head.length < 19 || seen < 3) return undefined;
    return { channels: head[9] ?? 0, inputRate: head.readUInt32LE(12), isBundled: single === 0 };
  } finally {
    await file.close();
  }
}

/** Frames that go into one packet. */
interface Bundle {
  /** Configuration and channels: the packet's first byte without its code. */
  kind: number;
  frames: Buffer[];
  samples: number;
}

/**
 * Writes an Opus file anew with several frames a packet. The sound itself is not touched: frames
 * are only put together as RFC 6716, 3.2.5, says.
 */
export async function bundleFrames(from: string, to: string): Promise<void> {
  const source = await open(from, 'r');
  const target = await open(to, 'w', 0o600);
  try {
    await bundle(source, target);
  } finally {
    await target.close();
    await source.close();
  }
}

async function bundle(source: FileHandle, target: FileHandle): Promise<void> {
  const writer = new OggWriter(target, 1);
  let end: bigint | undefined;
  let written = 0;
  let pageFrom = 0;
  let bundled: Bundle | undefined;
  /** The packet that may be the last one: its page says so. */
  let held: { bytes: Buffer; samples: number } | undefined;
  const put = async (packet: { bytes: Buffer; samples: number }) => {
    if (held) {
      const isFull = !writer.fits(held.bytes) || written - pageFrom >= SAMPLES_PER_PAGE;
      if (isFull && written > pageFrom) {
        await writer.endPage(BigInt(written));
        pageFrom = written;
      }
      writer.add(held.bytes);
      written += held.samples;
    }
    held = packet;
  };
  let index = 0;
  for await (const { bytes, position } of readOgg(source)) {
    index += 1;
    if (index <= 2) {
      writer.add(index === 1 ? bytes : TAGS);
      await writer.endPage(0n);
      continue;
    }
    end = position ?? end;
    const first = bytes[0] ?? 0;
    const samples = samplesOf(bytes);
    const isOne = (first & 3) === 0;
    const hasRoom = bundled && bundled.kind === (first & 0xfc) && bundled.samples + samples <= SAMPLES_PER_PACKET;
    if (bundled && !(isOne && hasRoom)) {
      await put(packed(bundled));
      bundled = undefined;
    }
    if (!isOne) await put({ bytes, samples });
    else if (bundled) {
      bundled.frames.push(bytes.subarray(1));
      bundled.samples += samples;
    } else bundled = { kind: first & 0xfc, frames: [bytes.subarray(1)], samples };
  }
  if (bundled) await put(packed(bundled));
  if (held) {
    if (!writer.fits(held.bytes)) await writer.endPage(BigInt(written));
    writer.add(held.bytes);
    written += held.samples;
  }
  // The end of the recording may lie inside the last frame: what is behind it is not played.
  const isTrimmed = end !== undefined && end >= 0n && end < BigInt(written);
  await writer.endPage(isTrimmed && end !== undefined ? end : BigInt(written), true);
}

/** One packet with all frames of a bundle, their lengths before them (RFC 6716, 3.2.5). */
function packed({ kind, frames, samples }: Bundle): { bytes: Buffer; samples: number } {
  const lengths = frames.slice(0, -1).flatMap(({ length }) => lengthBytes(length));
  const head = Buffer.from([kind | SEVERAL_FRAMES, 0x80 | frames.length, ...lengths]);
  return { bytes: Buffer.concat([head, ...frames]), samples };
}

/** RFC 6716, 3.2.1. */
function lengthBytes(length: number): number[] {
  if (length < 252) return [length];
  const first = 252 + (length & 3);
  return [first, (length - first) >> 2];
}

/** How long a packet plays, in samples at 48 kHz (RFC 6716, 3.1). */
function samplesOf(packet: Uint8Array): number {
  const first = packet[0] ?? 0;
  const code = first & 3;
  const frames = code === 0 ? 1 : code < SEVERAL_FRAMES ? 2 : (packet[1] ?? 0) & 0x3f;
  return frames * frameSamples(first >> 3);
}

function frameSamples(configuration: number): number {
  if (configuration < 12) return ([480, 960, 1_920, 2_880] as const)[configuration % 4] ?? 960;
  if (configuration < 16) return configuration % 2 === 0 ? 480 : 960;
  return ([120, 240, 480, 960] as const)[configuration % 4] ?? 960;
}
