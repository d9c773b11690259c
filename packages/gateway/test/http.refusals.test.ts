import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError, type ErrorCode, type ErrorDetails } from '../src/core/app-error.ts';
import { bridgesDialect } from '../src/dialects/bridges/dialect.ts';
import { linesDialect } from '../src/dialects/lines/dialect.ts';
import type { Dialect, Route } from '../src/http/route.ts';
import { BRIDGES, LINES, type Needs } from './support/endpoint-needs.ts';
import { type HttpHarness, openHttp, type Reply } from './support/http-harness.ts';
import { insertMessage } from './support/rows.ts';

/*
 * Every operation of both published APIs × every way to be refused: no key, another account's,
 * nothing of that name, unpaired, disconnected, a bad body, a bad chat, not on WhatsApp, an error
 * of WhatsApp, no answer. The rows are those of the route tables; what each needs stands in
 * endpoint-needs.ts.
 */

type Json = Record<string, unknown>;
interface Asked {
  method: string;
  url: string;
  body?: unknown;
}
interface Names {
  bridge: string;
  lineId: string;
  webhookId: string;
}

const PHONE = '15550001234';
const CHAT = `${PHONE}@s.whatsapp.net`;
const MESSAGE = 'MSG1';
const WHATSAPP_CODE = 500;
const PHOTO = { kind: 'image', body: '', media: { mimeType: 'image/jpeg' } } as const;

/** What a caller is told: status and the whole body but the sentence. */
interface Told {
  status: number;
  body: Json;
}
const flat = (status: number, error: string, details: Json = {}): Told => ({
  status,
  body: { error, message: expect.stringMatching(/\w{3}/), ...details },
});
const enveloped = (status: number, code: string, retryable: boolean): Told => ({
  status,
  body: { ok: false, error: { code, message: expect.stringMatching(/\w{3}/), retryable } },
});

/** The published words of the two APIs. */
const WORDS = {
  bridges: {
    unauthorized: flat(401, 'unauthorized'),
    line: flat(404, 'bridge_not_found'),
    webhook: flat(404, 'webhook_not_found'),
    delivery: flat(404, 'delivery_not_found'),
    approval: flat(404, 'approval_not_found'),
    contact: flat(404, 'contact_not_found'),
    idle: (status: string) => flat(409, 'not_connected', { status }),
    paired: flat(409, 'already_paired'),
    unfetched: flat(422, 'media_fetch_failed'),
    nobody: flat(422, 'not_on_whatsapp'),
    refused: flat(502, 'whatsapp_error', { details: { whatsapp_code: WHATSAPP_CODE } }),
    restricted: flat(502, 'whatsapp_error', { details: { whatsapp_code: 463 } }),
    malformed: flat(502, 'whatsapp_error', { details: { whatsapp_code: 479 } }),
    silent: flat(504, 'whatsapp_timeout'),
    unavailable: flat(503, 'unavailable'),
  },
  lines: {
    unauthorized: enveloped(401, 'unauthorized', false),
    line: flat(404, 'line_not_found'),
    webhook: flat(404, 'webhook_not_found'),
    delivery: flat(404, 'delivery_not_found'),
    approval: flat(404, 'approval_not_found'),
    contact: flat(404, 'contact_not_found'),
    idle: (status: string) => flat(409, 'line_not_connected', { status }),
    paired: flat(409, 'already_paired'),
    unfetched: flat(422, 'media_fetch_failed'),
    nobody: flat(422, 'not_on_whatsapp'),
    refused: flat(502, 'whatsapp_error', { whatsapp_code: WHATSAPP_CODE }),
    restricted: flat(422, 'recipient_restricted', { whatsapp_code: 463 }),
    malformed: flat(422, 'message_malformed', { whatsapp_code: 479 }),
    silent: flat(504, 'whatsapp_timeout'),
    unavailable: enveloped(503, 'unavailable', true),
  },
};

