import type { JournalEvent } from '../core/events.ts';
import { newEventId } from '../core/ids.ts';
import type { Webhook } from '../core/webhooks.ts';
import type { Tx } from '../store/db/store.ts';
import { fanOut, fanOutToAccount } from './fan-out.ts';

/**
 * Switches a webhook off because of what its endpoint did, and tells the account's other webhooks
 * by a `webhook.disabled` event. What waits for it stays and goes on when its owner enables it
 * again. Does nothing when it is off already. Answers whether it switched.
 */
export async function switchOff(tx: Tx, webhook: Webhook, reason: 'failing' | 'gone', at: number): Promise<boolean> {
  const done = await tx.db
    .updateTable('webhooks')
    .set({ status: 'disabled', disabled_reason: reason, disabled_at: at })
    .where('id', '=', webhook.id)
    .where('status', '=', 'enabled')
    .executeTakeFirst();
  if (Number(done.numUpdatedRows) === 0) return false;
  const type = 'webhook.disabled';
  const payload = { webhookId: webhook.id, reason, failingSince: webhook.failingSince, mode: webhook.mode };
  const base = { id: newEventId(), accountId: webhook.accountId, lineId: webhook.lineId ?? '', createdAt: at };
  const row = await tx.db
    .insertInto('events')
    .values({
      id: base.id,
      account_id: base.accountId,
      line_id: base.lineId,
      type,
      dedupe_key: `${type}/${webhook.id}/${at}`,
      chat: null,
      payload: JSON.stringify(payload),
      created_at: at,
    })
    .returning('seq')
    .executeTakeFirstOrThrow();
  const event: JournalEvent = { ...base, seq: Number(row.seq), type, payload };
  if (webhook.lineId === null) await fanOutToAccount(tx, webhook, event);
  else await fanOut(tx, [event]);
  return true;
}
