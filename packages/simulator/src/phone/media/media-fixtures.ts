import { InputError } from '../content/input.ts';
import type { MediaType } from './media-kinds.ts';

export interface Fixture {
  mimeType: string;
  bytes: Uint8Array;
}

/** A green square of 32 × 32, JPEG. */
const IMAGE =
  '/9j/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAgACADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFgEBAQEAAAAAAAAAAAAAAAAAAAQG/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACEQMRAD8AqARs0AAAAAA//9k=';
/** A half transparent green square of 512 × 512, WebP. */
const STICKER =
  'UklGRkwCAABXRUJQVlA4WAoAAAAQAAAA/wEA/wEAQUxQSBwAAAABB1DAiAgIBJL9vWcoov8Z//nPf/7zn//85/8AVlA4IAoCAABQOgCdASoAAgACPzmcy18vKyklIAgB4CcJaW7hd2EbQAnsA99snIe+2TkPfbJyHvtk5D32ych77ZOQ99soonIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ych77ZOQ99snIe+2TkPfbJyHvtk5D32ycKAAP7+Wb/Q0afh//1q91/qzySoNsfLAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';

const FIXTURES: Record<MediaType, () => Fixture> = {
  image: () => ({ mimeType: 'image/jpeg', bytes: Buffer.from(IMAGE, 'base64') }),
  sticker: () => ({ mimeType: 'image/webp', bytes: Buffer.from(STICKER, 'base64') }),
  video: () => ({ mimeType: 'video/mp4', bytes: emptyMp4() }),
  audio: () => ({ mimeType: 'audio/mpeg', bytes: silentMp3(42) }),
  voice: () => ({ mimeType: 'audio/ogg; codecs=opus', bytes: silentOpus(50) }),
  document: () => ({ mimeType: 'application/pdf', bytes: Buffer.from(PDF) }),
};

const PDF = `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj
trailer<</Root 1 0 R>>
%%EOF
`;

/** A small valid file of this kind; its name is the kind. Throws InputError for another name. */
export function fixtureOf(type: MediaType, name: string): Fixture {
  if (name !== type) throw new InputError('fixture', `must be "${type}" for a ${type}`);
  return FIXTURES[type]();
}

/**
 * A second of MPEG-1 layer III at 32 kbit/s, 48 kHz, mono: frames of 96 bytes whose side
 * information says silence.
 */
function silentMp3(frames: number): Uint8Array {
  const frame = Buffer.alloc(96);
  frame.set([0xff, 0xfb, 0x14, 0xc0]);
  return Buffer.concat(Array.from({ length: frames }, () => frame));
}

/** A movie of no samples: what a container must have, and nothing to show. */
function emptyMp4(): Uint8Array {
  const box = (name: string, content: Uint8Array): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(8 + content.length);
    head.write(name, 4, 'latin1');
    return Buffer.concat([head, content]);
  };
  const mvhd = Buffer.alloc(100);
  // Time scale 1000, duration one second, rate 1.0, volume 1.0, unity matrix, next track 1 (ISO
  // 14496-12, 8.2.2).
  mvhd.writeUInt32BE(1000, 12);
  mvhd.writeUInt32BE(1000, 16);
  mvhd.writeUInt32BE(0x10000, 20);
  mvhd.writeUInt16BE(0x100, 24);
  for (const [at, value] of [
    [36, 0x10000],
    [52, 0x10000],
    [68, 0x40000000],
    [96, 1],
  ] as const)
    mvhd.writeUInt32BE(value, at);
  return Buffer.concat([
    box('ftyp', Buffer.from('isom\0\0\u0002\0isommp42', 'latin1')),
    box('moov', box('mvhd', mvhd)),
    box('mdat', Buffer.alloc(0)),
  ]);
}

/**
 * Ogg pages with Opus frames of 20 ms of silence (RFC 7845; the frame F8 FF FE is silence in every
 * Opus decoder).
 */
function silentOpus(frames: number): Uint8Array {
  const head = Buffer.from('OpusHead\u0001\u0001\0\0\0\0\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(48_000, 12);
  const tags = Buffer.from('OpusTags\u0005\0\0\0ponte\0\0\0\0', 'latin1');
  const silence = Buffer.from([0xf8, 0xff, 0xfe]);
  const audio = Array.from({ length: frames }, () => silence);
  return Buffer.concat([page(2, 0, 0, [head]), page(0, 1, 0, [tags]), page(4, 2, frames * 960, audio)]);
}

function page(flags: number, sequence: number, granule: number, packets: Buffer[]): Buffer {
  const head = Buffer.alloc(27);
  head.write('OggS', 'latin1');
  head[5] = flags;
  head.writeBigUInt64LE(BigInt(granule), 6);
  head.writeUInt32LE(1, 14);
  head.writeUInt32LE(sequence, 18);
  head[26] = packets.length;
  const whole = Buffer.concat([head, Buffer.from(packets.map((packet) => packet.length)), ...packets]);
  whole.writeUInt32LE(oggCrc(whole), 22);
  return whole;
}

function oggCrc(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}
