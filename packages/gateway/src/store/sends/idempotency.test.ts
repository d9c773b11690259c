import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import {
  canonicalJson,
  IDEMPOTENCY_TTL_MS,
  type IdempotentRequest,
  idempotentRequest,
} from '../../core/idempotency.ts';
import { insertLine } from '../lines/lines.ts';
import { claim, findClaim, saveAnswer, sweepExpired } from './idempotency.ts';
import { insertAccepted } from './sends.ts';

const NOW = Date.UTC(2026, 0, 1);
const request = (key: string, body: unknown = { to: '1' }): IdempotentRequest =>
  idempotentRequest({ accountId: 'acc_a', mode: 'test', key, method: 'POST', path: '/send', body });

describe('canonical JSON', () => {
  it('does not depend on member order or white space, and tells different values apart', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const shuffled = JSON.parse(JSON.stringify(reversed(a), null, 3)) as unknown;
        expect(canonicalJson(shuffled)).toBe(canonicalJson(JSON.parse(JSON.stringify(a))));
        expect(JSON.parse(canonicalJson(a))).toEqual(JSON.parse(JSON.stringify(a)));
        const same = canonicalJson(a) === canonicalJson(b);
        expect(same).toBe(isEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b))));
      }),
    );
  });

  it('is not confused by members named like parts of an object', () => {
    const body: unknown = JSON.parse('{"__proto__":{"x":1},"constructor":2}');
    expect(canonicalJson(body)).toBe('{"__proto__":{"x":1},"constructor":2}');
    expect(canonicalJson(body)).not.toBe(canonicalJson({ constructor: 2 }));
  });
});

