import { afterEach, beforeEach, expect, it } from 'vitest';
import { requireWorth } from '../src/access/password-worth.ts';
import type { AppError } from '../src/core/app-error.ts';
import { type ConsoleHarness, OWNER, openConsole } from './support/console-harness.ts';

let c: ConsoleHarness;
beforeEach(async () => {
  c = await openConsole();
  await c.setUp();
});
afterEach(() => c.close());

const from = (address: string, browser?: string) => ({ address, userAgent: 'x', requestId: 'req_x', browser });
const right = { email: OWNER.email, password: OWNER.password };
const wrong = { email: OWNER.email, password: 'wrong' };
/** How a sign-in ends: its error's code, or `in`. */
const outcome = (input: typeof right, address: string, browser?: string): Promise<string> =>
  c.access.signIn(input, from(address, browser)).then(
    () => 'in',
    (error: AppError) => error.code,
  );
const rows = async () => (await c.http.db.store.db.selectFrom('console_failures').selectAll().execute()).length;

it('wrong passwords from one address keep nobody out anywhere else', async () => {
  for (let n = 0; n < 30; n += 1) await outcome(wrong, '203.0.113.9');
  expect(await outcome(right, '203.0.113.9')).toBe('rate_limited');
  expect(await outcome(right, '198.51.100.1')).toBe('in');
});

it('an address that has to wait changes nothing: no row grows, no e-mail comes nearer to its lock', async () => {
  for (let n = 0; n < 25; n += 1) await outcome({ email: `nobody${n}@example.com`, password: 'x' }, '203.0.113.9');
  const before = await rows();
  for (let n = 0; n < 200; n += 1) {
    expect(await outcome({ email: `other${n}@example.com`, password: 'x' }, '203.0.113.9')).toBe('rate_limited');
  }
  expect(await rows()).toBe(before);
});

it('many addresses together are bounded, and a known browser and a passkey’s challenge get through all the same', async () => {
  const { browser } = await c.access.signIn(right, from('198.51.100.1'));
  let tried = 0;
  for (let n = 0; n < 120; n += 1) if ((await outcome(wrong, `10.${n}.0.1`)) === 'unauthorized') tried += 1;
  expect(tried).toBe(50);
  expect(await outcome(right, '10.200.0.1')).toBe('rate_limited');
  expect(await outcome(right, '10.200.0.1', browser)).toBe('in');
  expect(await outcome(right, '10.0.0.1', browser)).toBe('in');
  const page = { origin: 'http://localhost:8080', host: 'localhost' };
  expect((await c.access.passkeys.beginSignIn(page)).challenge).toMatch(/^[\w-]{60,}$/);
});

it('a browser is known for its own account, and guesses no more than anybody', async () => {
  const { browser } = await c.access.signIn(right, from('198.51.100.1'));
  const other = await c.access.addUser({ email: 'vic@example.com', name: 'Vic', role: 'viewer' });
  const theirs = (await c.access.signIn({ email: 'vic@example.com', password: other.password }, from('198.51.100.2')))
    .browser;
  for (let n = 0; n < 120; n += 1) await outcome(wrong, `10.${n}.0.1`);
  for (const mark of [theirs, `${browser}x`, browser.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')), 'nonsense']) {
    expect(await outcome(right, '10.201.0.1', mark)).toBe('rate_limited');
  }
  const tries: string[] = [];
  for (let n = 0; n < 8; n += 1) tries.push(await outcome(wrong, '10.202.0.1', browser));
  expect(tries.filter((code) => code === 'unauthorized')).toHaveLength(5);
});

it('challenges are not stored until somebody answered one: asking for them is in nobody’s way', async () => {
  const page = { origin: 'http://localhost:8080', host: 'localhost' };
  const drawn = new Set<string>();
  for (let n = 0; n < 10_050; n += 1) drawn.add((await c.access.passkeys.beginSignIn(page)).challenge);
  expect(drawn.size).toBe(10_050);
  expect(await c.http.db.store.db.selectFrom('console_challenges').selectAll().execute()).toEqual([]);
});

it('the mark goes to the browser beside the session, for the console alone', async () => {
  const { headers } = await c.call('POST', '/session', { body: right });
  const cookies = headers['set-cookie'] as unknown as string[];
  expect(cookies[1]).toMatch(
    /^ponte-browser=usr_\w+\.\w{22}\.[\w-]{43}; Path=\/api\/console; .*HttpOnly; SameSite=Strict/,
  );
});

it.each([
  ['          ', 'too few'],
  ['aaaaaaaaaaaa', 'too few'],
  ['abababababab', 'too few'],
  ['1234567890', 'row of keys'],
  ['9876543210', 'row of keys'],
  ['abcdefghijkl', 'row of keys'],
  ['password123!', 'first that attackers try'],
  ['Qwertyuiop1', 'first that attackers try'],
  ['iloveyou2024', 'first that attackers try'],
  ['ponteponte', 'first that attackers try'],
  ['olga.garcia1', 'your own'],
])('the new password %j is refused: %s', (password, why) => {
  expect(() => requireWorth('password', password, { email: 'olga.garcia@example.com', name: 'Olga' })).toThrow(why);
});

it('a worthless password that is there keeps signing in; a new one is refused with the reason', async () => {
  for (const password of [OWNER.password, 'Tr0ub4dor&3xyz', 'niebla verde cuarenta', 'ключ от дома моего']) {
    expect(() => requireWorth('password', password, { email: OWNER.email, name: OWNER.name })).not.toThrow();
  }
  const cookie = String((await c.call('POST', '/session', { body: right })).headers['set-cookie']).split(';')[0];
  const refused = await c.call('POST', '/password', {
    cookie,
    body: { current: OWNER.password, next: 'password1234' },
  });
  expect(refused).toMatchObject({ status: 400, body: { details: [{ path: 'next' }] } });
});
