import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isDevelopment } from '../src/cli/start.ts';
import { isBehindProxy, ownServicesOf, readConfig } from '../src/config/config.ts';
import { loadMasterKey } from '../src/config/master-key.ts';
import { makePrivateFiles, mendPermissions } from '../src/config/private-files.ts';
import { systemClock } from '../src/core/clock.ts';
import { dispositionOf } from '../src/http/file-answer.ts';
import { createAddressPolicy, parseAllowList } from '../src/net/address-policy.ts';
import { silentLog } from '../src/observe/logger.ts';
import { startSimulatorProcess } from '../src/sandbox/simulator-process.ts';
import { openStore } from '../src/store/db/open.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { ManualClock } from './support/manual-clock.ts';
import { listenRaw } from './support/raw-http.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ponte-surroundings-'));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const config = (env: Record<string, string>) => readConfig(env, { cores: 2, cwd: folder });
const modeOf = (name: string): number => statSync(join(folder, name)).mode & 0o777;

it('the simulated network’s process inherits nothing of the environment', async () => {
  process.env.ADMIN_TOKEN = 'operator-token-nobody-should-read';
  const entry = fileURLToPath(import.meta.resolve('@ponte/simulator/main'));
  const dataFile = join(folder, 'sandbox.db');
  const running = await startSimulatorProcess({ entry, dataFile, clock: systemClock, log: silentLog });
  try {
    const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
    const mine = children.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dataFile));
    expect(mine).toHaveLength(1);
    const environment = readFileSync(`/proc/${mine[0]}/environ`, 'utf8').split('\0');
    expect(environment.filter((one) => one !== '' && !/^NODE_(?:CHANNEL|UNIQUE|COMPILE_CACHE)/.test(one))).toEqual([]);
  } finally {
    delete process.env.ADMIN_TOKEN;
    await running.close();
  }
});

it('database files are private in a folder that others may enter, and earlier ones are mended', async () => {
  const before = process.umask(0o022);
  try {
    writeFileSync(join(folder, 'ponte.db-old'), '');
    mkdirSync(join(folder, 'media'), { mode: 0o755 });
    writeFileSync(join(folder, 'README.txt'), 'of somebody else');
    makePrivateFiles();
    const store = await openStore({ url: `sqlite:${join(folder, 'ponte.db')}`, clock: systemClock });
    await store.db
      .selectFrom('settings')
      .selectAll()
      .execute()
      .catch(() => {});
    expect([modeOf('ponte.db'), modeOf('ponte.db-wal')]).toEqual([0o600, 0o600]);
    await store.close();
    expect(mendPermissions(folder).sort()).toEqual(['media', 'ponte.db-old']);
    expect([modeOf('media'), modeOf('ponte.db-old'), modeOf('README.txt')]).toEqual([0o700, 0o600, 0o644]);
    expect(mendPermissions(folder)).toEqual([]);
  } finally {
    process.umask(before);
  }
});

it('the installation’s own database is no target under an allowed range, by name or by address', () => {
  const own = ownServicesOf(config({ DATABASE_URL: 'postgres://ponte:x@db.internal:15432/ponte' }));
  expect(own).toEqual([{ hostname: 'db.internal', port: 15_432 }]);
  expect(ownServicesOf(config({ DATABASE_URL: 'postgres://ponte@[fd00::5]/ponte' }))).toEqual([
    { hostname: 'fd00::5', port: 5_432 },
  ]);
  expect(ownServicesOf(config({}))).toEqual([]);
  const judge = (allow: string, hostname: string, address: string) =>
    createAddressPolicy({ allow: parseAllowList(allow), ownPorts: [8_080], ownServices: own }).judge(
      { hostname, port: 15_432, secure: false },
      address,
    ).allowed;
  expect(judge('10.0.0.0/8', 'db.internal', '10.1.2.3')).toBe(false);
  expect(judge('10.0.0.0/8', '10.1.2.3', '10.1.2.3')).toBe(false);
  expect(judge('db.internal', 'db.internal', '10.1.2.3')).toBe(false);
  expect(judge('10.0.0.0/8,db.internal:15432', 'db.internal', '10.1.2.3')).toBe(true);
});

