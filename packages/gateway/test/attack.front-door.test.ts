import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { canonicalJson } from '../src/core/idempotency.ts';
import { CONSOLE_PAGES } from '../src/http/console-pages.ts';
import { canonicalTarget } from '../src/http/request-target.ts';
import { openConsole } from './support/console-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { ManualClock } from './support/manual-clock.ts';
import { listenRaw, type RawAsk } from './support/raw-http.ts';

/** The long form: `npm run attack`. */
const ROUNDS = Number(process.env.ATTACK_ROUNDS ?? 40);
const MINUTE = 60_000;

/** Spellings of one address: any character encoded, slashes repeated, one at the end, absolute. */
const spellingOf = (path: string, host: string): fc.Arbitrary<string> =>
  fc
    .record({
      encoded: fc.array(fc.boolean(), { minLength: path.length, maxLength: path.length }),
      lower: fc.boolean(),
      slashes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: path.length, maxLength: path.length }),
      tail: fc.constantFrom('', '/', '//'),
      absolute: fc.constantFrom('', `http://${host}`, `HTTP://${host}`),
    })
    .map(({ encoded, lower, slashes, tail, absolute }) => {
      const spelled = [...path].map((character, at) => {
        if (character === '/') return '/'.repeat(at === 0 && absolute !== '' ? 1 : (slashes[at] ?? 1));
        if (!encoded[at] || !/[A-Za-z0-9._~-]/.test(character)) return character;
        const hex = character.charCodeAt(0).toString(16);
        return `%${lower ? hex : hex.toUpperCase()}`;
      });
      return absolute + spelled.join('') + tail;
    });

const sample = (path: string, host: string, count = ROUNDS): string[] => fc.sample(spellingOf(path, host), count);

let h: HttpHarness;
let ask: RawAsk;
let host: string;
async function open(options: Parameters<typeof openHttp>[0] = {}) {
  h = await openHttp(options);
  ({ ask, host } = await listenRaw(h.app));
}

describe('one spelling per address', () => {
  it('every spelling means the same, and meaning it again changes nothing', () => {
    fc.assert(
      fc.property(spellingOf('/api/instances/a.b-c_~d/proxy', 'h:1'), (spelled) => {
        expect(canonicalTarget(spelled, 'h:1')).toEqual({ url: '/api/instances/a.b-c_~d/proxy' });
      }),
      { numRuns: ROUNDS * 5 },
    );
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('/', '%', '2', 'f', 'e', '.', 'a', '?', '#', ':', '\\', '\u00e9') }),
        (text) => {
          const once = canonicalTarget(text, 'h');
          expect(once.url.startsWith('/')).toBe(true);
          expect(canonicalTarget(once.url, 'h').url).toBe(once.url);
        },
      ),
      { numRuns: ROUNDS * 20 },
    );
  });

  it('keeps what is part of a name: encoded slashes and marks, the query, and what only looks encoded', () => {
    expect(canonicalTarget('/a%2fb%3fc%25d?x=%41//y#z', undefined)).toEqual({ url: '/a%2Fb%3Fc%25d?x=%41//y' });
    expect(canonicalTarget('/a%2', undefined)).toEqual({ url: '/a%252', fault: 'encoding' });
    expect(canonicalTarget('/a/%2e%2E/b', undefined)).toEqual({ url: '/a/../b', fault: 'dots' });
    expect(canonicalTarget('http://other/a', 'here')).toEqual({ url: '/a', fault: 'authority' });
  });
});

