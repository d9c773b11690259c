import { webhookDisabledKey } from '../core/event-keys.ts';
import type { JournalEvent } from '../core/events.ts';
import { newEventId } from '../core/ids.ts';
import type { Webhook } from '../core/webhooks.ts';
import type { Tx } from '../store/db/store.ts';
import { insertEvent } from '../store/journal/events.ts';
import { disableWebhook } from '../store/webhooks/health.ts';
import { fanOut, fanOutToAccount } from './fan-out.ts';

/**
 * Switches a webhook off because of what its endpoint did, and tells the account's other webhooks
 * by a `webhook.disabled` event. What waits for it stays and goes on when its owner enables it
 * again. Does nothing when it is off already. Answers whether it switched.
 */
export async function switchOff(tx: Tx, webhook: Webhook, reason: 'failing' | 'gone', at: number): Promise<boolean> {
  if (!(await disableWebhook(tx.db, webhook.id, reason, at))) return false;
  const type = 'webhook.disabled';
  const payload = { webhookId: webhook.id, reason, failingSince: webhook.failingSince, mode: webhook.mode };
  const base = { id: newEventId(), accountId: webhook.accountId, lineId: webhook.lineId ?? '', createdAt: at };
  const seq = await insertEvent(tx.db, {
    id: base.id,
    account_id: base.accountId,
    line_id: base.lineId,
    type,
    dedupe_key: webhookDisabledKey(webhook.id, at),
    chat: null,
    payload: JSON.stringify(payload),
    created_at: at,
  });
  const event: JournalEvent = { ...base, seq, type, payload };
  if (webhook.lineId === null) await fanOutToAccount(tx, webhook, event);
  else await fanOut(tx, [event]);
  return true;
}
