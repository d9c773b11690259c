import type { JournalEvent } from '../../core/events.ts';
import type { Webhook } from '../../core/webhooks.ts';
import type { Db } from '../db/store.ts';

/**
 * The next events a webhook has no delivery of, in order: those of its line, or of all lines of its
 * account and mode.
 */
export async function missingEvents(
  db: Db,
  webhook: Webhook,
  range: { after: number; since: number; until: number; limit: number },
): Promise<JournalEvent[]> {
  const { id, accountId, mode, lineId } = webhook;
  let query = db
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
    .limit(range.limit);
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
