import { afterEach, beforeEach, expect, it } from 'vitest';
import { forEachStore } from './store-harness.ts';
import { type ConsoleHarness, OWNER, openConsole } from './support/console-harness.ts';
import { SoftAuthenticator } from './support/soft-authenticator.ts';

const ORIGIN = 'https://ponte.example.com';

forEachStore((open) => {
  let h: ConsoleHarness;
  let owner: string;
  beforeEach(async () => {
    h = await openConsole({ open, publicUrl: ORIGIN });
    owner = await h.setUp();
  });
  afterEach(() => h.close());

  const headers = { origin: ORIGIN, host: 'ponte.example.com' };
  const post = (path: string, body: unknown, cookie?: string) => h.call('POST', path, { body, cookie, headers });
  const challengeOf = (reply: { body: Record<string, unknown> }) =>
    String((reply.body.options as { challenge: string }).challenge);
  const begin = (cookie = owner, password = OWNER.password) => post('/passkeys/options', { password }, cookie);
  const add = async (key: SoftAuthenticator, cookie = owner, password?: string) =>
    post(
      '/passkeys',
      { name: 'Laptop', response: key.register(challengeOf(await begin(cookie, password)), ORIGIN) },
      cookie,
    );
  const askToSignIn = () => post('/session/passkey/options', {});
  const signIn = async (key: SoftAuthenticator, origin = ORIGIN) =>
    post('/session/passkey', { response: key.sign(challengeOf(await askToSignIn()), origin) });

  it('are added with the password, sign in without it, and are listed with their last use', async () => {
    const key = new SoftAuthenticator();
    expect(await begin(owner, 'not my password')).toMatchObject({
      status: 400,
      body: { details: [{ path: 'password' }] },
    });
    expect(await add(key)).toMatchObject({
      status: 201,
      body: { id: key.id, name: 'Laptop', host: 'ponte.example.com' },
    });
    await h.clock.advance(60_000);
    const entered = await signIn(key);
    expect(entered).toMatchObject({ status: 200, body: { user: { email: OWNER.email } } });
    const { body } = await h.call('GET', '/passkeys', { cookie: entered.cookie, headers });
    expect(body.passkeys).toMatchObject([{ id: key.id, used_at: new Date(h.clock.now()).toISOString() }]);
    const audit = await h.call('GET', '/audit', { cookie: owner, headers });
    expect((audit.body.entries as { action: string }[]).map(({ action }) => action)).toEqual([
      'signInWithPasskey',
      'addPasskey',
      'setUp',
    ]);
  });

  it('prove themselves once, for this page, by a verified user, with a counter that grows', async () => {
    const key = new SoftAuthenticator();
    await add(key);
    const response = key.sign(challengeOf(await askToSignIn()), ORIGIN);
    expect((await post('/session/passkey', { response })).status).toBe(200);
    expect((await post('/session/passkey', { response })).status).toBe(401);
    expect((await signIn(key, 'https://evil.example')).status).toBe(401);
    key.verifies = false;
    expect((await signIn(key)).status).toBe(401);
    key.verifies = true;
    key.counter = 0;
    expect((await signIn(key)).status).toBe(401);
    expect((await signIn(new SoftAuthenticator())).status).toBe(401);
    key.counter = 10;
    const late = challengeOf(await askToSignIn());
    await h.clock.advance(5 * 60_000);
    expect((await post('/session/passkey', { response: key.sign(late, ORIGIN) })).status).toBe(401);
    expect((await signIn(key)).status).toBe(200);
  });

  it('of somebody else are neither added by their challenge nor deleted', async () => {
    const vera = await h.access.addUser({ email: 'vera@example.com', name: 'Vera', role: 'viewer' });
    const { cookie } = await post('/session', { email: 'vera@example.com', password: vera.password });
    const key = new SoftAuthenticator();
    const response = key.register(challengeOf(await begin()), ORIGIN);
    expect((await post('/passkeys', { name: 'x', response }, cookie)).status).toBe(400);
    const mine = new SoftAuthenticator();
    await add(mine);
    expect((await h.call('DELETE', `/passkeys/${mine.id}`, { cookie, headers })).status).toBe(404);
    expect((await h.call('DELETE', `/passkeys/${mine.id}`, { cookie: owner, headers })).status).toBe(200);
    expect((await signIn(mine)).status).toBe(401);
  });

  it('end with a new password from an owner, and do not let a disabled user in', async () => {
    const { user, password } = await h.access.addUser({ email: 'vera@example.com', name: 'Vera', role: 'viewer' });
    const { cookie } = await post('/session', { email: 'vera@example.com', password });
    const key = new SoftAuthenticator();
    expect((await add(key, cookie, password)).status).toBe(201);
    await h.access.changeUser(user.id, { disabled: true });
    expect((await signIn(key)).status).toBe(401);
    await h.access.changeUser(user.id, { disabled: false });
    expect((await signIn(key)).status).toBe(200);
    await h.access.changeUser(user.id, { resetPassword: true });
    expect((await signIn(key)).status).toBe(401);
  });

  it('are refused on a bare address, in words that help', async () => {
    const here = { origin: 'https://192.0.2.7', host: '192.0.2.7' };
    const reply = await h.call('POST', '/session/passkey/options', { body: {}, headers: here });
    expect(reply).toMatchObject({
      status: 400,
      body: { details: [{ message: expect.stringMatching(/by its name/) }] },
    });
  });
});
