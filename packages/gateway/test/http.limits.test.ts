import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../src/access/rate-limit.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { ManualClock } from './support/manual-clock.ts';

const { provision, proxy, api, ip } = DEFAULT_LIMITS;

let h: HttpHarness;
afterEach(() => h.close());

/** Asks until refused; answers how many passed, and the refusal. */
async function ask(method: string, url: string, body?: unknown, key?: string | null) {
  for (let passed = 0; ; passed += 1) {
    const reply = await h.call(method, url, { body, key });
    if (reply.status === 429) return { passed, refused: reply };
  }
}

describe('the published limits', () => {
  it('provisioning takes 10 a minute, says so in headers, and a retry at Retry-After passes', async () => {
    const clock = new ManualClock();
    h = await openHttp({ clock, limits: { provision } });
    const body = { customer_ref: 'user-123' };
    const first = await h.call('POST', '/api/instances', { body });
    expect(first.headers).toMatchObject({
      'ratelimit-limit': '10',
      'ratelimit-remaining': '9',
      'ratelimit-reset': '60',
      'ratelimit-policy': '"provision";q=10;w=60',
      ratelimit: '"provision";r=9;t=60',
    });
    await clock.advance(5_500);
    const { passed, refused } = await ask('POST', '/api/instances', body);
    expect(passed).toBe(9);
    expect(refused.body).toMatchObject({ error: 'rate_limited', message: expect.stringContaining('Retry-After') });
    expect(refused.headers['retry-after']).toBe('55');
    expect(refused.headers['ratelimit-remaining']).toBe('0');
    await clock.advance(54_000);
    expect((await h.call('POST', '/api/instances', { body })).status).toBe(429);
    await clock.advance(1_000);
    expect((await h.call('POST', '/api/instances', { body })).status).toBe(200);
  });

  it('does nothing for a refused request', async () => {
    h = await openHttp({ limits: { provision } });
    const { passed } = await ask('POST', '/api/instances', { customer_ref: 'a' });
    expect(passed).toBe(10);
    await h.call('POST', '/api/instances', { body: { customer_ref: 'b' } });
    expect((await h.call('GET', '/api/instances/b')).status).toBe(404);
  });

  it('proxy and other calls have 120 a minute each, apart from one another and per key', async () => {
    h = await openHttp({ limits: { proxy, api } });
    await h.call('POST', '/api/instances', { body: { customer_ref: 'a' } });
    expect((await ask('GET', '/api/instances/a/proxy/status')).passed).toBe(120);
    expect((await ask('GET', '/api/instances')).passed).toBe(120);
    const lines = await h.call('GET', '/api/bridge/v1/me');
    expect([lines.status, lines.body]).toMatchObject([
      429,
      { ok: false, error: { code: 'rate_limited', retryable: true } },
    ]);
    expect((await h.call('GET', '/api/bridge/v1/me', { key: h.keys.live })).status).toBe(200);
  });

  it('an address has 300 a minute, counted before the key is looked at', async () => {
    h = await openHttp({ limits: { ip } });
    const { passed, refused } = await ask('GET', '/api/instances', undefined, 'wzb_test_guess');
    expect(passed).toBe(300);
    expect(refused.body.error).toBe('rate_limited');
    expect((await h.call('GET', '/api/instances')).status).toBe(429);
    expect((await h.call('GET', '/api/instances', { headers: { 'x-forwarded-for': '203.0.113.9' } })).status).toBe(429);
    expect((await h.call('GET', '/healthz', { key: null })).status).toBe(200);
  });

  it('the console’s built files spend a budget of their own; what is no file spends the address’s', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ponte-console-'));
    try {
      mkdirSync(join(folder, 'assets'));
      writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Ponte</title>');
      writeFileSync(join(folder, 'assets', 'main-1a2b3c4d.js'), 'export {};');
      const few = (max: number) => ({ max, windowMs: 60_000 });
      h = await openHttp({ consoleFolder: folder, limits: { assets_ip: few(40), console_ip: few(5), ip: few(8) } });
      const get = async (url: string) => (await h.call('GET', url, { key: null })).status;
      // A cold cache asks for more files than there are pages in the console's budget.
      for (let at = 0; at < 20; at += 1) expect(await get('/assets/main-1a2b3c4d.js')).toBe(200);
      expect(await get('/lines')).toBe(200);
      // However it is spelled, it is that file: addresses are made plain before they are looked at.
      expect(await get('/assets/%6dain-1a2b3c4d.js')).toBe(200);
      for (const status of [200, 200, 200, 200, 429]) expect(await get('/lines')).toBe(status);
      // Files that are not there spend what every address that leads nowhere spends.
      for (let at = 0; at < 8; at += 1) expect(await get(`/assets/none-${at}.js`)).toBe(404);
      expect(await get('/assets/none.js')).toBe(429);
      expect(await get('/nothing')).toBe(429);
      expect(await get('/api/instances')).toBe(429);
      expect(await get('/assets/main-1a2b3c4d.js')).toBe(200);
      // Built files are bounded too.
      for (let at = 0; at < 9; at += 1) expect(await get('/assets/main-1a2b3c4d.js')).toBe(200);
      expect(await get('/assets/main-1a2b3c4d.js')).toBe(429);
      expect(await get('/healthz')).toBe(200);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
