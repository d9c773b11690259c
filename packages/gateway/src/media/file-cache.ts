import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';

interface Entry {
  sizeBytes: number;
  /** Unix milliseconds: when it came. */
  since: number;
}

export interface FileCacheOptions {
  folder: string;
  clock: Clock;
  /** A file goes this long after it came. */
  keepMs: number;
  /** All files together; beyond it the least recently used go first. */
  maxBytes: number;
  /** Files that may come in at once; further requests wait. */
  maxFetches: number;
  onError(error: unknown): void;
}

const SWEEP_MS = 60_000;
/** Time to open a file that was just handed out, whatever the settings. */
const GRACE_MS = 30_000;

/** Characters of a file's name that say the line. */
const PREFIX = 16;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const prefixOf = (lineId: string): string => sha256(lineId).slice(0, PREFIX);

/**
 * Files of messages as they were downloaded, for a limited time and in a limited room. Nothing here
 * is the only copy of anything.
 */
export class FileCache {
  readonly #options: FileCacheOptions;
  /** In the order of their last use. */
  readonly #entries = new Map<string, Entry>();
  readonly #coming = new Map<string, Promise<string>>();
  readonly #waiting: (() => void)[] = [];
  #fetching = 0;
  #totalBytes = 0;
  #cancelSweep: (() => void) | undefined;

  /** Takes over what an earlier process left. */
  constructor(options: FileCacheOptions) {
    this.#options = options;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    const found = readdirSync(options.folder).flatMap((name) => {
      if (/^[0-9a-f]{64}$/.test(name)) return [{ name, ...statSync(join(options.folder, name)) }];
      rmSync(join(options.folder, name), { force: true, recursive: true });
      return [];
    });
    for (const { name, size, mtimeMs } of found.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      this.#entries.set(name, { sizeBytes: size, since: mtimeMs });
      this.#totalBytes += size;
    }
    this.#schedule();
  }

  /** Bytes on the disk. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /**
   * The path of a file, from the cache or from `fetch`, which must put it at the path it is given
   * and gives up by itself. Concurrent calls for the same file share one fetch. The file may go
   * soon after: open it at once.
   */
  async get(lineId: string, key: string, fetch: (path: string) => Promise<unknown>): Promise<string> {
    const name = prefixOf(lineId) + sha256(`${lineId} ${key}`).slice(PREFIX);
    const path = join(this.#options.folder, name);
    const entry = this.#entries.get(name);
    if (entry && !this.#isOver(entry)) {
      this.#entries.delete(name);
      this.#entries.set(name, entry);
      return path;
    }
    const coming = this.#coming.get(name) ?? this.#fetch(name, path, fetch);
    this.#coming.set(name, coming);
    return coming.finally(() => this.#coming.delete(name));
  }

  /** Files of one line that are here. */
  countOf(lineId: string): number {
    const prefix = prefixOf(lineId);
    let count = 0;
    for (const [name, entry] of this.#entries) if (name.startsWith(prefix) && !this.#isOver(entry)) count += 1;
    return count;
  }

  /** Removes every file of a line. */
  removeLine(lineId: string): void {
    const prefix = prefixOf(lineId);
    for (const name of [...this.#entries.keys()]) if (name.startsWith(prefix)) this.#remove(name);
  }

  close(): void {
    this.#cancelSweep?.();
  }

  async #fetch(name: string, path: string, fetch: (path: string) => Promise<unknown>): Promise<string> {
    if (this.#fetching >= this.#options.maxFetches) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#fetching += 1;
    try {
      await fetch(path);
      const now = this.#options.clock.now();
      const { size } = await stat(path);
      // The file's own time is what a later process goes by.
      await utimes(path, now / 1_000, now / 1_000);
      this.#forget(name);
      this.#entries.set(name, { sizeBytes: size, since: now });
      this.#totalBytes += size;
      this.#makeRoom(name);
      return path;
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#fetching -= 1;
    }
  }

  #isOver({ since }: Entry): boolean {
    return this.#options.clock.now() - since >= this.#options.keepMs;
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
  #makeRoom(newest: string): void {
    for (const name of this.#entries.keys()) {
      if (this.#totalBytes <= this.#options.maxBytes) return;
      if (name !== newest && !this.#coming.has(name)) this.#remove(name);
    }
  }

  /** At once: a fetch of the same file that begins now must not lose its file to this. */
  #remove(name: string): void {
    this.#forget(name);
    rmSync(join(this.#options.folder, name), { force: true });
  }

  #schedule(): void {
    this.#cancelSweep = this.#options.clock.after(SWEEP_MS, () => {
      try {
        this.sweep();
      } catch (error) {
        this.#options.onError(error);
      }
      this.#schedule();
    });
  }

  /** Removes what is over. */
  sweep(): void {
    const now = this.#options.clock.now();
    for (const [name, entry] of [...this.#entries]) {
      if (this.#coming.has(name)) continue;
      if (this.#isOver(entry) && now - entry.since >= GRACE_MS) this.#remove(name);
    }
  }
}
