import type { FileHandle } from 'node:fs/promises';

/* The container Ogg, as far as one stream of sound needs it (RFC 3533). */

const HEADER_BYTES = 27;
const SEGMENTS_MAX = 255;
const BEGIN_OF_STREAM = 2;
const END_OF_STREAM = 4;

export interface OggPacket {
  bytes: Buffer;
  /** Position behind it, where its page tells one: for the last packet that ends on a page. */
  position: bigint | undefined;
}

/** The packets of the first stream of a file, in order. Ends quietly where the file is cut off. */
export async function* readOgg(file: FileHandle): AsyncGenerator<OggPacket> {
  let at = 0;
  let serial: number | undefined;
  let begun: Buffer[] = [];
  for (;;) {
    const header = await read(file, HEADER_BYTES, at);
    if (header?.toString('latin1', 0, 4) !== 'OggS') return;
    const table = await read(file, header[26] ?? 0, at + HEADER_BYTES);
    if (!table) return;
    const length = table.reduce((sum, part) => sum + part, 0);
    const body = await read(file, length, at + HEADER_BYTES + table.length);
    if (!body) return;
    at += HEADER_BYTES + table.length + length;
    serial ??= header.readUInt32LE(14);
    if (header.readUInt32LE(14) !== serial) continue;
    const position = header.readBigInt64LE(6);
    const lastEnd = table.findLastIndex((part) => part < SEGMENTS_MAX);
    let from = 0;
    for (const [index, part] of table.entries()) {
      begun.push(body.subarray(from, from + part));
      from += part;
      if (part === SEGMENTS_MAX) continue;
      yield { bytes: Buffer.concat(begun), position: index === lastEnd ? position : undefined };
      begun = [];
    }
  }
}

async function read(file: FileHandle, length: number, at: number): Promise<Buffer | undefined> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, at);
  return bytesRead === length ? bytes : undefined;
}

/** Writes the pages of one stream. */
export class OggWriter {
  readonly #file: FileHandle;
  readonly #serial: number;
  #sequence = 0;
  #table: number[] = [];
  #parts: Buffer[] = [];

  constructor(file: FileHandle, serial: number) {
    this.#file = file;
    this.#serial = serial;
  }

  /** True when a packet of this size still fits on the page begun. */
  fits(packet: Uint8Array): boolean {
    return this.#table.length + Math.floor(packet.length / SEGMENTS_MAX) + 1 <= SEGMENTS_MAX;
  }

  add(packet: Buffer): void {
    for (let left = packet.length; ; left -= SEGMENTS_MAX) {
      this.#table.push(Math.min(left, SEGMENTS_MAX));
      if (left < SEGMENTS_MAX) break;
    }
    this.#parts.push(packet);
  }

  /** Writes the page begun, which ends at this position. */
  async endPage(position: bigint, isLast = false): Promise<void> {
    const page = Buffer.concat([Buffer.alloc(HEADER_BYTES), Buffer.from(this.#table), ...this.#parts]);
    page.write('OggS', 'latin1');
    page[5] = (this.#sequence === 0 ? BEGIN_OF_STREAM : 0) | (isLast ? END_OF_STREAM : 0);
    page.writeBigInt64LE(position, 6);
    page.writeUInt32LE(this.#serial, 14);
    page.writeUInt32LE(this.#sequence, 18);
    page[26] = this.#table.length;
    page.writeUInt32LE(checksum(page), 22);
    await this.#file.writeFile(page);
    this.#sequence += 1;
    this.#table = [];
    this.#parts = [];
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

/** The checksum of a page whose own field is zero. */
function checksum(page: Uint8Array): number {
  let value = 0;
  for (const byte of page) value = ((value << 8) ^ (CRC_TABLE[((value >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  return value;
}
