import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ConsoleHarness, openConsole } from './support/console-harness.ts';

let h: ConsoleHarness;
let owner: string;
let lineId: string;
let key: string;

interface Entry {
  id: string;
  kind: string;
  title: string;
  result: string;
  ids: string[];
  body: unknown;
  answer: unknown;
}

beforeEach(async () => {
  h = await openConsole();
  owner = await h.setUp();
  lineId = String(
    (await h.call('POST', '/lines', { cookie: owner, mode: 'test', body: { label: 'Shop' } })).body.line_id,
  );
  key = String((await h.call('POST', '/keys', { cookie: owner, mode: 'test', body: { name: 'app' } })).body.key);
  await h.http.setLine(lineId, { status: 'connected', phone: '34611', jid: '34611@s.whatsapp.net', name: 'Shop' });
  h.http.router.scriptSends(async () => ({ state: 'sent', timestamp: 1_777_180_605 }));
});
afterEach(() => h.close());

const send = (message: string) =>
  h.http.call('POST', '/api/bridge/v1/messages/send', {
    key,
    headers: { 'x-request-id': `of-${message.length}` },
    body: { line_id: lineId, to: '+34600000001', message },
  });
const log = async (mode = 'test', cookie = owner) => {
  const { status, body } = await h.call('GET', '/log', { cookie, mode });
  expect(status).toBe(200);
  return body as unknown as { entries: Entry[]; bodies_until: string | null };
};

test('a call of a key is there with its request id, message and line, and without what was written', async () => {
  const sent = await send('a secret');
  expect(sent.status).toBe(200);
  const { entries, bodies_until } = await log();
  const entry = entries.find(({ kind }) => kind === 'request');
  expect(entry).toMatchObject({
    id: 'of-8',
    title: 'POST /api/bridge/v1/messages/send',
    result: '200',
    line_id: lineId,
    body: null,
    answer: null,
  });
  expect(entry?.ids).toEqual(['of-8', expect.stringMatching(/^key_/), sent.body.message_id]);
  expect([bodies_until, JSON.stringify(entries)]).toEqual([null, expect.not.stringContaining('a secret')]);
  // The console's own calls are in the audit log, not here; the other mode has its own.
  expect(entries.filter(({ title }) => title.includes('/api/console'))).toEqual([]);
  expect((await log('live')).entries).toEqual([]);
});

test('a refused call is there, and an unknown key leaves nothing', async () => {
  await h.http.call('POST', '/api/bridge/v1/messages/send', { key, body: { line_id: lineId } });
  await h.http.call('GET', '/api/bridge/v1/lines', { key: 'wzb_test_nobody' });
  const requests = (await log()).entries.filter(({ kind }) => kind === 'request');
  expect(requests.map(({ result }) => result)).toEqual(['400']);
});

test('bodies are kept for an hour when a developer says so, in shape only; a viewer sees no log', async () => {
  await send('one');
  expect((await h.call('PUT', '/log/bodies', { cookie: owner, mode: 'test', body: { on: true } })).status).toBe(200);
  await send('of two');
  const kept = await log();
  expect(Date.parse(String(kept.bodies_until))).toBe(h.clock.now() + 3_600_000);
  const [newest, older] = kept.entries.filter(({ kind }) => kind === 'request');
  expect(newest?.body).toEqual({ line_id: lineId, to: '[12 characters]', message: '[6 characters]' });
  expect(newest?.answer).toMatchObject({ ok: true, status: 'sent' });
  expect(JSON.stringify(newest)).not.toMatch(/34600000001|of two/);
  expect(older?.body).toBeNull();
  await h.clock.advance(3_600_000);
  await send('of three!');
  const later = await log();
  expect([later.bodies_until, later.entries.find(({ id }) => id === 'of-9')?.body]).toEqual([null, null]);
  await h.call('PUT', '/log/bodies', { cookie: owner, mode: 'test', body: { on: false } });
  expect((await log()).entries.every(({ body, answer }) => body === null && answer === null)).toBe(true);
  const { cookie } = await h.join('viewer', 'vera@example.com');
  expect((await h.call('GET', '/log', { cookie, mode: 'test' })).status).toBe(403);
});

test('what is remembered is bounded', async () => {
  for (let i = 0; i < 700; i += 1) await h.http.call('GET', '/api/bridge/v1/me', { key });
  expect((await log()).entries.filter(({ kind }) => kind === 'request')).toHaveLength(100);
});
