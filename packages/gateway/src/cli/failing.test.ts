import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { gatewayEntry } from '../../test/support/product-code.ts';
import { runProgram } from './program.ts';
import { startServer } from './start.ts';

/* How a start that cannot be ends: with one sentence that says what to do, and a code. */

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ponte-failing-'));
  vi.stubEnv('DATA_DIR', join(folder, 'data'));
  vi.stubEnv('PORT', '0');
  vi.stubEnv('SANDBOX', 'off');
  vi.stubEnv('LOG_LEVEL', 'silent');
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.removeAllListeners(signal);
  rmSync(folder, { recursive: true });
});

/** What `ponte start` says and ends with. */
async function start(settings: Record<string, string>): Promise<{ code: number; said: string }> {
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  const said: string[] = [];
  const out = { result: (text: string) => void said.push(text), say: (text: string) => void said.push(text) };
  const options = { version: '0', consoleFolder: folder };
  const code = await runProgram(['start'], { ...options, start: () => startServer(options, out) }, out);
  return { code, said: said.join('\n') };
}

const EXAMPLE = readFileSync(new URL('../../../../config.example.env', import.meta.url), 'utf8');
const SETTINGS = [...new Set([...EXAMPLE.matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name ?? ''))];
const NUMBER = ['-1', '1e9', 'many', '99999999999999'];
/** What no setting may take in silence; a number or a switch when nothing else is said. */
const GARBAGE: Record<string, string[]> = {
  HOST: ['http://localhost', 'a b', ':::', '1:2'],
  PUBLIC_URL: ['wa.example.com', 'http://', 'ftp://x', 'a b'],
  TRUST_PROXY: ['yes please', '10.0.0.5 10.0.0.6', '999.1.1.1', '10.0.0.0/99', '::::/8'],
  MCP_ALLOWED_HOSTS: ['https://x', 'a b', 'x:80'],
  METRICS_TOKEN: ['a b', 'ключ'],
  ADMIN_TOKEN: ['short', 'twenty four characters and spaces'],
  INSECURE_COOKIES: ['maybe'],
  DATA_DIR: ['/dev/null', '/dev/null/x', '/proc/x'],
  DATABASE_URL: ['mysql://x/y', 'postgres://', 'postgres://u:%zz@h/d', 'postgres://h/d?schema=A%20b'],
  MASTER_KEY: ['short', 'x'.repeat(64)],
  MASTER_KEY_FILE: ['/nowhere/key', '/dev', '/dev/null'],
  MASTER_KEY_COMMAND: ['exit 3', 'echo short'],
  ISOLATION: ['docker'],
  WHATSAPP_VERSION: ['2.3000', 'new'],
  ALLOW_PRIVATE_TARGETS: [
    '127.0.0.1',
    'localhost',
    'a b',
    'http://n8n',
    'n8n:0',
    '10.0.0.0/40',
    'n8n:5678 10.1.0.0/16',
  ],
  SANDBOX: ['maybe'],
  SANDBOX_EPHEMERAL: ['2'],
  SANDBOX_URL: ['127.0.0.1:8098', 'ftp://h', 'http://h/path', 'http://h'],
  SANDBOX_TOKEN: ['short', 'twenty four characters and spaces'],
  LOG_LEVEL: ['loud'],
  NATS_URL: ['127.0.0.1:4222', 'http://h', 'nats://', 'nats://u:%zz@h', 'nats://h nats://g', 'nats://127.0.0.1:4222'],
  NATS_USER: ['ponte'],
  NATS_PASSWORD: ['secret'],
  NATS_CREDS_FILE: ['/nowhere/creds'],
  NATS_CA_FILE: ['/nowhere/ca'],
  NATS_CERT_FILE: ['/nowhere/cert'],
  NATS_KEY_FILE: ['/nowhere/key'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['collector:4318', 'ftp://h'],
  OTEL_EXPORTER_OTLP_HEADERS: ['authorization', 'a b=c'],
  OTEL_SERVICE_NAME: ['x'.repeat(256)],
  OTEL_TRACES_SAMPLER: ['sometimes', 'parentbased_'],
  NODE_NAME: ['a b', '-', 'ключ'],
};

describe.each(SETTINGS)('%s', (name) => {
  test.each(GARBAGE[name] ?? NUMBER)('"%s" is refused with one sentence, before anything is made', async (value) => {
    const { code, said } = await start({ [name]: value });
    expect(said).toContain(name);
    expect(said).not.toMatch(/\n|\bat /);
    expect(code).toBe(2);
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('every setting that is read stands in the example, and so above', () => {
  const sources = ['config.ts', 'fleet-settings.ts', 'sandbox-settings.ts', 'master-key.ts', 'environment.ts'].map(
    (name) => readFileSync(new URL(`../config/${name}`, import.meta.url), 'utf8'),
  );
  const named = sources.join('\n').matchAll(/\b(?:\w+\((?:read, )?'|env\.)([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)\b/g);
  const read = new Set([...named].map(([, name]) => name ?? ''));
  // Not settings of Ponte.
  const others = new Set(['PATH', 'ENOENT', 'EEXIST']);
  expect(read.size).toBeGreaterThan(25);
  expect([...read].filter((name) => !SETTINGS.includes(name) && !others.has(name))).toEqual([]);
});

test('a process says it on standard error and ends with code 2', async () => {
  const env = { ...process.env, ALLOW_PRIVATE_TARGETS: '127.0.0.1' };
  const ended = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, [gatewayEntry, 'start'], { env, cwd: folder }, (error, _stdout, stderr) =>
      resolve({ code: error?.code, stderr }),
    );
  });
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(/^ponte: ALLOW_PRIVATE_TARGETS: "127\.0\.0\.1" needs its port: .*\n$/);
});

describe('what is around it', () => {
  const sentence = async (settings: Record<string, string>) => {
    const { code, said } = await start(settings);
    expect(said).toMatch(/^ponte: .*$/);
    expect(code).toBe(1);
    return said;
  };

  test('a port that another program has', async () => {
    const other = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const port = String((other.address() as AddressInfo).port);
    expect(await sentence({ PORT: port })).toContain(`port ${port} on 127.0.0.1 is in use by another program`);
    expect(existsSync(join(folder, 'data'))).toBe(false);
    other.close();
    await once(other, 'close');
  });

  test.each(['203.0.113.77', 'no-such-host.invalid'])('HOST=%s, which is no address of this machine', async (host) => {
    expect(await sentence({ HOST: host })).toContain(`HOST is "${host}", which is no address of this machine`);
  });

  test('a damaged database', async () => {
    writeFileSync(join(folder, 'ponte.db'), 'this is no database, but long enough to be read as one. '.repeat(100));
    expect(await sentence({ DATA_DIR: folder })).toContain('is damaged');
  });

  test('PostgreSQL that refuses, or is not there', async () => {
    const url = process.env.TEST_DATABASE_URL;
    if (!url) return;
    const missing = new URL(url);
    missing.pathname = '/no_such_database';
    expect(await sentence({ DATABASE_URL: missing.toString() })).toContain('has no database no_such_database');
  });
});
