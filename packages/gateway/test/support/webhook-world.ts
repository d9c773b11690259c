import { randomBytes } from 'node:crypto';
import { openKeyRing } from '../../src/access/open-key-ring.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { EventPayloads, EventType, JournalEvent } from '../../src/core/events.ts';
import { newAccountId, newEventId, newLineId } from '../../src/core/ids.ts';
import type { KeyRing } from '../../src/crypto/key-ring.ts';
import type { SealedBox } from '../../src/crypto/sealed-box.ts';
import { createAddressPolicy, parseAllowList } from '../../src/net/address-policy.ts';
import { FetchError } from '../../src/net/fetch-error.ts';
import { createGuard, type Guard } from '../../src/net/guarded-fetch.ts';
import { silentLog } from '../../src/observe/logger.ts';
import type { Store } from '../../src/store/db/store.ts';
import { attemptsOf } from '../../src/store/webhooks/deliveries.ts';
import type { AttemptView } from '../../src/store/webhooks/delivering-attempt.ts';
import { createWebhook, type NewWebhook, WEBHOOK_SCOPE } from '../../src/store/webhooks/webhooks.ts';
import { createDispatcher, type Dispatcher, type DispatcherOptions } from '../../src/webhooks/dispatcher.ts';
import { fanOut } from '../../src/webhooks/fan-out.ts';
import { selectorsFor, type WebhookFormat, type WebhookFormats } from '../../src/webhooks/format.ts';

/** A format for tests: names are the journal's types, bodies are the event as it is. */
export function plainFormat(name: 'bridges' | 'lines'): WebhookFormat {
  return {
    name,
    events: {
      'message.received': { selects: ['message.received'] },
      'message.sent': { selects: ['message.sent'] },
      connected: { selects: ['line.status:connected'] },
      typing: { selects: ['typing'] },
      picture: { selects: ['picture.updated'] },
      'webhook.disabled': { selects: ['webhook.disabled'] },
      'line.problem': { selects: ['line.problem'] },
      loud: { selects: ['message.status'], optIn: true },
    },
    legacySignatureHeader: name === 'lines' ? 'X-WAzion-Bridge-Signature' : null,
    render(event, line, delivery) {
      if (event.type === 'picture.updated') return null;
      const { id, type, payload, seq } = event;
      const body = JSON.stringify({ id, event: type, line_id: line.id, seq, data: payload });
      return {
        body,
        headers: { 'X-Customer-Ref': line.customerRef ?? '', 'X-Test-Attempt': String(delivery.attempt) },
      };
    },
  };
}

export const plainFormats: WebhookFormats = { bridges: plainFormat('bridges'), lines: plainFormat('lines') };

/** A guard that lets exactly these loopback ports through. */
export function guardFor(ports: readonly number[], clock: Clock = systemClock): Guard {
  const allow = parseAllowList(ports.map((port) => `127.0.0.1:${port}`).join(','));
  const resolve = () => Promise.reject(new FetchError('dns'));
  return createGuard({ policy: createAddressPolicy({ allow, ownPorts: [] }), resolve, clock });
}

/** The master key of every world, so that another process can open what one made. */
export const WORLD_KEY = Buffer.alloc(32, 7);

export interface WebhookWorld {
  store: Store;
  ring: KeyRing;
  box: SealedBox;
  accountId: string;
  lineId: string;
  addLine(options?: { mode?: 'live' | 'test'; accountId?: string }): Promise<string>;
  addWebhook(url: string, options?: Partial<NewWebhook>): Promise<{ id: string; secret: string }>;
  /** Appends events with their deliveries in one transaction, as the journal does. */
  emit<T extends EventType>(
    type: T,
    payloads: EventPayloads[T][],
    options?: { lineId?: string },
  ): Promise<JournalEvent[]>;
  /** `count` messages, spread over `chats` chats; the text of each is its number in its chat. */
  emitMessages(count: number, options?: { chats?: number; lineId?: string; from?: number }): Promise<JournalEvent[]>;
  dispatcher(options: Partial<DispatcherOptions> & { guard: Guard }): Dispatcher;
}

