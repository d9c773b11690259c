import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesPassed } from '@ponte/engine';
import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { HEAD_BYTES, sniff, typeOf } from './media-kind.ts';
import { MEBIBYTE } from './media-limits.ts';

/** Room that the spool leaves on its disk. */
const RESERVE_BYTES = 256 * MEBIBYTE;
/** How often the room is looked at while a file comes in. */
const LOOK_EVERY_BYTES = 64 * MEBIBYTE;

/** Ends the name of a file that is being converted. */
const CONVERTED = '.converted';

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
  readonly #name: string;
  readonly #path: string;
  #isKept = false;

  constructor(facts: {
    name: string;
    path: string;
    sizeBytes: number;
    sha256: string;
    mimeType: string;
    fileName: string | undefined;
  }) {
    this.sizeBytes = facts.sizeBytes;
    this.sha256 = facts.sha256;
    this.mimeType = facts.mimeType;
    this.fileName = facts.fileName;
    this.#name = facts.name;
    this.#path = facts.path;
  }

  get name(): string {
    return this.#name;
  }

  get path(): string {
    return this.#path;
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
  declaredType?: string | undefined;
  fileName?: string | undefined;
  /**
   * The most bytes it may have, by the media type that its first bytes tell; throws to refuse it at
   * once.
   */
  limit(mimeType: string): { maxBytes: number; refusal: AppError };
}

/**
 * Files on their way out: written while they come in, bounded while they are written, on the disk
 * for good before the send that names them is accepted. Each is called by the id of its send; what
 * no send needs is swept up.
 */
export class Spool {
  readonly folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.folder = folder;
    this.#clock = clock;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  pathOf(name: string): string {
    return join(this.folder, name);
  }

  /**
   * Writes a file and makes it durable. Leaves nothing behind when the source fails, is refused, or
   * the disk is full (`unavailable`).
   */
  async write(source: AsyncIterable<Uint8Array>, incoming: Incoming): Promise<SpooledFile> {
    const path = this.pathOf(incoming.name);
    await this.#requireRoom();
    const file = await open(path, 'wx', 0o600);
    try {
      const written = await this.#fill(file, source, incoming);
      await file.sync();
      await file.close();
      await this.#syncFolder();
      return new SpooledFile({ ...written, name: incoming.name, path, fileName: incoming.fileName });
    } catch (error) {
      await file.close().catch(() => {});
      await rm(path, { force: true });
      throw error;
    }
  }

  async #fill(file: FileHandle, source: AsyncIterable<Uint8Array>, { declaredType, limit }: Incoming) {
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
      await file.writeFile(piece);
      bytesPassed(piece.length);
      if (sizeBytes - looked < LOOK_EVERY_BYTES) continue;
      looked = sizeBytes;
      await this.#requireRoom();
    }
    known ??= await know();
    if (sizeBytes > known.maxBytes) throw known.refusal;
    return { sizeBytes, sha256: hash.digest('base64'), mimeType: known.mimeType };
  }

  async #requireRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(this.folder);
    if (bavail * bsize > RESERVE_BYTES) return;
    throw new AppError('unavailable', { retryAfterSeconds: 60 }, { message: 'The disk for files is full. Try later.' });
  }

  /** The name must outlive a power cut as the bytes do. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /**
   * Puts a converted file in the place of the one it was made of: `convert` writes it to the path
   * it is given. Durable when this resolves; the old file stays when it rejects.
   */
  async replace(
    file: SpooledFile,
    mimeType: string,
    convert: (path: string) => Promise<unknown>,
  ): Promise<SpooledFile> {
    const made = `${file.path}${CONVERTED}`;
    try {
      await convert(made);
      const hash = createHash('sha256');
      let sizeBytes = 0;
      for await (const piece of createReadStream(made) as AsyncIterable<Uint8Array>) {
        sizeBytes += piece.length;
        hash.update(piece);
      }
      const handle = await open(made, 'r');
      await handle.sync().finally(() => handle.close());
      await rename(made, file.path);
      await this.#syncFolder();
      const { name, path, fileName } = file;
      return new SpooledFile({ name, path, fileName, mimeType, sizeBytes, sha256: hash.digest('base64') });
    } catch (error) {
      await rm(made, { force: true });
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    await rm(this.pathOf(name), { force: true });
  }

  /** Removes files that no row needs and that were not written to for `minAgeMs`. */
  async sweep(isNeeded: (name: string) => Promise<boolean>, minAgeMs: number): Promise<void> {
    for (const name of await readdir(this.folder)) {
      const found = await stat(this.pathOf(name)).catch(() => undefined);
      if (!found || this.#clock.now() - found.mtimeMs < minAgeMs) continue;
      if (!(await isNeeded(name))) await this.remove(name);
    }
  }
}
