import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReceivedRequest } from './receiver.ts';
import { Api } from './support/api.ts';
import { isAlive, type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const bodyOf = (request: ReceivedRequest) =>
  JSON.parse(request.body) as Record<string, unknown> & { data?: Record<string, unknown> };

const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('a line on the simulated network, on %s', (database) => {
  let rig: Rig;
  let line: LinkedLine;
  let secret: string;
  let webhookId: string;

  beforeAll(async () => {
    rig = await Rig.start({ database });
    await rig.sandbox.phone('15550002222', 'Alice');
    line = await rig.linkLine('demo', '15550001111');
    const made = await rig.api.expect<{ id: string; secret: string }>(200, 'POST', '/api/bridge/v1/webhooks', {
      url: `${rig.receiver.url}/lines`,
      events: ['*'],
    });
    secret = made.secret;
    webhookId = made.id;
  }, 60_000);
  afterAll(() => rig?.close());

  const arrived = (path: string, event: string, wanted: (body: ReturnType<typeof bodyOf>) => boolean = () => true) =>
    until(`${event} at ${path}`, () =>
      rig.receiver.requests.find((r) => r.path === path && bodyOf(r).event === event && wanted(bodyOf(r))),
    );
  const inboxOf = async (phone: string, id: string) =>
    until(`${phone} has ${id}`, async () => (await rig.sandbox.inbox(phone)).find((item) => item.message_id === id));

  test('is connected, and its webhook heard of it', async () => {
    const status = await rig.api.expect(200, 'GET', '/api/instances/demo/proxy/status');
    expect(status).toEqual({
      status: 'connected',
      phone: '15550001111',
      jid: '15550001111@s.whatsapp.net',
      lid: expect.stringMatching(/^\d+@lid$/),
      name: expect.any(String),
    });
    expect(bodyOf(await arrived('/bridges/demo', 'connected'))).toEqual({ event: 'connected', phone: '15550001111' });
  });

  test('sends through the Bridges API what the phone decrypts, under the id that was answered', async () => {
    const sent = await rig.api.expect<{ message_id: string; timestamp: number }>(
      200,
      'POST',
      '/api/instances/demo/proxy/send/text',
      { chat: '15550002222', body: 'Hello from Bridges' },
    );
    expect(Object.keys(sent)).toEqual(['message_id', 'timestamp']);
    expect(await inboxOf('15550002222', sent.message_id)).toMatchObject({ body: 'Hello from Bridges', copies: 1 });
    const event = await arrived('/lines', 'message.sent', (b) => b.data?.message_id === sent.message_id);
    expect(bodyOf(event).data).toMatchObject({ body: 'Hello from Bridges', from_me: true });
    await arrived(
      '/lines',
      'message.status',
      (b) => b.data?.message_id === sent.message_id && b.data?.status === 'delivered',
    );
  });

  test('sends through the Lines API once per Idempotency-Key, and repeats the answer byte for byte', async () => {
    const body = { line_id: line.lineId, to: '+1 555 000 2222', message: 'Pedido confirmado' };
    const key = { 'idempotency-key': 'order-1001' };
    const first = await rig.api.call<{ message_id: string }>('POST', '/api/bridge/v1/messages/send', body, key);
    expect(first.status).toBe(200);
    expect(first.body).toMatchObject({ ok: true, line_id: line.lineId, status: 'sent' });
    const again = await rig.api.call('POST', '/api/bridge/v1/messages/send', body, key);
    expect(again.raw).toBe(first.raw);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const other = await rig.api.call('POST', '/api/bridge/v1/messages/send', { ...body, message: 'Otro' }, key);
    expect([other.status, other.body.error]).toEqual([409, 'idempotency_conflict']);
    expect(await inboxOf('15550002222', first.body.message_id)).toMatchObject({ body: 'Pedido confirmado', copies: 1 });
    const all = await rig.sandbox.inbox('15550002222');
    expect(all.filter((item) => item.body === 'Pedido confirmado')).toHaveLength(1);
  });

  test('delivers what the phone writes to both webhooks, the Lines one with a valid signature', async () => {
    const said = await rig.sandbox.say('15550002222', '15550001111', 'Hi, I got both');
    const bridges = await arrived('/bridges/demo', 'message', (b) => b.message_id === said.message_id);
    expect(bodyOf(bridges)).toEqual({
      event: 'message',
      message_id: said.message_id,
      contact_id: '15550002222@s.whatsapp.net',
      phone: '15550002222',
      chat_id: '15550002222@s.whatsapp.net',
      name: 'Alice',
      body: 'Hi, I got both',
      type: 'text',
      media_type: '',
      is_group: false,
      from_me: false,
      timestamp: said.timestamp,
    });
    expect(bridges.headers['x-customer-ref']).toBe('demo');
    const lines = await arrived('/lines', 'message.received', (b) => b.data?.message_id === said.message_id);
    const expected = `sha256=${createHmac('sha256', secret).update(lines.body).digest('hex')}`;
    expect(lines.headers['x-wazion-bridge-signature']).toBe(expected);
    expect(lines.headers['x-wazion-bridge-event']).toBe('message.received');
    expect(bodyOf(lines)).toMatchObject({
      event: 'message.received',
      line_id: line.lineId,
      data: {
        message_id: said.message_id,
        from_me: false,
        is_group: false,
        type: 'text',
        body: 'Hi, I got both',
        media: null,
      },
    });
  });

  test('tells the phone that its message was read', async () => {
    const said = await rig.sandbox.say('15550002222', '15550001111', 'Read me');
    await arrived('/bridges/demo', 'message', (b) => b.message_id === said.message_id);
    await rig.api.expect(200, 'POST', `/api/instances/demo/proxy/messages/${said.message_id}/read`, {
      chat: '15550002222',
    });
    await until('the phone sees the receipt', async () => {
      const answer = await rig.api.expect<{ message_id: string; status: string }[]>(
        200,
        'GET',
        '/api/sandbox/v1/phones/15550002222/inbox?sent=true',
      );
      return answer.find((item) => item.message_id === said.message_id && item.status === 'read');
    });
  });

  test('reports a redelivered stanza once', async () => {
    await rig.sandbox.fault(line.lineId, { kind: 'duplicate', count: 3 });
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1)
      ids.push((await rig.sandbox.say('15550002222', '15550001111', `twice ${i}`)).message_id);
    const last = await rig.sandbox.say('15550002222', '15550001111', 'after the copies');
    await arrived('/lines', 'message.received', (b) => b.data?.message_id === last.message_id);
    for (const id of ids) {
      const events = rig.receiver.requests.filter(
        (r) => bodyOf(r).event === 'message.received' && bodyOf(r).data?.message_id === id,
      );
      expect(new Set(events.map((r) => bodyOf(r).id)).size).toBe(1);
      expect(events).toHaveLength(1);
    }
  });

  test('says what is wrong with a request', async () => {
    const send = (body: unknown, key = rig.testKey) =>
      new Api(rig.base, key).call('POST', '/api/bridge/v1/messages/send', body);
    const good = { line_id: line.lineId, to: '+15550002222', message: 'x' };
    expect(await send(good, 'wzb_test_nonsense')).toMatchObject({
      status: 401,
      body: { ok: false, error: { code: 'unauthorized', retryable: false } },
    });
    expect(await send({ ...good, line_id: 'line_nobody' })).toMatchObject({
      status: 404,
      body: { error: 'line_not_found' },
    });
    expect(await send({ ...good, to: 'abc' })).toMatchObject({
      status: 400,
      body: { error: 'validation_error', details: [{ path: 'to' }] },
    });
    expect(await send('{"line_id":')).toMatchObject({ status: 400, body: { error: 'validation_error' } });
    expect(await send({ ...good, to: '+15559999999' })).toMatchObject({
      status: 422,
      body: { error: 'not_on_whatsapp' },
    });
    expect((await send({ ...good, message: 'x'.repeat(10 * 1024 * 1024) })).status).toBe(413);
    await rig.api.expect(200, 'POST', '/api/instances', { customer_ref: 'unpaired' });
    expect(
      await rig.api.call('POST', '/api/instances/unpaired/proxy/send/text', { chat: '15550002222', body: 'x' }),
    ).toMatchObject({
      status: 409,
      body: { error: 'not_connected', status: 'unpaired' },
    });
    expect(await rig.api.call('GET', '/api/instances/demo/proxy/qr')).toMatchObject({
      status: 409,
      body: { error: 'already_paired' },
    });
    expect(await rig.api.call('GET', '/api/instances/nobody')).toMatchObject({
      status: 404,
      body: { error: 'bridge_not_found' },
    });
  });

  test('answers the test of a webhook with what the receiver said', async () => {
    const tested = await rig.api.expect(200, 'POST', `/api/bridge/v1/webhooks/${webhookId}/test`);
    expect(tested).toMatchObject({ ok: true, status_code: 200 });
  });

  test('is unpaired after a logout, and pairs again without a restart', async () => {
    await rig.api.expect(200, 'DELETE', '/api/instances/demo/proxy/logout');
    await until(
      'unpaired',
      async () => (await rig.api.expect(200, 'GET', '/api/instances/demo/proxy/status')).status === 'unpaired',
    );
    const qr = await rig.api.call('GET', '/api/instances/demo/proxy/qr');
    expect(qr.status).toBe(200);
    expect(qr.headers.get('content-type')).toBe('image/png');
    await rig.sandbox.scan('15550001111', { customer_ref: 'demo' });
    const sent = await rig.api.expect<{ message_id: string }>(200, 'POST', '/api/instances/demo/proxy/send/text', {
      chat: '15550002222',
      body: 'back again',
    });
    await inboxOf('15550002222', sent.message_id);
  });

  test('stops on SIGTERM with code 0 and leaves no process', async () => {
    const workers = rig.workers();
    expect(workers.length).toBeGreaterThan(0);
    expect(await rig.stopGateway()).toBe(0);
    expect(workers.filter(isAlive)).toEqual([]);
  });
});
