import { randomBytes } from 'node:crypto';
import { type AccountFiles, createAccountFiles, type OpenFile } from '../../src/blobs/account-files.ts';
import { openFolderStore } from '../../src/blobs/folder-store.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { createSealedBox } from '../../src/crypto/sealed-box.ts';
import { Spool } from '../../src/media/spool.ts';
import { openWorkbench } from '../../src/media/workbench.ts';

const box = createSealedBox(randomBytes(32));

/** Files in a folder; `seals` says whether the accounts have them sealed. */
export const filesIn = (folder: string, clock: Clock = systemClock, seals = () => false): AccountFiles =>
  createAccountFiles({
    blobs: openFolderStore(folder, clock),
    ring: { box: async () => box },
    sealing: () => (seals() ? box : undefined),
  });

/** A spool in `folder/spool`, its bench in `folder/work`. */
export const spoolIn = (folder: string, files = filesIn(folder), memoryFolder = '/dev/shm'): Spool =>
  new Spool({ files, bench: openWorkbench(`${folder}/work`, memoryFolder), clock: systemClock });

/** Every byte, and closes it. */
export async function bytesOf(file: OpenFile | undefined): Promise<Buffer> {
  if (!file) throw new Error('the file is not there');
  const all: Uint8Array[] = [];
  try {
    for await (const piece of file.read(0, file.sizeBytes - 1)) all.push(piece);
  } finally {
    await file.close();
  }
  return Buffer.concat(all);
}

/** One piece. */
export async function* pieceOf(bytes: Uint8Array | string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(bytes);
}
