import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAudit } from '../access/console-audit.ts';
import { systemClock } from '../core/clock.ts';
import { openInstallation } from '../installation.ts';
import { runProgram } from './program.ts';
import { quickStart } from './quick-start.ts';
import { signatureVerdict, startReceiver } from './receiver.ts';

let folder: string;
let printed: string[];
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ponte-cli-'));
  process.env.DATA_DIR = join(folder, 'data');
  process.env.PORT = '0';
  printed = [];
  said = [];
});
afterEach(() => {
  for (const name of ['DATA_DIR', 'PORT', 'LOG_LEVEL']) delete process.env[name];
  rmSync(folder, { recursive: true, force: true });
});

const ponte = (...argv: string[]) =>
  runProgram(
    argv,
    { version: '1.2.3', consoleFolder: folder, start: async () => {} },
    { result: (text) => void printed.push(text), say: (text) => void said.push(text) },
  );
const json = <T>(): T => JSON.parse(printed.splice(0).join('\n')) as T;

test('a key is made, listed without its secret, rotated and revoked', async () => {
  expect(await ponte('keys', 'create', '--mode', 'test', '--name', 'ci', '--json')).toBe(0);
  const made = json<{ id: string; key: string }>();
  expect(made.key).toMatch(/^wzb_test_[0-9A-Za-z]{38}$/);

  expect(await ponte('keys', 'rotate', made.id, '--grace-hours', '1', '--json')).toBe(0);
  const next = json<{ id: string; key: string; replaces: string }>();
  expect(next).toMatchObject({ replaces: made.id });

  expect(await ponte('keys', 'revoke', next.id)).toBe(0);
  printed.splice(0);
  expect(await ponte('keys', 'list', '--json')).toBe(0);
  const text = printed.join('');
  const { keys } = json<{ keys: { id: string; name: string; mode: string; revoked_at: string | null }[] }>();
  expect(keys.map(({ id, name, mode }) => ({ id, name, mode }))).toEqual([
    { id: made.id, name: 'ci', mode: 'test' },
    { id: next.id, name: 'ci', mode: 'test' },
  ]);
  expect(keys.every((key) => key.revoked_at !== null)).toBe(true);
  expect(text).not.toContain(made.key);
  expect(text).not.toContain(next.key);
});

test('a usage mistake ends with 2 and names the option, an impossible wish with 1 and the reason', async () => {
  expect(await ponte('keys', 'create', '--mode', 'prod', '--name', 'x')).toBe(2);
  expect(said.splice(0).join()).toContain('--mode is "prod", but it takes test or live');
  expect(await ponte('keys', 'create', '--mode', 'test')).toBe(2);
  expect(said.splice(0).join()).toContain('--name');
  expect(await ponte('keys', 'create', '--mode', 'test', '--name', 'x', '--scopes', 'everything')).toBe(2);
  expect(said.splice(0).join()).toContain('messages:send');
  expect(await ponte('nonsense')).toBe(2);
  expect(await ponte('keys', 'revoke', 'key_nobody')).toBe(1);
  expect(said.splice(-1).join()).toContain('there is no key key_nobody');
  expect(await ponte('--version')).toBe(0);
  expect(printed).toEqual(['1.2.3']);
});

test('a person is added, gets a new password when theirs is lost, is locked out and let in again', async () => {
  expect(await ponte('people', 'add', 'vera@example.com', '--name', 'Vera')).toBe(2);
  expect(said.splice(0).join()).toContain('--role owner');
  expect(await ponte('people', 'add', 'Olga@example.com', '--name', 'Olga', '--role', 'owner', '--json')).toBe(0);
  const olga = json<{ email: string; password: string }>();
  expect(olga).toMatchObject({ email: 'olga@example.com', role: 'owner', password: expect.stringMatching(/^\w{16}$/) });
  expect(await ponte('people', 'add', 'olga@example.com', '--name', 'Olga', '--role', 'owner')).toBe(1);
  expect(said.splice(0).join()).toContain('ponte people reset olga@example.com');
  expect(await ponte('people', 'reset', 'OLGA@example.com')).toBe(0);
  const [password] = printed.splice(0);
  expect(password).toMatch(/^\w{16}$/);
  expect(password).not.toBe(olga.password);
  expect(await ponte('people', 'reset', 'nobody@example.com')).toBe(1);
  expect(said.splice(0).join()).toContain('ponte people list');
  // The only owner stays.
  expect(await ponte('people', 'disable', 'olga@example.com')).toBe(1);
  expect(said.splice(0).join()).toMatch(/^ponte: [^\n]*owner[^\n]*$/);
  expect(await ponte('people', 'add', 'vera@example.com', '--name', 'Vera', '--role', 'viewer')).toBe(0);
  expect(await ponte('people', 'disable', 'vera@example.com')).toBe(0);
  printed.splice(0);
  expect(await ponte('people', 'list', '--json')).toBe(0);
  expect(json()).toMatchObject({
    people: [{ email: 'olga@example.com' }, { email: 'vera@example.com', disabled: true }],
  });
  expect(await ponte('people', 'enable', 'vera@example.com')).toBe(0);
  expect(printed.splice(0)).toEqual(['vera@example.com may sign in again']);
});

