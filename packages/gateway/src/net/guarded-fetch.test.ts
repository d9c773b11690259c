import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Receiver, type ReceiverOptions, startReceiver } from '../../test/receiver.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { HOSTS, NAMES, SSRF_VECTORS } from '../../test/support/ssrf-vectors.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { createAddressPolicy, parseAllowList } from './address-policy.ts';
import { FetchError } from './fetch-error.ts';
import type { FetchOptions } from './fetch-options.ts';
import { createGuard, type GuardDeps } from './guarded-fetch.ts';
import { createResolver } from './resolver.ts';

/** Every client socket this process makes, counted where Node makes it. */
let sockets = 0;
const count = () => {
  sockets += 1;
};
let open: Receiver[] = [];
beforeEach(() => {
  sockets = 0;
  subscribe('net.client.socket', count);
});
afterEach(async () => {
  unsubscribe('net.client.socket', count);
  await Promise.all(open.map((receiver) => receiver.close()));
  open = [];
});

async function receiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const started = await startReceiver(options);
  open.push(started);
  return started;
}

/** Names as the test wants them; whatever is not listed does not exist. */
function guardWith(
  options: { allow?: string; names?: Record<string, string[] | (() => string[])>; clock?: Clock; ca?: string[] } = {},
) {
  const resolve: GuardDeps['resolve'] = async (name) => {
    const answer = options.names?.[name];
    if (!answer) throw new FetchError('dns');
    return typeof answer === 'function' ? answer() : answer;
  };
  const policy = createAddressPolicy({ allow: parseAllowList(options.allow ?? ''), ownPorts: [8080] });
  return createGuard({ policy, resolve, clock: options.clock ?? systemClock, ca: options.ca });
}

const media: FetchOptions = { purpose: 'media', maxBytes: 1_000, totalTimeoutMs: 5_000 };
const hook: FetchOptions = { purpose: 'webhook', body: '{}', maxBytes: 1_000, totalTimeoutMs: 5_000 };

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const failure = (work: Promise<unknown>): Promise<FetchError> =>
  work.then(
    () => expect.unreachable('it went through'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(FetchError);
      return error as FetchError;
    },
  );

describe('no connection to what no customer may reach', () => {
  const all = SSRF_VECTORS;

  test(`${all.length} vectors: refused, and not one socket made`, async () => {
    expect(all.length).toBeGreaterThanOrEqual(120);
    const guard = guardWith({ names: { ...NAMES, 'public.test': ['93.184.216.34'] } });
    const pool = guard.openPool({ connections: 1 });
    for (const url of all) {
      for (const attempt of [guard.fetch(url, media), guard.fetch(url, hook), pool.fetch(url, hook)]) {
        const error = await failure(attempt);
        expect(['blocked', 'dns'], url).toContain(error.kind);
        expect(error.message).not.toMatch(/\d+\.\d+|::/);
      }
    }
    expect(sockets).toBe(0);
    pool.destroy();
  });

  test('the same when the operator opened every network there is', async () => {
    const guard = guardWith({
      allow: '0.0.0.0/0,::/0,n8n:5678',
      names: { ...NAMES, 'internal.test': ['169.254.169.254'] },
    });
    for (const host of HOSTS) {
      for (const url of [`http://${host}/`, `https://${host}/`]) await failure(guard.fetch(url, media));
    }
    // A private host is open now, but not the gateway's own port on it, nor its services.
    for (const port of [8080, 5432, 4222]) await failure(guard.fetch(`http://10.0.0.1:${port}/`, media));
    expect(sockets).toBe(0);
  });

  test('all of them are refused when they are configured, too', async () => {
    const guard = guardWith({ names: { ...NAMES, 'public.test': ['93.184.216.34'] } });
    const unknown = new Set(['dns']);
    for (const url of all) {
      const check = await guard.checkTarget(url);
      // A name that does not exist yet may be configured; what it leads to is judged at every
      // attempt.
      if (check.ok) unknown.add(url);
    }
    expect([...unknown]).toEqual(['dns']);
    expect(sockets).toBe(0);
  });

  test('1 000 answers that flip between public and private never lead to a private connection', async () => {
    const target = await receiver();
    let asked = 0;
    const flip = () => (asked++ % 2 === 0 ? ['127.0.0.1'] : ['10.0.0.1', '127.0.0.1']);
    const guard = guardWith({ names: { 'flip.test': flip } });
    for (let i = 0; i < 1_000; i++) await failure(guard.fetch(`https://flip.test:${target.port}/`, hook));
    expect(asked).toBe(1_000);
    expect(sockets).toBe(0);
    expect(target.connections).toBe(0);
  });

  test('a name that is asked once is connected where it was judged, not where a second answer leads', async () => {
    const good = await receiver();
    let asked = 0;
    const names = { 'n8n.test': () => (asked++ === 0 ? ['127.0.0.1'] : ['169.254.169.254']) };
    const guard = guardWith({ allow: `n8n.test:${good.port}`, names });
    const answer = await guard.fetch(`http://n8n.test:${good.port}/x?y=1`, hook);
    expect(answer.status).toBe(200);
    expect(await text(answer.body)).toBe('{"ok":true}');
    expect(asked).toBe(1);
    expect(good.requests[0]?.headers.host).toBe(`n8n.test:${good.port}`);
    expect(good.requests[0]?.path).toBe('/x?y=1');
  });
});

