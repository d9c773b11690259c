import type { Clock } from '../core/clock.ts';
import type { Log } from '../observe/logger.ts';
import type { Approvals } from './approvals/approvals.ts';
import type { Services } from './context.ts';
import { finishDeletions } from './lines/delete-line.ts';

export interface CutOffWork {
  services: Services;
  approvals: Pick<Approvals, 'resume'>;
  clock: Clock;
  log: Log;
  /** Of a fleet: whether this node is the one that does it. Left out: there is one node. */
  isOurs?: () => boolean;
}

/** Of a fleet: what another node has begun is its own for this long. */
const ABANDONED_MS = 60_000;
const LOOK_EVERY_MS = 30_000;

/**
 * Goes on with what a crash cut off: deletions and approved sends. A node that is alone does it
 * once, at its start; of a fleet one node does it again and again, since the others go on while one
 * dies. In the background: it waits for lines, and no request waits for it. Answers what ends it.
 */
export function finishCutOff({ services, approvals, clock, log, isOurs }: CutOffWork): () => void {
  const finish = (before?: number): Promise<unknown> =>
    Promise.all([
      finishDeletions(services, before).catch((error: unknown) =>
        log.error({ error }, 'finishing cut-off deletions failed'),
      ),
      approvals.resume(before).catch((error: unknown) => log.error({ error }, 'going on with approved sends failed')),
    ]);
  if (!isOurs) {
    void finish();
    return () => {};
  }
  let cancel = () => {};
  const again = () => {
    cancel = clock.after(LOOK_EVERY_MS * (0.75 + clock.random() / 2), () => {
      if (isOurs()) void finish(clock.now() - ABANDONED_MS);
      again();
    });
  };
  again();
  return () => cancel();
}
