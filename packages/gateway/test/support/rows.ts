import { systemClock } from '../../src/core/clock.ts';
import type { MessageFacts } from '../../src/core/events.ts';
import { newAccountId, newLineId, newMessageId, newOutboxId, newWebhookId } from '../../src/core/ids.ts';
import type { Mode } from '../../src/core/lines.ts';
import type { LineRef } from '../../src/journal/accept.ts';
import type { Store } from '../../src/store/db/store.ts';
import { projectPending } from '../../src/store/messages/projections.ts';

const AT = Date.UTC(2026, 0, 1);

/** An account with one unpaired line, of their own unless they are named. */
export async function insertLine(
  store: Store,
  mode: Mode = 'test',
  accountId = newAccountId(),
  id = newLineId(),
): Promise<LineRef> {
  await store.db
    .insertInto('accounts')
    .values({ id: accountId, name: 'Acme', plan: 'default', subscription: 'active', created_at: AT })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await store.db
    .insertInto('lines')
    .values({
      id,
      account_id: accountId,
      mode,
      customer_ref: null,
      label: null,
      status: 'unpaired',
      status_reason: null,
      phone: null,
      jid: null,
      lid: null,
      name: null,
      created_at: AT,
      connected_at: null,
      deleted_at: null,
    })
    .execute();
  return { id, accountId };
}

/** A webhook of the account that wants these events, in the journal's words. */
export async function insertWebhook(
  store: Store,
  line: LineRef,
  selectors: string[],
  mode: Mode = 'test',
): Promise<string> {
  const id = newWebhookId();
  await store.db
    .insertInto('webhooks')
    .values({
      id,
      account_id: line.accountId,
      mode,
      line_id: line.id,
      url: 'https://example.com/hook',
      secret: Buffer.of(0),
      previous_secret: null,
      previous_secret_until: null,
      events: JSON.stringify(selectors),
      selectors: JSON.stringify(selectors),
      filters: null,
      headers: null,
      format: 'lines',
      description: null,
      strict_order: 0,
      status: 'enabled',
      disabled_reason: null,
      disabled_at: null,
      created_at: AT,
      failing_since: null,
      last_failure_at: null,
      lane_owner: null,
      lane_until: 0,
    })
    .execute();
  return id;
}

/** An accepted text, as the HTTP side leaves it. */
export async function insertSend(
  store: Store,
  line: LineRef,
  send: { to?: string; body: string; acceptedAt?: number },
): Promise<{ id: string; messageId: string }> {
  const id = newOutboxId();
  const messageId = newMessageId();
  await store.db
    .insertInto('outbox')
    .values({
      id,
      account_id: line.accountId,
      line_id: line.id,
      message_id: messageId,
      to_jid: send.to ?? '15550001111@s.whatsapp.net',
      content: JSON.stringify({ kind: 'text', body: send.body }),
      state: 'accepted',
      proto: null,
      prepared: null,
      accepted_at: send.acceptedAt ?? AT,
      ack_timestamp: null,
      error_code: null,
      error_details: null,
      finished_at: null,
    })
    .execute();
  return { id, messageId };
}

/** A stored message of the line's own with a phone, unless said otherwise. */
export async function insertMessage(
  store: Store,
  lineId: string,
  facts: Partial<MessageFacts> & { messageId: string },
): Promise<void> {
  const chat = '15550002222@s.whatsapp.net';
  const me = '15550001111@s.whatsapp.net';
  const whole: MessageFacts = {
    chat: { jid: chat, pn: chat },
    sender: { jid: me, pn: me },
    fromMe: true,
    isGroup: false,
    pushName: '',
    timestamp: Math.floor(systemClock.now() / 1_000),
    content: { kind: 'text', body: 'Hello!' },
    quotedId: null,
    mentions: [],
    ...facts,
  };
  await store.transaction((tx) => projectPending(tx, lineId, whole, Uint8Array.of(1), systemClock.now()));
}

/** The journal of a line, oldest first. */
export async function readJournal(
  store: Store,
  lineId: string,
): Promise<{ type: string; payload: Record<string, unknown>; chat: string | null }[]> {
  const rows = await store.db.selectFrom('events').selectAll().where('line_id', '=', lineId).orderBy('seq').execute();
  return rows.map((row) => ({ type: row.type, payload: JSON.parse(row.payload), chat: row.chat }));
}
