import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../src/core/clock.ts';
import { createAddressPolicy } from '../src/net/address-policy.ts';
import { FetchError } from '../src/net/fetch-error.ts';
import { createGuard, type Guard } from '../src/net/guarded-fetch.ts';
import { silentLog } from '../src/observe/logger.ts';
import { insertUser } from '../src/store/access/users.ts';
import { ALERT_SCOPE, saveAlertSettings } from '../src/store/problems/alert-settings.ts';
import { dueAlerts } from '../src/store/problems/alerts.ts';
import { newWebhookSecret } from '../src/store/webhooks/webhooks.ts';
import { createDispatcher } from '../src/webhooks/dispatcher.ts';
import { createWebhookTester } from '../src/webhooks/test-webhook.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { NAMES, SSRF_VECTORS } from './support/ssrf-vectors.ts';
import { until } from './support/until.ts';

/*
 * Every URL that must lead nowhere × every place of the product that takes one. Counted are the
 * client sockets that this process makes, where Node makes them: not one, neither when a URL is
 * given nor when one that is stored already (from before a rule, or by a restored backup) is used.
 */

let sockets = 0;
const count = () => {
  sockets += 1;
};
let h: HttpHarness;
let guard: Guard;
/** URLs that the guard was asked about. */
let asked: Set<string>;
let bridges = 0;
let lineId: string;

beforeEach(async () => {
  guard = createGuard({
    policy: createAddressPolicy({ allow: [], ownPorts: [8080] }),
    resolve: async (name) => {
      const addresses = { ...NAMES, 'public.test': ['93.184.216.34'] }[name];
      if (!addresses) throw new FetchError('dns');
      return addresses;
    },
    clock: systemClock,
  });
  asked = new Set();
  const spied: Guard = {
    ...guard,
    checkTarget: (url) => guard.checkTarget(noted(url)),
    fetch: (url, options) => guard.fetch(noted(url), options),
  };
  h = await openHttp({ guard: spied });
  lineId = String((await h.call('POST', '/api/instances', { body: { customer_ref: 'b' } })).body.id);
  lineId = String((await h.call('GET', '/api/instances/b')).body.line_id);
  await h.setLine(lineId, { status: 'connected', phone: '15550001111', jid: '15550001111@s.whatsapp.net' });
  const people = ['15550002222@s.whatsapp.net' as const];
  h.router.handlers['account.statusAudience'] = async () => [{ type: 'whitelist', people, isDefault: true }];
  sockets = 0;
  subscribe('net.client.socket', count);
});
afterEach(async () => {
  unsubscribe('net.client.socket', count);
  await h.close();
});

const newRef = (): string => {
  bridges += 1;
  return `other${bridges}`;
};
const noted = (url: string): string => {
  asked.add(url);
  return url;
};

const LINES = '/api/bridge/v1';
const BRIDGE = '/api/instances/b/proxy';
const GROUP = '120363000000000000@g.us';

/** Everything in both APIs that takes a URL, and the body that gives it one. */
const SINKS: [name: string, method: string, path: () => string, body: (url: string) => object][] = [
  ['a new webhook', 'POST', () => `${LINES}/webhooks`, (url) => ({ url, events: ['*'] })],
  ['a new bridge', 'POST', () => '/api/instances', (url) => ({ customer_ref: newRef(), webhook_url: url })],
  ['a changed bridge', 'PATCH', () => '/api/instances/b', (url) => ({ webhook_url: url })],
  [
    'a sent file',
    'POST',
    () => `${LINES}/messages/send-media`,
    (url) => ({ line_id: lineId, to: '+15550002222', media_url: url }),
  ],
  [
    'a sent file of a bridge',
    'POST',
    () => `${BRIDGE}/send/media`,
    (url) => ({ chat: '15550002222', url, type: 'image' }),
  ],
  [
    'a sticker',
    'POST',
    () => `${LINES}/messages/sticker`,
    (url) => ({ line_id: lineId, to: '+15550002222', media_url: url }),
  ],
  ['a status', 'POST', () => `${LINES}/messages/status`, (url) => ({ line_id: lineId, media_url: url })],
  ['an own picture', 'PUT', () => `${LINES}/profile/avatar`, (url) => ({ line_id: lineId, url })],
  ['an own picture of a bridge', 'PUT', () => `${BRIDGE}/profile/avatar`, (url) => ({ url })],
  ['a picture of a group', 'PUT', () => `${LINES}/groups/${GROUP}/picture`, (url) => ({ line_id: lineId, url })],
];

