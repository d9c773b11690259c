import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HttpHarness, openHttp } from './support/http-harness.ts';

let h: HttpHarness;
afterEach(() => h.close());

describe('every answer', () => {
  beforeEach(async () => {
    h = await openHttp();
  });

  it('carries X-Request-Id: a sane incoming one, else a fresh one', async () => {
    const kept = await h.call('GET', '/api/instances', { headers: { 'x-request-id': 'order-1001.a:b_c' } });
    expect(kept.headers['x-request-id']).toBe('order-1001.a:b_c');
    for (const bad of ['two words', 'x'.repeat(129), 'ünïcode', '<script>']) {
      const fresh = await h.call('GET', '/api/instances', { headers: { 'x-request-id': bad } });
      expect(fresh.headers['x-request-id']).toMatch(/^req_[A-Za-z0-9]{20}$/);
    }
    for (const [method, url] of [
      ['GET', '/nothing/here'],
      ['GET', '/api/instances/%E0%A4%A'],
      ['PUT', '/api/instances'],
      ['OPTIONS', '/api/bridge/v1/me'],
      ['GET', '/api/openapi.json'],
      ['GET', '/healthz'],
    ] as const) {
      expect((await h.call(method, url)).headers['x-request-id'], url).toMatch(/^req_/);
    }
  });

  it('says nothing of its inside when something unexpected fails', async () => {
    h.router.handlers.stats = async () => {
      throw new TypeError('secret detail of src/lines/line.ts');
    };
    await h.call('POST', '/api/instances', { body: { customer_ref: 'a' } });
    const reply = await h.call('GET', '/api/instances/a/proxy/debug/stats', { headers: { 'x-request-id': 'find-me' } });
    expect(reply.status).toBe(500);
    expect(Object.keys(reply.body)).toEqual(['error', 'message']);
    expect(reply.body.error).toBe('server_error');
    expect(reply.text).not.toMatch(/secret|stack|\.ts/);
    expect(h.logged.some(({ fields }) => fields.requestId === 'find-me')).toBe(true);
  });
});

describe('the key', () => {
  beforeEach(async () => {
    h = await openHttp();
  });

  it('is taken from Authorization or X-Bridge-Key', async () => {
    const asHeader = { key: null, headers: { 'x-bridge-key': h.keys.test } };
    expect((await h.call('GET', '/api/bridge/v1/me', asHeader)).status).toBe(200);
    expect((await h.call('GET', '/api/instances', asHeader)).status).toBe(200);
    const lower = { key: null, headers: { authorization: `bearer ${h.keys.test}` } };
    expect((await h.call('GET', '/api/bridge/v1/me', lower)).status).toBe(200);
  });

  it.each([null, 'wzb_test_nonsense', '', `wzb_test_${'A'.repeat(38)}`])(
    '%j is unauthorized in both forms',
    async (key) => {
      const bridges = await h.call('GET', '/api/instances', { key });
      expect(bridges.status).toBe(401);
      expect(bridges.headers['www-authenticate']).toBe('Bearer');
      expect(bridges.body.error).toBe('unauthorized');
      const lines = await h.call('GET', '/api/bridge/v1/me', { key });
      expect(lines.status).toBe(401);
      expect(lines.body).toEqual({
        ok: false,
        error: { code: 'unauthorized', message: expect.any(String), retryable: false },
      });
      expect(lines.headers['access-control-allow-origin']).toBe('*');
    },
  );

  it('needs the scope of the operation', async () => {
    const key = await h.keyWith(['lines:read']);
    expect((await h.call('GET', '/api/instances', { key })).status).toBe(200);
    const refused = await h.call('POST', '/api/instances', { key, body: { customer_ref: 'a' } });
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ error: 'forbidden', message: expect.stringContaining('lines:write') });
    const lines = await h.call('POST', '/api/bridge/v1/lines', { key, body: {} });
    expect(lines.body).toMatchObject({ ok: false, error: { code: 'forbidden', retryable: false } });
    expect(await h.db.store.db.selectFrom('lines').selectAll().execute()).toEqual([]);
  });

  it('of an account without an active subscription reads the account only', async () => {
    await h.db.store.db.updateTable('accounts').set({ subscription: 'past_due' }).where('id', '=', 'acc_one').execute();
    const bridges = await h.call('GET', '/api/instances');
    expect([bridges.status, bridges.body.error]).toEqual([402, 'subscription_required']);
    const lines = await h.call('GET', '/api/bridge/v1/lines');
    expect([lines.status, lines.body]).toMatchObject([402, { ok: false, error: { code: 'subscription_required' } }]);
    const me = await h.call('GET', '/api/bridge/v1/me');
    expect([me.status, me.body.subscription]).toEqual([200, { status: 'past_due' }]);
  });
});

