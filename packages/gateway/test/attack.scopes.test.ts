import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isInside, normalNetwork } from '../src/access/networks.ts';
import { makeTicket } from '../src/access/stream-tickets.ts';
import { COMMANDS } from '../src/commands/commands.ts';
import { SCOPES } from '../src/commands/context.ts';
import type { Dialect, Route } from '../src/http/route.ts';
import { accept } from '../src/journal/accept.ts';
import { widened } from '../src/store/db/migrations/015-narrower-keys.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';

/** The APIs that keys call. */
const OF_KEYS = ['bridges', 'lines', 'sandbox', 'mcp'];

interface Access {
  scope: string;
  approval: 'free' | 'waits' | 'refused';
  limited: 'its lines' | 'yes' | 'refused';
}

let h: HttpHarness;

function rowsOf(dialects: readonly Dialect[]): { dialect: Dialect; row: Route }[] {
  return dialects
    .filter(({ name }) => OF_KEYS.includes(name))
    .flatMap((dialect) => dialect.routes.filter(({ auth }) => auth === 'key').map((row) => ({ dialect, row })));
}

/** What a row asks of a key, from the table of commands. */
function accessOf(row: Route): Access {
  if (row.command === null) {
    const isSandbox = row.scope?.startsWith('sandbox:');
    return { scope: row.scope ?? '?', approval: 'free', limited: isSandbox ? 'refused' : 'its lines' };
  }
  const command = COMMANDS[row.command];
  const speaks = 'speaks' in command && command.speaks;
  const limits = { own: 'its lines', account: 'yes', never: 'refused' } as const;
  return {
    scope: command.scope,
    approval: command.on === 'send' ? 'waits' : speaks ? 'refused' : 'free',
    limited: command.on === 'account' ? limits[command.forLineKeys] : 'its lines',
  };
}

/** An address of a row that nothing stands behind. */
const addressOf = (dialect: Dialect, row: Route): string =>
  dialect.prefix + row.path.replace(/:(\w+)/g, (_, name: string) => (name === 'number' ? '15550001111' : 'x1'));

