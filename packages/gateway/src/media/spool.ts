import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { bytesPassed } from '@ponte/engine';
import type { AccountFiles } from '../blobs/account-files.ts';
import { BlobError, SPOOL } from '../blobs/blob-store.ts';
import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { HEAD_BYTES, sniff, typeOf } from './media-kind.ts';
import { MEBIBYTE, rejected } from './media-limits.ts';
import type { BenchPlace, Workbench } from './workbench.ts';

/** Room that the spool leaves on its disk. */
const RESERVE_BYTES = 256 * MEBIBYTE;
/** How often the room is looked at while a file comes in. */
const LOOK_EVERY_BYTES = 64 * MEBIBYTE;
/** A converted file is rarely larger than this many times what it was made of. */
const CONVERTED_TIMES = 3;

/**
 * A file that came in and is durable. Its enumerable members say what it is, not where: they tell
 * two requests apart.
 */
export class SpooledFile {
  readonly sizeBytes: number;
  /** Base64. */
  readonly sha256: string;
  /** By its bytes, else as declared. */
  readonly mimeType: string;
  readonly fileName: string | undefined;
  readonly #where: { name: string; accountId: string; isSealed: boolean };
  #path: string | undefined;
  #isKept = false;

  constructor(
    facts: Pick<SpooledFile, 'sizeBytes' | 'sha256' | 'mimeType' | 'fileName'>,
    where: { name: string; accountId: string; isSealed: boolean },
  ) {
    this.sizeBytes = facts.sizeBytes;
    this.sha256 = facts.sha256;
    this.mimeType = facts.mimeType;
    this.fileName = facts.fileName;
    this.#where = where;
  }

  get name(): string {
    return this.#where.name;
  }

  get accountId(): string {
    return this.#where.accountId;
  }

  get isSealed(): boolean {
    return this.#where.isSealed;
  }

  /** On this machine; only inside of `Spool.withPath`. */
  get path(): string {
    if (this.#path === undefined) throw new Error('the file has no path here');
    return this.#path;
  }

  setPath(path: string | undefined): void {
    this.#path = path;
  }

  /** True once an accepted send needs it. */
  get isKept(): boolean {
    return this.#isKept;
  }

  keep(): void {
    this.#isKept = true;
  }
}

export interface Incoming {
  /** Of the file in the spool: the id of the send it is for. */
  name: string;
  /** Whose file it is: its account says whether it is sealed. */
  accountId: string;
  declaredType?: string | undefined;
  fileName?: string | undefined;
  /**
   * The most bytes it may have, by the media type that its first bytes tell; throws to refuse it at
   * once.
   */
  limit(mimeType: string): { maxBytes: number; refusal: AppError };
}

/**
 * Files on their way out: written while they come in, bounded while they are written, durable
 * before the send that names them is accepted. Each is called by the id of its send; what no send
 * needs is swept up.
 */
export class Spool {
  readonly #files: AccountFiles;
  readonly #bench: Workbench;
  readonly #clock: Clock;
  /** What is on the bench, by the file's name. */
  readonly #onBench = new Map<string, BenchPlace[]>();

  constructor({ files, bench, clock }: { files: AccountFiles; bench: Workbench; clock: Clock }) {
    this.#files = files;
    this.#bench = bench;
    this.#clock = clock;
  }