let h: HttpHarness;
let picture: Uint8Array;
let fetchNothing: HttpHarness['services']['guard']['fetch'];
beforeAll(async () => {
  h = await openHttp();
  fetchNothing = h.services.guard.fetch;
  picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#369' } })
    .jpeg()
    .toBuffer();
});
afterAll(() => h.close());

/** A bridge with one message, a webhook, and the worker's word on it. */
async function prepare(operation: string): Promise<Names> {
  const bridge = `of-${operation}`;
  await h.call('POST', '/api/instances', { body: { customer_ref: bridge } });
  const lineId = String((await h.call('GET', `/api/instances/${bridge}`)).body.line_id);
  const chat = { jid: CHAT, pn: CHAT };
  const content = /etMedia$/.test(operation) ? PHOTO : undefined;
  await insertMessage(h.db.store, lineId, { messageId: MESSAGE, chat, ...(content ? { content } : {}) });
  await h.db.store.db
    .insertInto('chats')
    .values({
      line_id: lineId,
      jid: CHAT,
      pn: CHAT,
      lid: null,
      name: null,
      is_group: 0,
      archived: 0,
      unread_count: 0,
      last_message_id: MESSAGE,
      last_message_at: 1,
      updated_at: 1,
    })
    .execute();
  const webhook = { url: 'https://example.com/hook', events: ['*'], line_id: lineId };
  const webhookId = String((await h.call('POST', '/api/bridge/v1/webhooks', { body: webhook })).body.id);
  return { bridge, lineId, webhookId };
}

/** A row's published example, sent to what is ours. */
function ask(dialect: Dialect, row: Route, { bridge, lineId, webhookId }: Names): Asked {
  const isWebhook = row.path.includes('/webhooks/:id');
  const path = row.path
    .replace(':bridge', bridge)
    .replace(':line_id', lineId)
    .replace(':message_id', MESSAGE)
    .replace(':id', isWebhook ? webhookId : row.path.includes('/deliveries/') ? 'dlv_none' : MESSAGE)
    .replace(':jid', PHONE);
  const query = new URLSearchParams();
  if (dialect.name === 'lines' && row.query && !row.body && !/:line_id|webhooks/.test(row.path))
    query.set('line_id', lineId);
  if (row.operation === 'listMessages' || row.operation === 'waitForReply') query.set('jid', PHONE);
  if (row.operation === 'waitForReply') query.set('wait', '0');
  if (/roupBehindLink/.test(row.operation)) query.set('link', 'https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv');
  if (row.operation === 'bridgeRevokeMessage') query.set('chat', PHONE);
  const url = `${dialect.prefix}${path}${query.size > 0 ? `?${query}` : ''}`;
  if (row.body === undefined) return { method: row.method, url };
  const body: Json = { ...(row.requestExample as Json) };
  for (const field of ['chat', 'to']) if (field in body) body[field] = PHONE;
  if ('jid' in body) body.jid = CHAT;
  if ('phone' in body) body.phone = PHONE;
  if ('line_id' in body) body.line_id = lineId;
  for (const field of ['message_id', 'quoted_message_id']) if (field in body) body[field] = MESSAGE;
  if (row.operation === 'readMessages') body.message_ids = [MESSAGE];
  return { method: row.method, url, body };
}

const call = ({ method, url, body }: Asked, key?: string | null): Promise<Reply> =>
  h.call(method, url, { body, ...(key === undefined ? {} : { key }) });
const told = ({ status, body }: Reply): Told => ({ status, body });

/** WhatsApp, or the way to it, says no to everything this row may ask. */
function refuse(needs: Needs, code: ErrorCode, details: ErrorDetails = {}): void {
  h.router.scriptSends(async () => ({ state: 'failed', code, details }));
  if (needs.asks === undefined || needs.asks === 'send') return;
  h.router.handlers[needs.asks] = async () => {
    throw new AppError(code, details);
  };
}

const state = (of: Names, status: 'connected' | 'disconnected' | 'unpaired') =>
  status === 'unpaired'
    ? h.db.store.db.updateTable('lines').set({ status, phone: null, jid: null }).where('id', '=', of.lineId).execute()
    : h.setLine(of.lineId, { status, phone: '15550009999', jid: '15550009999@s.whatsapp.net', name: 'x' });