/** The same value with its members in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
}

const isEqual = (a: unknown, b: unknown): boolean => {
  try {
    expect(a).toEqual(b);
    return true;
  } catch {
    return false;
  }
};

describe('the request behind a key', () => {
  it.each(['', 'x'.repeat(256), 'two words', 'ключ', 'tab\there', 'a\u0000b'])('refuses the key %j', (key) => {
    expect(() => request(key)).toThrowError(/1 to 255 visible/);
  });

  it('takes every visible character and the full length', () => {
    const visible = String.fromCharCode(...Array.from({ length: 94 }, (_, i) => 33 + i));
    expect(request(visible).key).toBe(visible);
    expect(request('k'.repeat(255)).key).toHaveLength(255);
  });

  it('differs by method, path, query and body, and keeps modes and accounts apart', () => {
    const base = { accountId: 'acc_a', mode: 'test' as const, key: 'k', method: 'POST', path: '/p', body: { a: 1 } };
    const { fingerprint, scope } = idempotentRequest(base);
    for (const other of [
      { method: 'PUT' },
      { path: '/q' },
      { body: { a: 2 } },
      { body: undefined },
      { query: { chat: 'x' } },
    ]) {
      expect(idempotentRequest({ ...base, ...other }).fingerprint).not.toBe(fingerprint);
    }
    expect(idempotentRequest({ ...base, query: { wait: '5' } }).fingerprint).toBe(fingerprint);
    expect(idempotentRequest({ ...base, body: { a: 1.0 } }).fingerprint).toBe(fingerprint);
    expect(idempotentRequest({ ...base, mode: 'live' }).scope).not.toBe(scope);
    expect(idempotentRequest({ ...base, accountId: 'acc_b' }).scope).not.toBe(scope);
  });
});

forEachStore((open) => {
  let db: TestStore;
  beforeEach(async () => {
    db = await open();
    await db.store.db
      .insertInto('accounts')
      .values({ id: 'acc_a', name: 'A', plan: 'default', subscription: 'active', created_at: NOW })
      .execute();
    await db.store.transaction(async (tx) => {
      await insertLine(tx.db, {
        id: 'line_a',
        owner: { accountId: 'acc_a', mode: 'test' },
        customerRef: null,
        label: null,
        createdAt: NOW,
      });
    });
  });
  afterEach(() => db.close());

  /** Accepts a message and claims the key for it, or rolls both back. */
  const accept = async (of: IdempotentRequest, outboxId: string, nowMs = NOW): Promise<boolean> => {
    const refused = new Error('taken');
    try {
      await db.store.transaction(async (tx) => {
        await insertAccepted(tx.db, {
          id: outboxId,
          accountId: 'acc_a',
          lineId: 'line_a',
          messageId: `M${outboxId}`,
          to: '1@s.whatsapp.net',
          content: JSON.stringify({ kind: 'text', body: 'x' }),
          acceptedAt: nowMs,
        });
        if (!(await claim(tx.db, of, outboxId, nowMs))) throw refused;
      });
      return true;
    } catch (error) {
      if (error === refused) return false;
      throw error;
    }
  };
  const count = async () => (await db.store.db.selectFrom('outbox').select('id').execute()).length;

  describe('a claim', () => {
    it('is had by exactly one of many at once, and only its message is kept', async () => {
      const of = request('k');
      const won = await Promise.all(Array.from({ length: 20 }, (_, i) => accept(of, `out_${i}`)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await count()).toBe(1);
      expect(await findClaim(db.store.db, of, NOW)).toEqual({ state: 'open', outboxId: `out_${won.indexOf(true)}` });
    });

    it('answers a different body with a conflict, before and after the answer', async () => {
      await accept(request('k'), 'out_1');
      const other = request('k', { to: '2' });
      await expect(findClaim(db.store.db, other, NOW)).rejects.toMatchObject({ code: 'idempotency_conflict' });
      await saveAnswer(db.store.db, request('k'), { status: 200, body: '{}' });
      await expect(findClaim(db.store.db, other, NOW)).rejects.toMatchObject({ code: 'idempotency_conflict' });
    });

    it('is free again after 24 hours, and a new message may take it', async () => {
      const of = request('k');
      await accept(of, 'out_1');
      await saveAnswer(db.store.db, of, { status: 200, body: '"old"' });
      expect(await findClaim(db.store.db, of, NOW + IDEMPOTENCY_TTL_MS - 1)).toMatchObject({ state: 'answered' });
      expect(await findClaim(db.store.db, of, NOW + IDEMPOTENCY_TTL_MS)).toEqual({ state: 'free' });
      expect(await accept(request('k', 'another'), 'out_2', NOW + IDEMPOTENCY_TTL_MS)).toBe(true);
    });

    it('goes when it expired and is swept, a bounded number at a time', async () => {
      for (let i = 0; i < 5; i += 1) await accept(request(`k${i}`), `out_${i}`);
      expect(await sweepExpired(db.store.db, NOW + IDEMPOTENCY_TTL_MS - 1)).toBe(0);
      expect(await sweepExpired(db.store.db, NOW + IDEMPOTENCY_TTL_MS, 3)).toBe(3);
      expect(await sweepExpired(db.store.db, NOW + IDEMPOTENCY_TTL_MS, 3)).toBe(2);
    });
  });

  describe('a saved answer', () => {
    it('is the first one, byte for byte, whoever asks and whatever is saved later', async () => {
      const of = request('k');
      await accept(of, 'out_1');
      const first = { status: 202, body: '{ "exact" :  "bytes é" }' };
      expect(await saveAnswer(db.store.db, of, first)).toEqual(first);
      expect(await saveAnswer(db.store.db, of, { status: 200, body: 'later' })).toEqual(first);
      expect(await findClaim(db.store.db, of, NOW)).toEqual({ state: 'answered', answer: first });
    });

    it.each([429, 500, 502, 503, 504])('is never a %i', async (status) => {
      const of = request('k');
      await accept(of, 'out_1');
      await saveAnswer(db.store.db, of, { status, body: '{}' });
      expect(await findClaim(db.store.db, of, NOW)).toMatchObject({ state: 'open' });
    });

    it('survives a restart', async () => {
      const of = request('k');
      await accept(of, 'out_1');
      await saveAnswer(db.store.db, of, { status: 200, body: '{"a":1}' });
      const again = await db.reopen();
      expect(await findClaim(again.db, of, NOW)).toEqual({
        state: 'answered',
        answer: { status: 200, body: '{"a":1}' },
      });
    });
  });
});
