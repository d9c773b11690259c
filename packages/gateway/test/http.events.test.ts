import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LineReason } from '../src/core/line-reasons.ts';
import { accept } from '../src/journal/accept.ts';
import { noStreamMetrics } from '../src/observe/stream-metrics.ts';
import type { Store } from '../src/store/db/store.ts';
import { pruneEvents } from '../src/store/journal/event-log.ts';
import { forEachStore } from './store-harness.ts';
import { SocketReader, SseReader } from './support/event-readers.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { ManualClock } from './support/manual-clock.ts';
import { until } from './support/until.ts';

const BASE = '/api/bridge/v1/events';

interface Page {
  events: { event: string; id: string; line_id: string | null; data: { reason?: string } }[];
  next_cursor: string;
  has_more: boolean;
}

forEachStore((open) => {
  let h: HttpHarness;
  let base: string;
  let lineId: string;
  let sent: number;
  const readers: { close(): void }[] = [];

  const count = (_: unknown, events: number) => {
    sent += events;
  };

  async function start(options: Parameters<typeof openHttp>[0] = {}): Promise<void> {
    sent = 0;
    h = await openHttp({
      open,
      streams: {
        metrics: { ...noStreamMetrics, sent: count },
      },
      ...options,
    });
    base = await h.app.listen({ host: '127.0.0.1', port: 0 });
    lineId = await addLine();
  }
  beforeEach(() => start());
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    await h.close();
  });

  const addLine = async (key = h.keys.test) =>
    String((await h.call('POST', '/api/bridge/v1/lines', { key, body: {} })).body.line_id);

  /** One event of the line: a status whose reason says which. */
  async function happens(
    reason: string,
    of: { line?: string; store?: Store; at?: number; account?: string; isQuiet?: boolean } = {},
  ) {
    const { line = lineId, store = h.db.store, at = Date.now(), account = 'acc_one' } = of;
    const marked = reason as LineReason; // Any text: it only says which event it is.
    const payload = { status: 'connected', previous: 'connecting', phone: null, reason: marked } as const;
    const fact = { type: 'line.status', payload, dedupeKey: `line.status:${at}-${reason}`, chat: null } as const;
    await store.transaction((tx) => accept(tx, { id: line, accountId: account }, [fact], at));
    if (!of.isQuiet) h.feed.nudge();
  }
  const pull = async (query: string, key?: string): Promise<Page> =>
    (await h.call('GET', `${BASE}?${query}`, { key })).body as unknown as Page;
  const reasons = (page: Page) => page.events.map((event) => event.data.reason);
  const sse = async (query = '', key = h.keys.test, headers: Record<string, string> = {}) => {
    const reader = await SseReader.open(`${base}${BASE}?${query}`, { authorization: `Bearer ${key}`, ...headers });
    readers.push(reader);
    return reader;
  };
  const socket = (query = '', key = h.keys.test) => {
    const reader = new SocketReader(`${base.replace('http', 'ws')}${BASE}?${query}`, { 'x-bridge-key': key });
    readers.push({ close: () => reader.socket.terminate() });
    return reader;
  };
  const dataOf = (reader: SseReader) =>
    reader.events.map(({ data }) => (JSON.parse(data ?? '') as Page['events'][number]).data.reason);

  test('pages go from cursor to cursor, and a waiting one comes with the next event', async () => {
    const begun = await pull('');
    expect(begun).toMatchObject({ ok: true, events: [], has_more: false });
    for (const n of ['1', '2', '3']) await happens(n);
    const first = await pull(`after=${begun.next_cursor}&limit=2`);
    expect([reasons(first), first.has_more]).toEqual([['1', '2'], true]);
    const rest = await pull(`after=${first.next_cursor}&limit=2`);
    expect([reasons(rest), rest.has_more]).toEqual([['3'], false]);
    expect(reasons(await pull('after=oldest'))).toEqual(['1', '2', '3']);
    const waiting = pull(`after=${rest.next_cursor}&wait=60`);
    await happens('4');
    expect(reasons(await waiting)).toEqual(['4']);
    expect(first.events[0]).toMatchObject({
      event: 'line.status',
      line_id: lineId,
      id: expect.stringMatching(/^evt_/),
    });
  });

  test('the bodies are those of webhooks, byte for byte, on every transport', async () => {
    await happens('same');
    const { events } = await pull('after=oldest');
    const stream = await (await sse('after=oldest')).until((r) => r.events.length > 0);
    const channel = await socket('after=oldest').until((r) => r.messages.length > 0);
    const format = h.services.formats.lines;
    const row = await h.db.store.db.selectFrom('events').selectAll().executeTakeFirstOrThrow();
    const event = { type: 'line.status', payload: JSON.parse(row.payload), id: row.id, seq: Number(row.seq) } as const;
    const view = { id: lineId, number: 0, customerRef: null, label: null, phone: null };
    const whole = { ...event, accountId: 'acc_one', lineId, createdAt: Number(row.created_at) };
    const body = format.render(whole, view, { id: 'dlv', attempt: 1 })?.body;
    expect(stream.events[0]).toEqual({ id: String(row.seq), event: 'line.status', data: body });
    expect(JSON.stringify(events[0])).toBe(body);
    expect(JSON.stringify(channel.messages[0]?.body)).toBe(body);
    expect(channel.messages[0]).toMatchObject({ type: 'event', cursor: String(row.seq) });
  });

  test('a stream goes on after Last-Event-ID, before any after= of its address', async () => {
    for (const n of ['1', '2', '3']) await happens(n);
    const first = await (await sse('after=oldest')).until((r) => r.events.length === 3);
    first.close();
    await happens('4');
    const again = await sse('after=oldest', h.keys.test, { 'last-event-id': first.events[1]?.id ?? '' });
    await again.until((r) => r.events.length === 2);
    expect(dataOf(again)).toEqual(['3', '4']);
  });

  test('what another process writes comes without its nudge', async () => {
    const other = await h.db.reopen();
    const stream = await (await sse()).until((r) => r.status === 200);
    await happens('from elsewhere', { store: other, isQuiet: true });
    await stream.until((r) => r.events.length === 1);
    expect(dataOf(stream)).toEqual(['from elsewhere']);
  });

  test('a key sees events of its account and mode alone, a filter narrows to a line and to names', async () => {
    const live = await addLine(h.keys.live);
    const strange = await addLine(h.keys.stranger);
    const second = await addLine();
    await happens('mine');
    await happens('live', { line: live });
    await happens('second', { line: second });
    await happens('strange', { line: strange, account: 'acc_two' });
    const all = 'after=oldest&events=*';
    expect(reasons(await pull(all))).toEqual(['mine', 'second']);
    expect(reasons(await pull(all, h.keys.live))).toEqual(['live']);
    expect(reasons(await pull(all, h.keys.stranger))).toEqual(['strange']);
    expect(reasons(await pull(`${all}&line_id=${second}`))).toEqual(['second']);
    expect(reasons(await pull('after=oldest&events=message.received,message.sent'))).toEqual([]);
    const refused = [
      await h.call('GET', `${BASE}?line_id=${live}`),
      await h.call('GET', `${BASE}?events=nothing`),
      await h.call('GET', `${BASE}?after=then`),
      await h.call('GET', `${BASE}?wait=61`),
      await h.call('GET', BASE, { headers: { 'last-event-id': 'x' } }),
      await h.call('GET', BASE, { key: await h.keyWith(['messages:read']) }),
      await h.call('GET', BASE, { key: null }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([404, 400, 400, 400, 400, 403, 401]);
    expect((await h.call('GET', BASE, { key: await h.keyWith(['events:read']) })).status).toBe(200);
  });

  test('an account is told on its streams, in the mode of the webhook, that a webhook was switched off', async () => {
    const row = { account_id: 'acc_one', line_id: '', type: 'webhook.disabled', chat: null, created_at: 1 };
    const payload = { webhookId: 'whk_1', reason: 'gone', failingSince: null };
    for (const mode of ['test', 'live'] as const) {
      const event = { ...row, id: `evt_${mode}`, dedupe_key: mode, payload: JSON.stringify({ ...payload, mode }) };
      await h.db.store.db.insertInto('events').values(event).execute();
    }
    expect((await pull('after=oldest')).events.map(({ id }) => id)).toEqual(['evt_test']);
    expect((await pull('after=oldest', h.keys.live)).events.map(({ id }) => id)).toEqual(['evt_live']);
  });

  test('typing is kept for streams that ask for it, and for nobody else', async () => {
    const chat = { jid: '15550002222@s.whatsapp.net' } as const;
    const payload = { chat, sender: chat, state: 'composing', mode: 'text' } as const;
    const types = async (n: number) => {
      const fact = { type: 'typing', payload, dedupeKey: `typing:${n}`, chat: chat.jid } as const;
      await h.db.store.transaction((tx) => accept(tx, { id: lineId, accountId: 'acc_one' }, [fact], Date.now()));
      h.feed.nudge();
    };
    await (await sse('events=message.received')).until((r) => r.status === 200);
    await types(1);
    const stream = await sse('events=contact.typing&after=oldest');
    await types(2);
    await stream.until((r) => r.events.length === 1);
    const rows = await h.db.store.db.selectFrom('events').select('dedupe_key').execute();
    expect(rows).toEqual([{ dedupe_key: 'typing:2' }]);
  });

  test('a cursor whose events are gone, or that is not of this journal, is refused with the one to go on from', async () => {
    await happens('old', { at: 1_000 });
    await happens('older status', { at: 2_000 });
    const before = (await pull('after=oldest&limit=1')).next_cursor;
    await happens('new');
    await h.db.store.transaction((tx) => pruneEvents(tx.db, 1_000_000));
    const refused = await h.call('GET', `${BASE}?after=${before}`);
    expect([refused.status, refused.body.error]).toEqual([410, 'cursor_expired']);
    const oldest = String(refused.body.oldest_cursor);
    expect(Number(oldest)).toBeGreaterThan(Number(before));
    expect(reasons(await pull(`after=${oldest}`))).toEqual(['new']);
    expect(reasons(await pull('after=oldest'))).toEqual(['new']);
    const ahead = await h.call('GET', `${BASE}?after=999999`);
    expect([ahead.status, ahead.body.error]).toEqual([410, 'cursor_expired']);
    const channel = socket(`after=${before}`);
    const [, answer] = (await once(channel.socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(answer.statusCode).toBe(410);
  });

  test('a revoked key ends its streams within a second, wherever it was revoked, and says why', async () => {
    const key = await h.keyWith(['events:read']);
    const stream = await (await sse('', key)).until((r) => r.status === 200);
    const channel = await socket('', key).opened();
    const { keyId } = (await h.apiKeys.authenticate(key)) ?? { keyId: '' };
    const other = await h.db.reopen();
    const at = performance.now();
    await other.db.updateTable('api_keys').set({ revoked_at: Date.now() }).where('id', '=', keyId).execute();
    await stream.until((r) => r.isOver);
    await channel.until((r) => r.closed !== undefined);
    expect(performance.now() - at).toBeLessThan(1_500);
    expect(stream.events).toMatchObject([{ event: 'end', data: expect.stringContaining('"unauthorized"') }]);
    expect(channel.messages.at(-1)).toMatchObject({ type: 'end', error: { code: 'unauthorized' } });
    expect(channel.closed).toEqual({ code: 4401 });
  });

  test('a key has so many streams and no more; a closed one makes room, and HEAD takes none', async () => {
    await h.close();
    await start({ streams: { maxPerKey: 2 } });
    for (let n = 0; n < 3; n += 1) await h.call('HEAD', BASE, { headers: { accept: 'text/event-stream' } });
    const first = await (await sse()).until((r) => r.status === 200);
    await (await sse()).until((r) => r.status === 200);
    const refused = await h.call('GET', BASE);
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '10']);
    expect((await h.call('GET', BASE, { key: h.keys.live })).status).toBe(200);
    first.close();
    await until('there is room', async () => (await h.call('GET', BASE)).status === 200);
  });

  test('a shutdown tells every reader, and leaves nothing running', async () => {
    const stream = await (await sse()).until((r) => r.status === 200);
    const channel = await socket().opened();
    const waiting = fetch(`${base}${BASE}?wait=60`, { headers: { authorization: `Bearer ${h.keys.test}` } });
    await until('it waits', async () => h.services.streams.size === 3);
    h.services.streams.close();
    await stream.until((r) => r.isOver);
    await channel.until((r) => r.closed !== undefined);
    expect(stream.events).toMatchObject([{ event: 'end', data: expect.stringContaining('"unavailable"') }]);
    expect(channel.closed).toEqual({ code: 1001 });
    expect((await waiting).status).toBe(503);
  });

  test('a ticket opens streams for a minute, and nothing else', async () => {
    const made = await h.call('POST', `${BASE}/tickets`);
    const ticket = String(made.body.ticket);
    await happens('seen');
    expect((await h.call('GET', `${BASE}?ticket=${ticket}&after=oldest`, { key: null })).status).toBe(200);
    const channel = new SocketReader(`${base.replace('http', 'ws')}${BASE}?ticket=${ticket}&after=oldest`);
    readers.push({ close: () => channel.socket.terminate() });
    await channel.until((r) => r.messages.length === 1);
    for (const [path, used] of [
      ['/api/bridge/v1/lines', ticket],
      [BASE, ticket.slice(0, -1) + (ticket.endsWith('A') ? 'B' : 'A')],
      [BASE, ticket.replace(/\.\d+\./, `.${Date.now() + 3_600_000}.`)],
      [BASE, 'wzb_ticket_'],
    ]) {
      expect((await h.call('GET', `${path}?ticket=${used}`, { key: null })).status).toBe(401);
    }
    const { keyId } = (await h.apiKeys.authenticate(h.keys.test)) ?? { keyId: '' };
    await h.apiKeys.revoke(keyId);
    expect((await h.call('GET', `${BASE}?ticket=${ticket}`, { key: null })).status).toBe(401);
  });

  test('a request that offers another protocol is served as if it had not, body and connection and all', async () => {
    const { port, hostname } = new URL(base);
    const raw = connect(Number(port), hostname);
    let text = '';
    raw.on('data', (chunk) => {
      text += chunk;
    });
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';
    const body = JSON.stringify({ label: 'x'.repeat(100) });
    const head = `POST /api/bridge/v1/lines HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${h.keys.test}\r\n`;
    const sized = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    for (const n of [1, 2]) {
      // The body comes later than its head, and in two pieces.
      raw.write(head + offer + sized);
      raw.write(body.slice(0, 20));
      await new Promise((resolve) => setImmediate(resolve));
      raw.write(body.slice(20));
      await until('it is answered', () => text.split('"label":"xxx').length === n + 1);
    }
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
    raw.destroy();
  });

  test('what takes no WebSocket answers as ever', async () => {
    const channel = new SocketReader(`${base.replace('http', 'ws')}/api/bridge/v1/me`, { 'x-bridge-key': h.keys.test });
    const [, answer] = (await once(channel.socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(answer.statusCode).toBe(200);
    const stranger = new SocketReader(`${base.replace('http', 'ws')}${BASE}`);
    const [, refused] = (await once(stranger.socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(refused.statusCode).toBe(401);
  });

  test('a reader that does not read costs a small buffer, is cut off in the end, and misses nothing', async () => {
    await h.close();
    const clock = new ManualClock(Date.now());
    const cuts: string[] = [];
    await start({
      clock,
      streams: { metrics: { ...noStreamMetrics, sent: count, cut: (why) => void cuts.push(why) } },
    });
    const many = 6_000;
    const filler = 'x'.repeat(2_000);
    const payload = { status: 'connected', previous: 'connecting', phone: null } as const;
    const facts = Array.from({ length: many }, (_, n) => ({
      type: 'line.status' as const,
      payload: { ...payload, reason: `${n} ${filler}` as LineReason },
      dedupeKey: `line.status:${n}`,
      chat: null,
    }));
    await h.db.store.transaction((tx) => accept(tx, { id: lineId, accountId: 'acc_one' }, facts, clock.now()));
    const { port, hostname } = new URL(base);
    const raw = connect(Number(port), hostname);
    raw.pause();
    raw.write(
      `GET ${BASE}?after=oldest HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${h.keys.test}\r\n\r\n`,
    );
    await until('it is full', async () => {
      const before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return sent > 0 && sent === before;
    });
    // Twelve megabytes wait; the kernel's buffers take some of them, we a few pages.
    expect(sent).toBeLessThan(many / 2 + 500);
    await clock.advance(30_000);
    await until('it is cut', () => cuts.includes('slow') && h.services.streams.size === 0);
    let text = '';
    raw.on('data', (chunk) => {
      text += chunk;
    });
    raw.resume();
    await once(raw, 'close');
    const last = [...text.matchAll(/^id: (\d+)$/gm)].at(-2)?.[1] ?? '';
    const rest = await (await sse('', h.keys.test, { 'last-event-id': last })).until(
      (r) => r.events.at(-1)?.data?.includes(`${many - 1} x`) ?? false,
    );
    const numbers = rest.events.map(({ id }) => Number(id));
    expect(numbers[0]).toBe(Number(last) + 1);
    expect(numbers).toEqual(numbers.map((_, n) => Number(last) + 1 + n));
  });
});
