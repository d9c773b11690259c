import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../src/core/clock.ts';
import type { SendOutcome } from '../src/core/line-commands.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp, type Reply } from './support/http-harness.ts';

const URL_PATH = '/api/bridge/v1/messages/send';
const BODY = { to: '+34600000000', message: 'Pedido confirmado' };

let h: HttpHarness;
let lineId: string;

const send = (key: string, body: Record<string, unknown> = BODY, query = ''): Promise<Reply> =>
  h.call('POST', URL_PATH + query, { body: { line_id: lineId, ...body }, headers: { 'idempotency-key': key } });
const outbox = () => h.db.store.db.selectFrom('outbox').selectAll().orderBy('seq').execute();

/** Starts listening for the n-th send to reach the worker, which then waits for `end`. */
function heldSends() {
  const waiting: ((outcome: SendOutcome) => void)[] = [];
  let arrival = Promise.withResolvers<void>();
  h.router.scriptSends(
    () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        arrival.resolve();
      }),
  );
  return {
    async atLeast(count: number) {
      while (waiting.length < count) {
        arrival = Promise.withResolvers();
        await arrival.promise;
      }
    },
    end(outcome: SendOutcome) {
      for (const resolve of waiting.splice(0)) resolve(outcome);
    },
  };
}

async function open(options: Parameters<typeof openHttp>[0] = {}): Promise<void> {
  h = await openHttp(options);
  lineId = String((await h.call('POST', '/api/bridge/v1/lines', { body: {} })).body.line_id);
  await h.setLine(lineId, {
    status: 'connected',
    phone: '34600111222',
    jid: '34600111222@s.whatsapp.net',
    name: 'Shop',
  });
}

forEachStore((openStore) => {
  beforeEach(() => open({ open: openStore }));
  afterEach(() => h.close());

  it('the same key and body: the saved answer byte for byte, marked, and nothing sent', async () => {
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1777180605 }));
    const first = await send('order-1001');
    expect(first.status).toBe(200);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 9 }));
    const reordered = { message: BODY.message, to: BODY.to };
    for (const body of [BODY, reordered]) {
      const again = await send('order-1001', body);
      expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([200, first.text, 'true']);
    }
    expect(h.router.count('send')).toBe(1);
    expect(await outbox()).toHaveLength(1);
  });

  it('the same key with a different body, or for another call, is a conflict', async () => {
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
    await send('k');
    const other = await send('k', { ...BODY, message: 'other' });
    expect([other.status, other.body.error]).toEqual([409, 'idempotency_conflict']);
    await h.call('POST', '/api/instances', { body: { customer_ref: 'ref' } });
    const ref = await h.call('POST', '/api/instances/ref/proxy/send/text', {
      body: { line_id: lineId, ...BODY, chat: '34600000000', body: 'x' },
      headers: { 'idempotency-key': 'k' },
    });
    expect([ref.status, ref.body.error]).toEqual([409, 'idempotency_conflict']);
    expect(await outbox()).toHaveLength(1);
  });

  it('thirty at once make one message, and every answer is the same', async () => {
    const held = heldSends();
    const calls = Array.from({ length: 30 }, () => send('race'));
    await held.atLeast(1);
    // Repetitions join the message that was accepted; every request for it gets its outcome.
    held.end({ state: 'sent', timestamp: 5 });
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 5 }));
    const replies = await Promise.all(calls);
    expect(new Set(replies.map((reply) => `${reply.status} ${reply.text}`)).size).toBe(1);
    expect(replies[0]?.status).toBe(200);
    expect(replies.filter((reply) => reply.headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect(await outbox()).toHaveLength(1);
  });

  it('keys of other accounts and modes are other keys', async () => {
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
    await send('shared');
    for (const key of [h.keys.stranger, h.keys.live]) {
      const line = await h.call('POST', '/api/bridge/v1/lines', { key, body: {} });
      const id = String(line.body.line_id);
      await h.setLine(id, { status: 'connected', phone: '1', jid: '1@s.whatsapp.net', name: 'x' });
      const reply = await h.call('POST', URL_PATH, {
        key,
        body: { line_id: id, ...BODY },
        headers: { 'idempotency-key': 'shared' },
      });
      expect([reply.status, reply.headers['idempotent-replayed']]).toEqual([200, undefined]);
    }
    expect(await outbox()).toHaveLength(3);
  });

  it('after a crash between acceptance and answer the repetition finishes the same message', async () => {
    // The process died after the acceptance: the row and the claim are there, no answer is.
    h.router.handlers.send = () => new Promise(() => {});
    const cut = send('crashed', BODY, '?wait=60');
    cut.catch(() => {});
    await until(async () => (await outbox()).length === 1);
    const [row] = await outbox();
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 42 }));
    const again = await send('crashed');
    expect([again.status, again.body.message_id, again.body.timestamp]).toEqual([200, row?.message_id, 42]);
    expect(await outbox()).toHaveLength(1);
    expect((await send('crashed')).text).toBe(again.text);
  });

  it('a message that had ended before the crash answers from its row', async () => {
    h.router.handlers.send = () => new Promise(() => {});
    const cut = send('ended', BODY, '?wait=60');
    cut.catch(() => {});
    await until(async () => (await outbox()).length === 1);
    const [row] = await outbox();
    await h.router.end(String(row?.id), { state: 'sent', timestamp: 4711 });
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 4711 }));
    expect(await send('ended')).toMatchObject({ status: 200, body: { message_id: row?.message_id, timestamp: 4711 } });
  });
});

