import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test, vi } from 'vitest';
import { createWorld, type TestWorld, type WorldOptions } from '../src/create-world.ts';
import { BaileysLine } from './baileys-line.ts';

const ALICE = '15550001111';
const BOB = '15550002222';
const START_MS = Date.UTC(2026, 0, 1);

interface Item {
  message_id: string;
  status: string;
}

const shows = (world: TestWorld, phone: string, id: unknown, status?: string): Promise<void> =>
  vi.waitFor(async () => {
    const inbox = await world.call<Item[]>('GET', `/phones/${phone}/inbox?sent=true`);
    const item = inbox.find(({ message_id }) => message_id === id);
    expect([item?.message_id, status === undefined ? undefined : item?.status]).toEqual([id, status]);
  });

/**
 * Phones that talk, answer, read, share files and a group, with an hour in between. Answers what
 * the API said.
 */
async function story(world: TestWorld): Promise<unknown[]> {
  const said: unknown[] = [];
  const call = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await world.call(method, path, body);
    said.push(answer);
    return answer;
  };
  await call('POST', '/phones', { phone: ALICE, name: 'Alice' });
  await call('POST', '/phones', { phone: BOB, name: 'Bob', about: 'Here' });
  const say = async (from: string, to: string, message: object): Promise<unknown> => {
    const { message_id: id } = await call('POST', `/phones/${from}/messages`, { to, ...message });
    await shows(world, from === ALICE ? BOB : ALICE, id);
    await shows(world, from, id, 'delivered');
    return id;
  };
  await say(ALICE, BOB, { type: 'text', body: 'Hi' });
  const poll = await say(BOB, ALICE, { type: 'poll', question: 'Which?', options: ['Red', 'Blue'] });
  await call('POST', `/phones/${ALICE}/votes`, { to: BOB, poll_id: poll, options: ['Red'] });
  world.advance(3_600_000);
  await say(ALICE, BOB, { type: 'image', fixture: 'image' });
  const { jid } = await call('POST', '/groups', { subject: 'Team', owner: ALICE, participants: [BOB] });
  await say(BOB, String(jid), { type: 'text', body: 'Hi all' });
  for (const phone of [ALICE, BOB]) await call('GET', `/phones/${phone}/inbox?sent=true`);
  return said;
}

interface Left {
  said: unknown[];
  rows: unknown;
  mediaPort: number;
}

/**
 * Everything that a run of the story leaves: what was said, and every row of the database but the
 * secrets of the media host's TLS.
 */
async function left(folder: string, name: string, options: WorldOptions): Promise<Left> {
  const dataFile = join(folder, `${name}.db`);
  const world = await createWorld({ ...options, dataFile });
  const { mediaPort } = world;
  const said = await story(world);
  await world.close();
  const db = new Database(dataFile, { readonly: true });
  const tables = db
    .prepare("select name from sqlite_master where type = 'table' and name not like 'sqlite%'")
    .all() as { name: string }[];
  const rows = tables.map((table) => {
    const all = db.prepare(`select * from ${table.name}`).all() as { key?: unknown }[];
    return [table.name, all.filter(({ key }) => !String(key).startsWith('media authority'))];
  });
  db.close();
  return { said, rows, mediaPort };
}

test('the same seed and time give the same world: every id, key, ciphertext and time, to the last row', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'world-'));
  const options = { seed: 'one', startMs: START_MS };
  const first = await left(folder, 'a', options);
  // Links to files name the port.
  const second = await left(folder, 'b', { ...options, mediaPort: first.mediaPort });
  expect(second.said).toEqual(first.said);
  expect(second.rows).toEqual(first.rows);
  expect(JSON.stringify(first.said)).toContain(String(START_MS / 1000));
  const other = await left(folder, 'c', { ...options, seed: 'two' });
  expect(other.said).not.toEqual(first.said);
  await rm(folder, { recursive: true, force: true });
});

test('a world in this process is driven by calls, and a client connects to it', async () => {
  const world = await createWorld();
  await world.call('POST', '/phones', { phone: ALICE, name: 'Alice' });
  await expect(world.call('GET', '/phones/15559999999')).rejects.toMatchObject({
    name: 'SandboxError',
    status: 404,
    code: 'phone_not_found',
  });
  const line = new BaileysLine(() => ({ ...world, wsUrl: (_: string, id: string) => world.wsUrl(id) }), 'line_a');
  line.connect();
  const qr = await line.until('a QR', () => line.qr);
  await world.call('POST', `/phones/${ALICE}/scan`, { qr });
  await line.until('the login', () => line.isOpen && line.isDrained);
  await world.call('POST', '/lines/line_a/faults', { kind: 'slow_acks', ms: 60_000, for_ms: 120_000 });
  const id = await line.sendText(`${ALICE}@s.whatsapp.net`, 'to myself');
  await shows(world, ALICE, id);
  const isAcked = (): boolean => line.stanzas.some(({ tag, attrs }) => tag === 'ack' && attrs.id === id);
  expect(isAcked()).toBe(false);
  world.advance(60_000);
  await line.ack(id);
  await line.close();
  await world.close();
});
