import { crc32, deflateSync } from 'node:zlib';
import { encodeQR } from 'qr';

/** Light modules around the code; the standard asks for four. */
const QUIET_ZONE = 4;
/** Smallest edge of the image: below it phone cameras begin to struggle. */
const MIN_EDGE_PIXELS = 264;

/** A QR code as PNG: black on white, 1 bit per pixel, at least 264 pixels wide. */
export function qrPng(data: string): Buffer {
  const modules = encodeQR(data, 'raw', { ecc: 'low', border: QUIET_ZONE });
  const scale = Math.max(1, Math.ceil(MIN_EDGE_PIXELS / modules.length));
  const edge = modules.length * scale;
  const rowBytes = Math.ceil(edge / 8);
  // Each row: filter type 0, then 1 bit per pixel, 1 = white (PNG specification 11.2.2, colour type
  // 0).
  const pixels = Buffer.alloc((rowBytes + 1) * edge);
  modules.forEach((row, y) => {
    const line = Buffer.alloc(rowBytes + 1);
    for (let x = 0; x < edge; x += 1) {
      if (!row[Math.floor(x / scale)]) line[1 + (x >> 3)] = (line[1 + (x >> 3)] ?? 0) | (0x80 >> (x & 7));
    }
    for (let copy = 0; copy < scale; copy += 1) line.copy(pixels, (y * scale + copy) * line.length);
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(edge, 0);
  header.writeUInt32BE(edge, 4);
  header[8] = 1; // bit depth; colour type, compression, filter and interlace stay 0
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A QR code as SVG text. */
export function qrSvg(data: string): string {
  return encodeQR(data, 'svg', { ecc: 'low', border: QUIET_ZONE });
}

/** A QR code as half-block text for a terminal. */
export function qrText(data: string): string {
  const modules = encodeQR(data, 'raw', { ecc: 'low', border: QUIET_ZONE });
  const lines: string[] = [];
  for (let y = 0; y < modules.length; y += 2) {
    const upper = modules[y] ?? [];
    const lower = modules[y + 1] ?? [];
    // Dark modules are drawn as gaps: terminals are dark more often than not, and cameras read
    // either.
    lines.push(upper.map((dark, x) => HALVES[Number(!dark) * 2 + Number(!(lower[x] ?? false))]).join(''));
  }
  return `${lines.join('\n')}\n`;
}

/** Upper light, lower light → character. */
const HALVES = [' ', '▄', '▀', '█'];

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
