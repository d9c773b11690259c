import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../src/bench/processes.ts';
import { printedBlock, printedBlocks, ROOT, run, shell, withOther } from './support/printed.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/* Every call that the pages print is made as it stands. */

const TWO_MINUTES_MS = 120_000;
const ALICE = '15550002222';

let rig: Rig;
let folder: string;
let line: LinkedLine;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ponte-docs-'));
  rig = await Rig.start();
  line = await rig.linkLine('docs', '15550001111');
  await rig.sandbox.phone(ALICE, 'Alice');
  environment = { KEY: rig.testKey, PONTE: rig.base, LINE: line.lineId, PHONE: ALICE };
}, 60_000);
afterAll(async () => {
  await rig?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function calls(page: string, more: Record<string, string> = {}): Promise<string> {
  const script = printedBlocks(page, 'sh').join('\n');
  const { code, stdout, stderr } = await shell(script, { cwd: folder, environment: { ...environment, ...more } });
  expect([code, stderr], stdout).toEqual([0, '']);
  return stdout;
}

test('the first page: a message goes from one phone to another', { timeout: TWO_MINUTES_MS }, async () => {
  const printed = await calls('index.md');
  expect(printed).toContain('"status":"sent"');
  expect(printed).toContain('Hello from Ponte');
});

test('connecting.md: a link for the owner of a number', { timeout: TWO_MINUTES_MS }, async () => {
  const { line_id } = await rig.api.expect<{ line_id: string }>(200, 'POST', '/api/bridge/v1/lines', {});
  const printed = await calls('connecting.md', { UNPAIRED: line_id });
  const url = /"url":"([^"]+)"/.exec(printed)?.[1] ?? '';
  expect(await (await fetch(url)).text()).toContain('Connect WhatsApp');
});

test('sending.md: a text with an idempotency key', { timeout: TWO_MINUTES_MS }, async () => {
  expect(await calls('sending.md')).toContain('"status":"sent"');
});

test('files.md: a form, base64, and a file that came in', { timeout: TWO_MINUTES_MS }, async () => {
  const text = 'as the phone sent it';
  await rig.api.expect(201, 'POST', `/api/sandbox/v1/phones/${ALICE}/messages`, {
    to: line.phone,
    type: 'document',
    data: Buffer.from(text).toString('base64'),
    mime_type: 'text/plain',
    filename: 'sent.txt',
  });
  const id = await until('the file is known', async () => {
    const { messages } = await rig.api.expect<{ messages: { message_id: string; type: string; from_me: boolean }[] }>(
      200,
      'GET',
      `/api/bridge/v1/messages?line_id=${line.lineId}&phone=${ALICE}`,
    );
    return messages.find(({ type, from_me }) => type === 'document' && !from_me)?.message_id;
  });
  await calls('files.md', { MESSAGE: id });
  expect(readFileSync(join(folder, 'received.bin'), 'utf8')).toBe(text);
  const inbox = await rig.sandbox.inbox(ALICE);
  expect(inbox.filter(({ type }) => type === 'document')).toHaveLength(2);
});

test('groups.md: made, written into, changed and left', { timeout: TWO_MINUTES_MS }, async () => {
  const printed = await calls('groups.md');
  expect(printed).toContain('https://chat.whatsapp.com/');
  expect((await rig.sandbox.inbox(ALICE)).map(({ body }) => body)).toContain('Welcome');
});

test('history.md: chats, messages, a search, and older ones', { timeout: TWO_MINUTES_MS }, async () => {
  await rig.sandbox.say(ALICE, line.phone, 'hello history');
  await until('it has arrived', async () => {
    const { raw } = await rig.api.call('GET', `/api/bridge/v1/messages?line_id=${line.lineId}&q=history`);
    return raw.includes('hello history');
  });
  expect(await calls('history.md')).toContain('hello history');
});

