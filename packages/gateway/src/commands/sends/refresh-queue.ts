import type { Services } from '../context.ts';

const ANSWER_WITHIN_MS = 5_000;

/**
 * Tells a line that its queue changed in the store. Nobody waits for it: a line that does not run
 * looks when it starts, and every one looks by itself now and then.
 */
export function refreshQueue(services: Pick<Services, 'router' | 'log'>, lineId: string): void {
  services.router.run(lineId, 'queue.refresh', {}, { timeoutMs: ANSWER_WITHIN_MS }).catch((error: unknown) => {
    services.log.debug({ lineId, error }, 'a line could not be told that its queue changed');
  });
}
