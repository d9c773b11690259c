import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forEachStore } from './store-harness.ts';
import { type ConsoleHarness, OWNER, openConsole } from './support/console-harness.ts';

const HOUR_MS = 3_600_000;

forEachStore((open) => {
  let h: ConsoleHarness;
  beforeEach(async () => {
    h = await openConsole({ open });
  });
  afterEach(() => h.close());

  describe('the first run', () => {
    it('makes the owner with the one-time token, signs in at once, and never again', async () => {
      expect((await h.call('GET', '/state')).body).toMatchObject({ set_up: false, user: null });
      const token = await h.access.newSetUpToken();
      const first = await h.call('POST', '/set-up', { body: { token, ...OWNER } });
      expect(first).toMatchObject({ status: 200, body: { user: { email: OWNER.email, role: 'owner' } } });
      expect((await h.call('GET', '/state', { cookie: first.cookie })).body).toMatchObject({
        set_up: true,
        user: { name: 'Olga', role: 'owner' },
      });
      const again = await h.call('POST', '/set-up', { body: { token, ...OWNER, email: 'eve@example.com' } });
      expect(again).toMatchObject({ status: 403, body: { error: 'forbidden' } });
      expect(await h.access.newSetUpToken()).toBeUndefined();
    });

    it('takes no other token, and no earlier one than the last printed', async () => {
      const old = await h.access.newSetUpToken();
      const token = await h.access.newSetUpToken();
      for (const wrong of ['x', old]) {
        expect((await h.call('POST', '/set-up', { body: { token: wrong, ...OWNER } })).status).toBe(403);
      }
      expect((await h.call('POST', '/set-up', { body: { token, ...OWNER } })).status).toBe(200);
    });

    it('makes one owner when two come at once', async () => {
      const token = await h.access.newSetUpToken();
      const both = await Promise.all(
        ['a@example.com', 'b@example.com'].map((email) =>
          h.call('POST', '/set-up', { body: { token, ...OWNER, email } }),
        ),
      );
      expect(both.map(({ status }) => status).sort()).toEqual([200, 403]);
      expect(await h.access.users.list()).toHaveLength(1);
    });

    it('refuses short passwords and names the field', async () => {
      const token = await h.access.newSetUpToken();
      const { status, body } = await h.call('POST', '/set-up', { body: { token, ...OWNER, password: 'short' } });
      expect({ status, body }).toMatchObject({ status: 400, body: { details: [{ path: 'password' }] } });
    });
  });

  describe('signing in', () => {
    const signIn = (password = OWNER.password, email = OWNER.email, headers = {}) =>
      h.call('POST', '/session', { body: { email, password }, headers });

    it('answers a cookie that scripts cannot read and other sites do not send; nothing readable is stored', async () => {
      await h.setUp();
      const { status, cookie, headers } = await signIn();
      expect(status).toBe(200);
      expect((headers['set-cookie'] as unknown as string[])[0]).toMatch(
        /^ponte=[0-9A-Za-z]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Lax$/,
      );
      const { db } = h.http.services.store;
      const rows = JSON.stringify([
        await db.selectFrom('console_sessions').selectAll().execute(),
        await db.selectFrom('console_users').selectAll().execute(),
      ]);
      expect(rows).not.toContain(cookie?.split('=')[1]);
      expect(rows).not.toContain(OWNER.password);
      expect(rows).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    });

    it('takes the e-mail address in any case, and says the same of unknown users and wrong passwords', async () => {
      await h.setUp();
      expect((await signIn(OWNER.password, 'OLGA@Example.com')).status).toBe(200);
      const wrong = await signIn('not the password');
      const unknown = await signIn('not the password', 'nobody@example.com');
      expect(wrong).toMatchObject({ status: 401, body: { error: 'unauthorized' } });
      expect(unknown.body).toEqual(wrong.body);
    });

    it('locks out with back-off after five failures, also for the right password, and lets in afterwards', async () => {
      await h.setUp();
      for (let i = 0; i < 5; i += 1) expect((await signIn('wrong password')).status).toBe(401);
      const locked = await signIn();
      expect(locked).toMatchObject({ status: 429, body: { error: 'rate_limited' } });
      expect(Number(locked.headers['retry-after'])).toBeLessThanOrEqual(30);
      await h.clock.advance(30_000);
      expect((await signIn('wrong password')).status).toBe(401);
      expect(Number((await signIn()).headers['retry-after'])).toBe(60);
      await h.clock.advance(60_000);
      expect((await signIn()).status).toBe(200);
      expect((await signIn('wrong password')).status).toBe(401);
    });

    it('behaves the same for an account that does not exist, and guesses at once gain nothing', async () => {
      await h.setUp();
      const tries = await Promise.all(Array.from({ length: 12 }, () => signIn('guess', 'nobody@example.com')));
      const statuses = tries.map(({ status }) => status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(5);
      expect(statuses.filter((status) => status === 429)).toHaveLength(7);
    });

    it('ends idle sessions after 12 hours and every session after 7 days', async () => {
      const cookie = await h.setUp();
      const isIn = async () => (await h.call('GET', '/sessions', { cookie })).status === 200;
      await h.clock.advance(11 * HOUR_MS);
      expect(await isIn()).toBe(true);
      await h.clock.advance(11 * HOUR_MS);
      expect(await isIn()).toBe(true);
      await h.clock.advance(12 * HOUR_MS);
      expect(await isIn()).toBe(false);
      const { cookie: second = '' } = await signIn();
      for (let hours = 0; hours < 167; hours += 10) {
        await h.clock.advance(10 * HOUR_MS - 1);
        const { status } = await h.call('GET', '/sessions', { cookie: second });
        expect(status).toBe(hours + 10 <= 168 ? 200 : 401);
      }
      await h.clock.advance(2 * HOUR_MS);
      expect((await h.call('GET', '/sessions', { cookie: second })).status).toBe(401);
    });

    it('signs out here, there, and everywhere', async () => {
      const one = await h.setUp();
      const { cookie: two = '' } = await signIn();
      const { cookie: three = '' } = await signIn();
      const isIn = async (cookie: string) => (await h.call('GET', '/sessions', { cookie })).status === 200;
      expect((await h.call('DELETE', '/session', { cookie: one })).cookie).toBe('ponte=');
      expect(await isIn(one)).toBe(false);
      const { sessions } = (await h.call('GET', '/sessions', { cookie: two })).body as {
        sessions: { id: string; current: boolean }[];
      };
      expect(sessions).toHaveLength(2);
      const other = sessions.find(({ current }) => !current);
      expect((await h.call('DELETE', `/sessions/${other?.id}`, { cookie: two })).status).toBe(200);
      expect(await isIn(three)).toBe(false);
      const { cookie: four = '' } = await signIn();
      await h.call('DELETE', '/sessions', { cookie: two });
      expect([await isIn(two), await isIn(four)]).toEqual([false, false]);
    });

    it('a changed password ends the other sessions and the old password', async () => {
      const one = await h.setUp();
      const { cookie: two = '' } = await signIn();
      const change = (current: string) =>
        h.call('POST', '/password', { cookie: one, body: { current, next: 'a new long password' } });
      expect(await change('wrong')).toMatchObject({ status: 400, body: { details: [{ path: 'current' }] } });
      expect((await change(OWNER.password)).status).toBe(200);
      expect((await h.call('GET', '/sessions', { cookie: one })).status).toBe(200);
      expect((await h.call('GET', '/sessions', { cookie: two })).status).toBe(401);
      expect((await signIn()).status).toBe(401);
      expect((await signIn('a new long password')).status).toBe(200);
    });
  });
});

describe('plain http', () => {
  it('takes no password from another machine unless the operator says so, and says what to do', async () => {
    const h = await openConsole();
    try {
      await h.setUp();
      const { email, password } = OWNER;
      const headers = { host: 'ponte.lan:8080' };
      const refused = await h.call('POST', '/session', { body: { email, password }, headers });
      expect(refused.status).toBe(403);
      expect(refused.body.message).toMatch(/INSECURE_COOKIES/);
      expect((await h.call('GET', '/state', { headers })).body.insecure).toBe(true);
    } finally {
      await h.close();
    }
  });

  it('behind a public https address the cookie is bound to host and TLS', async () => {
    const h = await openConsole({ publicUrl: 'https://wa.example.com' });
    try {
      const token = await h.access.newSetUpToken();
      const made = await h.call('POST', '/set-up', {
        body: { token, ...OWNER },
        headers: { host: 'wa.example.com', origin: 'https://wa.example.com' },
      });
      expect(String(made.headers['set-cookie'])).toMatch(/^__Host-ponte=.*; Secure$/);
      expect((await h.call('GET', '/sessions', { cookie: made.cookie })).status).toBe(200);
    } finally {
      await h.close();
    }
  });
});