test('the lines of a fresh installation are an empty list', async () => {
  expect(await ponte('lines', 'list', '--json')).toBe(0);
  expect(json()).toEqual({ lines: [] });
});

test('the doctor finds a fresh installation well, and a wrong setting by its name', async () => {
  expect(await ponte('doctor', '--json')).toBe(0);
  const { checks } = json<{ checks: { name: string; ok: boolean }[] }>();
  expect(checks.filter((check) => !check.ok)).toEqual([]);
  expect(checks.map((check) => check.name)).toContain('master key');
  expect(existsSync(join(folder, 'data', 'ponte.db'))).toBe(true);
  process.env.CANARY_LINE = 'line_nobody';
  expect(await ponte('doctor')).toBe(1);
  expect(printed.splice(0).join('\n')).toMatch(/FAIL {2}canary line: CANARY_LINE is "line_nobody"/);
  delete process.env.CANARY_LINE;
  process.env.LOG_LEVEL = 'loud';
  expect(await ponte('doctor')).toBe(1);
  expect(printed.join('\n')).toMatch(/FAIL {2}configuration: LOG_LEVEL is "loud"/);
});

test('the receiver answers 200, prints what came, and checks signatures against its secret', async () => {
  const server = await startReceiver({ port: 0, print: (line) => void printed.push(line) });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const answer = await fetch(`http://127.0.0.1:${port}/hook`, { method: 'POST', body: '{"event":"message"}' });
  expect(answer.status).toBe(200);
  await answer.text();
  expect(printed.join('\n')).toContain('{"event":"message"}');
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const body = Buffer.from('{"a":1}');
  const signature = `sha256=${createHmac('sha256', 'wzb_whsec_x').update(body).digest('hex')}`;
  expect(signatureVerdict(body, signature, 'wzb_whsec_x')).toBe('signature valid');
  expect(signatureVerdict(body, signature, 'wzb_whsec_y')).toBe('SIGNATURE INVALID');
  expect(signatureVerdict(body, 'sha256=short', 'wzb_whsec_x')).toBe('SIGNATURE INVALID');
});

test('the quick start carries the key and both APIs', () => {
  const text = quickStart('http://127.0.0.1:8080', 'wzb_test_KEY');
  expect(text).toContain('export KEY=wzb_test_KEY PONTE=http://127.0.0.1:8080');
  expect(text).toContain('/api/instances/demo/proxy/send/text');
  expect(text).toContain('/api/bridge/v1/messages/send');
});

