import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixtureOf } from '../../simulator/src/phone/media/media-fixtures.ts';
import { freePort } from '../src/bench/processes.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/*
 * The examples of the published reference, run as they are printed: only the host, the key, the
 * line and (of the verifiers) the secret are filled in.
 */
const BASE = '/api/bridge/v1';
const CUSTOMER = '34600000000';
const EXAMPLES = new URL('./seed-examples/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, EXAMPLES), 'utf8');

interface Interpreter {
  command: string;
  probe: string[];
  needs: string;
}
const INTERPRETERS = {
  curl: { command: 'curl', probe: ['--version'], needs: 'apt-get install curl' },
  php: {
    command: 'php',
    probe: ['-r', 'exit(function_exists("curl_init") ? 0 : 1);'],
    needs: 'apt-get install php-cli php-curl',
  },
  // The system's own: other ones may lack `requests`.
  python: { command: '/usr/bin/python3', probe: ['-c', 'import requests'], needs: 'apt-get install python3-requests' },
  node: { command: process.execPath, probe: ['--version'], needs: 'node' },
} satisfies Record<string, Interpreter>;

const has = ({ command, probe }: Interpreter) => spawnSync(command, probe, { stdio: 'ignore' }).status === 0;
/**
 * With CI=true what is missing fails; elsewhere the name of the skipped test says how to get it.
 */
const isLeftOut = (of: Interpreter) => process.env.CI !== 'true' && !has(of);

let rig: Rig;
let line: LinkedLine;
let folder: string;
let phpPort: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponte-examples-'));
  phpPort = await freePort();
  rig = await Rig.start({ targetPorts: [phpPort] });
  await rig.sandbox.phone(CUSTOMER, 'Cliente');
  line = await rig.linkLine('shop', '34911222333');
}, 60_000);
afterAll(async () => {
  await rig?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** An example with the blanks filled in, and nothing else changed. */
const filledIn = (text: string, idempotencyKey: string) =>
  text
    .replaceAll('https://www.wazion.com', rig.base)
    .replaceAll('https://tu-cdn.com', rig.receiver.url)
    .replaceAll('wzb_live_xxx', rig.testKey)
    .replaceAll('line_xxx', line.lineId)
    .replaceAll('order-1001', idempotencyKey);

function run(name: string, { command }: Interpreter, key: string, args: string[] = []): Promise<string> {
  const file = join(folder, `${key}-${name}`);
  writeFileSync(file, filledIn(read(name), key));
  const child = spawn(command, [...args, file], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
  let out = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => (out += data));
  child.stderr.on('data', (data: Buffer) => (errors += data));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(out) : reject(new Error(`${name} ended with ${code}: ${errors}`)),
    );
  });
}

describe('a request example of the reference sends once, however often it is run', () => {
  test.skipIf(isLeftOut(INTERPRETERS.curl)).each([['send.sh', { ...INTERPRETERS.curl, command: 'sh' }]])(
    '%s (needs curl)',
    (name, interpreter) => twice(name, interpreter),
  );
  test('send.mjs', () => twice('send.mjs', INTERPRETERS.node));
  test.skipIf(isLeftOut(INTERPRETERS.python))(`send.py (needs ${INTERPRETERS.python.needs})`, () =>
    twice('send.py', INTERPRETERS.python),
  );
  test.skipIf(isLeftOut(INTERPRETERS.php))(`send.php (needs ${INTERPRETERS.php.needs})`, () =>
    twice('send.php', INTERPRETERS.php),
  );
});

test.skipIf(isLeftOut(INTERPRETERS.curl))('send-media.sh sends the file at the address (needs curl)', async () => {
  const { bytes, mimeType } = fixtureOf('image', 'image');
  const body = Buffer.from(bytes);
  rig.receiver.use(({ path }) =>
    path === '/foto.jpg' ? { answer: 200, headers: { 'content-type': mimeType }, body } : { answer: 200 },
  );
  const out = await run('send-media.sh', { ...INTERPRETERS.curl, command: 'sh' }, 'media-1');
  const { message_id: id, status } = JSON.parse(out) as { message_id: string; status: string };
  expect(status).toBe('sent');
  const item = await until('the customer has it', async () =>
    (await rig.sandbox.inbox(CUSTOMER)).find((one) => one.message_id === id && 'file' in one && one.file === 'ok'),
  );
  expect(item).toMatchObject({ type: 'image', caption: 'Hello', size: bytes.length, copies: 1 });
});

