import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../src/core/app-error.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';

interface Seen {
  method: string;
  url: string;
  authorization: string | undefined;
  body: unknown;
}

const BASE = '/api/sandbox/v1';
let h: HttpHarness;
let simulator: Server;
let seen: Seen[];
let respond: (call: Seen) => { status: number; body?: unknown };

beforeEach(async () => {
  seen = [];
  respond = () => ({ status: 200, body: { fine: true } });
  simulator = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const call = {
      method: String(request.method),
      url: String(request.url),
      authorization: request.headers.authorization,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
    seen.push(call);
    const { status, body } = respond(call);
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    response.end(body === undefined ? '' : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => simulator.listen(0, '127.0.0.1', resolve));
  const { port } = simulator.address() as AddressInfo;
  h = await openHttp({ simulator: () => ({ baseUrl: `http://127.0.0.1:${port}`, token: 'secret' }) });
});
afterEach(async () => {
  await h.close();
  await new Promise((resolve) => simulator.close(resolve));
});

describe('the sandbox', () => {
  it('passes calls of a test key on to the world of its account, and the answers back', async () => {
    respond = () => ({ status: 201, body: { phone: '15550001111', jid: 'j', lid: 'l', name: 'Alice' } });
    const reply = await h.call('POST', `${BASE}/phones`, { body: { phone: '15550001111', name: 'Alice' } });
    expect(reply).toMatchObject({ status: 201, body: { phone: '15550001111' } });
    respond = () => ({ status: 200, body: [] });
    await h.call('GET', `${BASE}/phones/15550001111/inbox?after=3&chat=1%20555`);
    respond = () => ({ status: 204 });
    expect((await h.call('POST', `${BASE}/reset`)).status).toBe(204);
    respond = () => ({ status: 200, body: { later: 'call' } });
    expect((await h.call('POST', `${BASE}/phones/1/later`, { body: { to: 'x' } })).body).toEqual({ later: 'call' });
    expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /control/acc_one/phones',
      'GET /control/acc_one/phones/15550001111/inbox?after=3&chat=1%20555',
      'POST /control/acc_one/reset',
      'POST /control/acc_one/phones/1/later',
    ]);
    expect(seen[0]).toMatchObject({ authorization: 'Bearer secret', body: { phone: '15550001111', name: 'Alice' } });
    expect(seen.every(({ authorization }) => authorization === 'Bearer secret')).toBe(true);
  });

  it('passes refusals back as they are', async () => {
    respond = () => ({ status: 404, body: { error: 'phone_not_found', message: 'there is no phone 1' } });
    const reply = await h.call('GET', `${BASE}/phones/1`);
    expect([reply.status, reply.body.error]).toEqual([404, 'phone_not_found']);
  });

  it('is closed to live keys and to nobody’s keys', async () => {
    for (const [path, method] of [
      ['/phones', 'GET'],
      ['/phones/1/scan', 'POST'],
      ['/phones/1/votes', 'POST'],
    ] as const) {
      const live = await h.call(method, BASE + path, { key: h.keys.live });
      expect([live.status, live.body.error]).toEqual([403, 'forbidden']);
      expect((await h.call(method, BASE + path, { key: null })).status).toBe(401);
    }
    expect(seen).toEqual([]);
  });

  it.each([
    '/../acc_two/phones',
    '/%2e%2e/acc_two/phones',
    '/phones/%2E%2E/%2e%2e/acc_two/phones',
    '/..\\acc_two/phones',
  ])('does not lead into another account by %s', async (path) => {
    await h.call('GET', BASE + path);
    expect(seen.every(({ url }) => url.startsWith('/control/acc_one/'))).toBe(true);
  });

  it('takes bodies of files', async () => {
    respond = () => ({ status: 201, body: { message_id: 'M', timestamp: 1 } });
    const reply = await h.call('POST', `${BASE}/phones/1/messages`, {
      body: { to: '1', type: 'image', data: 'A'.repeat(3 * 1_048_576) },
    });
    expect(reply.status).toBe(201);
    const over = await h.call('POST', `${BASE}/phones/1/messages`, { body: { data: 'A'.repeat(17 * 1_048_576) } });
    expect([over.status, over.body.error]).toEqual([413, 'payload_too_large']);
  });

  it('is unavailable while the simulator is away or fails', async () => {
    respond = () => ({ status: 500, body: { error: 'internal_error' } });
    const failing = await h.call('GET', `${BASE}/phones`);
    expect([failing.status, failing.body.error]).toEqual([503, 'unavailable']);
    expect(Number(failing.headers['retry-after'])).toBeGreaterThan(0);
    await h.close();
    h = await openHttp({ simulator: () => undefined });
    expect((await h.call('GET', `${BASE}/phones`)).status).toBe(503);
    await h.close();
    h = await openHttp({ simulator: () => ({ baseUrl: 'http://127.0.0.1:1', token: 'x' }) });
    expect((await h.call('GET', `${BASE}/phones`)).status).toBe(503);
  });
});

