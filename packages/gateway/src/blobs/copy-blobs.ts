import { createHash } from 'node:crypto';
import { BlobError, type BlobReading, type BlobStore, CACHE, SPOOL } from './blob-store.ts';

/**
 * Copies every file from one store to another as it lies there, sealed or not, and reads it back.
 * What is there already with the same bytes stays: a copy that was cut off goes on. Rejects with
 * BlobError.
 */
export async function copyBlobs(
  from: BlobStore,
  to: BlobStore,
  onFile: (files: number, bytes: number) => void,
): Promise<{ files: number; bytes: number }> {
  let files = 0;
  let bytes = 0;
  for (const prefix of [SPOOL, CACHE]) {
    for await (const { key, sizeBytes } of from.list(prefix)) {
      const source = await from.open(key);
      if (!source) continue;
      try {
        await copyOne(key, source, to);
      } finally {
        await source.close();
      }
      files += 1;
      bytes += sizeBytes;
      onFile(files, bytes);
    }
  }
  return { files, bytes };
}

async function copyOne(key: string, source: BlobReading, to: BlobStore): Promise<void> {
  const wanted = await hashOf(source);
  if ((await hashAt(to, key)) === wanted) return;
  await to.put(key, source.read(0, source.sizeBytes - 1));
  if ((await hashAt(to, key)) !== wanted) throw new BlobError(`the file ${key} is not at its new place as it was`);
}

async function hashAt(store: BlobStore, key: string): Promise<string | undefined> {
  const file = await store.open(key);
  if (!file) return undefined;
  try {
    return await hashOf(file);
  } finally {
    await file.close();
  }
}

async function hashOf(file: BlobReading): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of file.read(0, file.sizeBytes - 1)) hash.update(piece);
  return hash.digest('hex');
}