describe('redirects', () => {
  test('of a webhook are answers, never followed', async () => {
    const other = await receiver();
    const first = await receiver({ script: () => ({ answer: 302, headers: { location: `${other.url}/` } }) });
    const guard = guardWith({ allow: `127.0.0.1:${first.port},127.0.0.1:${other.port}` });
    const answer = await guard.fetch(`${first.url}/`, hook);
    answer.discard();
    expect(answer.status).toBe(302);
    expect(other.connections).toBe(0);
  });

  test('of media are followed three times, without headers of ours', async () => {
    const target: Receiver = await receiver({
      script: ({ path }) =>
        path === '/3'
          ? { answer: 200, body: 'file' }
          : { answer: 307, headers: { location: `/${Number(path.slice(1)) + 1}` } },
    });
    const guard = guardWith({ allow: `127.0.0.1:${target.port}` });
    const answer = await guard.fetch(`${target.url}/0`, { ...media, headers: { authorization: 'secret' } });
    expect([answer.status, await text(answer.body)]).toEqual([200, 'file']);
    expect(answer.url).toBe(`${target.url}/3`);
    expect(target.requests.map((r) => r.headers.authorization)).toEqual(['secret', undefined, undefined, undefined]);
    target.use(() => ({ answer: 302, headers: { location: '/again' } }));
    expect((await failure(guard.fetch(`${target.url}/0`, media))).kind).toBe('too_many_redirects');
  });

  test.each([
    'http://127.0.0.1:1/',
    'http://169.254.169.254/latest',
    'http://[::1]/',
    'file:///etc/passwd',
    'https://10.0.0.1/',
  ])('of media to %s are refused before any connection', async (location) => {
    const target = await receiver({ script: () => ({ answer: 302, headers: { location } }) });
    const guard = guardWith({ allow: `127.0.0.1:${target.port}` });
    expect((await failure(guard.fetch(`${target.url}/`, media))).kind).toBe('blocked');
    expect(sockets).toBe(1);
  });
});

