import { createHash } from 'node:crypto';
import type { AccountFiles, OpenFile } from '../blobs/account-files.ts';
import { CACHE } from '../blobs/blob-store.ts';
import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { UnreadableError } from '../crypto/sealed-box.ts';

interface Entry {
  sizeBytes: number;
  /** Unix milliseconds: when it came. */
  since: number;
}

export interface FileCacheOptions {
  files: AccountFiles;
  /** Other nodes put files there too. */
  isShared: boolean;
  clock: Clock;
  /** A file goes this long after it came. */
  keepMs: number;
  /** All files together; beyond it the least recently used go first. */
  maxBytes: number;
  /** Files that may come in at once; further requests wait. */
  maxFetches: number;
  onError(error: unknown): void;
}

/** Which file of which line. */
export interface CachedName {
  accountId: string;
  lineId: string;
  key: string;
}

const SWEEP_MS = 60_000;
/** How often the files of other nodes are looked for: every so many sweeps. */
const LOOK_EVERY = 30;
/** Time to open a file that was just handed out, whatever the settings. */
const GRACE_MS = 30_000;
/** A file that went, or cannot be read, while it was being opened is fetched anew once. */
const OPENINGS = 2;

/** Characters of a file's name that say the line. */
const PREFIX = 16;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const prefixOf = (lineId: string): string => sha256(lineId).slice(0, PREFIX);

/**
 * Files of messages as they were downloaded, for a limited time and in a limited room. Nothing here
 * is the only copy of anything. Nodes that share the store use each other's files; each bounds what
 * it knows of.
 */
export class FileCache {
  readonly #options: FileCacheOptions;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #coming = new Map<string, Promise<void>>();
  /** A fetch of the same file that begins now must not lose its file to these. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #fetching = 0;
  #totalBytes = 0;
  #sweeps = 0;
  #cancelSweep: (() => void) | undefined;

  private constructor(options: FileCacheOptions) {
    this.#options = options;
  }

  /** Takes over what an earlier process left. */
  static async open(options: FileCacheOptions): Promise<FileCache> {
    const cache = new FileCache(options);
    await cache.#look();
    cache.#schedule();
    return cache;
  }

  /** Learns of files that others wrote, and that others removed. */
  async #look(): Promise<void> {
    const found: (Entry & { name: string })[] = [];
    for await (const { key, sizeBytes, modifiedMs } of this.#options.files.list(CACHE)) {
      const name = key.slice(CACHE.length);
      if (/^[0-9a-f]{64}$/.test(name)) found.push({ name, sizeBytes, since: modifiedMs });
      else await this.#options.files.remove(key);
    }
    const names = new Set(found.map(({ name }) => name));
    for (const name of this.#entries.keys()) if (!names.has(name) && !this.#coming.has(name)) this.#forget(name);
    for (const { name, ...entry } of found.sort((a, b) => a.since - b.since)) {
      if (!this.#entries.has(name) && !this.#leaving.has(name)) this.#note(name, entry);
    }
  }

  /** Bytes in the store. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /**
   * A file, from the cache or from `fetch`, which must put it under the name it is given and gives
   * up by itself. Concurrent calls for the same file share one fetch. What cannot be read, and what
   * lies in the clear although its account has it sealed by now, is fetched again.
   */
  async get(which: CachedName, fetch: (name: string) => Promise<unknown>): Promise<OpenFile> {
    const name = prefixOf(which.lineId) + sha256(`${which.lineId} ${which.key}`).slice(PREFIX);
    for (let openings = 1; ; openings++) {
      await this.#bring(name, fetch);
      try {
        const file = await this.#options.files.open(CACHE + name);
        if (file && this.#isAsItMust(file, which)) return this.#watched(name, file);
        await file?.close();
      } catch (error) {
        if (!(error instanceof UnreadableError) || openings === OPENINGS) throw error;
      }
      await this.#remove(name);
      if (openings === OPENINGS) throw new AppError('unavailable', { retryAfterSeconds: 1 });
    }
  }

  #isAsItMust({ isSealed }: OpenFile, { accountId }: CachedName): boolean {
    return isSealed || !this.#options.files.seals(accountId);
  }

  /** A part that cannot be read makes the next request fetch the file again. */
  #watched(name: string, file: OpenFile): OpenFile {
    const drop = (error: unknown) => {
      if (error instanceof UnreadableError) this.#remove(name).catch(this.#options.onError);
    };
    return {
      ...file,
      async *read(start, end) {
        try {
          yield* file.read(start, end);
        } catch (error) {
          drop(error);
          throw error;
        }
      },
    };
  }