test('accounts and plans are made, changed and shown; a plan in use stays', async () => {
  expect(await ponte('plans', 'set', 'pro', '--sent-messages', '10000', '--lines', '5', '--json')).toBe(0);
  expect(json()).toEqual({ name: 'pro', limits: { sent_messages: 10_000, webhook_events: null, lines: 5 } });
  expect(
    await ponte('accounts', 'create', '--name', 'Acme', '--plan', 'pro', '--cycle-from', '2026-01-15', '--json'),
  ).toBe(0);
  const { id } = json<{ id: string }>();
  expect(await ponte('accounts', 'change', id, '--subscription', 'past_due', '--json')).toBe(0);
  expect(json()).toMatchObject({ id, plan: 'pro', subscription: 'past_due', cycle_anchor: '2026-01-15T00:00:00.000Z' });
  expect(
    await ponte(
      'keys',
      'create',
      '--mode',
      'live',
      '--name',
      'k',
      '--account',
      id,
      '--expires-in-days',
      '30',
      '--json',
    ),
  ).toBe(0);
  expect(json()).toMatchObject({ account: id, expires_at: expect.stringMatching(/^\d{4}-/) });
  expect(await ponte('keys', 'list', '--account', id, '--json')).toBe(0);
  expect(json<{ keys: unknown[] }>().keys).toHaveLength(1);
  expect(await ponte('accounts', 'show', id, '--json')).toBe(0);
  const unlimited = { used: 0, limit: null };
  expect(json()).toMatchObject({
    usage: {
      live: { sent_messages: { used: 0, limit: 10_000 }, webhook_events: unlimited, lines: { used: 0, limit: 5 } },
    },
  });
  expect(await ponte('plans', 'delete', 'pro')).toBe(1);
  expect(said.splice(0).join()).toContain('Give them another one first');
  expect(await ponte('accounts', 'change', id, '--plan', 'gold')).toBe(1);
  expect(await ponte('accounts', 'change', id, '--subscription', 'gone')).toBe(2);
  expect(await ponte('accounts', 'change', id, '--cycle-from', 'soon')).toBe(2);
  expect(await ponte('plans', 'set', 'pro', '--lines', 'many')).toBe(2);
  expect(await ponte('accounts', 'list')).toBe(0);
  expect(printed.join()).toContain('Acme');
});

test('the sandbox runs alone, says how to reach it, and ends when it is told to', async () => {
  const caFile = join(folder, 'ca.pem');
  const ended = ponte('sandbox', '--port', '0', '--ca-file', caFile, '--json');
  await expect.poll(() => printed.length, { timeout: 10_000 }).toBe(1);
  const facts = json<Record<string, string>>();
  expect(facts).toMatchObject({
    websocket: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+\/t\/WORLD\/ws\/chat\?line=LINE$/),
    noise_root_public_key: expect.stringMatching(/^[0-9a-f]{64}$/),
    media: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
  });
  expect(readFileSync(caFile, 'utf8')).toBe(facts.media_ca_pem);
  const phones = `${facts.control?.replace('WORLD', 'my-world')}/phones`;
  const made = await fetch(phones, {
    method: 'POST',
    headers: { authorization: `Bearer ${facts.control_token}` },
    body: '{"phone":"15550001111","name":"Alice"}',
  });
  expect([made.status, await made.json()]).toMatchObject([201, { phone: '15550001111' }]);
  expect((await fetch(phones)).status).toBe(401);
  process.emit('SIGTERM');
  expect(await ended).toBe(0);
  await expect(fetch(phones)).rejects.toThrow();
  expect(await ponte('sandbox', '--port', 'x')).toBe(2);
});

test('listen takes a server with its key, and a place to forward to that is a URL', async () => {
  expect(await ponte('listen', '--url', 'http://127.0.0.1:1')).toBe(2);
  expect(said.splice(0).join()).toContain('--url and --key go together');
  expect(await ponte('listen', '--forward', 'nowhere')).toBe(2);
  expect(said.splice(0).join()).toContain('--forward is "nowhere"');
  expect(await ponte('listen', '--mode', 'prod')).toBe(2);
  expect(said.splice(0).join()).toContain('--mode is "prod", but it takes test or live');
});

test('the audit log is proven by its chain; a changed entry and a cut end show, with 1 as the end', async () => {
  const at = await openInstallation({ DATA_DIR: join(folder, 'data') });
  const audit = createAudit({ store: at.store, ring: at.ring, clock: systemClock });
  const entry = {
    userId: null,
    actor: 'a@b.example',
    mode: null,
    outcome: 'ok',
    address: '203.0.113.7',
    requestId: 'r',
  };
  for (const action of ['signIn', 'createKey', 'deleteLine']) await audit.append({ ...entry, action, target: 'x' });
  expect(await ponte('audit', 'verify', '--json')).toBe(0);
  const { head, ...proof } = json<{ ok: boolean; sealed: number; head: string }>();
  expect(proof).toMatchObject({ ok: true, sealed: 3 });
  expect(await ponte('audit', 'verify', '--expect', head)).toBe(0);
  expect(await ponte('audit', 'verify', '--expect', 'another')).toBe(1);
  expect(said.splice(0).join('\n')).toContain('not the expected one');
  await at.store.db
    .updateTable('console_audit')
    .set({ actor: 'somebody else' })
    .where('action', '=', 'createKey')
    .execute();
  await at.close();
  printed.splice(0);
  expect(await ponte('audit', 'verify')).toBe(1);
  expect(said.join('\n')).toContain('the audit log was changed');
});
