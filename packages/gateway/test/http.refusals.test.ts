import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError, type ErrorCode, type ErrorDetails } from '../src/core/app-error.ts';
import { contactRoutes as bridgeContacts } from '../src/dialects/bridges/contact-routes.ts';
import { messageRoutes as bridgeMessages } from '../src/dialects/bridges/message-routes.ts';
import { contactRoutes as lineContacts } from '../src/dialects/lines/contact-routes.ts';
import { messageRoutes as lineMessages } from '../src/dialects/lines/message-routes.ts';
import type { Route } from '../src/http/route.ts';
import { type HttpHarness, openHttp, type Reply } from './support/http-harness.ts';
import { insertMessage } from './support/rows.ts';

type Json = Record<string, unknown>;
interface Asked {
  method: string;
  url: string;
  body?: Json;
}

const PHONE = '15550001234';
const CHAT = `${PHONE}@s.whatsapp.net`;
const MESSAGE = 'MSG1';
const COMMANDS = [
  'account.typing',
  'account.presence',
  'account.watch',
  'account.person',
  'account.setAbout',
  'account.contactLink',
  'account.statusAudience',
  'account.picture',
  'account.setPicture',
  'account.removePicture',
  'numbers.check',
] as const;

let h: HttpHarness;
let known: string;
beforeAll(async () => {
  h = await openHttp();
  await h.call('POST', '/api/instances', { body: { customer_ref: 'known' } });
  known = String((await h.call('GET', '/api/instances/known')).body.line_id);
  await insertMessage(h.db.store, known, { messageId: MESSAGE, chat: { jid: CHAT, pn: CHAT } });
});
afterAll(() => h.close());

const FIELDS: Json = {
  chat: PHONE,
  to: PHONE,
  jid: CHAT,
  message_id: MESSAGE,
  quoted_message_id: MESSAGE,
};

/** A row's published example, sent to a line of ours. */
function ask(prefix: string, row: Route, line: { bridge: string; lineId: string }): Asked {
  const path = row.path.replace(':bridge', line.bridge).replace(':id', MESSAGE).replace(':jid', PHONE);
  const query = new URLSearchParams();
  if (prefix === '/api/bridge' && row.body === undefined) query.set('line_id', line.lineId);
  if (row.method === 'DELETE' && row.path.endsWith('/messages/:id')) query.set('chat', PHONE);
  const url = `${prefix}${path}${query.size > 0 ? `?${query}` : ''}`;
  if (row.body === undefined) return { method: row.method, url };
  const example = row.requestExample as Json;
  const named = Object.entries(FIELDS).filter(([name]) => name in example);
  const body = { ...example, ...Object.fromEntries(named) };
  return { method: row.method, url, body: 'line_id' in example ? { ...body, line_id: line.lineId } : body };
}

const call = ({ method, url, body }: Asked, key?: string | null): Promise<Reply> =>
  h.call(method, url, { body, ...(key === undefined ? {} : { key }) });
const codeOf = ({ status, body }: Reply) => [status, (body.error as Json | undefined)?.code ?? body.error];

/** WhatsApp, or the way to it, says no to everything. */
function refuseAll(code: ErrorCode, details: ErrorDetails = {}): void {
  h.router.scriptSends(async () => ({ state: 'failed', code, details }));
  for (const name of COMMANDS) {
    h.router.handlers[name] = async () => {
      throw new AppError(code, details);
    };
  }
}

const connect = (status: 'connected' | 'disconnected' | 'unpaired') =>
  h.setLine(known, { status, phone: '15550009999', jid: '15550009999@s.whatsapp.net', name: 'x' });

const dialects = [
  {
    prefix: '/api/instances',
    rows: [...bridgeMessages, ...bridgeContacts],
    missing: 'bridge_not_found',
    idle: 'not_connected',
  },
  {
    prefix: '/api/bridge',
    rows: [...lineMessages, ...lineContacts],
    missing: 'line_not_found',
    idle: 'line_not_connected',
  },
];
const rows = dialects.flatMap(({ prefix, rows: all, ...words }) =>
  all.map((row) => ({ name: `${row.method} ${prefix}${row.path}`, prefix, row, ...words })),
);
const ours = () => ({ bridge: 'known', lineId: known });
/** Reads what is stored here: works without a connection. */
const isOffline = (row: Route) => row.command === 'contacts.all' || row.command === 'messages.cancel';

describe.each(rows)('$name', ({ prefix, row, missing, idle }) => {
  it('needs a key, and finds no line of another account or of nobody', async () => {
    expect(codeOf(await call(ask(prefix, row, ours()), null))).toEqual([401, 'unauthorized']);
    expect(codeOf(await call(ask(prefix, row, ours()), h.keys.stranger))).toEqual([404, missing]);
    const nobody = ask(prefix, row, { bridge: 'nobody', lineId: 'line_nobody' });
    expect(codeOf(await call(nobody))).toEqual([404, missing]);
  });

  it.skipIf(isOffline(row))('needs a connection, and says in which state the line is instead', async () => {
    for (const status of ['unpaired', 'disconnected'] as const) {
      await connect(status);
      const reply = await call(ask(prefix, row, ours()));
      expect([...codeOf(reply), reply.body.status]).toEqual([409, idle, status]);
    }
  });

  it('names what is wrong with a request', async () => {
    await connect('connected');
    const good = ask(prefix, row, ours());
    const broken: Asked[] = [];
    if (good.body) {
      broken.push({ ...good, body: {} });
      for (const field of ['chat', 'to', 'jid']) {
        if (field in good.body) broken.push({ ...good, body: { ...good.body, [field]: 'abc' } });
      }
    }
    if (row.path.includes(':jid')) broken.push({ ...good, url: good.url.replace(PHONE, 'abc') });
    if (good.url.includes('chat=')) broken.push({ ...good, url: good.url.replace(`chat=${PHONE}`, 'chat=abc') });
    for (const request of broken) {
      const reply = await call(request);
      expect([...codeOf(reply), Array.isArray(reply.body.details)]).toEqual([400, 'validation_error', true]);
    }
  });

  it.skipIf(isOffline(row) || row.command === 'profile.setPicture')('passes on what WhatsApp says', async () => {
    await connect('connected');
    refuseAll('whatsapp_error', { whatsapp_code: 463 });
    const refused = await call(ask(prefix, row, ours()));
    expect(codeOf(refused)).toEqual([502, 'whatsapp_error']);
    expect(JSON.stringify(refused.body)).toContain('463');
    refuseAll('whatsapp_timeout');
    expect(codeOf(await call(ask(prefix, row, ours())))).toEqual([504, 'whatsapp_timeout']);
    refuseAll('not_on_whatsapp');
    expect(codeOf(await call(ask(prefix, row, ours())))).toEqual([422, 'not_on_whatsapp']);
  });
});