describe('the front door', () => {
  afterEach(() => h.close());

  it('counts every spelling of every address against its caller, known or not', async () => {
    const clock = new ManualClock();
    await open({ clock, limits: { ip: { max: 20, windowMs: MINUTE } }, adminToken: 'operator-token-of-this-test' });
    const guesses: [string, string, number][] = [
      ['/api/instances', 'Authorization: Bearer wzb_test_guess', 401],
      ['/api/admin/v1/accounts', 'Authorization: Bearer guess', 401],
      ['/metrics', 'Authorization: Bearer guess', 404],
      ['/api/nothing', '', 404],
      ['/api/bridge/v1/nothing/here', '', 404],
      ['/.well-known/oauth-protected-resource', '', 404],
      ['/nothing.js', '', 404],
    ];
    for (const [path, header, expected] of guesses) {
      await clock.advance(MINUTE);
      const answers = await Promise.all(
        sample(path, host, 25).map((url) => ask(`GET ${url} HTTP/1.1\nHost: ${host}\n${header}`)),
      );
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses, path).toEqual([...Array(20).fill(expected), ...Array(5).fill(429)]);
    }
    await clock.advance(MINUTE);
    const posts = await Promise.all(
      Array.from({ length: 25 }, () =>
        ask(`POST /api/%62ridge/v1/x HTTP/1.1\nHost: ${host}\nContent-Type: application/json\nContent-Length: 2`, '{}'),
      ),
    );
    expect(posts.filter(({ status }) => status === 429)).toHaveLength(5);
  });

  it('answers every spelling in the words of its dialect', async () => {
    await open();
    const key = `Authorization: Bearer ${h.keys.test}`;
    for (const url of sample('/api/instances', host)) {
      expect((await ask(`GET ${url} HTTP/1.1\nHost: ${host}\n${key}`)).text, url).toBe('[]');
      const refused = await ask(`GET ${url} HTTP/1.1\nHost: ${host}`);
      expect([refused.status, JSON.parse(refused.text)], url).toMatchObject([401, { error: 'unauthorized' }]);
    }
    for (const url of sample('/api/bridge/v1/nothing', host)) {
      const lost = await ask(`GET ${url} HTTP/1.1\nHost: ${host}\n${key}`);
      expect([lost.status, lost.headers['access-control-allow-origin']], url).toEqual([404, '*']);
      expect(JSON.parse(lost.text)).toMatchObject({ error: 'not_found' });
    }
    for (const url of sample('/api/bridge/mcp', host)) {
      const wrong = await ask(`GET ${url} HTTP/1.1\nHost: ${host}\n${key}`);
      expect([wrong.status, JSON.parse(wrong.text).jsonrpc], url).toEqual([405, '2.0']);
    }
  });

  it('never fails on an address, whatever stands in it', async () => {
    await open();
    const part = fc.constantFrom(
      ...['/', '//', '%', '%2', '%2f', '%00', '%ff', '..', '.', '*', '?', '#', '@', ':', '[', ']', '\\', ';'],
      ...['api', 'instances', 'bridge', 'v1', 'mcp', 'sandbox', 'http://', 'connect', 'x'.repeat(1_100)],
    );
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'] as const;
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 9 }), fc.constantFrom(...methods), async (parts, method) => {
        const target = ['', '/', '/api/', '/api/instances/', '/api/bridge/v1/', '/api/sandbox/v1/'][parts.length % 6];
        const { status } = await ask(`${method} ${target}${parts.join('') || '/'} HTTP/1.1\nHost: ${host}`);
        expect(status).toBeGreaterThanOrEqual(200);
        expect(status).toBeLessThan(500);
      }),
      { numRuns: ROUNDS * 5 },
    );
  });

  it('takes one Host, one authority and one key', async () => {
    await open();
    const key = (text: string) => `Authorization: Bearer ${text}`;
    const status = async (head: string) => (await ask(head)).status;
    expect(await status(`GET /healthz HTTP/1.1\nHost: ${host}\nHost: evil.example`)).toBe(400);
    expect(await status(`GET /healthz HTTP/1.1\nHost: ${host}\nHost: ${host}`)).toBe(400);
    expect(await status(`GET http://evil.example/healthz HTTP/1.1\nHost: ${host}`)).toBe(400);
    const { test, stranger } = h.keys;
    const asks = `GET /api/instances HTTP/1.1\nHost: ${host}\n`;
    for (const two of [
      `${key(test)}\nX-Bridge-Key: ${stranger}`,
      `X-Bridge-Key: ${stranger}\n${key(test)}`,
      `${key(test)}\n${key(stranger)}`,
      `X-Bridge-Key: ${test}\nX-Bridge-Key: ${stranger}`,
      `${key(test)}\nX-Bridge-Key: nonsense`,
    ]) {
      const refused = await ask(asks + two);
      expect([refused.status, refused.text], two).toEqual([401, expect.stringContaining('Two different API keys')]);
    }
    expect(await status(`${asks}${key(test)}\nX-Bridge-Key: ${test}`)).toBe(200);
    expect(await status(`${asks}Authorization: Basic dXNlcjpwYXNz\nX-Bridge-Key: ${test}`)).toBe(200);
  });

  it('gives its page to the console’s own addresses, and to nobody else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ponte-console-'));
    try {
      writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Ponte</title>');
      await open({ consoleFolder: folder });
      const get = (path: string, accept = 'text/html,*/*;q=0.8') =>
        ask(`GET ${path} HTTP/1.1\nHost: ${host}\nAccept: ${accept}`);
      for (const page of CONSOLE_PAGES) {
        expect((await get(page.replace(/\$\w+/g, 'line_a.b'))).text, page).toContain('<title>Ponte</title>');
      }
      expect((await get('/lines/')).status).toBe(200);
      expect((await get('/lines', 'application/json')).status).toBe(404);
      for (const path of [
        '/nothing',
        '/lines/a/b/c',
        '/.well-known/oauth-authorization-server',
        '//evil.example',
        '/wp-login.php',
      ]) {
        for (const accept of ['text/html', 'application/json', '*/*']) {
          const lost = await get(path, accept);
          expect([lost.status, lost.headers['content-type']], path).toEqual([404, 'application/json; charset=utf-8']);
          expect(JSON.parse(lost.text)).toMatchObject({ error: 'not_found' });
        }
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('knows an idempotent request by its meaning, and those of before the upgrade by their spelling', async () => {
    await open();
    await h.call('POST', '/api/instances', { body: { customer_ref: 'shop.1' } });
    const line = (await h.call('GET', '/api/instances/shop.1')).body.line_id;
    await h.setLine(String(line), { status: 'connected', phone: '34611', jid: '34611@s.whatsapp.net', name: 'Shop' });
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1_777_180_605 }));
    const body = JSON.stringify({ chat: '34600000001', body: 'hi' });
    const send = (url: string) =>
      ask(
        `POST ${url} HTTP/1.1\nHost: ${host}\nAuthorization: Bearer ${h.keys.test}\nIdempotency-Key: k1\nContent-Type: application/json\nContent-Length: ${body.length}`,
        body,
      );
    const path = '/api/instances/shop.1/proxy/send/text';
    const first = await send(path);
    expect(first.status).toBe(200);
    for (const url of sample(path, host, 10)) {
      const again = await send(url);
      expect([again.status, again.text, again.headers['idempotent-replayed']], url).toEqual([200, first.text, 'true']);
    }
    const former = createHash('sha256')
      .update(`POST\n${path}\n`)
      .update(canonicalJson(JSON.parse(body)))
      .digest('hex');
    await h.db.store.db.updateTable('idempotency').set({ fingerprint: former }).where('key', '=', 'k1').execute();
    expect((await send(path)).text).toBe(first.text);
    expect((await send('/api/instances/%73hop.1/proxy/send/text')).status).toBe(409);
  });
});