  async #bring(name: string, fetch: (name: string) => Promise<unknown>): Promise<void> {
    if (await this.#isHere(name)) return;
    const coming = this.#coming.get(name) ?? this.#fetch(name, fetch);
    this.#coming.set(name, coming);
    await coming.finally(() => this.#coming.delete(name));
  }

  async #isHere(name: string): Promise<boolean> {
    if (this.#coming.has(name)) return false;
    let entry = this.#entries.get(name);
    if (!entry && this.#options.isShared) {
      const found = await this.#options.files.stat(CACHE + name);
      if (found) entry = { sizeBytes: found.sizeBytes, since: found.modifiedMs };
    }
    if (!entry || this.#isOver(entry)) return false;
    this.#note(name, entry);
    return true;
  }

  /** Files of one line that are here. */
  countOf(lineId: string): number {
    const prefix = prefixOf(lineId);
    let count = 0;
    for (const [name, entry] of this.#entries) if (name.startsWith(prefix) && !this.#isOver(entry)) count += 1;
    return count;
  }

  /** Removes every file of a line. */
  async removeLine(lineId: string): Promise<void> {
    const prefix = prefixOf(lineId);
    for await (const { key } of this.#options.files.list(CACHE + prefix)) await this.#remove(key.slice(CACHE.length));
  }

  close(): void {
    this.#cancelSweep?.();
  }

  async #fetch(name: string, fetch: (name: string) => Promise<unknown>): Promise<void> {
    if (this.#fetching >= this.#options.maxFetches) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#fetching += 1;
    try {
      await this.#leaving.get(name);
      await fetch(name);
      const found = await this.#options.files.stat(CACHE + name);
      this.#note(name, { sizeBytes: found?.sizeBytes ?? 0, since: this.#options.clock.now() });
      await this.#makeRoom(name);
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#fetching -= 1;
    }
  }

  #isOver({ since }: Entry): boolean {
    return this.#options.clock.now() - since >= this.#options.keepMs;
  }

  /** As the one that was used last. */
  #note(name: string, entry: Entry): void {
    this.#forget(name);
    this.#entries.set(name, entry);
    this.#totalBytes += entry.sizeBytes;
  }

  #forget(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#entries.delete(name);
    this.#totalBytes -= entry.sizeBytes;
  }

  /**
   * Down to the limit, the oldest use first; the file that just came stays until the next one
   * comes.
   */
  async #makeRoom(newest: string): Promise<void> {
    for (const name of [...this.#entries.keys()]) {
      if (this.#totalBytes <= this.#options.maxBytes) return;
      if (name !== newest && !this.#coming.has(name)) await this.#remove(name);
    }
  }

  #remove(name: string): Promise<void> {
    this.#forget(name);
    const leaving = this.#options.files.remove(CACHE + name).finally(() => this.#leaving.delete(name));
    this.#leaving.set(name, leaving);
    return leaving;
  }

  #schedule(): void {
    this.#cancelSweep = this.#options.clock.after(SWEEP_MS, () => {
      this.sweep()
        .catch(this.#options.onError)
        .finally(() => this.#schedule());
    });
  }

  /** Removes what is over; it is gone when this resolves. */
  async sweep(): Promise<void> {
    this.#sweeps += 1;
    if (this.#options.isShared && this.#sweeps % LOOK_EVERY === 0) await this.#look();
    const now = this.#options.clock.now();
    for (const [name, entry] of [...this.#entries]) {
      if (this.#coming.has(name)) continue;
      if (this.#isOver(entry) && now - entry.since >= GRACE_MS) await this.#remove(name);
    }
    await Promise.all(this.#leaving.values());
  }
}
