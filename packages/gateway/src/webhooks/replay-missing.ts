import type { Webhook } from '../core/webhooks.ts';
import type { Store } from '../store/db/store.ts';
import { missingEvents } from '../store/webhooks/missing-events.ts';
import { fanOutTo } from './fan-out.ts';

const PAGE = 500;

/**
 * Gives a webhook the events of a time that it never got a delivery of: it was switched off, did
 * not exist yet, or asked for less. They go out in the order of the events, with what else waits.
 * Each page is a transaction of its own. Answers how many deliveries it made; the caller nudges.
 */
export async function replayMissing(
  store: Store,
  webhook: Webhook,
  range: { since: number; until?: number; wants?(event: { type: string; payload: string }): boolean },
): Promise<number> {
  const until = range.until ?? Number.MAX_SAFE_INTEGER;
  let made = 0;
  for (let after = 0; ; ) {
    const from = after;
    const page = await store.transaction(async (tx) => {
      const events = await missingEvents(tx.db, webhook, { after: from, since: range.since, until, limit: PAGE });
      const wanted = events.filter(
        (one) => range.wants?.({ type: one.type, payload: JSON.stringify(one.payload) }) ?? true,
      );
      return { made: await fanOutTo(tx, webhook.id, wanted), last: events.at(-1)?.seq, isFull: events.length === PAGE };
    });
    made += page.made;
    if (!page.isFull || page.last === undefined) return made;
    after = page.last;
  }
}