describe('what is remembered', () => {
  beforeEach(() => open());
  afterEach(() => h.close());

  it('a refusal by WhatsApp after the acceptance: yes', async () => {
    h.router.scriptSends(async () => ({ state: 'failed', code: 'not_on_whatsapp', details: {} }));
    const first = await send('k');
    expect([first.status, first.body.error]).toEqual([422, 'not_on_whatsapp']);
    const again = await send('k');
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([422, first.text, 'true']);
    expect(h.router.count('send')).toBe(1);
  });

  it('a queued answer: yes, byte for byte', async () => {
    h.router.handlers.send = () => new Promise(() => {});
    const first = await send('k', BODY, '?wait=0');
    expect([first.status, first.body.status]).toEqual([202, 'queued']);
    const again = await send('k', BODY, '?wait=0');
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([202, first.text, 'true']);
    expect(await outbox()).toHaveLength(1);
  });

  it.each([
    ['whatsapp_error', 502],
    ['whatsapp_timeout', 504],
  ] as const)('%s: no; the repetition sends the same message again', async (code, status) => {
    h.router.scriptSends(async () => ({ state: 'failed', code, details: {} }));
    expect((await send('k')).status).toBe(status);
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 8 }));
    const [row] = await outbox();
    expect(await send('k')).toMatchObject({ status: 200, body: { message_id: row?.message_id, timestamp: 8 } });
    expect(await outbox()).toHaveLength(1);
  });

  it('whatever was refused before the acceptance: no', async () => {
    expect((await send('k', { ...BODY, to: 'nobody' })).status).toBe(400);
    await h.setLine(lineId, { status: 'disconnected' });
    expect((await send('k')).body).toMatchObject({ error: 'line_not_connected', status: 'disconnected' });
    await h.setLine(lineId, { status: 'connected' });
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
    const reply = await send('k');
    expect([reply.status, reply.headers['idempotent-replayed']]).toEqual([200, undefined]);
  });

  it('the first request still runs: waits five seconds, then says so with a time', async () => {
    await h.close();
    const { clock, slept } = hastyClock();
    await open({ clock });
    h.router.handlers.send = () => new Promise(() => {});
    // Cut off after the acceptance, so that no answer is ever saved.
    const first = send('k', BODY, '?wait=60');
    await until(async () => (await outbox()).length === 1);
    await first;
    await h.db.store.db.updateTable('idempotency').set({ status: null, body: null }).execute();
    slept.length = 0;
    const reply = await send('k');
    // Each piece of a body has most of a minute to come, which is no wait of the request's.
    const waited = slept.filter((ms) => ms < 59_000);
    expect(waited).toHaveLength(1);
    expect(waited[0]).toBeGreaterThan(4_900);
    expect(waited[0]).toBeLessThanOrEqual(5_000);
    expect([reply.status, reply.body.error, reply.headers['retry-after']]).toEqual([
      409,
      'idempotency_in_progress',
      '1',
    ]);
  });

  it.each(['x'.repeat(256), 'two words', 'ключ', ''])('the key %j is refused and nothing accepted', async (key) => {
    const reply = await send(key);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ error: 'validation_error', details: [{ path: 'Idempotency-Key' }] });
    expect(await outbox()).toEqual([]);
  });

  it('is swept from the database once it expired', async () => {
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
    await send('old');
    await h.db.store.db.updateTable('idempotency').set({ expires_at: 1 }).execute();
    // A key that expired is free, and a message sent under it is a new one.
    const reply = await send('old');
    expect(reply.headers['idempotent-replayed']).toBeUndefined();
    expect(await outbox()).toHaveLength(2);
  });
});

