import type { Readable } from 'node:stream';
import type { ReceiveFile } from '../commands/sends/receive-file.ts';
import type { SpooledFile } from '../commands/sends/send-file.ts';
import { AppError, invalid } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { ByteReader } from './byte-reader.ts';
import { withoutDataPrefix } from './data-url.ts';
import { parseJson } from './json-body.ts';
import type { TakenOut } from './json-problem.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** The member whose value is a file. */
const MEMBER = Buffer.from('"data"');
const END = Buffer.from('"');
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * Reads a JSON object whose member `data` may be a file as base64: that text goes decoded to the
 * disk while it comes in, all the rest (at most `maxBytes`) is parsed as ever. The file takes the
 * text's place under `data`. `validation_error` for what is no JSON or no base64.
 */
export async function readJsonWithFile(
  stream: Readable,
  { maxBytes, clock }: { maxBytes: number; clock: Clock },
  receive: ReceiveFile,
  onFile: (file: SpooledFile) => void,
): Promise<unknown> {
  const reader = new ByteReader(stream, clock);
  const scan = new TopLevelScan();
  const kept: Buffer[] = [];
  let size = 0;
  let file: SpooledFile | undefined;
  let takenOut: TakenOut | undefined;
  for (let piece = await reader.next(); piece; piece = await reader.next()) {
    const end = scan.advance(piece);
    const json = end === undefined ? piece : piece.subarray(0, end);
    size += json.length;
    if (size > maxBytes) throw new AppError('payload_too_large', { limit_bytes: maxBytes });
    kept.push(Buffer.from(json));
    if (end === undefined) continue;
    if (file) throw invalid('data', 'Send one file.');
    reader.unread(piece.subarray(end));
    const cut: TakenOut = { at: Buffer.concat(kept).toString('utf8').length, length: 0 };
    takenOut = cut;
    const { mimeType, base64 } = await withoutDataPrefix(counted(reader.until(END, early), cut));
    file = await receive(decoded(base64), { declaredType: mimeType });
    onFile(file);
    // The text's closing quote was taken with it.
    reader.unread(END);
  }
  const body = parseJson(Buffer.concat(kept), takenOut);
  if (!file) return body;
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalid('', 'The body must be an object.');
  return { ...body, data: file };
}

async function* counted(text: AsyncIterable<Buffer>, takenOut: TakenOut): AsyncGenerator<Buffer> {
  for await (const piece of text) {
    takenOut.length += piece.length;
    yield piece;
  }
}

const early = (): AppError => invalid('', 'The body ended early.');

/** Finds where the text of the member `data` of the outermost object begins. */
class TopLevelScan {
  #depth = 0;
  #isInText = false;
  #isEscaped = false;
  /** The text just read, quotes included, as far as it may be the member's name. */
  #text: number[] = [];
  /** How far the beginning of the member was seen: its name, then the colon. */
  #seen: 'nothing' | 'name' | 'colon' = 'nothing';

  /** The index behind the opening quote of the file's text, when it is in this piece. */
  advance(piece: Buffer): number | undefined {
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] ?? 0;
      if (this.#isInText) this.#inText(byte);
      else if (byte === QUOTE) {
        if (this.#seen === 'colon') {
          this.#seen = 'nothing';
          // The caller reads the text to its end and gives its quote back to be read here.
          this.#isInText = true;
          this.#text = [];
          return at + 1;
        }
        this.#isInText = true;
        this.#text = [QUOTE];
      } else this.#between(byte);
    }
    return undefined;
  }

  #inText(byte: number): void {
    if (this.#text.length <= MEMBER.length) this.#text.push(byte);
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) {
      this.#isInText = false;
      this.#seen = this.#depth === 1 && MEMBER.equals(Buffer.from(this.#text)) ? 'name' : 'nothing';
    }
  }

  #between(byte: number): void {
    const sign = String.fromCharCode(byte);
    if (/\s/.test(sign)) return;
    if (sign === '{' || sign === '[') this.#depth += 1;
    if (sign === '}' || sign === ']') this.#depth -= 1;
    this.#seen = sign === ':' && this.#seen === 'name' ? 'colon' : 'nothing';
  }
}

/** The bytes behind base64, four characters at a time. */
async function* decoded(text: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = '';
  let isOver = false;
  for await (const piece of text) {
    // Line breaks and slashes may be escaped in JSON.
    const characters = (rest + piece.toString('latin1')).replace(/\\[nr]|\\(?=\/)|\s/g, '');
    const isCut = characters.endsWith('\\');
    const whole = characters.length - (isCut ? 1 : 0);
    const ready = characters.slice(0, whole - (whole % 4));
    rest = characters.slice(ready.length);
    if (ready === '') continue;
    if (isOver || !BASE64.test(ready)) throw notBase64();
    isOver = ready.endsWith('=');
    yield Buffer.from(ready, 'base64');
  }
  if (rest === '') return;
  // Padding may be left out.
  if (isOver || rest.length === 1 || !BASE64.test(rest)) throw notBase64();
  yield Buffer.from(rest, 'base64');
}

const notBase64 = (): AppError => invalid('data', 'data must be base64.');