test.each(SINKS)('%s leads nowhere', async (_, method, path, body) => {
  for (const url of SSRF_VECTORS) {
    const answer = await h.call(method, path(), { body: body(url) });
    // No webhook at all.
    if (url === '' && answer.status === 200) continue;
    expect([400, 422], `${url} ${answer.text}`).toContain(answer.status);
    expect(answer.text).not.toMatch(/ECONN|EHOST|ENET/);
  }
  expect(sockets).toBe(0);
  // It was the guard that refused them, all but those that are no URL to begin with.
  expect(asked.size).toBeGreaterThan(SSRF_VECTORS.length - 40);
});

test('a changed webhook leads nowhere', async () => {
  const made = await h.call('POST', `${LINES}/webhooks`, { body: { url: 'https://public.test/', events: ['*'] } });
  expect(made.status).toBe(200);
  for (const url of SSRF_VECTORS) {
    const answer = await h.call('PATCH', `${LINES}/webhooks/${made.body.id}`, { body: { url } });
    expect(answer.status, url).toBe(400);
  }
  expect(sockets).toBe(0);
});

test('an address for alerts leads nowhere, and one that is there already is not reached', async () => {
  const { store, ring, clock } = h.services;
  const userId = 'usr_a';
  const person = { email: 'a@example.com', name: 'A', role: 'owner', password: 'x', created_at: 0 } as const;
  await insertUser(store.db, { id: userId, ...person, disabled_at: null, signed_in_at: null });
  const { alerts } = h.front;
  const box = await ring.box(ALERT_SCOPE);
  for (const url of SSRF_VECTORS) {
    await expect(alerts.change(userId, { url }), url).rejects.toMatchObject({ code: 'validation_error' });
  }
  for (const url of SSRF_VECTORS) {
    const words = { hasEmail: false, url, hasTexts: false };
    await saveAlertSettings(store.db, box, { ...words, userId, secret: newWebhookSecret(), now: clock.now() });
    await alerts.test(userId);
    alerts.start();
    await until('the attempt', async () => (await dueAlerts(store.db, clock.now(), 1)).length === 0);
    await alerts.close();
  }
  expect(sockets).toBe(0);
});

test('webhooks that hold such a URL already send neither tests nor deliveries there', async () => {
  const { store, ring, clock, formats } = h.services;
  const ids: string[] = [];
  // An account has a hundred webhooks at most.
  for (const key of [h.keys.test, h.keys.stranger, h.keys.live]) {
    for (let n = 0; n < 100; n += 1) {
      const made = await h.call('POST', `${LINES}/webhooks`, {
        key,
        body: { url: 'https://public.test/', events: ['*'] },
      });
      ids.push(String(made.body.id));
    }
  }
  expect(ids.length).toBeGreaterThanOrEqual(SSRF_VECTORS.length);
  const used = SSRF_VECTORS.map((url, n) => ({ url, id: ids[n] ?? '' }));
  for (const { url, id } of used) await store.db.updateTable('webhooks').set({ url }).where('id', '=', id).execute();
  await store.db.deleteFrom('webhooks').where('url', '=', 'https://public.test/').execute();
  const tester = createWebhookTester({ store, ring, formats, clock, guard });
  const owners = await store.db.selectFrom('webhooks').select(['id', 'account_id', 'mode']).execute();
  for (const { id, account_id, mode } of owners) {
    const tested = await tester({ id, accountId: account_id, mode });
    expect(tested).toMatchObject({ ok: false, statusCode: null });
  }
  const event = { id: 'evt_x', account_id: 'acc_one', line_id: lineId, type: 'offline.completed', dedupe_key: 'x' };
  const row = { ...event, chat: null, payload: '{"count":1}', created_at: clock.now() };
  const { seq } = await store.db.insertInto('events').values(row).returning('seq').executeTakeFirstOrThrow();
  const delivery = { event_seq: seq, order_key: null, state: 'pending', attempts: 0, step: 0, pulls: 0 } as const;
  const rows = owners.map(({ id, account_id }) => ({
    ...delivery,
    id: `dlv_${id}`,
    account_id,
    webhook_id: id,
    next_at: 0,
    expires_at: null,
    created_at: 1,
    finished_at: null,
  }));
  await store.db.insertInto('deliveries').values(rows).execute();
  // The format must have something to say.
  const loud = { ...formats.lines, render: () => ({ body: '{}', headers: {} }) };
  const dispatcher = createDispatcher({
    store,
    ring,
    formats: { ...formats, lines: loud },
    clock,
    guard,
    log: silentLog,
  });
  await dispatcher.start();
  try {
    await until('every one was attempted', async () => {
      const left = await store.db.selectFrom('deliveries').select('seq').where('attempts', '=', 0).execute();
      return left.length === 0;
    });
  } finally {
    await dispatcher.close(0);
  }
  const log = await store.db.selectFrom('attempts').select(['error_class', 'status_code']).execute();
  expect(log).toHaveLength(owners.length);
  expect(new Set(log.map((one) => one.error_class))).toEqual(new Set(['blocked']));
  expect(sockets).toBe(0);
});