describe('a scan', () => {
  const scan = (body: unknown) => h.call('POST', `${BASE}/phones/15550001111/scan`, { body });
  let lineId: string;
  beforeEach(async () => {
    await h.call('POST', '/api/instances', { body: { customer_ref: 'demo' } });
    lineId = String((await h.call('GET', '/api/instances/demo')).body.line_id);
    h.router.handlers['pairing.qr'] = async () => ({ data: 'the-qr', expiresAt: 1 });
  });

  it('of a named line takes the QR the line shows, and answers once the line is connected', async () => {
    respond = () => {
      // The phone took the code; the line logs in a moment later.
      setImmediate(() => void h.setLine(lineId, { status: 'connected', phone: '15550001111' }));
      return { status: 200, body: { device_jid: '15550001111:1@s.whatsapp.net' } };
    };
    for (const body of [{ customer_ref: 'demo' }, { line_id: lineId }]) {
      await h.setLine(lineId, { status: 'connecting' });
      expect(await scan(body)).toMatchObject({ status: 200, body: { device_jid: '15550001111:1@s.whatsapp.net' } });
      expect((await h.call('GET', '/api/instances/demo')).body.status).toBe('connected');
    }
    expect(seen.map(({ body }) => body)).toEqual([
      { qr: 'the-qr', line_id: lineId },
      { qr: 'the-qr', line_id: lineId },
    ]);
  });

  it('of a given QR goes on as it is', async () => {
    respond = () => ({ status: 200, body: { device_jid: 'd' } });
    await scan({ qr: 'some-qr' });
    expect(seen[0]?.body).toEqual({ qr: 'some-qr' });
    expect(h.router.commands).toEqual([]);
  });

  it('takes the next code when the first one had just gone', async () => {
    let codes = 0;
    h.router.handlers['pairing.qr'] = async () => {
      codes += 1;
      return { data: `qr-${codes}`, expiresAt: 1 };
    };
    await h.setLine(lineId, { status: 'connected' });
    respond = ({ body }) =>
      (body as { qr: string }).qr === 'qr-1'
        ? { status: 409, body: { error: 'qr_expired', message: 'gone' } }
        : { status: 200, body: { device_jid: 'd' } };
    expect((await scan({ line_id: lineId })).status).toBe(200);
    expect(codes).toBe(2);
  });

  it('of nothing, of an unknown line, and of a paired one says so', async () => {
    expect(await scan({})).toMatchObject({ status: 400, body: { error: 'validation_error' } });
    expect(await scan({ line_id: 7 })).toMatchObject({ status: 400, body: { details: [{ path: 'line_id' }] } });
    expect(await scan({ customer_ref: 'nobody' })).toMatchObject({ status: 404, body: { error: 'line_not_found' } });
    h.router.handlers['pairing.qr'] = async () => {
      throw new AppError('already_paired');
    };
    expect(await scan({ customer_ref: 'demo' })).toMatchObject({ status: 409, body: { error: 'already_paired' } });
    expect(seen).toEqual([]);
  });
});