describe('in any order of requests, crashes and ends', () => {
  afterEach(() => h.close());

  it('one key is one message, and answers that were given are kept', async () => {
    await open({ clock: hastyClock().clock });
    const step = fc.record({
      key: fc.constantFrom('k1', 'k2', 'k3'),
      body: fc.constantFrom('a', 'b'),
      outcome: fc.constantFrom<SendOutcome | 'hang'>(
        { state: 'sent', timestamp: 7 },
        { state: 'failed', code: 'not_on_whatsapp', details: {} },
        { state: 'failed', code: 'whatsapp_error', details: { whatsapp_code: 463 } },
        'hang',
      ),
      parallel: fc.integer({ min: 1, max: 3 }),
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        round += 1;
        const owner = new Map<string, string>();
        const saved = new Map<string, string>();
        for (const { key: name, body, outcome, parallel } of steps) {
          const key = `${round}-${name}`;
          const wasSaved = saved.has(key);
          if (outcome === 'hang') h.router.handlers.send = () => new Promise(() => {});
          else h.router.scriptSends(async () => outcome);
          const replies = await Promise.all(
            Array.from({ length: parallel }, () => send(key, { ...BODY, message: body }, '?wait=0')),
          );
          for (const reply of replies) {
            if (reply.body.error === 'idempotency_conflict') {
              expect(owner.get(key)).not.toBe(body);
              continue;
            }
            expect(owner.get(key) ?? body).toBe(body);
            owner.set(key, body);
            // Not a final answer: it says to ask again.
            if (reply.body.error === 'idempotency_in_progress' && !wasSaved) continue;
            const said = `${reply.status} ${reply.text}`;
            // Of requests at the same time one may hear of a failure that another did not wait for.
            if (wasSaved || (saved.has(key) && reply.status < 500)) expect(said).toBe(saved.get(key));
            if (reply.status < 500) saved.set(key, said);
          }
        }
        const rows = await h.db.store.db
          .selectFrom('idempotency')
          .innerJoin('outbox', 'outbox.id', 'idempotency.outbox_id')
          .select(['idempotency.key', 'outbox.message_id'])
          .where('idempotency.key', 'like', `${round}-%`)
          .execute();
        expect(rows.map(({ key }) => key).sort()).toEqual([...owner.keys()].sort());
        expect(new Set(rows.map((row) => row.message_id)).size).toBe(owner.size);
      }),
      { numRuns: 25, endOnFailure: true },
    );
    const claims = await h.db.store.db.selectFrom('idempotency').select('outbox_id').execute();
    expect(await outbox()).toHaveLength(claims.length);
  });
});

/**
 * The system's clock with every sleep a five-hundredth as long; `slept` says what was asked for.
 */
function hastyClock(): { clock: Clock; slept: number[] } {
  const slept: number[] = [];
  const sleep: Clock['sleep'] = (delayMs, signal) => {
    slept.push(delayMs);
    return systemClock.sleep(delayMs / 500, signal);
  };
  return { clock: { ...systemClock, sleep }, slept };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
