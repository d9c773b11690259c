import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** The uploaded bytes are refused; nothing of them is kept. */
export class BlobError extends Error {
  override readonly name = 'BlobError';
  readonly reason: 'too_large' | 'wrong_hash';

  constructor(reason: 'too_large' | 'wrong_hash', message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Bytes by the SHA-256 of themselves (hex), apart for every tenant. */
export interface Blobs {
  /** Takes a stream of bytes that must have this hash. Returns their number; throws BlobError. */
  write(tenant: string, hash: string, source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<number>;
  /** A part of the bytes, both ends included. */
  read(tenant: string, hash: string, start: number, end: number): Readable;
  /** All bytes; undefined when they are gone. */
  all(tenant: string, hash: string): Promise<Uint8Array | undefined>;
  remove(tenant: string, hash: string): Promise<void>;
  removeAll(tenant: string): Promise<void>;
}

/** Counts and hashes what passes, and throws as soon as it is too much. */
async function* measured(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
  wanted: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > maxBytes) throw new BlobError('too_large', `more than ${maxBytes} bytes`);
    hash.update(chunk);
    yield chunk;
  }
  const got = hash.digest('hex');
  if (got !== wanted) throw new BlobError('wrong_hash', `the bytes have the SHA-256 ${got}, not ${wanted}`);
}

/** In memory, for a world that ends with the process. */
export function memoryBlobs(): Blobs {
  const byTenant = new Map<string, Map<string, Buffer>>();
  const of = (tenant: string): Map<string, Buffer> => {
    const known = byTenant.get(tenant) ?? new Map<string, Buffer>();
    byTenant.set(tenant, known);
    return known;
  };
  return {
    async write(tenant, hash, source, maxBytes) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of measured(source, maxBytes, hash)) chunks.push(chunk);
      const whole = Buffer.concat(chunks);
      of(tenant).set(hash, whole);
      return whole.length;
    },
    read: (tenant, hash, start, end) =>
      Readable.from(
        [
          of(tenant)
            .get(hash)
            ?.subarray(start, end + 1) ?? Buffer.alloc(0),
        ],
        { objectMode: false },
      ),
    all: async (tenant, hash) => of(tenant).get(hash),
    async remove(tenant, hash) {
      of(tenant).delete(hash);
    },
    async removeAll(tenant) {
      byTenant.delete(tenant);
    },
  };
}

const PART = '.part';

/**
 * One file per hash in a folder per tenant. What a crash left half written is removed at the start.
 */
export function fileBlobs(folder: string): Blobs {
  let parts = 0;
  const cleaned = new Map<string, Promise<void>>();
  // A prefix, because a tenant may be called `..`.
  const folderOf = (tenant: string): string => join(folder, `t-${tenant}`);
  const fileOf = (tenant: string, hash: string): string => join(folderOf(tenant), hash);

  function ready(tenant: string): Promise<void> {
    const known = cleaned.get(tenant);
    if (known) return known;
    const made = clean(folderOf(tenant));
    cleaned.set(tenant, made);
    return made;
  }

  return {
    async write(tenant, hash, source, maxBytes) {
      await ready(tenant);
      mkdirSync(folderOf(tenant), { recursive: true });
      const part = `${fileOf(tenant, hash)}.${parts++}${PART}`;
      const file = await open(part, 'wx', 0o600);
      let size = 0;
      try {
        for await (const chunk of measured(source, maxBytes, hash)) {
          await file.writeFile(chunk);
          size += chunk.length;
        }
        await file.close();
        await rename(part, fileOf(tenant, hash));
        return size;
      } catch (error) {
        await file.close();
        await rm(part, { force: true });
        throw error;
      }
    },
    read: (tenant, hash, start, end) => createReadStream(fileOf(tenant, hash), { start, end }),
    all: (tenant, hash) => readFile(fileOf(tenant, hash)).catch(absent),
    remove: (tenant, hash) => unlink(fileOf(tenant, hash)).catch(absent),
    removeAll: (tenant) => rm(folderOf(tenant), { recursive: true, force: true }),
  };
}

async function clean(folder: string): Promise<void> {
  const names = (await readdir(folder).catch(absent)) ?? [];
  for (const name of names) if (name.endsWith(PART)) await rm(join(folder, name), { force: true });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
