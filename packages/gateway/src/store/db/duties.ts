import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../observe/logger.ts';
import { type PostgresLock, takePostgresLock } from './postgres-lock.ts';
import { LockedError } from './process-lock.ts';

/** Whether this process does what one process of the installation does: schedules and clean-up. */
export interface Duties {
  isOurs(): boolean;
  close(): Promise<void>;
}

/** Of a gateway that is alone. */
export const ALL_DUTIES: Duties = { isOurs: () => true, close: async () => {} };

/** How soon another node takes the duties over once their holder is gone. */
const LOOK_EVERY_MS = 5_000;
/** A holder that stands still for so long has lost them. */
const SILENT_MS = 25_000;

/**
 * The duties of a fleet: one node at a time holds an advisory lock, and another one takes it when
 * that node ends, is cut off or stands still. While one hands over unwillingly two may do the same
 * for a moment: what is done has to be harmless when it is done twice.
 */
export function keepDuties({ url, clock, log }: { url: string; clock: Clock; log: Log }): Duties {
  const over = new AbortController();
  let held: PostgresLock | undefined;

  async function hold(): Promise<void> {
    const lost = Promise.withResolvers<void>();
    const lock = await takePostgresLock({
      ...{ url, clock, of: 'duties', kind: 'exclusive', waitMs: 0, silentMs: SILENT_MS },
      onCut: (error) => log.warn({ error }, 'the connection that holds the duties of the fleet was cut'),
      onLost: () => lost.resolve(),
    });
    held = lock;
    if (over.signal.aborted) return;
    log.info({}, 'this node does the schedules and clean-up of the fleet');
    over.signal.addEventListener('abort', () => lost.resolve(), { once: true });
    await lost.promise;
  }

  const keeping = (async () => {
    while (!over.signal.aborted) {
      await hold().catch((error: unknown) => {
        if (!(error instanceof LockedError)) log.warn({ error }, 'the duties of the fleet could not be asked for');
      });
      await clock.sleep(LOOK_EVERY_MS * (0.75 + clock.random() / 2), over.signal);
    }
  })();

  return {
    isOurs: () => held?.isHeld === true,
    async close() {
      over.abort();
      await keeping;
      await held?.release();
    },
  };
}
