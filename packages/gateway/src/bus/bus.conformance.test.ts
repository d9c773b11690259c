import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NATS_SERVER, NatsServer } from '../../test/support/nats-server.ts';
import { until } from '../../test/support/until.ts';
import { freePort } from '../bench/processes.ts';
import { systemClock } from '../core/clock.ts';
import { silentLog } from '../observe/logger.ts';
import { type Bus, BusError, MAX_MESSAGE_BYTES } from './bus.ts';
import { LocalBusHub } from './local-bus.ts';
import { createNatsBus } from './nats-bus.ts';

function natsBus(url: string, more: { prefix?: string; tls?: { ca: string } } = {}): Bus {
  return createNatsBus({ url, prefix: 'test', name: 'a test', clock: systemClock, log: silentLog, ...more });
}

/** What every bus does. `connect` gives another end of the same one. */
function conformance(connect: () => Promise<Bus>): void {
  let one: Bus;
  let other: Bus;
  beforeEach(async () => {
    [one, other] = [await connect(), await connect()];
  });
  afterEach(async () => {
    await one.close();
    await other.close();
  });
  const ask = (subject: string, body: unknown = {}, timeoutMs = 5_000) => one.request(subject, body, { timeoutMs });
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => 'none',
      (error: unknown) => (error instanceof BusError ? error.failure : String(error)),
    );

  test('a request is answered by whoever serves it, on another end or the same', async () => {
    other.serve('node.b.run', async (body) => ({ got: body }));
    one.serve('node.a.run', async () => null);
    await Promise.all([one.settled(), other.settled()]);
    expect(await ask('node.b.run', { n: 1, text: 'Ä\u0000', list: [null, true] })).toEqual({
      got: { n: 1, text: 'Ä\u0000', list: [null, true] },
    });
    expect(await ask('node.a.run')).toBeNull();
  });

  test('nobody who serves it: that is known at once', async () => {
    const end = other.serve('short', async () => 1);
    await other.settled();
    expect(await ask('short')).toBe(1);
    end();
    await other.settled();
    expect(await failure(ask('short', {}, 60_000))).toBe('no_responders');
    expect(await failure(ask('never', {}, 60_000))).toBe('no_responders');
  });

  test('each request goes to one of several, and all of them get some', async () => {
    const served: string[] = [];
    one.serve('shared', async () => served.push('one'));
    other.serve('shared', async () => served.push('other'));
    await Promise.all([one.settled(), other.settled()]);
    await Promise.all(Array.from({ length: 60 }, () => ask('shared')));
    expect(served).toHaveLength(60);
    expect(new Set(served).size).toBe(2);
  });

  test('an answer that does not come in time is a time-out; what fails is told as failed', async () => {
    const never = Promise.withResolvers<void>();
    other.serve('slow', () => never.promise);
    other.serve('broken', async () => {
      throw new Error('a secret of the other node');
    });
    await other.settled();
    expect(await failure(ask('slow', {}, 50))).toBe('timeout');
    expect(await failure(ask('broken'))).toBe('failed');
    never.resolve();
  });

  test('what is too large is refused before it is sent, and an answer that is counts as failed', async () => {
    const large = 'x'.repeat(MAX_MESSAGE_BYTES);
    other.serve('large', async () => large);
    other.serve('fits', async (body) => (body as string).length);
    await other.settled();
    expect(await failure(ask('fits', large))).toBe('too_large');
    expect(await ask('fits', large.slice(100))).toBe(MAX_MESSAGE_BYTES - 100);
    expect(await failure(ask('large'))).toBe('failed');
    expect(() => one.publish('news', large)).toThrow(BusError);
  });

  test('what is published reaches everybody who listens, in its order, and nobody who stopped', async () => {
    const heard: string[] = [];
    one.subscribe('news', (body) => void heard.push(`one ${body}`));
    const end = other.subscribe('news', (body) => void heard.push(`other ${body}`));
    await Promise.all([one.settled(), other.settled()]);
    for (const word of ['a', 'b', 'c']) one.publish('news', word);
    await until('all are heard', () => heard.length === 6);
    expect(heard.filter((word) => word.startsWith('other'))).toEqual(['other a', 'other b', 'other c']);
    end();
    await other.settled();
    one.publish('news', 'd');
    await until('one hears it', () => heard.includes('one d'));
    expect(heard).not.toContain('other d');
  });

  test('a subject is plain words: nothing that a bus would take for a pattern', async () => {
    for (const subject of ['', 'a..b', 'a.*', '>', 'a b', '.a']) {
      expect(() => one.publish(subject, 1), subject).toThrow('no subject');
      expect(() => one.subscribe(subject, () => {}), subject).toThrow('no subject');
    }
  });

  test('after its end a bus asks nobody and serves nothing', async () => {
    other.serve('here', async () => 1);
    await other.settled();
    await other.close();
    expect(other.isUp).toBe(false);
    await until('it is gone', async () => (await failure(ask('here', {}, 500))) === 'no_responders');
    expect(await failure(other.request('here', {}, { timeoutMs: 500 }))).toBe('away');
    other.publish('news', 'said to nobody');
  });
}

