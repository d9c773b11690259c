import type { Readable } from 'node:stream';
import type { ReceiveFile } from '../commands/sends/receive-file.ts';
import type { SpooledFile } from '../commands/sends/send-file.ts';
import { AppError, invalid } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { ByteReader } from './byte-reader.ts';

const HEADERS_MAX_BYTES = 8 * 1024;
const FIELD_MAX_BYTES = 256 * 1024;
const PARTS_MAX = 64;
/** Fields that are JSON where JSON has more than texts. */
const AS_JSON = /^\s*(?:\[|\{|true$|false$)/;
const BLANK_LINE = Buffer.from('\r\n\r\n');

/** The boundary of a multipart body's type; undefined when it names none. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const found = /;\s*boundary=(?:"([^"]{1,70})"|([^;\s]{1,70}))/i.exec(contentType ?? '');
  return found?.[1] ?? found?.[2];
}

/**
 * Reads a `multipart/form-data` body (RFC 7578): its fields as an object, its one file streamed to
 * the disk and put under `file`. Texts that are a JSON array, object or boolean are taken as such.
 * `validation_error` for what is malformed.
 */
export async function readMultipart(
  stream: Readable,
  { boundary, clock }: { boundary: string; clock: Clock },
  receive: ReceiveFile,
  onFile: (file: SpooledFile) => void,
): Promise<Record<string, unknown>> {
  // The first delimiter has no line break of its own before it.
  const reader = new ByteReader(stream, clock, Buffer.from('\r\n'));
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const fields: Record<string, unknown> = Object.create(null);
  let file: SpooledFile | undefined;
  await collect(reader.until(delimiter, early), HEADERS_MAX_BYTES);
  for (let parts = 0; !(await isLast(reader)); parts++) {
    if (parts === PARTS_MAX) throw invalid('', `At most ${PARTS_MAX} fields in one form.`);
    const head = readHead(utf8(await collect(reader.until(BLANK_LINE, early), HEADERS_MAX_BYTES)));
    const body = reader.until(delimiter, early);
    if (head.fileName === undefined && head.name !== 'file') {
      fields[head.name] = fieldValue(utf8(await collect(body, FIELD_MAX_BYTES)));
    } else {
      if (file) throw invalid('file', 'Send one file.');
      file = await receive(body, { declaredType: head.type, fileName: head.fileName });
      onFile(file);
    }
  }
  return file ? { ...fields, file } : { ...fields };
}

/** Text of a form. What is no UTF-8 is refused: it would be sent as something else. */
function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const message = 'A field of the form is not UTF-8. Send the form as UTF-8.';
    throw new AppError('validation_error', { details: [{ path: '', message }] }, { message, cause });
  }
}

const early = (): AppError => invalid('', 'The multipart body ended early.');

/** What follows a delimiter: `--` ends the body, a line break begins a part. */
async function isLast(reader: ByteReader): Promise<boolean> {
  let seen: Buffer = Buffer.alloc(0);
  while (seen.length < 2) {
    const piece = await reader.next();
    if (!piece) throw early();
    seen = Buffer.concat([seen, piece]);
  }
  const mark = seen.subarray(0, 2).toString('latin1');
  if (mark === '--') return true;
  if (mark !== '\r\n') throw invalid('', 'The multipart body is malformed.');
  // The line break stays: a part without any header goes on with the blank line at once.
  reader.unread(seen);
  return false;
}

async function collect(source: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of source) {
    size += piece.length;
    if (size > maxBytes) throw invalid('', 'A field of the form is too long.');
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

function readHead(text: string): { name: string; fileName: string | undefined; type: string | undefined } {
  const line = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(text)?.[1]?.trim();
  const disposition = line('content-disposition') ?? '';
  const parameter = (name: string) => {
    const found = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]+))`, 'i').exec(disposition);
    return found?.[1]?.replace(/\\(.)/g, '$1').replace(/%22/g, '"') ?? found?.[2];
  };
  const name = parameter('name');
  if (name === undefined || !/^[A-Za-z0-9_]{1,64}(?:\[\])?$/.test(name)) {
    throw invalid('', 'Every part of the form needs a name of letters, digits and _.');
  }
  return { name: name.replace('[]', ''), fileName: parameter('filename'), type: line('content-type') };
}

function fieldValue(text: string): unknown {
  if (!AS_JSON.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    // A text that merely begins like JSON.
    return text;
  }
}
