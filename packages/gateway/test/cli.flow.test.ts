import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../src/cli/program.ts';
import { Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/* The `ponte` command beside a running server, as an operator types it. */

const OWNER = '15550001111';
const ALICE = '15550002222';
const before = { ...process.env };

let rig: Rig;
let dataDir: string;
let lineId: string;
let printed: string[] = [];
let said: string[] = [];

beforeAll(async () => {
  rig = await Rig.start();
  dataDir = String(rig.environment.DATA_DIR);
  Object.assign(process.env, rig.environment);
  await rig.sandbox.phone(OWNER, 'Owner');
  await rig.sandbox.phone(ALICE, 'Alice');
}, 60_000);
afterAll(async () => {
  process.env = before;
  await rig?.close();
});
beforeEach(() => {
  printed = [];
  said = [];
});

const ponte = (...argv: string[]) =>
  runProgram(
    argv,
    { version: '1.2.3', consoleFolder: dataDir, start: async () => {} },
    { result: (text) => void printed.push(text), say: (text) => void said.push(text) },
  );
const json = <T>(): T => JSON.parse(printed.splice(0).join('\n')) as T;
const remote = () => ['--url', rig.base, '--key', rig.testKey];
const hears = (body: string) =>
  until(`Alice has ${body}`, async () => (await rig.sandbox.inbox(ALICE)).find((item) => item.body === body));

test('a line is made, paired by the QR in the terminal, and listed', async () => {
  expect(await ponte('lines', 'create', '--mode', 'test', '--label', 'Support', '--json')).toBe(0);
  lineId = json<{ line_id: string }>().line_id;
  const pairing = ponte('lines', 'pair', lineId, '--json');
  await until('a QR is shown', () => said.some((text) => /[▀▄█]/.test(text) && text.includes('Linked devices')));
  await rig.sandbox.scan(OWNER, { line_id: lineId });
  expect(await pairing).toBe(0);
  expect(json()).toMatchObject({ line_id: lineId, status: 'connected', phone: `+${OWNER}` });
  expect(await ponte('lines', 'list', '--json')).toBe(0);
  expect(json<{ lines: unknown[] }>().lines).toMatchObject([{ line_id: lineId, mode: 'test', label: 'Support' }]);
  expect(await ponte('lines', 'list', ...remote(), '--json')).toBe(0);
  expect(json<{ lines: unknown[] }>().lines).toMatchObject([{ line_id: lineId, status: 'connected' }]);
});

test('a text is sent, here and by the address of a server; the same Idempotency-Key sends once', async () => {
  expect(await ponte('send', lineId, `+${ALICE}`, 'from the terminal', '--idempotency-key', 'k1', '--json')).toBe(0);
  const sent = json<{ message_id: string; status: string }>();
  expect(sent.status).toBe('sent');
  expect(await hears('from the terminal')).toMatchObject({ message_id: sent.message_id });
  expect(await ponte('send', lineId, ALICE, 'from afar', ...remote())).toBe(0);
  expect(printed.join()).toContain('is sent');
  await hears('from afar');
  const again = ['send', lineId, `+${ALICE}`, 'from the terminal', '--idempotency-key', 'k1', '--json'];
  expect([await ponte(...again), printed.length]).toEqual([0, 2]);
  expect((await rig.sandbox.inbox(ALICE)).filter(({ body }) => body === 'from the terminal')).toHaveLength(1);
});

test('what cannot be done ends with 1 and the reason, a mistake with 2 and the option; no key stays behind', async () => {
  const ends = async (code: number, says: string, ...argv: string[]) => {
    expect([argv, await ponte(...argv)]).toEqual([argv, code]);
    expect(said.splice(0).join('\n')).toContain(says);
  };
  await ends(1, 'there is no line line_nobody', 'send', 'line_nobody', ALICE, 'x');
  await ends(1, 'has no WhatsApp account', 'send', lineId, '+15559999999', 'x');
  await ends(1, 'No such line', 'send', 'line_nobody', ALICE, 'x', ...remote());
  await ends(1, 'nothing answers at', 'lines', 'list', '--url', 'http://127.0.0.1:9', '--key', 'wzb_test_x');
  await ends(1, 'API key', 'lines', 'list', '--url', rig.base, '--key', 'wzb_test_x');
  await ends(2, '--url and --key go together', 'lines', 'pair', lineId, '--url', rig.base);
  await ends(2, '--url is "nonsense"', 'lines', 'list', '--url', 'nonsense', '--key', 'x');
  await ends(2, '--wait takes', 'send', lineId, ALICE, 'x', '--wait', 'long');
  await ends(2, 'missing required argument', 'send', lineId);
  await ends(1, 'the server runs', 'restore', join(dataDir, 'none.db'));
  expect(await ponte('keys', 'list', '--json')).toBe(0);
  expect(json<{ keys: { name: string }[] }>().keys.map(({ name }) => name)).toEqual(['rig']);
});

test('a backup is made while messages run, and brings back what there was', async () => {
  const file = join(dataDir, '..', 'backup.db');
  await ponte('send', lineId, ALICE, 'before the backup');
  const running = Array.from({ length: 10 }, (_, i) => ponte('send', lineId, ALICE, `meanwhile ${i}`, ...remote()));
  printed = [];
  expect(await ponte('backup', file, '--json')).toBe(0);
  await Promise.all(running);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await ponte('backup', file)).toBe(1);
  expect(said.splice(0).join()).toContain('exists already');
  await ponte('send', lineId, ALICE, 'after the backup');
  await hears('after the backup');

  await rig.stopGateway();
  expect(await ponte('send', lineId, ALICE, 'nobody home')).toBe(1);
  expect(said.splice(0).join()).toContain('start Ponte');
  const broken = join(dataDir, '..', 'broken.db');
  writeFileSync(broken, 'no database');
  expect(await ponte('restore', broken)).toBe(1);
  expect(said.splice(0).join()).toContain('is no database');
  printed = [];
  expect(await ponte('restore', file, '--json')).toBe(0);
  const { kept } = json<{ kept: string }>();
  expect(existsSync(kept)).toBe(true);
  expect(readdirSync(dataDir).filter((name) => name.includes('restoring'))).toEqual([]);
  expect(await ponte('migrate')).toBe(0);
  expect(printed.splice(0)).toEqual(['the database is up to date']);

  await rig.startGateway();
  const path = `/api/bridge/v1/messages?line_id=${lineId}&jid=${ALICE}&limit=200`;
  const { messages } = await rig.api.expect<{ messages: { body: string }[] }>(200, 'GET', path);
  const bodies = messages.map(({ body }) => body);
  expect(bodies).toContain('before the backup');
  expect(bodies).not.toContain('after the backup');
  await until('connected again', async () => {
    const line = await rig.api.expect(200, 'GET', `/api/bridge/v1/lines/${lineId}`);
    return line.status === 'connected';
  });
  expect([await ponte('send', lineId, ALICE, 'after the restore'), said]).toEqual([0, []]);
  await hears('after the restore');
  printed = [];
  expect(await ponte('lines', 'logout', lineId, '--json')).toBe(0);
  expect(json<{ unlinked: boolean }>().unlinked).toBe(true);
}, 60_000);

test('a restore needs the key of the backup; PostgreSQL has its own tools', async () => {
  const file = join(dataDir, '..', 'backup.db');
  process.env.DATA_DIR = join(dataDir, '..', 'elsewhere');
  expect(await ponte('restore', file)).toBe(1);
  expect(said.splice(0).join()).toContain('there is no master key');
  expect(existsSync(join(process.env.DATA_DIR, 'master.key'))).toBe(false);
  process.env.MASTER_KEY = '7'.repeat(64);
  expect(await ponte('restore', file)).toBe(1);
  expect(said.splice(0).join()).toContain('master key is not the one');
  expect(existsSync(join(process.env.DATA_DIR, 'ponte.db'))).toBe(false);
  process.env.DATABASE_URL = 'postgres://nobody@127.0.0.1/none';
  for (const command of ['backup', 'restore']) {
    expect(await ponte(command, file)).toBe(1);
    expect(said.splice(0).join()).toContain('pg_dump');
  }
});