describe('limits', () => {
  const local = async (options: ReceiverOptions, clock?: Clock) => {
    const target = await receiver(options);
    return { target, url: `${target.url}/`, guard: guardWith({ allow: `127.0.0.1:${target.port}`, clock }) };
  };

  test('a declared length over the cap is refused before the body is read', async () => {
    const { url, guard } = await local({ script: () => ({ answer: 200, body: 'x'.repeat(1_001) }) });
    const answer = await guard.fetch(url, media);
    expect((await failure(text(answer.body))).kind).toBe('too_large');
  });

  test('one byte over the cap is refused, never cut off', async () => {
    const { url, guard } = await local({ script: () => ({ endless: {} }) });
    const answer = await guard.fetch(url, media);
    expect((await failure(text(answer.body))).kind).toBe('too_large');
  });

  test("a webhook's answer is cut off at the cap", async () => {
    const { target, url, guard } = await local({ script: () => ({ endless: {} }) });
    const answer = await guard.fetch(url, hook);
    expect((await text(answer.body)).length).toBe(1_000);
    await target.until(() => target.active === 0);
  });

  test('a coding that was not asked for is refused', async () => {
    const { url, guard } = await local({
      script: () => ({ answer: 200, headers: { 'content-encoding': 'gzip' }, body: 'x' }),
    });
    const answer = await guard.fetch(url, media);
    expect((await failure(text(answer.body))).kind).toBe('encoding');
  });

  test('headers without end are refused', async () => {
    const { url, guard } = await local({ script: () => ({ answer: 200, headers: { 'x-long': 'x'.repeat(20_000) } }) });
    expect((await failure(guard.fetch(url, media))).kind).toBe('headers_too_large');
  });

  test('silence before the headers ends at the first-byte limit', async () => {
    const clock = new ManualClock();
    const { target, url, guard } = await local({ script: () => ({ hang: 'before_headers' }) }, clock);
    const failed = failure(guard.fetch(url, { ...media, firstByteTimeoutMs: 2_000 }));
    await target.until(1);
    await clock.advance(1_999);
    expect(clock.pending).toBeGreaterThan(0);
    await clock.advance(1);
    expect((await failed).kind).toBe('timeout');
    expect(clock.pending).toBe(0);
  });

  test('silence in the body ends at the total limit', async () => {
    const clock = new ManualClock();
    const { url, guard } = await local({ script: () => ({ hang: 'in_body' }) }, clock);
    const answer = await guard.fetch(url, media);
    const failed = failure(text(answer.body));
    await clock.advance(5_000);
    expect((await failed).kind).toBe('timeout');
    expect(clock.pending).toBe(0);
  });

  test('silence in the body of a long transfer ends after ten seconds', async () => {
    const clock = new ManualClock();
    const { url, guard } = await local({ script: () => ({ hang: 'in_body' }) }, clock);
    const answer = await guard.fetch(url, { ...media, totalTimeoutMs: 600_000 });
    const failed = failure(text(answer.body));
    await clock.advance(10_000);
    expect((await failed).kind).toBe('timeout');
    expect(clock.pending).toBe(0);
  });

  test('a reset is told as closed, a refused port as connect', async () => {
    const { target, url, guard } = await local({ script: () => ({ reset: true }) });
    expect((await failure(guard.fetch(url, media))).kind).toBe('closed');
    await target.close();
    expect((await failure(guard.fetch(url, media))).kind).toBe('connect');
  });

  test('a name server that never answers ends with the connect limit', async () => {
    const clock = new ManualClock();
    const policy = createAddressPolicy({ allow: [], ownPorts: [] });
    const guard = createGuard({ policy, clock, resolve: () => new Promise(() => {}) });
    const failed = failure(guard.fetch('https://slow.test/', { ...media, totalTimeoutMs: 60_000 }));
    await clock.advance(5_000);
    expect((await failed).kind).toBe('timeout');
    const check = guard.checkTarget('https://slow.test/');
    await clock.advance(3_000);
    expect(await check).toEqual({ ok: true });
  });

  test('the caller can take it back', async () => {
    const { target, url, guard } = await local({ script: () => ({ hang: 'before_headers' }) });
    const controller = new AbortController();
    const failed = failure(guard.fetch(url, { ...media, signal: controller.signal }));
    await target.until(1);
    controller.abort();
    expect((await failed).kind).toBe('aborted');
  });
});

describe('TLS', () => {
  const file = (name: string) => readFileSync(new URL(`../../test/tls/${name}`, import.meta.url), 'utf8');
  const tls = { key: file('receiver.key'), cert: file('receiver.pem') };

  test('a certificate of a known authority for the right name passes', async () => {
    const target = await receiver({ tls });
    const names = { 'receiver.test': ['127.0.0.1'] };
    const guard = guardWith({
      allow: `receiver.test:${target.port},127.0.0.1:${target.port}`,
      names,
      ca: [file('ca.pem')],
    });
    expect((await guard.fetch(`https://receiver.test:${target.port}/`, hook)).status).toBe(200);
    expect((await guard.fetch(`https://127.0.0.1:${target.port}/`, hook)).status).toBe(200);
  });

  test('an unknown authority or a wrong name is a failure, and no request is sent', async () => {
    const target = await receiver({ tls });
    const names = { 'receiver.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] };
    const allow = `receiver.test:${target.port},other.test:${target.port}`;
    expect((await failure(guardWith({ allow, names }).fetch(`https://receiver.test:${target.port}/`, hook))).kind).toBe(
      'tls',
    );
    const guard = guardWith({ allow, names, ca: [file('ca.pem')] });
    expect((await failure(guard.fetch(`https://other.test:${target.port}/`, hook))).kind).toBe('tls');
    const plain = await receiver();
    const toPlain = guardWith({ allow: `receiver.test:${plain.port}`, names });
    expect((await failure(toPlain.fetch(`https://receiver.test:${plain.port}/`, hook))).kind).toBe('tls');
    expect(target.requests).toEqual([]);
  });
});

test('a pool keeps its connection, and opens no more than it may', async () => {
  const target = await receiver();
  const pool = guardWith({ allow: `127.0.0.1:${target.port}` }).openPool({ connections: 2 });
  const one = async () => text((await pool.fetch(`${target.url}/`, hook)).body);
  await Promise.all(Array.from({ length: 20 }, one));
  expect(target.requests.length).toBe(20);
  expect(target.connections).toBeLessThanOrEqual(2);
  expect(pool.answersArePrivate).toBe(false);
  pool.destroy();
});

test('the system resolver knows localhost, and says dns for what does not exist', async () => {
  const resolve = createResolver({ systemNames: new Set() });
  expect(await resolve('localhost')).toContain('127.0.0.1');
  await expect(resolve('no-such-host-of-ours.invalid')).rejects.toMatchObject({ kind: 'dns' });
});
