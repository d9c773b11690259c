import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { BlobError, type BlobReading, type BlobStore, HEAD_BYTES, requireKey } from './blob-store.ts';

const PIECE_BYTES = 64 * 1024;
/** Ends the name of a file that is being written. */
const PART = '.part';

/**
 * Files in a folder: written beside their place, synced, and renamed. Files and folders are open to
 * this user alone.
 */
export function openFolderStore(folder: string, clock: Clock): BlobStore {
  const known = new Set<string>();
  const pathOf = (key: string) => {
    requireKey(key);
    return join(folder, key);
  };

  async function folderOf(path: string): Promise<string> {
    const parent = dirname(path);
    if (known.has(parent)) return parent;
    await mkdir(parent, { recursive: true, mode: 0o700 });
    known.add(parent);
    return parent;
  }

  async function* listed(prefix: string) {
    // Made when the first file comes.
    const entries = (await readdir(folder, { recursive: true, withFileTypes: true }).catch(unlessMissing)) ?? [];
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      const key = path.slice(folder.length + 1);
      if (!entry.isFile() || !key.startsWith(prefix)) continue;
      // Removed since: it is not there.
      const found = await stat(path).catch(() => undefined);
      if (found) yield { key, path, sizeBytes: found.size, modifiedMs: found.mtimeMs };
    }
  }

  return {
    name: folder,
    pathOf,
    async put(key, pieces) {
      const path = pathOf(key);
      const parent = await folderOf(path);
      // Each writer has a file of its own: two of the same key must not mix.
      const part = `${path}.${randomUUID()}${PART}`;
      const file = await open(part, 'wx', 0o600).catch(fail);
      try {
        for await (const piece of pieces) await file.writeFile(piece).catch(fail);
        await file.sync().catch(fail);
        await file.close();
        const now = clock.now() / 1_000;
        await utimes(part, now, now);
        await rename(part, path).catch(fail);
        await syncFolder(parent);
      } catch (error) {
        await file.close().catch(() => {});
        await rm(part, { force: true });
        throw error;
      }
    },
    async open(key) {
      const file = await open(pathOf(key), 'r').catch(unlessMissing);
      if (!file) return undefined;
      try {
        return await readingOf(file);
      } catch (error) {
        await file.close().catch(() => {});
        return fail(error);
      }
    },
    async stat(key) {
      const found = await stat(pathOf(key)).catch(unlessMissing);
      return found && { sizeBytes: found.size, modifiedMs: found.mtimeMs };
    },
    async remove(key) {
      await rm(pathOf(key), { force: true }).catch(fail);
    },
    async *list(prefix) {
      for await (const { key, sizeBytes, modifiedMs } of listed(prefix)) {
        if (!key.endsWith(PART)) yield { key, sizeBytes, modifiedMs };
      }
    },
    async tidy(minAgeMs) {
      for await (const { key, path, modifiedMs } of listed('')) {
        // Whatever its time says: none of them is of a living writer.
        const isOld = minAgeMs === 0 || clock.now() - modifiedMs >= minAgeMs;
        if (key.endsWith(PART) && isOld) await rm(path, { force: true });
      }
    },
    async freeBytes() {
      const found = await statfs(folder).catch(unlessMissing);
      return found && found.bavail * found.bsize;
    },
    close: async () => {},
  };
}

async function readingOf(file: FileHandle): Promise<BlobReading> {
  const { size } = await file.stat();
  const head = Buffer.alloc(Math.min(size, HEAD_BYTES));
  await file.read(head, 0, head.length, 0);
  return {
    sizeBytes: size,
    head,
    async *read(start, end) {
      const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, Math.max(1, end - start + 1)));
      for (let at = start; at <= end; ) {
        const wanted = Math.min(buffer.length, end - at + 1);
        const { bytesRead } = await file.read(buffer, 0, wanted, at).catch(fail);
        if (bytesRead === 0) throw new BlobError('a file is shorter than it was');
        yield Uint8Array.from(buffer.subarray(0, bytesRead));
        at += bytesRead;
      }
    },
    close: () => file.close(),
  };
}

/** The name must outlive a power cut as the bytes do. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder
    .sync()
    .catch(fail)
    .finally(() => folder.close());
}

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT']);

function fail(cause: unknown): never {
  if (cause instanceof BlobError) throw cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const isFull = NO_ROOM.has(code);
  throw new BlobError(isFull ? 'the disk for files is full' : `a file could not be read or written (${code})`, {
    cause,
    isFull,
  });
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  return fail(error);
}
