import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../src/bench/processes.ts';
import { Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs', 'webhooks.md'), 'utf8');

/** A receiver of the page, as printed, and how it is run. */
const RECEIVERS = [
  { name: 'receiver-standard.mjs', run: (file: string) => [process.execPath, file] },
  { name: 'receiver.mjs', run: (file: string) => [process.execPath, file] },
  { name: 'receiver.py', run: (file: string) => ['/usr/bin/python3', file] },
  { name: 'receiver.php', run: (file: string, port: number) => ['php', '-S', `127.0.0.1:${port}`, file] },
];

function block(name: string): string {
  const blocks = [...PAGE.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  const found = blocks.find((text) => (text.split('\n', 1)[0] ?? '').includes(` ${name}`));
  if (!found) throw new Error(`docs/webhooks.md has no program ${name}`);
  return found;
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

let rig: Rig;
let folder: string;
let ports: number[];

beforeAll(async () => {
  const cache = join(ROOT, 'packages', 'gateway', 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'docs-'));
  ports = await Promise.all(RECEIVERS.map(() => freePort()));
  rig = await Rig.start({ targetPorts: ports });
}, 60_000);
afterAll(async () => {
  await rig?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

describe.each(RECEIVERS.map((receiver, index) => ({ ...receiver, index })))('$name', ({ name, run, index }) => {
  const receiving = async <T>(secret: string, work: (printed: () => string) => Promise<T>): Promise<T> => {
    const port = ports[index] ?? 0;
    const file = join(folder, name);
    writeFileSync(file, block(name));
    const [command = '', ...args] = run(file, port);
    const program: ChildProcess = spawn(command, args, {
      env: { ...process.env, SECRET: secret, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    for (const stream of [program.stdout, program.stderr]) stream?.on('data', (chunk) => (printed += chunk));
    const exited = once(program, 'exit');
    try {
      await until(`${name} listens`, () => listens(port));
      return await work(() => printed);
    } finally {
      program.kill();
      await exited;
    }
  };
  const tested = (id: string) =>
    rig.api.expect<{ status_code: number }>(200, 'POST', `/api/bridge/v1/webhooks/${id}/test`);

  test('takes what is signed with its secret, and refuses the rest', { timeout: 60_000 }, async () => {
    const { id, secret } = await rig.api.expect<{ id: string; secret: string }>(
      200,
      'POST',
      '/api/bridge/v1/webhooks',
      { url: `http://127.0.0.1:${ports[index]}/`, events: ['message.received'] },
    );
    await receiving(secret, async (printed) => {
      expect((await tested(id)).status_code).toBe(204);
      await until('the event is printed', () => printed().includes('webhook.test'));
    });
    const [prefix, rest] = [secret.slice(0, 11), secret.slice(11)];
    const other = prefix + [...rest].reverse().join('');
    await receiving(other, async (printed) => {
      expect((await tested(id)).status_code).toBe(401);
      expect(printed()).not.toContain('webhook.test');
    });
  });
});

test('the library takes the secret without its wzb_, and throws on it as shown', async () => {
  const { Webhook } = await import('standardwebhooks');
  const made = await rig.api.expect<{ secret: string; standard_secret: string }>(
    200,
    'POST',
    '/api/bridge/v1/webhooks',
    { url: `http://127.0.0.1:${ports[0]}/`, events: ['message.sent'] },
  );
  expect(() => new Webhook(made.secret)).toThrow();
  expect(() => new Webhook(made.standard_secret)).not.toThrow();
  expect(made.standard_secret).toBe(made.secret.replace(/^wzb_/, ''));
});