describe('a request that is not one', () => {
  beforeEach(async () => {
    h = await openHttp();
  });

  it.each([
    ['{"customer_ref":', 'not valid JSON'],
    ['{"a":1}}', 'not valid JSON'],
    [`${'['.repeat(50)}${']'.repeat(50)}`, 'deeper than 32'],
    ['"text"', ''],
    ['[]', ''],
    ['null', 'required'],
    ['', 'required'],
  ])('with the body %j is a validation_error', async (body, says) => {
    const reply = await h.call('POST', '/api/instances', { body });
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ error: 'validation_error', details: [{ path: expect.any(String) }] });
    expect(JSON.stringify(reply.body)).toContain(says);
    expect(reply.text).not.toContain('customer_ref":');
    const lines = await h.call('POST', '/api/bridge/v1/messages/send', { body });
    expect(lines.body).toMatchObject({ error: 'validation_error', details: expect.any(Array) });
  });

  it('in another encoding than UTF-8 is a validation_error', async () => {
    const response = await h.app.inject({
      method: 'POST',
      url: '/api/instances',
      headers: { authorization: `Bearer ${h.keys.test}`, 'content-type': 'application/json' },
      payload: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    });
    expect([response.statusCode, response.json<{ error: string }>().error]).toEqual([400, 'validation_error']);
  });

  it('names every wrong field', async () => {
    const reply = await h.call('POST', '/api/instances/x/proxy/send/text?wait=61', { body: { chat: 'nobody' } });
    expect(reply.body).toMatchObject({
      error: 'validation_error',
      details: [{ path: 'wait' }, { path: 'chat' }, { path: 'body', message: expect.any(String) }],
    });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense'])(
    'of type %s is unsupported, in both forms',
    async (type) => {
      for (const url of ['/api/instances', '/api/bridge/v1/messages/send']) {
        const reply = await h.call('POST', url, { body: '{"a":1}', headers: { 'content-type': type } });
        expect([reply.status, reply.body.error]).toEqual([415, 'unsupported_media_type']);
      }
    },
  );

  it('to an address that takes other methods says which', async () => {
    const bridges = await h.call('PUT', '/api/instances', { body: '{"broken' });
    expect([bridges.status, bridges.body.error, bridges.headers.allow]).toEqual([
      405,
      'method_not_allowed',
      'HEAD, POST, GET, OPTIONS',
    ]);
    const lines = await h.call('DELETE', '/api/bridge/v1/messages/send');
    expect([lines.status, lines.body.error, lines.headers.allow]).toEqual([405, 'method_not_allowed', 'POST, OPTIONS']);
  });

  it('to an address that does not exist is 404 in the form of its API', async () => {
    for (const url of [
      '/api/instances/x/proxy/nothing',
      '/api/bridge/v1/nothing',
      '/api/bridge',
      '/api/nothing',
      '/nothing',
    ]) {
      const reply = await h.call('GET', url);
      expect([reply.status, reply.body.error], url).toEqual([404, 'not_found']);
    }
  });

  it('with a broken percent-encoding is a validation_error', async () => {
    const reply = await h.call('GET', '/api/instances/%E0%A4%A/proxy/status');
    expect([reply.status, reply.body.error]).toEqual([400, 'validation_error']);
  });
});

