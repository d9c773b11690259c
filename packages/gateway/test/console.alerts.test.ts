import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ConsoleHarness, openConsole } from './support/console-harness.ts';

let h: ConsoleHarness;
let owner: string;
let viewer: string;

beforeEach(async () => {
  h = await openConsole();
  owner = await h.setUp();
  viewer = (await h.join('viewer', 'vera@example.com')).cookie;
});
afterEach(() => h.close());

const change = (cookie: string, body: object) => h.call('PATCH', '/alerts', { cookie, body });
const read = async (cookie: string) => (await h.call('GET', '/alerts', { cookie })).body;

test('everybody has settings of their own, and nothing is told before it is wanted', async () => {
  const nothing = { email: false, url: null, texts: false, can_mail: false };
  expect(await read(owner)).toEqual(nothing);
  const { status, body } = await change(viewer, { url: 'https://hooks.example.com/x', texts: true });
  expect([status, body]).toEqual([
    200,
    { ...nothing, url: 'https://hooks.example.com/x', texts: true, secret: expect.stringMatching(/^wzb_whsec_/) },
  ]);
  expect(await read(owner)).toEqual(nothing);
  expect(await read(viewer)).toMatchObject({ url: 'https://hooks.example.com/x', texts: true });
});

test('the secret is shown once, and a new address gets a new one', async () => {
  const first = (await change(owner, { url: 'https://one.example.com/' })).body.secret;
  expect((await change(owner, { texts: true })).body.secret).toBeNull();
  expect(JSON.stringify(await read(owner))).not.toContain('whsec_');
  const second = (await change(owner, { url: 'https://two.example.com/' })).body.secret;
  expect(second).not.toBe(first);
  const stored = await h.http.services.store.db.selectFrom('alert_settings').selectAll().execute();
  expect(Buffer.from(stored[0]?.secret ?? []).toString('latin1')).not.toContain('whsec_');
});

test('an address that may not be reached is refused, and e-mail without a server for it', async () => {
  expect(await change(owner, { url: 'http://127.0.0.1:1/' })).toMatchObject({
    status: 400,
    body: { details: [{ path: 'url', message: expect.stringContaining('https://') }] },
  });
  expect(await change(owner, { email: true })).toMatchObject({
    status: 400,
    body: { details: [{ path: 'email', message: expect.stringContaining('SMTP_URL') }] },
  });
  expect((await read(owner)).url).toBeNull();
});

test('a test alert waits for its sender; without a place to go it is refused', async () => {
  expect((await h.call('POST', '/alerts/test', { cookie: owner })).status).toBe(400);
  await change(owner, { url: 'https://one.example.com/' });
  expect((await h.call('POST', '/alerts/test', { cookie: owner })).status).toBe(200);
  const rows = await h.http.services.store.db.selectFrom('alerts').select(['channel', 'facts']).execute();
  expect(rows.map(({ channel, facts }) => [channel, JSON.parse(facts).about])).toEqual([['webhook', 'test']]);
});

test('nobody without a session has settings', async () => {
  expect((await h.call('GET', '/alerts')).status).toBe(401);
});
