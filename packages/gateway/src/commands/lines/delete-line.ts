import { AppError } from '../../core/app-error.ts';
import type { Line } from '../../core/lines.ts';
import { deleteLineRows, listHalfDeleted, markDeleted } from '../../store/lines/lines.ts';
import type { Services } from '../context.ts';

/** What unlinking at WhatsApp may take; afterwards the line is deleted here all the same. */
const UNLINK_WITHIN_MS = 4_500;
const ANSWER_WITHIN_MS = 5_000;

/**
 * Deletes a line for good. Gone for callers at once; a deletion that a crash cuts off is finished
 * by `finishDeletions`.
 */
export async function deleteLine(services: Services, line: Line): Promise<void> {
  if (!(await markDeleted(services.store.db, line.id, services.clock.now()))) throw new AppError('line_not_found');
  await finish(services, line);
}

/** Finishes the deletions that a crash cut off, of those that began before a time. */
export async function finishDeletions(services: Services, before?: number): Promise<number> {
  const lines = await listHalfDeleted(services.store.db, before);
  for (const line of lines) await finish(services, line);
  return lines.length;
}

async function finish(services: Services, line: Line): Promise<void> {
  const fields = { lineId: line.id };
  if (line.phone !== null) {
    try {
      await services.router.run(line.id, 'logout', { timeoutMs: UNLINK_WITHIN_MS }, { timeoutMs: ANSWER_WITHIN_MS });
    } catch (error) {
      // The owner asked for the deletion: an unreachable WhatsApp does not stop it. The phone still
      // lists the device.
      services.log.warn({ ...fields, error }, 'unlinking a deleted line at WhatsApp failed');
    }
  }
  try {
    await services.router.stop(line.id);
  } catch (error) {
    // Deleting rows under a running engine would let it write them again: the next start finishes
    // this.
    services.log.error({ ...fields, error }, 'stopping a deleted line failed; its rows stay until the next start');
    return;
  }
  await services.store.transaction(async (tx) => deleteLineRows(tx.db, line.id));
  // What is left of them is encrypted under a key that is gone, or goes within hours.
  await services.media.cache
    .removeLine(line.id)
    .catch((error: unknown) =>
      services.log.warn({ ...fields, error }, 'downloaded files of a deleted line stay a while'),
    );
  services.ring.forget(line.id);
  services.log.info(fields, 'line deleted');
}