async function twice(name: string, interpreter: Interpreter): Promise<void> {
  const key = `order-${name.replace('.', '-')}`;
  const first = await run(name, interpreter, key);
  const again = await run(name, interpreter, key);
  expect(again).toBe(first);
  const id = /3EB0[0-9A-F]+/.exec(first)?.[0];
  expect(first).toMatch(/["']?status["']?: ?["']sent["']/);
  const items = await until('the customer has it', async () => {
    const all = await rig.sandbox.inbox(CUSTOMER);
    return all.some((item) => item.message_id === id) && all;
  });
  expect(items.filter((item) => item.message_id === id)).toMatchObject([{ body: 'Pedido confirmado', copies: 1 }]);
}

describe('the printed verifiers accept every delivery and nothing else', () => {
  test('Node', async () => {
    const made = await webhook('/node');
    const file = join(folder, 'verify.mjs');
    writeFileSync(file, `${read('verify.js.txt')}\nexport { verify };\n`);
    const { verify } = (await import(file)) as { verify(body: string, header: string, secret: string): boolean };
    await provoke();
    const requests = await until('deliveries', () => {
      const all = rig.receiver.requests.filter((request) => request.path === '/node');
      return all.length >= 4 && all;
    });
    for (const { body, headers } of requests) {
      const header = String(headers['x-wazion-bridge-signature']);
      expect(verify(body, header, made.secret)).toBe(true);
      expect(verify(`${body} `, header, made.secret)).toBe(false);
      expect(verify(body, header, `${made.secret}x`)).toBe(false);
    }
  });

  test.skipIf(isLeftOut(INTERPRETERS.php))(`PHP (needs ${INTERPRETERS.php.needs})`, async () => {
    const port = phpPort;
    const secretFile = join(folder, 'secret');
    const script = join(folder, 'verify.php');
    // What stands around the verifier: the secret before it, an answer after it.
    writeFileSync(
      script,
      `<?php $secret = trim(file_get_contents(${JSON.stringify(secretFile)})); ?>${read('verify.php.txt')}\nhttp_response_code(200); echo "accepted";\n`,
    );
    const server = await startPhp(script, port);
    try {
      const made = await webhook('/php', `http://127.0.0.1:${port}`);
      writeFileSync(secretFile, made.secret);
      await provoke();
      const log = await until('four deliveries', async () => {
        const answer = await rig.api.expect<{ deliveries: Delivery[] }>(
          200,
          'GET',
          `${BASE}/webhooks/${made.id}/deliveries?status=delivered`,
        );
        return answer.deliveries.length >= 4 && answer.deliveries;
      });
      expect(log.map((one) => one.last_attempt.response_excerpt)).toEqual(log.map(() => 'accepted'));
      expect(log.every((one) => one.last_attempt.status_code === 200 && one.attempts === 1)).toBe(true);
      writeFileSync(secretFile, 'wzb_whsec_another');
      const refused = await rig.api.expect(200, 'POST', `${BASE}/webhooks/${made.id}/test`);
      expect(refused).toMatchObject({ ok: false, status_code: 401 });
    } finally {
      server.kill();
    }
  });
});

interface Delivery {
  attempts: number;
  last_attempt: { status_code: number; response_excerpt: string };
}

const webhook = (path: string, at = rig.receiver.url) =>
  rig.api.expect<{ id: string; secret: string }>(200, 'POST', `${BASE}/webhooks`, {
    url: `${at}${path}`,
    events: ['*'],
    line_id: line.lineId,
  });

/** Events of several kinds: sent, delivered, received twice, with letters that are no ASCII. */
async function provoke(): Promise<void> {
  const body = { line_id: line.lineId, to: '+34600000000', message: 'Señal ✓ “ñ” 👍 \u2028 </script>' };
  await rig.api.expect(200, 'POST', `${BASE}/messages/send`, body);
  await rig.sandbox.say(CUSTOMER, line.phone, '¿Qué tal? \\ / "…"');
  await rig.sandbox.say(CUSTOMER, line.phone, 'Перевод 你好');
}

async function startPhp(script: string, port: number): Promise<ChildProcess> {
  const child = spawn('php', ['-S', `127.0.0.1:${port}`, script], { stdio: 'ignore' });
  await until(
    'PHP serves',
    async () => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)) !== undefined,
  );
  return child;
}