describe('what keys may do', () => {
  beforeEach(async () => {
    h = await openHttp();
  });
  afterEach(() => h.close());

  it('stands in one table (a new row shows in review: run vitest with -u)', async () => {
    const lines = rowsOf(h.dialects).map(({ dialect, row }) => {
      const { scope, approval, limited } = accessOf(row);
      return `| \`${row.method} ${dialect.prefix}${row.path}\` | ${scope} | ${approval} | ${limited} |`;
    });
    const text = `# What a key may do

Generated from the tables of routes and commands; \`attack.scopes.test.ts\` holds the server to it.

**Scope**: what the key needs. **With approval**: what a key whose sends wait for a person's yes may do: \`free\`, \`waits\` for the yes (through MCP;
\`approval_required\` elsewhere), or \`refused\`, because others would see it and it cannot wait. **Limited to lines**: \`its lines\` and nothing of others,
\`yes\` for facts about the account, or \`refused\`.

A key that may set a webhook (\`webhooks:write\`) or read events (\`events:read\`) can read messages.

| Call | Scope | With approval | Limited to lines |
|---|---|---|---|
${lines.sort().join('\n')}
`;
    await expect(text).toMatchFileSnapshot('../../../docs/access.md');
  });

  it('is refused without the scope, whatever else the key has, before anything else is looked at', async () => {
    const keys = new Map<string, { without: string; only: string }>();
    for (const scope of SCOPES) {
      keys.set(scope, {
        without: await h.keyWith(SCOPES.filter((other) => other !== scope)),
        only: await h.keyWith([scope]),
      });
    }
    for (const { dialect, row } of rowsOf(h.dialects)) {
      const { scope } = accessOf(row);
      if (scope === 'by_content') continue;
      const pair = keys.get(scope);
      const url = addressOf(dialect, row);
      const refused = await h.call(row.method, url, {
        key: pair?.without,
        body: row.method === 'GET' ? undefined : {},
      });
      expect([refused.status, refused.text], `${row.method} ${url}`).toEqual([403, expect.stringContaining(scope)]);
      const passed = await h.call(row.method, url, { key: pair?.only, body: row.method === 'GET' ? undefined : {} });
      expect([401, 403], `${row.method} ${url} ${passed.text}`).not.toContain(passed.status);
    }
    const unlisted = '/api/sandbox/v1/something/else';
    expect((await h.call('POST', unlisted, { key: await h.keyWith(['sandbox:read']), body: {} })).status).toBe(403);
    expect((await h.call('GET', unlisted, { key: await h.keyWith(['messages:read']) })).status).toBe(403);
  });

  it('is, for a bridge’s webhook, webhooks:write: whoever sets it reads every message', async () => {
    const body = { customer_ref: 'shop', webhook_url: 'https://receiver.example/hook' };
    const lines = await h.keyWith(['lines:read', 'lines:write']);
    expect((await h.call('POST', '/api/instances', { key: lines, body })).status).toBe(403);
    expect((await h.call('POST', '/api/instances', { key: lines, body: { customer_ref: 'shop' } })).status).toBe(200);
    const url = { webhook_url: 'https://thief.example/hook' };
    expect((await h.call('PATCH', '/api/instances/shop', { key: lines, body: url })).status).toBe(403);
    const both = await h.keyWith(['lines:write', 'webhooks:write']);
    expect((await h.call('PATCH', '/api/instances/shop', { key: both, body: url })).status).toBe(200);
  });

  it('waits for a person when it writes to others, or is refused: groups and the own profile too', async () => {
    await h.call('POST', '/api/instances', { body: { customer_ref: 'shop' } });
    const { key } = await h.keyWithApproval();
    for (const { dialect, row } of rowsOf(h.dialects)) {
      if (accessOf(row).approval !== 'refused' || dialect.name !== 'bridges') continue;
      const url = addressOf(dialect, row).replace('/x1/', '/shop/').replace('/x1', '/120363041234567890@g.us');
      const refused = await h.call(row.method, url, { key, body: row.requestExample });
      expect([refused.status, refused.body.error], `${row.method} ${url} ${refused.text}`).toEqual([
        403,
        'approval_required',
      ]);
    }
    expect(h.router.commands.filter(({ name }) => name.startsWith('groups.'))).toEqual([]);
  });

  it('goes on after the upgrade: scopes that were not asked for are given to those who used them', () => {
    expect(widened(['*'], 'test')).toEqual(['*']);
    expect(widened(['messages:read'], 'test')).toEqual(['messages:read']);
    expect(widened(['messages:send'], 'test')).toEqual(['messages:send', 'sandbox:read', 'sandbox:write']);
    expect(widened(['messages:send'], 'live')).toEqual(['messages:send']);
    expect(widened(['lines:write', 'webhooks:write'], 'live')).toEqual(['lines:write', 'webhooks:write']);
    expect(widened(['lines:write'], 'live')).toEqual(['lines:write', 'webhooks:write']);
  });
});

const lineStatus = (id: string, reason: 'conflict' | 'replaced') => ({
  type: 'line.status' as const,
  payload: { status: 'connected', previous: 'connecting', phone: null, reason } as const,
  dedupeKey: `line.status:${id}`,
  chat: null,
});

