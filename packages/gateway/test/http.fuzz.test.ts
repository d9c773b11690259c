import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AppError } from '../src/core/app-error.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { SEED, sized } from './support/seeded.ts';

const RUNS = sized('FUZZ', 800);

const nasty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('\u0000', '../x', '%', '9'.repeat(30), '__proto__', "' or 1=1 --", '\ud800', '15550001234'),
);
const FIELDS = [
  ...[
    'customer_ref',
    'webhook_url',
    'webhook_events',
    'chat',
    'body',
    'mentions',
    'sender',
    'played',
    'phones',
    'phone',
  ],
  ...['line_id', 'to', 'message', 'jid', 'message_ids', 'url', 'events', 'label', 'description', '__proto__'],
];

/** What a line can be asked about groups. */
const GROUP_COMMANDS = [
  ...(['create', 'all', 'info', 'changeMembers', 'setSubject', 'setDescription', 'change', 'setPicture'] as const),
  ...(['removePicture', 'invite', 'invited', 'join', 'leave', 'requests', 'decide'] as const),
];

/** Lone surrogates have no percent-encoding. */
const wellFormed = (text: string): string => Buffer.from(text).toString();
const inPath = (text: string): string => encodeURIComponent(wellFormed(text)) || '%20';
const inHeader = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

forEachStore((open) => {
  let h: HttpHarness;
  let lineId: string;
  beforeAll(async () => {
    h = await openHttp({ open });
    await h.call('POST', '/api/instances', { body: { customer_ref: 'known' } });
    lineId = String((await h.call('GET', '/api/instances/known')).body.line_id);
    await h.setLine(lineId, { status: 'connected', phone: '1', jid: '1@s.whatsapp.net', name: 'x' });
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
    h.router.handlers['pairing.qr'] = async () => ({ data: 'qr', expiresAt: 1 });
    h.router.handlers['pairing.code'] = async () => ({ code: 'ABCD-EFGH', expiresAt: 1 });
    h.router.handlers['messages.read'] = async () => ({});
    h.router.handlers['numbers.check'] = async () => [];
    h.router.handlers['account.typing'] = async () => ({});
    h.router.handlers['account.presence'] = async () => ({});
    h.router.handlers['account.watch'] = async () => ({});
    h.router.handlers['account.person'] = async () => null;
    h.router.handlers['account.setAbout'] = async () => ({});
    h.router.handlers['account.contactLink'] = async () => ({ link: 'https://wa.me/qr/A' });
    h.router.handlers['account.statusAudience'] = async () => [{ type: 'contacts', people: [], isDefault: true }];
    h.router.handlers['account.picture'] = async () => null;
    h.router.handlers['account.setPicture'] = async () => ({ id: '1' });
    h.router.handlers['account.removePicture'] = async () => ({});
    const unknown = async () => {
      throw new AppError('not_on_whatsapp');
    };
    for (const name of GROUP_COMMANDS) h.router.handlers[`groups.${name}`] = unknown;
    h.router.handlers['account.archive'] = async () => ({});
    h.router.handlers['media.fetch'] = unknown;
    h.router.handlers.trace = async () => ({ isOn: false, endsAt: null, entries: [], cursor: 0, lost: 0 });
    h.router.handlers.logout = async () => ({ unlinked: true });
    const memory = {
      cpuSeconds: 0,
      heapUsedBytes: 1,
      heapTotalBytes: 1,
      rssBytes: 1,
      gcCycles: 0,
      totalAllocatedBytes: null,
    };
    h.router.handlers.stats = async () => ({ worker: 'w', linesInWorker: 1, eventLoopLagMs: 1, ...memory });
  });
  afterAll(() => h.close());

  it('whatever arrives, every row answers as published, and never with a server error', {
    timeout: 30_000 + RUNS * 60,
  }, async () => {
    const rows = h.dialects
      .filter(({ name }) => name !== 'sandbox')
      .flatMap(({ prefix, routes }) => routes.map((row) => ({ method: row.method, url: prefix + row.path })));
    const value = fc.oneof(
      nasty,
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(lineId, '+34600000000', 'https://a.example/', ['*'], ['M1']),
    );
    const request = fc.record({
      row: fc.constantFrom(...rows),
      params: fc.array(fc.oneof(nasty, fc.constantFrom('known', lineId)), { minLength: 2, maxLength: 2 }),
      body: fc.oneof(fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 6 }), fc.jsonValue({ maxDepth: 3 })),
      query: fc.dictionary(fc.constantFrom('wait', 'format', 'x'), nasty, { maxKeys: 2 }),
      key: fc.option(fc.string({ minLength: 1, maxLength: 30 }), { nil: undefined }),
    });
    const seen = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(request, async ({ row, params, body, query, key }) => {
        const { method, url } = row;
        // The known line stays, so that there is something to find.
        const isDeletion = method === 'DELETE' && !url.endsWith('/logout');
        const path = url.replace(/:[a-z_]+/g, () => inPath(isDeletion ? 'other' : (params.pop() ?? 'x')));
        const search = new URLSearchParams(Object.entries(query).map(([name, text]): [string, string] => [name, text]));
        const reply = await h.call(method, `${path}?${search}`, {
          body: method === 'GET' ? undefined : body,
          headers: key === undefined ? {} : { 'idempotency-key': inHeader(key) },
        });
        seen.set(reply.status, (seen.get(reply.status) ?? 0) + 1);
        expect(reply.status, `${method} ${path} ${JSON.stringify(body)} → ${reply.text}`).toBeLessThan(500);
      }),
      { numRuns: RUNS, ...(process.env.VERIFY_SEED === undefined ? {} : { seed: SEED }) },
    );
    expect([...seen.keys()]).toEqual(expect.arrayContaining([200, 400, 404]));
  });
});