/** The own picture comes from a URL: from here on there is one. */
function servePicture(): void {
  h.services.guard.fetch = async (url) => ({
    status: 200,
    headers: { 'content-type': 'image/jpeg' },
    url,
    body: (async function* () {
      yield picture;
    })(),
    discard: () => {},
  });
}

const APIS = [
  { dialect: bridgesDialect, needs: BRIDGES, words: WORDS.bridges },
  { dialect: linesDialect, needs: LINES, words: WORDS.lines },
];
const NONE: Needs = { of: null, needs: 'nothing' };

describe.each(APIS)('$dialect.title', ({ dialect, needs: all, words }) => {
  it('has no operation that this table does not know, and the table none that is gone', () => {
    expect(Object.keys(all).sort()).toEqual(dialect.routes.map(({ operation }) => operation).sort());
  });

  const rows = dialect.routes.map((row) => ({
    name: `${row.method} ${dialect.prefix}${row.path}`,
    row,
    needs: all[row.operation] ?? NONE,
  }));

  describe.each(rows)('$name', ({ row, needs }) => {
    let names: Names;
    let good: Asked;
    beforeAll(async () => {
      names = await prepare(row.operation);
      good = ask(dialect, row, names);
    });

    const cases: [name: string, check: () => Promise<void>][] = [];
    const when = (applies: unknown, name: string, check: () => Promise<void>) => {
      if (applies) cases.push([name, check]);
    };

    when(needs.open, 'needs no key', async () => {
      expect((await call(good, null)).status).toBe(200);
    });
    when(!needs.open, 'needs a key', async () => {
      for (const key of [null, 'wzb_test_nonsense']) {
        const reply = await call(good, key);
        expect(told(reply)).toEqual(words.unauthorized);
        expect(reply.headers['www-authenticate']).toBe('Bearer');
      }
    });
    when(needs.of, 'finds nothing of another account, of the other mode, or of nobody', async () => {
      const missing = words[needs.of ?? 'line'];
      for (const key of [h.keys.stranger, h.keys.live]) expect(told(await call(good, key))).toEqual(missing);
      const nobody = ask(dialect, row, { bridge: 'nobody', lineId: 'line_nobody', webhookId: 'whk_nobody' });
      expect(told(await call(nobody))).toEqual(missing);
    });
    when(row.body, 'names what is wrong with a body', async () => {
      for (const body of ['{"a":', '[]', '"text"', '7']) {
        const reply = await call({ ...good, body });
        expect(told(reply)).toEqual(flat(400, 'validation_error', { details: [expect.objectContaining({})] }));
      }
      for (const field of Object.keys(good.body as Json)) {
        const reply = await call({ ...good, body: { ...(good.body as Json), [field]: { nested: true } } });
        expect([field, told(reply)]).toEqual([field, flat(400, 'validation_error', { details: expect.any(Array) })]);
        const details = reply.body.details as { path: string }[];
        expect(details.map(({ path }) => path.split('.')[0])).toContain(field);
      }
    });
    when(needs.of === 'line' && !isOfStored(row), 'names what is no chat', async () => {
      for (const bad of ['abc', '@g.us', '15550001234@example.com', `1${'0'.repeat(200)}`]) {
        for (const [field, broken] of withBadChat(row, good, bad)) {
          const reply = await call(broken);
          const details = [{ path: field, message: expect.stringMatching(/\w{3}/) }];
          expect(told(reply)).toEqual(flat(400, 'validation_error', { details }));
        }
      }
    });
    when(needs.needs === 'connection', 'needs a connection, and says which state there is instead', async () => {
      for (const status of ['unpaired', 'disconnected'] as const) {
        await state(names, status);
        expect(told(await call(good))).toEqual(words.idle(status));
      }
    });
    when(needs.needs === 'unpaired', 'is for what is not paired yet', async () => {
      await state(names, 'connected');
      refuse(needs, 'already_paired');
      expect(told(await call(good))).toEqual(words.paired);
    });
    when(needs.fetches, 'says that the file cannot be fetched', async () => {
      await state(names, 'connected');
      h.services.guard.fetch = fetchNothing;
      expect(told(await call(good))).toEqual(words.unfetched);
      servePicture();
    });
    when(needs.person, 'says that a number has no WhatsApp', async () => {
      await state(names, 'connected');
      refuse(needs, 'not_on_whatsapp');
      if (needs.person === 'contact') h.router.handlers['account.person'] = async () => null;
      expect(told(await call(good))).toEqual(needs.person === 'contact' ? words.contact : words.nobody);
    });
    when(needs.asks && needs.asks !== 'stats', 'passes on what WhatsApp says, and that it says nothing', async () => {
      await state(names, needs.needs === 'unpaired' ? 'unpaired' : 'connected');
      refuse(needs, 'whatsapp_error', { whatsapp_code: WHATSAPP_CODE });
      expect(told(await call(good))).toEqual(words.refused);
      refuse(needs, 'whatsapp_timeout');
      expect(told(await call(good))).toEqual(words.silent);
    });
    when(needs.asks === 'send', 'tells apart what WhatsApp refuses of a sender', async () => {
      refuse(needs, 'recipient_restricted', { whatsapp_code: 463 });
      expect(told(await call(good))).toEqual(words.restricted);
      refuse(needs, 'message_malformed', { whatsapp_code: 479 });
      expect(told(await call(good))).toEqual(words.malformed);
    });
    when(needs.asks === 'send', 'answers 202 while its turn has not come', async () => {
      h.router.handlers.send = () => new Promise(() => {});
      const reply = await call({ ...good, url: `${good.url}${good.url.includes('?') ? '&' : '?'}wait=0` });
      expect([reply.status, reply.body.status, reply.body.message_id]).toEqual([202, 'queued', expect.any(String)]);
    });
    when(needs.asks, 'says that the process of the line is down, and when to come again', async () => {
      if (needs.asks === 'send') return;
      await state(names, needs.needs === 'unpaired' ? 'unpaired' : 'connected');
      refuse(needs, 'line_failed');
      const reply = await call(good);
      expect(told(reply)).toEqual(words.unavailable);
      expect(reply.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    });
    when(needs.asks === 'stats', 'says the same when the process does not answer: that is not WhatsApp', async () => {
      refuse(needs, 'whatsapp_timeout');
      expect(told(await call(good))).toEqual(words.unavailable);
    });
    when(needs.of && needs.needs === 'nothing', 'needs no connection', async () => {
      await state(names, 'unpaired');
      const reply = await call(good);
      expect([reply.status, reply.body.error]).not.toEqual([409, words.idle('unpaired').body.error]);
      expect(reply.status).toBeLessThan(500);
    });

    it.each(cases)('%s', (_name, check) => check());
  });
});

/** Names no chat, or one that only narrows what is listed. */
const isOfStored = (row: Route): boolean => ['getMessage', 'lineQueue', 'cancelMessage'].includes(row.operation);

const CHAT_FIELDS = ['chat', 'to', 'jid', 'phone'];

/** The request with a wrong address in each place that takes one. */
function withBadChat(row: Route, good: Asked, bad: string): [field: string, request: Asked][] {
  const broken: [string, Asked][] = [];
  if (typeof good.body === 'object' && good.body !== null) {
    for (const field of CHAT_FIELDS.filter((name) => name in (good.body as Json))) {
      broken.push([field, { ...good, body: { ...good.body, [field]: bad } }]);
    }
  }
  const encoded = encodeURIComponent(bad);
  if (row.path.includes(':jid')) broken.push(['jid', { ...good, url: good.url.replace(PHONE, encoded) }]);
  for (const field of CHAT_FIELDS.filter((name) => good.url.includes(`${name}=${PHONE}`))) {
    broken.push([field, { ...good, url: good.url.replace(`${field}=${PHONE}`, `${field}=${encoded}`) }]);
  }
  return broken;
}