describe('over a real socket', () => {
  let base: string;
  beforeEach(async () => {
    h = await openHttp();
    base = await h.app.listen({ port: 0, host: '127.0.0.1' });
  });
  const send = (path: string, body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(base + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${h.keys.test}`, 'content-type': 'application/json', ...headers },
      body,
      signal: AbortSignal.timeout(20_000),
    });

  it('a body of 10 MiB gets its 413 in the form of its API, every time', async () => {
    const body = JSON.stringify({ line_id: 'line_x', to: '+34600000000', message: 'x'.repeat(10 * 1_048_576) });
    for (let i = 0; i < 5; i += 1) {
      for (const path of ['/api/instances/a/proxy/send/text', '/api/bridge/v1/messages/send']) {
        const response = await send(path, body);
        expect(response.status).toBe(413);
        expect(await response.json()).toMatchObject({ error: 'payload_too_large' });
        expect(response.headers.get('x-request-id')).toMatch(/^req_/);
      }
    }
  });

  it('a body of exactly 1 MiB is read, one byte more is not', async () => {
    const frame = '{"customer_ref":""}'.length;
    const at = await send('/api/instances', `{"customer_ref":"${'x'.repeat(1_048_576 - frame)}"}`);
    expect(at.status).toBe(400);
    await at.text();
    const over = await send('/api/instances', `{"customer_ref":"${'x'.repeat(1_048_577 - frame)}"}`);
    expect(over.status).toBe(413);
    await over.text();
  });

  it('an unknown key hears of it without its body being read', async () => {
    const response = await send('/api/instances', 'x'.repeat(3 * 1_048_576), { authorization: 'Bearer nobody' });
    expect(response.status).toBe(401);
    await response.text();
  });

  it('bytes that are no HTTP get one sentence and the end of the connection', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(base).port), '127.0.0.1', () => socket.write('NONSENSE\r\n\r\n'));
      let heard = '';
      socket.on('data', (data) => {
        heard += data.toString();
      });
      socket.on('close', () => resolve(heard));
      socket.on('error', reject);
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(text).toContain('x-request-id: req_');
  });

  it('a server that closes answers the request in flight and takes no further one', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const { promise: inFlight, resolve: arrived } = Promise.withResolvers<void>();
    await send('/api/instances', '{"customer_ref":"a"}').then((response) => response.text());
    h.router.handlers.stats = async () => {
      arrived();
      await held;
      return {
        worker: 'w',
        linesInWorker: 1,
        cpuSeconds: 0,
        heapUsedBytes: 1,
        heapTotalBytes: 1,
        rssBytes: 1,
        eventLoopLagMs: 0,
        gcCycles: 1,
        totalAllocatedBytes: null,
      };
    };
    const slow = fetch(`${base}/api/instances/a/proxy/debug/stats`, {
      headers: { authorization: `Bearer ${h.keys.test}` },
    });
    await inFlight;
    const closing = h.app.close();
    const late = await fetch(`${base}/healthz`).then(
      (response) => response.text().then(() => response.status),
      () => 'refused',
    );
    expect(['refused', 503]).toContain(late);
    release();
    const answer = await slow;
    expect(answer.status).toBe(200);
    await answer.text();
    await closing;
  });
});

describe('CORS', () => {
  beforeEach(async () => {
    h = await openHttp();
  });

  it('is open on every answer of the two APIs and absent elsewhere', async () => {
    for (const url of [
      '/api/bridge/v1/me',
      '/api/bridge/v1/lines/line_x',
      '/api/bridge/v1/nothing',
      '/api/instances',
    ]) {
      for (const key of [h.keys.test, null]) {
        expect((await h.call('GET', url, { key })).headers['access-control-allow-origin']).toBe('*');
      }
    }
    expect((await h.call('GET', '/api/admin/v1/keys')).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('answers preflights with 204 and without a key, wherever they go', async () => {
    for (const url of [
      '/api/bridge/v1/messages/send',
      '/api/bridge/v1/anything',
      '/api/bridge/mcp',
      '/api/instances',
    ]) {
      const reply = await h.call('OPTIONS', url, {
        key: null,
        headers: {
          origin: 'https://app.example',
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,content-type,idempotency-key',
        },
      });
      expect(reply.status).toBe(204);
      expect(reply.text).toBe('');
      expect(reply.headers['access-control-allow-origin']).toBe('*');
      expect(reply.headers['access-control-allow-methods']).toContain('POST');
      expect(reply.headers['access-control-allow-headers']).toBe('authorization,content-type,idempotency-key');
    }
  });
});

describe('health and files', () => {
  it('healthz is up, readyz follows its parts', async () => {
    let isReady = true;
    h = await openHttp({ ready: async () => isReady });
    expect((await h.call('GET', '/healthz', { key: null })).body).toEqual({ ok: true });
    expect((await h.call('GET', '/readyz', { key: null })).status).toBe(200);
    isReady = false;
    const down = await h.call('GET', '/readyz', { key: null });
    expect([down.status, down.body.error]).toEqual([503, 'unavailable']);
    expect(Number(down.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('readyz names what is away, and stays ready', async () => {
    h = await openHttp({ ready: async () => true, degraded: () => ['bus'] });
    const reply = await h.call('GET', '/readyz', { key: null });
    expect([reply.status, reply.body.degraded]).toEqual([200, ['bus']]);
  });

  it('serves the console from its folder and nothing beside it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ponte-console-'));
    try {
      writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Ponte</title>');
      writeFileSync(join(folder, 'console.css'), 'main{}');
      h = await openHttp({ consoleFolder: folder });
      const page = await h.call('GET', '/', { key: null });
      expect([page.status, page.headers['content-type'], page.text]).toEqual([
        200,
        'text/html; charset=utf-8',
        '<!doctype html><title>Ponte</title>',
      ]);
      expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect((await h.call('GET', '/lines/42', { key: null })).status).toBe(200);
      expect((await h.call('GET', '/console.css', { key: null })).headers['content-type']).toMatch(/^text\/css/);
      const again = await h.call('GET', '/', { key: null, headers: { 'if-none-match': String(page.headers.etag) } });
      expect([again.status, again.text]).toEqual([304, '']);
      for (const url of [
        '/missing.js',
        '/../secret.txt',
        '/%2e%2e/secret.txt',
        '/..%2fsecret.txt',
        '/a\u0000.css',
        '/api/x',
      ]) {
        expect((await h.call('GET', encodeURI(url), { key: null })).status, url).toBe(404);
      }
      expect((await h.call('POST', '/', { key: null })).status).toBe(404);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
