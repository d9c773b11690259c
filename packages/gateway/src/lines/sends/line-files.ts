import { EngineError, type EngineFiles } from '@ponte/engine';
import type { AccountFiles, OpenFile } from '../../blobs/account-files.ts';
import { BlobError, CACHE, SPOOL } from '../../blobs/blob-store.ts';
import { UnreadableError } from '../../crypto/sealed-box.ts';
import type { Log } from '../../observe/logger.ts';

/** Files as one line sees them. */
export interface LineFiles extends EngineFiles {
  /**
   * Removes a file that was sent and is needed no more. What cannot be removed now is swept up
   * later.
   */
  discard(name: string): void;
}

/** Reads what is to be sent, writes what was downloaded: sealed when the account asks for it. */
export function createLineFiles(files: AccountFiles, accountId: string, log: Log): LineFiles {
  return {
    async read(name) {
      try {
        const file = await files.open(SPOOL + name);
        return file && wholeOf(file);
      } catch (error) {
        if (!(error instanceof UnreadableError)) throw waiting(error);
        // Of no use to any try: the send fails as one whose file is gone.
        log.error({ error }, 'a file to be sent cannot be read');
        return undefined;
      }
    },
    async write(name, pieces) {
      await files.write(CACHE + name, accountId, pieces);
    },
    discard(name) {
      files.remove(SPOOL + name).catch((error: unknown) => {
        log.warn({ error }, 'a file that was sent could not be removed');
      });
    },
  };
}

async function* wholeOf(file: OpenFile): AsyncGenerator<Uint8Array> {
  try {
    yield* file.read(0, file.sizeBytes - 1);
  } catch (error) {
    throw waiting(error);
  } finally {
    await file.close();
  }
}

/** A store that is away says nothing about the message: it waits. */
const waiting = (error: unknown): unknown =>
  error instanceof BlobError
    ? new EngineError('store_failed', 'the storage for files does not answer', { cause: error })
    : error;
