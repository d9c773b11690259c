import { randomUUID } from 'node:crypto';
import { claimSetting, readSetting } from '../store/access/settings.ts';
import type { Db } from '../store/db/store.ts';
import type { BlobStore } from './blob-store.ts';

/** The database and the files are not of one installation, or the nodes do not have the same. */
export class NotSharedError extends Error {
  override readonly name = 'NotSharedError';
}

const SETTING = 'files_mark';
const markOf = (id: string) => `installation/${id}`;

/**
 * Proves that this store is the one that every node of the database has: it holds a mark whose name
 * the database knows. The first node makes the mark before it makes it known, so that nodes that
 * start at once, or die in the middle, neither wait nor disagree. Rejects with NotSharedError, and
 * with BlobError when the store does not answer.
 */
export async function proveShared(db: Db, blobs: BlobStore): Promise<void> {
  if ((await readSetting(db, SETTING)) === undefined) {
    const id = randomUUID();
    await blobs.put(markOf(id), note());
    if (!(await claimSetting(db, SETTING, id))) await blobs.remove(markOf(id));
  }
  const known = await readSetting(db, SETTING);
  if (known !== undefined && (await blobs.stat(markOf(known)))) return;
  throw new NotSharedError(
    `the files at ${blobs.name} (BLOB_URL) are not those of this database: the mark ${markOf(known ?? '')} is not there. Give every node the same storage or the same shared folder; if the files were lost, make an empty file of that name there`,
  );
}

async function* note(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('The files beside this one belong to one installation of Ponte. Its database knows this name.\n');
}