export const messageTo = (chat: string, text: string): EventPayloads['message.received'] => ({
  messageId: `3EB0${randomBytes(9).toString('hex').toUpperCase()}`,
  chat: { jid: chat },
  sender: { jid: chat },
  fromMe: false,
  isGroup: false,
  pushName: 'Alice',
  timestamp: 1_777_180_605,
  content: { kind: 'text', body: text },
  quotedId: null,
  mentions: [],
});

/** Appends events with their deliveries in one transaction, as the journal does. */
export async function appendEvents<T extends EventType>(
  store: Store,
  clock: Clock,
  lineId: string,
  type: T,
  payloads: EventPayloads[T][],
): Promise<JournalEvent[]> {
  return store.transaction(async (tx) => {
    const owner = await tx.db
      .selectFrom('lines')
      .select('account_id')
      .where('id', '=', lineId)
      .executeTakeFirstOrThrow();
    const events: JournalEvent[] = [];
    for (const payload of payloads) {
      const id = newEventId();
      const base = { id, accountId: owner.account_id, lineId, createdAt: clock.now() };
      const row = await tx.db
        .insertInto('events')
        .values({
          id,
          account_id: base.accountId,
          line_id: lineId,
          type,
          dedupe_key: id,
          chat: null,
          payload: JSON.stringify(payload),
          created_at: base.createdAt,
        })
        .returning('seq')
        .executeTakeFirstOrThrow();
      events.push({ ...base, seq: Number(row.seq), type, payload } as JournalEvent);
    }
    await fanOut(tx, events);
    return events;
  });
}

/** An account with one line on a fresh database, ready for webhooks. */
export async function createWebhookWorld(store: Store, clock: Clock = systemClock): Promise<WebhookWorld> {
  const ring = await openKeyRing({ masterKey: WORLD_KEY, store, clock });
  const box = await ring.box(WEBHOOK_SCOPE);
  const accountId = newAccountId();
  const created_at = clock.now();
  const addAccount = (id: string) =>
    store.db
      .insertInto('accounts')
      .values({ id, name: 'Test', plan: 'unlimited', subscription: 'active', created_at })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
  const addLine: WebhookWorld['addLine'] = async (options = {}) => {
    const id = newLineId();
    await addAccount(options.accountId ?? accountId);
    await store.db
      .insertInto('lines')
      .values({
        id,
        account_id: options.accountId ?? accountId,
        mode: options.mode ?? 'test',
        customer_ref: `ref-${id}`,
        status: 'connected',
        created_at,
      })
      .execute();
    return id;
  };
  const lineId = await addLine();
  const world: WebhookWorld = {
    store,
    ring,
    box,
    accountId,
    lineId,
    addLine,
    async addWebhook(url, options = {}) {
      const events = options.events ?? ['*'];
      const format = options.format ?? 'lines';
      const selectors = selectorsFor(plainFormats[format], events);
      const base = {
        accountId,
        mode: 'test',
        lineId: null,
        url,
        events,
        selectors,
        format,
        createdAt: clock.now(),
      } as const;
      const { webhook, secret } = await createWebhook(store.db, box, { ...base, ...options });
      return { id: webhook.id, secret };
    },
    emit: (type, payloads, options = {}) => appendEvents(store, clock, options.lineId ?? lineId, type, payloads),
    emitMessages(count, { chats = 1, lineId: line, from = 0 } = {}) {
      const payloads = Array.from({ length: count }, (_, i) =>
        messageTo(`chat${(from + i) % chats}@s.whatsapp.net`, String(Math.floor((from + i) / chats))),
      );
      return world.emit('message.received', payloads, { lineId: line });
    },
    dispatcher: (options) =>
      createDispatcher({ store, ring, formats: plainFormats, clock, log: silentLog, ...options }),
  };
  return world;
}

/** Every attempt of every delivery, as their owners see them. */
export async function attemptLog(store: Store): Promise<AttemptView[]> {
  const deliveries = await store.db.selectFrom('deliveries').select('id').orderBy('seq').execute();
  const logs = await Promise.all(deliveries.map(({ id }) => attemptsOf(store.db, id)));
  return logs.flat();
}
