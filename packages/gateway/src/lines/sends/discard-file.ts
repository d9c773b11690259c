import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../observe/logger.ts';

/**
 * Removes a spooled file that is needed no more. What cannot be removed now is swept up at the next
 * start.
 */
export function discardFile(folder: string | undefined, name: string, log: Log): void {
  if (folder === undefined) return;
  rm(join(folder, name), { force: true }).catch((error: unknown) => {
    log.warn({ error }, 'a file that was sent could not be removed');
  });
}
