import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMANDS } from '../src/commands/commands.ts';
import { forEachStore } from './store-harness.ts';
import { type ConsoleHarness, OWNER, openConsole } from './support/console-harness.ts';

forEachStore((open) => {
  let h: ConsoleHarness;
  let owner: string;
  beforeEach(async () => {
    h = await openConsole({ open });
    owner = await h.setUp();
  });
  afterEach(() => h.close());
  const newLine = async (cookie = owner, mode = 'test') =>
    h.call('POST', '/lines', { cookie, mode, body: { label: 'Support' } });

  describe('requests of other sites', () => {
    const cases: [string, Record<string, string | undefined>][] = [
      ['without the header', { 'x-ponte-console': undefined }],
      ['from another origin', { origin: 'https://evil.example' }],
      ['from a sandboxed frame', { origin: 'null' }],
      ['that the browser calls cross-site', { 'sec-fetch-site': 'cross-site' }],
      ['from a neighbour on the same domain', { 'sec-fetch-site': 'same-site' }],
    ];
    for (const [what, headers] of cases) {
      it(`change nothing ${what}`, async () => {
        const { status } = await h.call('POST', '/lines', { cookie: owner, body: { label: 'x' }, headers });
        expect(status).toBe(403);
        const signIn = await h.call('POST', '/session', {
          body: { email: OWNER.email, password: OWNER.password },
          headers,
        });
        expect(signIn.status).toBe(403);
        expect((await h.call('GET', '/lines', { cookie: owner })).body.lines).toEqual([]);
      });
    }

    it('our own origin may', async () => {
      const headers = { origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-origin' };
      expect((await h.call('POST', '/lines', { cookie: owner, body: {}, headers })).status).toBe(200);
    });
  });

  describe('roles', () => {
    it('a viewer looks, and pairs, sends and changes nothing', async () => {
      const { body } = await newLine();
      const { cookie } = await h.join('viewer', 'vera@example.com');
      for (const path of [
        '/lines',
        `/lines/${body.line_id}`,
        '/keys',
        '/webhooks',
        '/usage',
        `/lines/${body.line_id}/timeline`,
      ]) {
        expect([path, (await h.call('GET', path, { cookie })).status]).toEqual([path, 200]);
      }
      const refused: [string, string, unknown?][] = [
        ['POST', '/lines', {}],
        ['DELETE', `/lines/${body.line_id}`],
        ['GET', `/lines/${body.line_id}/qr`],
        ['POST', '/messages/send', { line_id: body.line_id, to: '+34600000000', message: 'x' }],
        ['POST', '/keys', { name: 'x' }],
        ['POST', '/webhooks', { url: 'https://example.com', events: ['*'] }],
        ['GET', '/users'],
        ['GET', '/audit'],
      ];
      for (const [method, path, payload] of refused) {
        expect([method, path, (await h.call(method, path, { cookie, body: payload })).status]).toEqual([
          method,
          path,
          403,
        ]);
      }
    });

    it('a developer does all of that, but people and audit are for owners', async () => {
      const { cookie } = await h.join('developer', 'dev@example.com');
      expect((await newLine(cookie)).status).toBe(200);
      expect((await h.call('POST', '/keys', { cookie, body: { name: 'x' } })).status).toBe(201);
      for (const path of ['/users', '/audit']) expect((await h.call('GET', path, { cookie })).status).toBe(403);
      const user = { email: 'eve@example.com', name: 'Eve', role: 'owner' };
      expect((await h.call('POST', '/users', { cookie, body: user })).status).toBe(403);
    });

    it('a changed role counts from the next request on; a locked-out user is out at once', async () => {
      const { id, cookie } = await h.join('developer', 'dev@example.com');
      await h.call('PATCH', `/users/${id}`, { cookie: owner, body: { role: 'viewer' } });
      expect((await newLine(cookie)).status).toBe(403);
      await h.call('PATCH', `/users/${id}`, { cookie: owner, body: { disabled: true } });
      expect((await h.call('GET', '/lines', { cookie })).status).toBe(401);
    });

    it('the last owner stays one', async () => {
      const { users } = (await h.call('GET', '/users', { cookie: owner })).body as { users: { id: string }[] };
      const id = users[0]?.id;
      for (const body of [{ role: 'viewer' }, { disabled: true }]) {
        expect((await h.call('PATCH', `/users/${id}`, { cookie: owner, body })).status).toBe(400);
      }
      expect((await h.call('DELETE', `/users/${id}`, { cookie: owner })).status).toBe(400);
      expect((await h.call('GET', '/users', { cookie: owner })).status).toBe(200);
    });
  });

  describe('no private door', () => {
    it('nobody gets anywhere without a session, and an API key is none', async () => {
      const key = `Bearer ${h.http.keys.test}`;
      for (const headers of [
        {},
        { authorization: key },
        { cookie: 'ponte=abc' },
        { cookie: `ponte=${'a'.repeat(43)}` },
      ]) {
        expect((await h.call('GET', '/lines', { headers })).status).toBe(401);
      }
    });

    it('a session is no API key', async () => {
      const response = await h.app.inject({ url: '/api/bridge/v1/lines', headers: { cookie: owner } });
      expect(response.statusCode).toBe(401);
    });

    it('sees the lines that a key of the same mode sees, and no others', async () => {
      await newLine(owner, 'test');
      await newLine(owner, 'live');
      const count = async (mode: string) =>
        ((await h.call('GET', '/lines', { cookie: owner, mode })).body.lines as unknown[]).length;
      expect([await count('test'), await count('live')]).toEqual([1, 1]);
      const listed = await h.app.inject({
        url: '/api/bridge/v1/lines',
        headers: { authorization: `Bearer ${h.http.keys.test}` },
      });
      expect(listed.json().lines).toHaveLength(1);
      expect((await h.call('GET', '/lines', { cookie: owner, mode: 'both' })).status).toBe(400);
    });

    it('every row of the published API is there, under its own command', () => {
      const published = h.http.dialects.find(({ name }) => name === 'lines')?.routes ?? [];
      expect(published.length).toBeGreaterThan(15);
      for (const row of published) {
        const url = `/api/console${row.path}`;
        expect([url, h.app.hasRoute({ method: row.method, url })]).toEqual([url, true]);
        if (row.command !== null) expect(COMMANDS).toHaveProperty(row.command.replaceAll('.', '\\.'));
      }
    });

    it('is not in the published document', async () => {
      const document = (await h.app.inject({ url: '/api/openapi.json' })).json();
      expect(Object.keys(document.paths).filter((path) => path.startsWith('/api/console'))).toEqual([]);
    });
  });

  describe('API keys', () => {
    it('are shown once, listed without their text, rotated with grace and revoked', async () => {
      const made = await h.call('POST', '/keys', { cookie: owner, body: { name: 'server', scopes: ['lines:read'] } });
      expect(made).toMatchObject({ status: 201, body: { key: expect.stringMatching(/^wzb_test_[0-9A-Za-z]{38}$/) } });
      const text = String(made.body.key);
      expect(await h.keys.authenticate(text)).toMatchObject({
        accountId: 'acc_one',
        mode: 'test',
        scopes: ['lines:read'],
      });
      const list = await h.call('GET', '/keys', { cookie: owner });
      expect(JSON.stringify(list.body)).not.toContain(text);
      const next = await h.call('POST', `/keys/${made.body.id}/rotate`, { cookie: owner, body: { grace_hours: 1 } });
      expect(next.status).toBe(201);
      await h.clock.advance(1_000);
      expect(await h.keys.authenticate(text)).toBeDefined();
      await h.clock.advance(3_600_000);
      expect(await h.keys.authenticate(text)).toBeUndefined();
      const successor = String(next.body.key);
      expect(await h.keys.authenticate(successor)).toMatchObject({ scopes: ['lines:read'] });
      expect((await h.call('DELETE', `/keys/${next.body.id}`, { cookie: owner })).status).toBe(200);
      expect(await h.keys.authenticate(successor)).toBeUndefined();
    });

    it('of the other mode and of other accounts are not found', async () => {
      const live = await h.call('POST', '/keys', { cookie: owner, mode: 'live', body: { name: 'live' } });
      expect((await h.call('DELETE', `/keys/${live.body.id}`, { cookie: owner, mode: 'test' })).status).toBe(404);
      const strangers = await h.keys.list('acc_two');
      expect((await h.call('DELETE', `/keys/${strangers[0]?.keyId}`, { cookie: owner })).status).toBe(404);
    });
  });

  it('the audit log says who did what, also when it was refused, and never a secret', async () => {
    const { cookie } = await h.join('viewer', 'vera@example.com');
    await newLine(cookie);
    await h.call('POST', '/session', { body: { email: OWNER.email, password: 'wrong' } });
    const made = await h.call('POST', '/keys', { cookie: owner, body: { name: 'server' } });
    const { body } = await h.call('GET', '/audit', { cookie: owner });
    expect(
      (body.entries as Record<string, unknown>[]).map(({ actor, action, outcome }) => [actor, action, outcome]),
    ).toEqual([
      ['olga@example.com', 'createKey', 'ok'],
      ['olga@example.com', 'signIn', 'wrong_password'],
      ['vera@example.com', 'createLine', '403'],
      ['vera@example.com', 'signIn', 'ok'],
      ['olga@example.com', 'setUp', 'ok'],
    ]);
    expect(JSON.stringify(body)).not.toContain(String(made.body.key));
    expect(JSON.stringify(body)).not.toContain(OWNER.password);
  });

  describe('the live stream', () => {
    it('tells of lines of the account in both modes; a viewer never sees what pairs', async () => {
      const { body } = await newLine();
      const other = await newLine(owner, 'live');
      const { cookie: viewer } = await h.join('viewer', 'vera@example.com');
      await h.app.listen({ host: '127.0.0.1', port: 0 });
      const forOwner = await openStream(h, owner);
      const forViewer = await openStream(h, viewer);
      const view = {
        status: 'pairing' as const,
        reason: null,
        until: null,
        whatsappCode: null,
        phone: null,
        name: null,
        qr: { data: 'SECRET', expiresAt: 1 },
      };
      h.publish({ lineId: 'line_nobodys', ...view });
      h.publish({ lineId: String(other.body.line_id), ...view });
      h.publish({ lineId: String(body.line_id), ...view });
      const qr = { data: 'SECRET' };
      expect(await forOwner.next('line')).toMatchObject({ line_id: other.body.line_id, mode: 'live', qr });
      expect(await forOwner.next('line')).toMatchObject({ line_id: body.line_id, mode: 'test', status: 'pairing', qr });
      expect(await forViewer.next('line')).toMatchObject({ line_id: other.body.line_id, qr: null });
      expect(await forViewer.next('line')).toMatchObject({ line_id: body.line_id, qr: null });
      forOwner.close();
      forViewer.close();
    });

    it('says hello and that there is something new, beats, and ends with its session', async () => {
      await h.app.listen({ host: '127.0.0.1', port: 0 });
      const stream = await openStream(h, owner);
      expect(await stream.next('hello')).toEqual({});
      h.live.activity();
      await h.clock.advance(1_000);
      expect(await stream.next('activity')).toEqual({ settings: false });
      h.live.activity('settings');
      await h.clock.advance(1_000);
      expect(await stream.next('activity')).toEqual({ settings: true });
      await h.clock.advance(10_000);
      await stream.next('ping');
      await h.call('DELETE', '/sessions', { cookie: owner });
      await h.clock.advance(10_000);
      await stream.ended;
      expect((await h.call('GET', '/stream', { cookie: owner })).status).toBe(401);
    });

    it('ends when the server closes, and opens no more', async () => {
      await h.app.listen({ host: '127.0.0.1', port: 0 });
      const stream = await openStream(h, owner);
      h.live.close();
      await stream.ended;
      expect((await h.call('GET', '/stream', { cookie: owner })).status).toBe(503);
    });
  });
});

interface OpenStream {
  /** The data of the next event of this name; earlier ones of other names are passed over. */
  next(event: string): Promise<unknown>;
  ended: Promise<void>;
  close(): void;
}

async function openStream(h: ConsoleHarness, cookie: string): Promise<OpenStream> {
  const { port } = h.app.server.address() as AddressInfo;
  const { request } = await import('node:http');
  const asked = request({ host: '127.0.0.1', port, path: '/api/console/v1/stream', headers: { cookie } });
  asked.end();
  const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`the stream answered ${response.statusCode}`);
  response.setEncoding('utf8');
  const ended = new Promise<void>((resolve) => response.once('close', resolve));
  response.on('error', () => {}); // The server hung up in mid-stream: `ended` says so.
  let text = '';
  let news = Promise.withResolvers<void>();
  response.on('data', (chunk: string) => {
    text += chunk;
    news.resolve();
  });
  const next = async (event: string): Promise<unknown> => {
    for (;;) {
      const at = text.indexOf('\n\n');
      if (at < 0) {
        news = Promise.withResolvers();
        await news.promise;
        continue;
      }
      const block = text.slice(0, at);
      text = text.slice(at + 2);
      const found = /^event: (.*)\ndata: (.*)$/.exec(block);
      if (found?.[1] === event) return JSON.parse(found[2] ?? 'null');
    }
  };
  return { next, ended, close: () => asked.destroy() };
}
