import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { form } from './support/api.ts';
import { Rig } from './support/rig.ts';
import { startS3 } from './support/s3-server.ts';
import { until } from './support/until.ts';

type Sent = { message_id: string };

const ALICE = '15550002222';
const OWNER = '15550001111';
const LINES = '/api/bridge/v1';
const ADMIN_TOKEN = 'an-admin-token-of-the-tests-0123';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Every file below a folder, as a thief of the disk would see it. */
const below = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

async function start(environment: Record<string, string>) {
  const rig = await Rig.start({ environment: { ...environment, ADMIN_TOKEN } });
  closers.push(() => rig.close());
  await rig.sandbox.phone(ALICE, 'Alice');
  const line = await rig.linkLine('demo', OWNER);
  const media = (id: string) => `${LINES}/messages/${id}/media?line_id=${line.lineId}`;
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(rig.base + path, {
      headers: { authorization: `Bearer ${rig.testKey}`, ...headers },
      signal: AbortSignal.timeout(60_000),
    });
  return {
    rig,
    line,
    /** Sends the bytes as a document; answers the message's id. */
    async send(bytes: Buffer): Promise<string> {
      const fields = { line_id: line.lineId, to: `+${ALICE}`, media_type: 'document', filename: 'a.bin' };
      const body = form(fields, { bytes, type: 'application/octet-stream', name: 'a.bin' });
      const { message_id: id } = await rig.api.expect<Sent>(202, 'POST', `${LINES}/messages/send-media?wait=0`, body);
      return id;
    },
    /** Alice's phone has downloaded and checked it. */
    arrived: (id: string) =>
      until(`Alice's phone to have ${id}`, async () => {
        const items = (await rig.sandbox.inbox(ALICE)) as unknown as Record<string, unknown>[];
        return items.find((item) => item.message_id === id && item.file === 'ok');
      }),
    /** Alice sends the bytes; answers the message's id when it can be asked for. */
    async receive(bytes: Buffer): Promise<string> {
      const said = { to: OWNER, type: 'document', data: bytes.toString('base64') };
      const path = `/api/sandbox/v1/phones/${ALICE}/messages`;
      const { message_id: id } = await rig.api.expect<Sent>(201, 'POST', path, said);
      await until(`the message ${id}`, async () => (await get(media(id), { range: 'bytes=0-0' })).status === 206);
      return id;
    },
    async read(id: string, range?: string): Promise<Buffer> {
      const answer = await get(media(id), range === undefined ? {} : { range });
      expect(answer.status).toBe(range === undefined ? 200 : 206);
      return Buffer.from(await answer.arrayBuffer());
    },
  };
}

test('of an account with sealed contents nothing of a file is on the disk, and all of it is read', {
  timeout: 180_000,
}, async () => {
  const { rig, line, send, arrived, receive, read } = await start({});
  const folder = rig.environment.DATA_DIR ?? '';
  const canary = `canary ${randomBytes(8).toString('hex')} `;
  const bytes = Buffer.from(canary.repeat(12_000));
  const stolen = () => below(folder).filter((path) => existsSync(path) && readFileSync(path).includes(canary));
  // One that was downloaded, and one that waits, before the account asks for it.
  const early = await receive(bytes);
  await rig.sandbox.fault(line.lineId, { kind: 'media_fail', status: 503, count: 100_000 });
  const waiting = await send(bytes);
  await until('both to lie there in the clear', () => stolen().length === 2);
  const admin = { authorization: `Bearer ${ADMIN_TOKEN}` };
  await rig.api.expect(200, 'PATCH', `/api/admin/v1/accounts/${rig.accountId}`, { contents: 'sealed' }, admin);
  const isSealed = async () => {
    const { account } = await rig.api.expect<{ account: { contents: string } }>(200, 'GET', `${LINES}/me`);
    return account.contents === 'sealed';
  };
  await until('the contents to be sealed', isSealed, 120_000);
  expect(stolen()).toEqual([]);
  // A send that waits, over kill -9 of the whole gateway.
  const late = await send(bytes);
  expect(stolen()).toEqual([]);
  await rig.killGateway();
  expect(stolen()).toEqual([]);
  await rig.startGateway();
  await rig.world('DELETE', `/lines/${line.lineId}/faults`);
  for (const id of [waiting, late]) await arrived(id);
  const id = await receive(bytes);
  for (const one of [id, early]) {
    expect((await read(one)).equals(bytes)).toBe(true);
    expect((await read(one, 'bytes=65530-131100')).equals(bytes.subarray(65_530, 131_101))).toBe(true);
    expect((await read(one, 'bytes=-7')).equals(bytes.subarray(-7))).toBe(true);
  }
  expect(stolen()).toEqual([]);
  // What was changed or cut off on the disk is fetched again.
  const cached = below(join(folder, 'media', 'cache'));
  expect(cached).toHaveLength(2);
  const [first = '', second = ''] = cached;
  truncateSync(first, 100_000);
  writeFileSync(second, readFileSync(second).fill(0, 300, 400));
  for (const one of [id, early])
    await until('it to be fetched again', async () => (await read(one).catch(() => bytes.subarray(1))).equals(bytes));
  expect(stolen()).toEqual([]);
});

test('on storage that speaks S3 files are sent, outlive kill -9, and are received, and none is on the node', {
  timeout: 120_000,
}, async () => {
  const s3 = await startS3();
  closers.push(() => s3.close());
  const { settings } = s3;
  const { rig, line, send, arrived, receive, read } = await start({
    BLOB_URL: 's3://files/of/ponte',
    BLOB_ENDPOINT: settings.endpoint.replace('/files', ''),
    BLOB_ACCESS_KEY_ID: settings.accessKeyId,
    BLOB_SECRET_ACCESS_KEY: settings.secretAccessKey,
  });
  const bytes = randomBytes(9 * 1024 ** 2);
  await arrived(await send(bytes));
  await rig.sandbox.fault(line.lineId, { kind: 'media_fail', status: 503, count: 100_000 });
  const waiting = await send(bytes);
  await rig.killGateway();
  await rig.startGateway();
  await rig.world('DELETE', `/lines/${line.lineId}/faults`);
  await arrived(waiting);
  const id = await receive(bytes.subarray(0, 1_000_000));
  expect((await read(id)).equals(bytes.subarray(0, 1_000_000))).toBe(true);
  expect((await read(id, 'bytes=10-99')).equals(bytes.subarray(10, 100))).toBe(true);
  expect(existsSync(join(rig.environment.DATA_DIR ?? '', 'media', 'spool'))).toBe(false);
  const stored = () => below(join(s3.folder, 'files', 'of', 'ponte')).filter((path) => path.endsWith('object'));
  await until('the spool to be empty', () => stored().every((path) => path.includes('/cache/')));
  expect(stored()).toHaveLength(1);
});