/** Lets a program run until it has printed what is waited for, then ends it. */
async function printing(program: ChildProcess, what: string, meanwhile: () => Promise<unknown>): Promise<void> {
  let printed = '';
  for (const stream of [program.stdout, program.stderr]) stream?.on('data', (text) => (printed += text));
  const exited = once(program, 'exit');
  try {
    // A stream that begins with "now" gets later events only: the event is repeated until it
    // arrives.
    await until(`"${what}" is printed`, async () => {
      await meanwhile();
      return printed.includes(what);
    });
  } catch (error) {
    throw new Error(`${String(error)}; printed: ${printed}`);
  } finally {
    program.kill();
    await exited;
  }
}
const start = (command: string, args: string[]) =>
  spawn(command, args, { cwd: folder, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
const said = (body: string) => () => rig.sandbox.say(ALICE, line.phone, body);

test('events.md: curl, Node and Python print what happens', { timeout: TWO_MINUTES_MS }, async () => {
  const [curl = ''] = printedBlocks('events.md', 'sh');
  await printing(start('bash', ['-c', `exec ${curl}`]), 'by curl', said('by curl'));
  const [node = ''] = printedBlocks('events.md', 'js');
  writeFileSync(join(folder, 'events.mjs'), node);
  await printing(start(process.execPath, ['events.mjs']), 'by Node', said('by Node'));
  writeFileSync(join(folder, 'events.py'), printedBlock('events.md', 'python'));
  await printing(start('/usr/bin/python3', ['-u', 'events.py']), 'by Python', said('by Python'));
});

test('events.md: a local program gets them by "listen"', { timeout: TWO_MINUTES_MS }, async () => {
  const received: string[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request) text += piece;
    received.push(text);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [, listen = ''] = printedBlocks('events.md', 'sh');
  const command = withOther(listen, {
    'npm run -s ponte --': `exec ${process.execPath} ${join(ROOT, 'packages/gateway/main.js')}`,
    'http://127.0.0.1:3000/hook': `http://127.0.0.1:${port}/hook`,
  });
  environment = { ...rig.environment, ...environment };
  try {
    await printing(start('bash', ['-c', command]), 'message.received', async () => {
      await said('by listen')();
      return received.length;
    });
    expect(received.join()).toContain('by listen');
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('testing-in-ci.md: a job from an empty folder to its end', { timeout: TWO_MINUTES_MS }, async () => {
  // What a job checks out is this repository, installed and built.
  const script = withOther(printedBlock('testing-in-ci.md', 'sh'), {
    'npm run -s ponte --': `${process.execPath} packages/gateway/main.js`,
    'npm start': `${process.execPath} packages/gateway/main.js start`,
    'ready.json': join(folder, 'ready.json'),
  });
  const { code, stdout, stderr } = await shell(script, {
    cwd: ROOT,
    environment: { FREE_PORT: String(await freePort()) },
  });
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toContain('"mode":"test"');
});

test('operating.md: the backup and the drill of its restoring', { timeout: TWO_MINUTES_MS }, async () => {
  const ponte = `${process.execPath} ${join(ROOT, 'packages/gateway/main.js')}`;
  const [backup = '', drill = ''] = printedBlocks('operating.md', 'sh');
  const backups = join(folder, 'backups');
  await run('mkdir', ['-p', backups], { cwd: folder });
  const made = await shell(withOther(backup, { 'npm run -s ponte --': ponte, '/var/backups': backups }), {
    cwd: folder,
    environment: rig.environment,
  });
  expect(made.code, made.stderr).toBe(0);
  const restored = await shell(
    withOther(drill, {
      'npm run -s ponte --': ponte,
      '/var/backups': backups,
      '/mnt/safe/master.key': join(String(rig.environment.DATA_DIR), 'master.key'),
      '/tmp/ponte-drill': join(folder, 'drill'),
    }),
    // Nothing of the running one: the drill says where it is.
    { cwd: folder, environment: { PORT: String(await freePort()) } },
  );
  expect(restored.code, restored.stdout + restored.stderr).toBe(0);
  expect(restored.stdout).toContain(line.lineId);
});
