import { randomBytes } from 'node:crypto';
import { openKeyRing } from '../access/open-key-ring.ts';
import { systemClock } from '../core/clock.ts';
import type { EventPayloads, JournalEvent } from '../core/events.ts';
import { newAccountId, newEventId, newLineId } from '../core/ids.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import { linesWebhookFormat } from '../dialects/lines/webhook-format.ts';
import { migrate } from '../store/db/migrate.ts';
import { openStore } from '../store/db/open.ts';
import type { Store } from '../store/db/store.ts';
import { createWebhook, WEBHOOK_SCOPE } from '../store/webhooks/webhooks.ts';
import { fanOut } from '../webhooks/fan-out.ts';
import { selectorsFor } from '../webhooks/format.ts';

/**
 * An outbox as the product fills it, for load: one account, one line, some webhooks of the Lines
 * format.
 */
export interface WebhookOutbox {
  store: Store;
  ring: KeyRing;
  masterKey: Buffer;
  accountId: string;
  lineId: string;
  addWebhook(url: string, options?: { strictOrder?: boolean }): Promise<string>;
  /**
   * Appends messages with their deliveries in one transaction; `at(i)` gives chat and text of each.
   */
  emit(count: number, at: (index: number) => { chat: string; text: string }): Promise<void>;
  close(): Promise<void>;
}

const message = (chat: string, text: string): EventPayloads['message.received'] => ({
  messageId: `3EB0${randomBytes(9).toString('hex').toUpperCase()}`,
  chat: { jid: chat },
  sender: { jid: chat },
  fromMe: false,
  isGroup: false,
  pushName: 'Alice',
  timestamp: Math.floor(Date.now() / 1_000),
  content: { kind: 'text', body: text },
  quotedId: null,
  mentions: [],
});

/** Opens an outbox; `ids` are those of one that another process made. */
export async function openWebhookOutbox(
  url: string,
  ids?: { accountId: string; lineId: string },
): Promise<WebhookOutbox> {
  const clock = systemClock;
  const store = await openStore({ url, clock });
  await migrate(store, clock.now);
  const masterKey = Buffer.alloc(32, 7);
  const ring = await openKeyRing({ masterKey, store, clock });
  const accountId = ids?.accountId ?? newAccountId();
  const lineId = ids?.lineId ?? newLineId();
  const created_at = clock.now();
  if (!ids) {
    const account = { id: accountId, name: 'Bench', plan: 'unlimited', subscription: 'active', created_at };
    await store.db.insertInto('accounts').values(account).execute();
    const line = { id: lineId, account_id: accountId, mode: 'test' as const, status: 'connected', created_at };
    await store.db.insertInto('lines').values(line).execute();
  }
  return {
    store,
    ring,
    masterKey,
    accountId,
    lineId,
    async addWebhook(target, options = {}) {
      const { webhook } = await createWebhook(store.db, await ring.box(WEBHOOK_SCOPE), {
        accountId,
        mode: 'test',
        lineId: null,
        url: target,
        events: ['*'],
        selectors: selectorsFor(linesWebhookFormat, ['*']),
        format: 'lines',
        strictOrder: options.strictOrder ?? false,
        createdAt: clock.now(),
      });
      return webhook.id;
    },
    async emit(count, at) {
      await store.transaction(async (tx) => {
        const type = 'message.received';
        const created = clock.now();
        const fresh = Array.from({ length: count }, (_, index) => {
          const { chat, text } = at(index);
          return {
            id: newEventId(),
            accountId,
            lineId,
            type,
            payload: message(chat, text),
            createdAt: created,
          } as const;
        });
        const rows = await tx.db
          .insertInto('events')
          .values(
            fresh.map((event) => ({
              id: event.id,
              account_id: accountId,
              line_id: lineId,
              type,
              dedupe_key: event.id,
              chat: event.payload.chat.jid,
              payload: JSON.stringify(event.payload),
              created_at: created,
            })),
          )
          .returning(['id', 'seq'])
          .execute();
        const seqs = new Map(rows.map((row) => [row.id, Number(row.seq)]));
        await fanOut(
          tx,
          fresh.map((event): JournalEvent => ({ ...event, seq: seqs.get(event.id) ?? 0 })),
        );
      });
    },
    close: () => store.close(),
  };
}