it('the quick start’s exception for loopback is closed once others may come in', () => {
  expect(isDevelopment(config({}))).toBe(true);
  for (const env of [
    { PUBLIC_URL: 'https://wa.example.com' },
    { TRUST_PROXY: 'loopback' },
    { HOST: '0.0.0.0' },
    { ALLOW_PRIVATE_TARGETS: 'n8n:5678' },
  ] as Record<string, string>[]) {
    expect(isDevelopment(config(env)), JSON.stringify(env)).toBe(false);
  }
  expect(isBehindProxy(config({ PUBLIC_URL: 'http://localhost:8080' }))).toBe(false);
  expect(isBehindProxy(config({ PUBLIC_URL: 'https://wa.example.com' }))).toBe(true);
});

it('MASTER_KEY_COMMAND prints the key; what it prints is never repeated', () => {
  const key = 'ab'.repeat(32);
  expect(loadMasterKey({ MASTER_KEY_COMMAND: `printf ${key}`, PATH: process.env.PATH }, folder).toString('hex')).toBe(
    key,
  );
  for (const command of ['printf secret-but-short', 'printf secret; exit 3', 'no-such-command-here']) {
    const fails = () => loadMasterKey({ MASTER_KEY_COMMAND: command, PATH: process.env.PATH }, folder);
    expect(fails).toThrow(/MASTER_KEY_COMMAND/);
    expect(fails).not.toThrow(/printf|secret/);
  }
});

it('the name of a download shows what the file is', () => {
  expect(dispositionOf('annexe\u202Efdp.exe')).toBe(
    `attachment; filename="annexefdp.exe"; filename*=UTF-8''annexefdp.exe`,
  );
  expect(dispositionOf('\u2066a\u2069\u200f\u0007.txt')).toContain('filename="a.txt"');
  expect(dispositionOf('\u202E')).toBe('attachment');
  expect(dispositionOf('Año “1”.pdf')).toContain("filename*=UTF-8''A%C3%B1o%20%E2%80%9C1%E2%80%9D.pdf");
});

describe('over https and against slow writers', () => {
  let h: HttpHarness;
  afterEach(() => h.close());

  it('HSTS goes out where the public address is https', async () => {
    h = await openHttp({ publicUrl: 'https://wa.example.com' });
    expect((await h.call('GET', '/healthz')).headers['strict-transport-security']).toBe('max-age=31536000');
    await h.close();
    h = await openHttp();
    expect((await h.call('GET', '/healthz')).headers['strict-transport-security']).toBeUndefined();
  });

  it.each(['application/json', 'multipart/form-data; boundary=x'])(
    'an upload that stalls is answered, and its connection cut, within a minute: %s',
    async (type) => {
      const clock = new ManualClock();
      h = await openHttp({ clock });
      await h.call('POST', '/api/instances', { body: { customer_ref: 'shop' } });
      const { ask, host } = await listenRaw(h.app);
      // No "Connection: close": a client that keeps its connection is cut all the same.
      const answer = ask(
        `POST /api/instances/shop/proxy/send/media HTTP/1.1\nHost: ${host}\nAuthorization: Bearer ${h.keys.test}\nContent-Type: ${type}\nContent-Length: 100000`,
        '{"chat":"34600000001",',
        { keepAlive: true },
      );
      let isOver = false;
      void answer.then(() => {
        isOver = true;
      });
      for (let second = 0; second < 60 && !isOver; second += 1) {
        await clock.advance(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { status, text } = await answer;
      expect([status, text]).toEqual([400, expect.stringContaining('did not arrive in time')]);
    },
  );

  it('a refused batch of MCP messages spends one', async () => {
    h = await openHttp({ clock: new ManualClock(), limits: { api: { max: 5, windowMs: 60_000 } } });
    const ping = (id: number) => ({ jsonrpc: '2.0', id, method: 'ping' });
    const post = async (count: number) =>
      (await h.call('POST', '/api/bridge/mcp', { body: Array.from({ length: count }, (_, id) => ping(id)) })).status;
    expect(await post(8)).toBe(429);
    expect(await post(4)).toBe(200);
    expect(await post(1)).toBe(429);
  });
});