describe('the bus of one process', () => {
  const hub = { current: new LocalBusHub(systemClock) };
  beforeEach(() => {
    hub.current = new LocalBusHub(systemClock);
  });
  conformance(async () => hub.current.connect());
});

describe.runIf(NATS_SERVER)('the bus over NATS', () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = new NatsServer(await freePort());
    server.start();
  });
  afterAll(() => server.stop());
  const connected = async (bus: Bus) => {
    await until('connected', () => bus.isUp);
    return bus;
  };
  const url = () => `nats://127.0.0.1:${server.port}`;

  conformance(() => connected(natsBus(url())));

  test('installations on one server do not hear each other', async () => {
    const [mine, theirs] = [await connected(natsBus(url())), await connected(natsBus(url(), { prefix: 'others' }))];
    theirs.serve('node', async () => 'theirs');
    await theirs.settled();
    await expect(mine.request('node', {}, { timeoutMs: 1_000 })).rejects.toMatchObject({ failure: 'no_responders' });
    await mine.close();
    await theirs.close();
  });

  test('a server that is gone is away at once, and everything is as it was when it is back', async () => {
    const own = new NatsServer(await freePort());
    const bus = natsBus(`nats://127.0.0.1:${own.port}`);
    // The bus is not up yet: requests fail at once instead of waiting.
    expect(bus.isUp).toBe(false);
    await expect(bus.request('node', {}, { timeoutMs: 60_000 })).rejects.toMatchObject({ failure: 'away' });
    bus.serve('node', async () => 'served');
    own.start();
    await until('connected', () => bus.isUp);
    await bus.settled();
    expect(await bus.request('node', {}, { timeoutMs: 5_000 })).toBe('served');
    const never = Promise.withResolvers<void>();
    bus.serve('slow', () => never.promise);
    await bus.settled();
    const underWay = bus.request('slow', {}, { timeoutMs: 600_000 });
    underWay.catch(() => {});
    await own.stop();
    await until('away', () => !bus.isUp);
    // Whether it was done is unknown; the request says so at once.
    await expect(underWay).rejects.toMatchObject({ failure: 'timeout' });
    never.resolve();
    bus.publish('news', 'lost');
    await expect(bus.request('node', {}, { timeoutMs: 60_000 })).rejects.toMatchObject({ failure: 'away' });
    own.start();
    await until('back', () => bus.isUp);
    await bus.settled();
    expect(await bus.request('node', {}, { timeoutMs: 5_000 })).toBe('served');
    await bus.close();
    await own.stop();
  });

  test('user and password: with them it connects, with others it does not', async () => {
    const own = new NatsServer(await freePort(), ['--user', 'ponte', '--pass', 'p@ss']);
    own.start();
    const right = natsBus(`nats://ponte:p%40ss@127.0.0.1:${own.port}`);
    await until('connected', () => right.isUp);
    const wrong = natsBus(`nats://ponte:guess@127.0.0.1:${own.port}`);
    right.serve('node', async () => 1);
    await right.settled();
    expect(await right.request('node', {}, { timeoutMs: 5_000 })).toBe(1);
    expect(wrong.isUp).toBe(false);
    await right.close();
    await wrong.close();
    await own.stop();
  });

  test('TLS: a server is believed when its authority is ours', async () => {
    const tls = new URL('../../test/tls/', import.meta.url).pathname;
    const folder = mkdtempSync(join(tmpdir(), 'ponte-nats-'));
    const file = (name: string) => join(tls, name);
    const conf = join(folder, 'nats.conf');
    writeFileSync(conf, `tls { cert_file: "${file('receiver.pem')}", key_file: "${file('receiver.key')}" }`);
    const own = new NatsServer(await freePort(), ['-c', conf]);
    own.start();
    const address = `tls://localhost:${own.port}`;
    const believing = natsBus(address, { tls: { ca: readFileSync(file('ca.pem'), 'utf8') } });
    const doubting = natsBus(address);
    await until('connected', () => believing.isUp);
    believing.serve('node', async () => 1);
    await believing.settled();
    expect(await believing.request('node', {}, { timeoutMs: 5_000 })).toBe(1);
    expect(doubting.isUp).toBe(false);
    await believing.close();
    await doubting.close();
    await own.stop();
    rmSync(folder, { recursive: true });
  });
});