  /**
   * Writes a file and makes it durable. Leaves nothing behind when the source fails, is refused, or
   * there is no room (`unavailable`).
   */
  async write(source: AsyncIterable<Uint8Array>, incoming: Incoming): Promise<SpooledFile> {
    await this.#requireRoom();
    const { name, accountId, fileName } = incoming;
    const found: { facts?: { sizeBytes: number; sha256: string; mimeType: string } } = {};
    const looked = this.#looked(source, incoming, (facts) => {
      found.facts = facts;
    });
    const { isSealed } = await this.#files.write(SPOOL + name, accountId, looked).catch(toldAs);
    if (!found.facts) throw new Error('the file was not read to its end');
    return new SpooledFile({ ...found.facts, fileName }, { name, accountId, isSealed });
  }

  /**
   * The pieces, refused as soon as it is known that they are too many; at the end what they are.
   */
  async *#looked(
    source: AsyncIterable<Uint8Array>,
    { declaredType, limit }: Incoming,
    onEnd: (facts: { sizeBytes: number; sha256: string; mimeType: string }) => void,
  ): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    let looked = 0;
    let head: Buffer = Buffer.alloc(0);
    let known: { mimeType: string; maxBytes: number; refusal: AppError } | undefined;
    const know = async () => {
      const mimeType = typeOf(declaredType, await sniff(head));
      return { mimeType, ...limit(mimeType) };
    };
    for await (const piece of source) {
      sizeBytes += piece.length;
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, piece.subarray(0, HEAD_BYTES - head.length)]);
      if (!known && head.length === HEAD_BYTES) known = await know();
      if (known && sizeBytes > known.maxBytes) throw known.refusal;
      hash.update(piece);
      yield piece;
      bytesPassed(piece.length);
      if (sizeBytes - looked < LOOK_EVERY_BYTES) continue;
      looked = sizeBytes;
      await this.#requireRoom();
    }
    known ??= await know();
    if (sizeBytes > known.maxBytes) throw known.refusal;
    onEnd({ sizeBytes, sha256: hash.digest('base64'), mimeType: known.mimeType });
  }

  async #requireRoom(): Promise<void> {
    const free = await this.#files.freeBytes();
    if (free !== undefined && free <= RESERVE_BYTES) throw full();
  }

  /**
   * Runs `work` while the file, and what `replace` makes of it, has a path on this machine.
   * Undefined, without running it, when the file is sealed and this machine has no memory for it in
   * the clear.
   */
  async withPath<T>(file: SpooledFile, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const path = this.#files.plainPathOf(SPOOL + file.name, file) ?? (await this.#copy(file));
      if (path === undefined) return undefined;
      file.setPath(path);
      return await work();
    } finally {
      file.setPath(undefined);
      for (const place of this.#onBench.get(file.name) ?? []) await place.close().catch(() => {});
      this.#onBench.delete(file.name);
    }
  }

  async #place({ name, isSealed }: SpooledFile, bytes: number): Promise<string | undefined> {
    const place = await this.#bench.place({ isSecret: isSealed, bytes });
    if (!place) return undefined;
    this.#onBench.set(name, [...(this.#onBench.get(name) ?? []), place]);
    return place.path;
  }

  async #copy(file: SpooledFile): Promise<string | undefined> {
    const path = await this.#place(file, file.sizeBytes);
    if (path === undefined) return undefined;
    const open = await this.#files.open(SPOOL + file.name).catch(toldAs);
    if (!open) throw new AppError('unavailable', { retryAfterSeconds: 1 });
    try {
      await pipeline(open.read(0, open.sizeBytes - 1), createWriteStream(path)).catch(toldAs);
    } finally {
      await open.close();
    }
    return path;
  }

  /**
   * Puts a converted file in the place of the one it was made of, inside of `withPath`: `convert`
   * writes it to the path it is given. Durable when this resolves; the old file stays when it
   * rejects.
   */
  async replace(
    file: SpooledFile,
    mimeType: string,
    convert: (path: string) => Promise<unknown>,
  ): Promise<SpooledFile> {
    const made = await this.#place(file, CONVERTED_TIMES * file.sizeBytes);
    if (made === undefined) throw noMemory();
    await convert(made);
    const hash = createHash('sha256');
    let sizeBytes = 0;
    async function* measured(): AsyncGenerator<Uint8Array> {
      for await (const piece of createReadStream(made ?? '') as AsyncIterable<Uint8Array>) {
        sizeBytes += piece.length;
        hash.update(piece);
        yield piece;
      }
    }
    const { name, accountId, fileName } = file;
    const { isSealed } = await this.#files.write(SPOOL + name, accountId, measured()).catch(toldAs);
    const facts = { fileName, mimeType, sizeBytes, sha256: hash.digest('base64') };
    const replaced = new SpooledFile(facts, { name, accountId, isSealed });
    replaced.setPath(made);
    return replaced;
  }

  async remove(name: string): Promise<void> {
    await this.#files.remove(SPOOL + name);
  }

  /**
   * Removes files that no row needs and that were not written to for `minAgeMs`; seals those whose
   * account has asked for it since. `ownerOf` answers the account that still needs a file.
   */
  async sweep(ownerOf: (name: string) => Promise<string | undefined>, minAgeMs: number): Promise<void> {
    for await (const { key, modifiedMs } of this.#files.list(SPOOL)) {
      const name = key.slice(SPOOL.length);
      const accountId = await ownerOf(name);
      if (accountId !== undefined) await this.#seal(key, accountId);
      else if (this.#clock.now() - modifiedMs >= minAgeMs) await this.remove(name);
    }
  }

  async #seal(key: string, accountId: string): Promise<void> {
    if (!this.#files.seals(accountId)) return;
    const file = await this.#files.open(key);
    if (!file) return;
    try {
      if (!file.isSealed) await this.#files.write(key, accountId, file.read(0, file.sizeBytes - 1));
    } finally {
      await file.close();
    }
  }
}

const full = (cause?: unknown) =>
  new AppError('unavailable', { retryAfterSeconds: 60 }, { message: 'The disk for files is full. Try later.', cause });

/** A sealed file must not be written in the clear to a disk, not even for a moment. */
export const noMemory = (): AppError =>
  rejected(
    'The files of this account are encrypted, and this machine has no room in memory (MEDIA_MEMORY_DIR) to convert this one without writing it to a disk in the clear. Send it in a form that needs no conversion, send it as document, or ask the operator for a larger memory folder.',
  );

/** What callers are told of a store that failed; everything else goes through. */
function toldAs(error: unknown): never {
  if (!(error instanceof BlobError)) throw error;
  if (error.isFull) throw full(error);
  throw new AppError(
    'unavailable',
    { retryAfterSeconds: 5 },
    { message: 'The storage for files does not answer. Try later.', cause: error },
  );
}