describe('a key that is limited to lines', () => {
  let own: string;
  let other: string;
  let key: string;
  beforeEach(async () => {
    h = await openHttp({ simulator: () => ({ baseUrl: 'http://127.0.0.1:9', token: 'x' }) });
    const add = async (ref: string) =>
      String((await h.call('POST', '/api/bridge/v1/lines', { body: { customer_ref: ref } })).body.line_id);
    own = await add('own');
    other = await add('other');
    for (const id of [own, other])
      await h.setLine(id, { status: 'connected', phone: '34611', jid: '34611@s.whatsapp.net', name: 'Shop' });
    const made = await h.apiKeys.create({ accountId: 'acc_one', mode: 'test', name: 'narrow', lines: [own] });
    key = made.key;
  });
  afterEach(() => h.close());

  it('finds every other line missing, whatever it asks and however it names it', async () => {
    for (const { dialect, row } of rowsOf(h.dialects)) {
      if (row.command === null || COMMANDS[row.command].on === 'account') continue;
      for (const name of dialect.name === 'bridges' ? ['other', '2'] : [other]) {
        const url = addressOf(dialect, row).replace('/x1', `/${name}`);
        const example = row.requestExample as Record<string, unknown> | undefined;
        const body =
          example && ('line_id' in example || dialect.name === 'lines') ? { ...example, line_id: name } : example;
        const query =
          row.path.includes(':line_id') || body
            ? ''
            : `?line_id=${name}&phone=%2B34600000000&jid=34600000000@s.whatsapp.net&chat=34600000000&limit=5`;
        const missing = await h.call(row.method, url + query, { key, body });
        // What the row itself asks for may be missing too; what must not happen is an answer.
        expect([400, 404], `${row.method} ${url} ${missing.text}`).toContain(missing.status);
      }
    }
    expect(h.router.commands.filter(({ lineId }) => lineId === other)).toEqual([]);
    expect(h.router.stopped).toEqual([]);
  });

  it('sees its own in every list, and makes no line and no webhook beyond them', async () => {
    const refs = (await h.call('GET', '/api/instances', { key })).body as unknown as { customer_ref: string }[];
    expect(refs.map(({ customer_ref }) => customer_ref)).toEqual(['own']);
    const lines = (await h.call('GET', '/api/bridge/v1/lines', { key })).body.lines as { line_id: string }[];
    expect(lines.map(({ line_id }) => line_id)).toEqual([own]);
    const me = (await h.call('GET', '/api/bridge/v1/me', { key })).body.api_key;
    expect(me).toMatchObject({ line_ids: [own], networks: null });
    expect((await h.call('POST', '/api/instances', { key, body: { customer_ref: 'new' } })).status).toBe(403);
    expect((await h.call('POST', '/api/instances', { key, body: { customer_ref: 'other' } })).status).toBe(403);
    expect((await h.call('POST', '/api/instances', { key, body: { customer_ref: 'own' } })).status).toBe(200);
    expect((await h.call('POST', '/api/bridge/v1/lines', { key, body: {} })).status).toBe(403);
    expect((await h.call('GET', '/api/bridge/v1/usage/series', { key })).status).toBe(403);
    expect((await h.call('GET', '/api/sandbox/v1/phones', { key })).status).toBe(403);
  });

  it('reaches webhooks of its lines alone, and what they delivered', async () => {
    const hook = async (lineId: string | undefined, asked = h.keys.test) =>
      h.call('POST', '/api/bridge/v1/webhooks', {
        key: asked,
        body: { url: 'https://receiver.example/hook', events: ['*'], ...(lineId ? { line_id: lineId } : {}) },
      });
    const all = String((await hook(undefined)).body.id);
    const foreign = String((await hook(other)).body.id);
    const mine = String((await hook(own, key)).body.id);
    expect((await hook(undefined, key)).status).toBe(403);
    expect((await hook(other, key)).status).toBe(404);
    const listed = (await h.call('GET', '/api/bridge/v1/webhooks', { key })).body.webhooks as { id: string }[];
    expect(listed.map(({ id }) => id)).toEqual([mine]);
    for (const id of [all, foreign]) {
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['PATCH', '', { url: 'https://thief.example/' }],
        ['POST', '/rotate-secret', {}],
        ['POST', '/finish-rotation', {}],
        ['POST', '/test', undefined],
        ['GET', '/deliveries', undefined],
        ['POST', '/replay', { since: '2026-01-01T00:00:00Z' }],
        ['DELETE', '', undefined],
      ] as const) {
        const answer = await h.call(method, `/api/bridge/v1/webhooks/${id}${path}`, { key, body });
        expect([answer.status, answer.body.error], `${method} ${path}`).toEqual([404, 'webhook_not_found']);
      }
    }
    expect((await h.call('DELETE', `/api/bridge/v1/webhooks/${mine}`, { key })).status).toBe(200);
  });

  it('hears events of its lines alone', async () => {
    const insert = (id: string, reason: 'conflict' | 'replaced') =>
      h.db.store.transaction((tx) =>
        accept(tx, { id, accountId: 'acc_one' }, [lineStatus(id, reason)], h.services.clock.now()),
      );
    await insert(other, 'conflict');
    await insert(own, 'replaced');
    const heard = await h.call('GET', '/api/bridge/v1/events?after=oldest', { key });
    expect(heard.text).toContain('replaced');
    expect(heard.text).not.toContain('conflict');
    expect((await h.call('GET', `/api/bridge/v1/events?line_id=${other}`, { key })).status).toBe(404);
  });

  it('is an agent with its lines alone', async () => {
    const ask = async (name: string, args: object) => {
      const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } };
      return (await h.call('POST', '/api/bridge/mcp', { key, body })).text;
    };
    const lines = await ask('bridge_list_lines', {});
    expect([lines.includes(own), lines.includes(other)]).toEqual([true, false]);
    expect(await ask('bridge_get_messages', { line_id: other, phone: '+34600000000' })).toContain('line_not_found');
  });

  it('is made for lines that exist, and passes its limits on', async () => {
    const make = (lines: string[], networks?: string[]) =>
      h.apiKeys.create({ accountId: 'acc_one', mode: 'test', name: 'x', lines, networks });
    await expect(make(['line_nobody'])).rejects.toThrow(/no test line/);
    await expect(make([])).rejects.toThrow(/at least one/);
    await expect(make([own], ['10.1'])).rejects.toThrow(/no network/);
    const { id } = await make([own], ['10.1.2.3/16']);
    const next = await h.apiKeys.rotate(id, 0);
    const holder = await h.apiKeys.authenticate(next?.key ?? '');
    expect(holder).toMatchObject({ lines: [own], networks: ['10.1.0.0/16'] });
  });
});

