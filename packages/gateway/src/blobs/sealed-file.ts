import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type SealedBox, UnreadableError } from '../crypto/sealed-box.ts';

/*
 * A sealed file: mark (8) · length of the account's id (1) · the id · length of the record (1) ·
 * the record · chunks. The record is the file's own key (32 random bytes), sealed under the
 * account's data key and bound to the place of the file. A chunk is up to 64 KiB of the file under
 * AES-256-GCM with the number of the chunk as its nonce, whose last byte marks the last chunk:
 * chunks cannot change places, be left out or be cut off unseen. (This is the STREAM construction
 * of Hoang, Reyhanitabar, Rogaway and Vizár, 2015.) Only the last chunk is shorter, and empty only
 * when the file is.
 */

/** No kind of file begins so; one that does is sealed whatever its account asks for. */
export const SEALED_MARK = Buffer.from('\u0000ponte\u0000\u0001', 'latin1');
const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;

export const isSealedHead = (head: Uint8Array): boolean =>
  head.length >= SEALED_MARK.length && SEALED_MARK.equals(head.subarray(0, SEALED_MARK.length));

const placeOf = (accountId: string, place: string) => `file|${accountId}|${place}`;

/** Whose file it is, and where its chunks begin; undefined when it is not a sealed one. */
interface Head {
  accountId: string;
  record: Uint8Array;
  /** Bytes before the first chunk. */
  length: number;
}

function readHead(head: Uint8Array): Head | undefined {
  if (!isSealedHead(head)) return undefined;
  let at = SEALED_MARK.length;
  const next = () => {
    const length = head[at] ?? 0;
    const part = head.subarray(at + 1, at + 1 + length);
    if (part.length !== length) throw new UnreadableError('a sealed file is cut off in its head');
    at += 1 + length;
    return part;
  };
  const accountId = Buffer.from(next()).toString('latin1');
  const record = next();
  return { accountId, record, length: at };
}

const nonceOf = (index: number, isLast: boolean): Buffer => {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(index, NONCE_BYTES - 5);
  nonce[NONCE_BYTES - 1] = isLast ? 1 : 0;
  return nonce;
};

/** The file as it is stored. `place` is the key under which it will lie. */
export async function* sealFile(
  pieces: AsyncIterable<Uint8Array>,
  { box, accountId, place }: { box: SealedBox; accountId: string; place: string },
): AsyncGenerator<Uint8Array> {
  const key = randomBytes(KEY_BYTES);
  const record = box.seal(key, placeOf(accountId, place));
  const id = Buffer.from(accountId, 'latin1');
  yield Buffer.concat([SEALED_MARK, Buffer.of(id.length), id, Buffer.of(record.length), record]);
  let index = 0;
  const seal = (plain: Uint8Array, isLast: boolean): Buffer => {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index, isLast));
    index += 1;
    const body = cipher.update(plain);
    cipher.final();
    return Buffer.concat([body, cipher.getAuthTag()]);
  };
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    for (let rest = piece; rest.length > 0; ) {
      // A full chunk waits until it is known whether it is the last one.
      if (size === CHUNK_BYTES) {
        yield seal(Buffer.concat(held), false);
        held = [];
        size = 0;
      }
      const taken = rest.subarray(0, CHUNK_BYTES - size);
      // The writer may use its buffer again.
      held.push(Uint8Array.from(taken));
      size += taken.length;
      rest = rest.subarray(taken.length);
    }
  }
  yield seal(Buffer.concat(held), true);
}

/** A sealed file that was opened: its size is proven, its bytes are when they are read. */
export interface OpenedFile {
  accountId: string;
  sizeBytes: number;
  /** Throws UnreadableError before the first byte of a chunk that is not what was written. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** What is stored, as far as opening needs it. */
interface Stored {
  sizeBytes: number;
  head: Uint8Array;
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/**
 * Opens a sealed file and checks its last chunk, so that one that was cut off is not begun with.
 * Undefined when it is not sealed. Rejects with UnreadableError.
 */
export async function openSealedFile(
  stored: Stored,
  place: string,
  boxOf: (accountId: string) => Promise<SealedBox>,
): Promise<OpenedFile | undefined> {
  const head = readHead(stored.head);
  if (!head) return undefined;
  const { accountId } = head;
  const key = (await boxOf(accountId)).open(head.record, placeOf(accountId, place));
  const body = stored.sizeBytes - head.length;
  const chunks = Math.ceil(body / SEALED_CHUNK_BYTES);
  const lastBytes = body - (chunks - 1) * SEALED_CHUNK_BYTES - TAG_BYTES;
  if (chunks < 1 || lastBytes < 0 || (lastBytes === 0 && chunks > 1)) throw damaged(place);
  const open = (sealed: Buffer, index: number): Buffer => {
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index, index === chunks - 1), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final()]);
    } catch (cause) {
      throw damaged(place, cause);
    }
  };
  async function* chunksOf(first: number, last: number): AsyncGenerator<[number, Buffer]> {
    const start = (head?.length ?? 0) + first * SEALED_CHUNK_BYTES;
    const end = Math.min(stored.sizeBytes, (head?.length ?? 0) + (last + 1) * SEALED_CHUNK_BYTES) - 1;
    let index = first;
    for await (const sealed of inChunks(stored.read(start, end))) {
      if (sealed.length < TAG_BYTES) throw damaged(place);
      yield [index, open(sealed, index)];
      index += 1;
    }
    if (index !== last + 1) throw damaged(place);
  }
  for await (const _ of chunksOf(chunks - 1, chunks - 1));
  return {
    accountId,
    sizeBytes: (chunks - 1) * CHUNK_BYTES + lastBytes,
    async *read(start, end) {
      if (end < start) return;
      const last = Math.floor(end / CHUNK_BYTES);
      for await (const [index, plain] of chunksOf(Math.floor(start / CHUNK_BYTES), last)) {
        const from = index * CHUNK_BYTES;
        yield plain.subarray(Math.max(0, start - from), Math.min(plain.length, end - from + 1));
      }
    },
  };
}

async function* inChunks(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    for (let rest = piece; rest.length > 0; ) {
      const taken = rest.subarray(0, SEALED_CHUNK_BYTES - size);
      held.push(taken);
      size += taken.length;
      rest = rest.subarray(taken.length);
      if (size < SEALED_CHUNK_BYTES) continue;
      yield Buffer.concat(held);
      held = [];
      size = 0;
    }
  }
  if (size > 0) yield Buffer.concat(held);
}

const damaged = (place: string, cause?: unknown): UnreadableError =>
  new UnreadableError(`the file ${place} was changed or cut off`, { cause });
