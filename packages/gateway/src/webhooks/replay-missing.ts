import type { JournalEvent } from '../core/events.ts';
import type { Webhook } from '../core/webhooks.ts';
import type { Store, Tx } from '../store/db/store.ts';
import { fanOutTo } from './fan-out.ts';

const PAGE = 500;

/**
 * The next events a webhook has no delivery of, in order: those of its line, or of all lines of its
 * account and mode.
 */
async function missingEvents(
  tx: Tx,
  webhook: Webhook,
  range: { after: number; since: number; until: number },
): Promise<JournalEvent[]> {
  const { id, accountId, mode, lineId } = webhook;
  let query = tx.db
    .selectFrom('events as e')
    .innerJoin('lines as l', 'l.id', 'e.line_id')
    .select(['e.seq', 'e.id', 'e.account_id', 'e.line_id', 'e.type', 'e.payload', 'e.created_at'])
    .where('e.account_id', '=', accountId)
    .where('l.mode', '=', mode)
    .where('e.seq', '>', range.after)
    .where('e.created_at', '>=', range.since)
    .where('e.created_at', '<', range.until)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('deliveries as d')
            .select('d.seq')
            .where('d.webhook_id', '=', id)
            .whereRef('d.event_seq', '=', 'e.seq'),
        ),
      ),
    )
    .orderBy('e.seq')
    .limit(PAGE);
  if (lineId !== null) query = query.where('e.line_id', '=', lineId);
  const rows = await query.execute();
  return rows.map(
    (row) =>
      ({
        id: row.id,
        seq: Number(row.seq),
        accountId: row.account_id,
        lineId: row.line_id,
        type: row.type,
        payload: JSON.parse(row.payload) as unknown,
        createdAt: Number(row.created_at),
      }) as JournalEvent,
  );
}

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
      const events = await missingEvents(tx, webhook, { after: from, since: range.since, until });
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