describe('a key that is limited to networks', () => {
  beforeEach(async () => {
    h = await openHttp();
  });
  afterEach(() => h.close());

  it('is refused from elsewhere at every door, and its ticket too', async () => {
    const made = (networks: string[]) => h.apiKeys.create({ accountId: 'acc_one', mode: 'test', name: 'x', networks });
    const far = await made(['203.0.113.0/24', '2001:db8::/32']);
    for (const { dialect, row } of rowsOf(h.dialects)) {
      const body = row.method === 'GET' ? undefined : {};
      const refused = await h.call(row.method, addressOf(dialect, row), { key: far.key, body });
      expect([refused.status, refused.text], row.path).toEqual([
        403,
        expect.stringContaining('may not be used from 127.0.0.1'),
      ]);
    }
    const { ticket } = makeTicket(h.services.ring, h.services.clock, far.id);
    expect((await h.call('GET', `/api/bridge/v1/events?ticket=${ticket}`, { key: null })).status).toBe(403);
    const near = await made(['::ffff:127.0.0.0/104']);
    expect((await h.call('GET', '/api/bridge/v1/me', { key: near.key })).body.api_key).toMatchObject({
      networks: ['127.0.0.0/8'],
    });
  });

  it('knows networks as people write them', () => {
    expect(normalNetwork('10.1.2.3')).toBe('10.1.2.3/32');
    expect(normalNetwork(' 10.1.2.3/9 ')).toBe('10.0.0.0/9');
    expect(normalNetwork('2001:DB8:0:0::1/64')).toBe('2001:db8::/64');
    for (const wrong of [
      '',
      '10',
      '10.1',
      '0x7f.1',
      '10.0.0.0/33',
      '10.0.0.0/-1',
      '::/129',
      'fe80::1%eth0',
      'example.com',
      '1.2.3.4/8/8',
    ])
      expect(normalNetwork(wrong), wrong).toBeUndefined();
    expect(isInside('::ffff:10.1.2.3', ['10.1.0.0/16'])).toBe(true);
    expect(isInside('10.2.0.1', ['10.1.0.0/16', '2001:db8::/32'])).toBe(false);
    expect(isInside('2001:db8:1::1', ['2001:db8::/32'])).toBe(true);
    expect(isInside('nonsense', ['0.0.0.0/0'])).toBe(false);
  });
});
