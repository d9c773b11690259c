import type { Services } from '../context.ts';

const ANSWER_WITHIN_MS = 5_000;

/**
 * Tells a line that its queue changed in the store. The caller does not wait: a line that does not
 * run reads its queue when it starts, and every running one reads it now and then.
 */
export function refreshQueue(services: Pick<Services, 'router' | 'log'>, lineId: string): void {
  services.router.run(lineId, 'queue.refresh', {}, { timeoutMs: ANSWER_WITHIN_MS }).catch((error: unknown) => {
    services.log.debug({ lineId, error }, 'a line could not be told that its queue changed');
  });
}