describe('whoever holds no token', () => {
  afterEach(() => h.close());

  it('of the operator hears nothing about bodies; nor is one read', async () => {
    await open({ adminToken: 'operator-token-of-this-test' });
    const head = `POST /api/admin/v1/accounts HTTP/1.1\nHost: ${host}\nContent-Type: application/json`;
    // The body never comes: the answer does not wait for it.
    expect((await ask(`${head}\nContent-Length: 500`)).status).toBe(401);
    expect((await ask(`${head}\nContent-Length: 3`, '{{{')).status).toBe(401);
  });

  it('reads metrics on this machine only, by its own name and without a proxy', async () => {
    await open({ metrics: { contentType: 'text/plain', text: async () => 'up 1' }, metricsToken: 'scraper' });
    const get = async (headers: string) => (await ask(`GET /metrics HTTP/1.1\n${headers}`)).status;
    expect(await get(`Host: ${host}`)).toBe(200);
    expect(await get('Host: rebound.example:8080')).toBe(404);
    for (const header of [
      'X-Forwarded-For: 1.2.3.4',
      'X-Forwarded-Proto: https',
      'Via: 1.1 cache',
      'Forwarded: for=_x',
      'X-Real-IP: 1.2.3.4',
    ])
      expect(await get(`Host: ${host}\n${header}`), header).toBe(404);
    expect(await get('Host: rebound.example\nAuthorization: Bearer scraper')).toBe(200);
    expect(await get(`Host: ${host}\nAuthorization: Bearer guess`)).toBe(404);
    await h.close();
    await open({ metrics: { contentType: 'text/plain', text: async () => 'up 1' }, isBehindProxy: true });
    expect(await get(`Host: ${host}`)).toBe(404);
  });
});

describe('the MCP server', () => {
  afterEach(() => h.close());

  it.each(['*/*', 'application/json', 'application/json, text/event-stream', undefined])(
    'answers Accept: %s',
    async (accept) => {
      await open();
      const call = { jsonrpc: '2.0', id: 7, method: 'tools/list', params: {} };
      const body = JSON.stringify(call);
      const { status, headers, text } = await ask(
        `POST /api/bridge/mcp HTTP/1.1\nHost: ${host}\nAuthorization: Bearer ${h.keys.test}\nContent-Type: application/json\n${accept === undefined ? '' : `Accept: ${accept}\n`}MCP-Protocol-Version: 2025-06-18\nContent-Length: ${body.length}`,
        body,
      );
      expect([status, text.includes('bridge_list_lines')]).toEqual([200, true]);
      if (accept?.includes('event-stream')) return;
      expect(headers['content-type']).toContain('application/json');
      expect(text).toMatch(/"id":7/);
    },
  );
});

describe('the console', () => {
  it('has exactly the pages that the front door knows', () => {
    const router = readFileSync(new URL('../../console/src/router.tsx', import.meta.url), 'utf8');
    const pages = [...router.matchAll(/^ {2}path: '([^']+)'/gm)].map(([, path]) => path);
    expect([...CONSOLE_PAGES].sort()).toEqual(pages.sort());
  });

  it('takes changes from its own pages only, however the address is spelled', async () => {
    const c = await openConsole();
    try {
      const cookie = await c.setUp();
      const raw = await listenRaw(c.app);
      for (const url of sample('/api/console/v1/keys', raw.host)) {
        const body = JSON.stringify({ name: 'stolen', mode: 'live' });
        const refused = await raw.ask(
          `POST ${url} HTTP/1.1\nHost: ${raw.host}\nOrigin: https://evil.example\nCookie: ${cookie}\nContent-Type: application/json\nContent-Length: ${body.length}`,
          body,
        );
        expect(refused.status, url).toBe(403);
      }
      expect((await c.keys.list('acc_one')).some(({ keyName }) => keyName === 'stolen')).toBe(false);
    } finally {
      await c.close();
    }
  });
});
