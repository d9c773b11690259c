import { Readable } from 'node:stream';
import { bytesPassed } from '@ponte/engine';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OpenFile } from '../blobs/account-files.ts';

/** A file as an answer. */
export interface FileAnswer {
  file: OpenFile;
  contentType: string;
  /** What it is to be called when it is saved; null = no name. */
  fileName: string | null;
}

/** One range of RFC 9110, 14.1.2. */
const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * Streams a file, or the one range that was asked for, and closes it; several ranges are answered
 * with the whole.
 * Strangers sent these files: a browser shows none of them as a page of ours.
 */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { file, contentType, fileName }: FileAnswer,
): Promise<FastifyReply> {
  try {
    const size = file.sizeBytes;
    reply.headers({
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=300',
      'content-security-policy': "default-src 'none'; sandbox",
      'content-disposition': dispositionOf(fileName),
    });
    reply.type(safeType(contentType));
    const range = rangeOf(request.headers.range, size);
    if (range === 'unsatisfiable') {
      await file.close();
      return reply.code(416).header('content-range', `bytes */${size}`).send();
    }
    const { start, end } = range ?? { start: 0, end: size - 1 };
    if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
    reply.header('content-length', String(end - start + 1));
    if (request.method === 'HEAD' || size === 0) {
      await file.close();
      // Fastify takes the length of anything but a stream for the file's.
      return reply.send(Readable.from([]));
    }
    const stream = Readable.from(piecesOf(file, start, end), { objectMode: false });
    // However it ends, also before its first piece.
    stream.once('close', () => void file.close().catch(() => {}));
    return reply.send(stream);
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
}

/** Counted as it is read, so that the reader of the stream sets the pace. */
async function* piecesOf(file: OpenFile, start: number, end: number): AsyncGenerator<Uint8Array> {
  for await (const piece of file.read(start, end)) {
    bytesPassed(piece.length);
    yield piece;
  }
}

function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = RANGE.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start > end || start >= size ? 'unsatisfiable' : { start, end };
}

/** A header must not be broken by what a stranger calls a type. */
const safeType = (type: string): string =>
  /^[\w.+-]+\/[\w.+-]+(?:\s*;\s*[\w.+-]+=(?:[\w.+-]+|"[\w .,+-]*"))*$/.test(type) ? type : 'application/octet-stream';

/**
 * Characters that show a name otherwise than it is: `annexe\u202Efdp.exe` looks like a PDF.
 * Controls, and what changes the direction of text.
 */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** `attachment`, with the name for old clients and in full (RFC 6266, RFC 8187). */
export function dispositionOf(given: string | null): string {
  const fileName = given?.replace(UNSEEN, '') ?? '';
  if (fileName === '') return 'attachment';
  const plain = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const full = encodeURIComponent(Buffer.from(fileName).toString('utf8')).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${full}`;
}
