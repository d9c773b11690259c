import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixtureOf } from '../../simulator/src/phone/media/media-fixtures.ts';
import type { ReceivedRequest } from './receiver.ts';
import { form, type InboxItem } from './support/api.ts';
import { FileServer } from './support/file-server.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

type Body = Record<string, unknown> & { data?: Record<string, unknown> };
type Shown = InboxItem & Record<string, unknown>;
type Sent = { message_id: string; timestamp: number };
type FixtureKind = Parameters<typeof fixtureOf>[0];

const ALICE = '15550002222';
const OWNER = '15550001111';
const PROXY = '/api/instances/demo/proxy';
const LINES = '/api/bridge/v1';
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const bodyOf = (request: ReceivedRequest) => JSON.parse(request.body) as Body;
const fixture = (kind: FixtureKind) => fixtureOf(kind, kind);

const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('files in both directions, on %s', (database) => {
  let rig: Rig;
  let files: FileServer;
  let line: LinkedLine;

  beforeAll(async () => {
    files = await FileServer.start();
    rig = await Rig.start({ database, targetPorts: [files.port] });
    await rig.sandbox.phone(ALICE, 'Alice');
    line = await rig.linkLine('demo', OWNER);
    await rig.api.expect(200, 'POST', `${LINES}/webhooks`, { url: `${rig.receiver.url}/lines`, events: ['*'] });
  }, 60_000);
  afterAll(async () => {
    await rig?.close();
    await files?.close();
  });

  const shown = (id: string, wanted: (item: Shown) => boolean = () => true): Promise<Shown> =>
    until(`Alice's phone shows ${id}`, async () =>
      ((await rig.sandbox.inbox(ALICE)) as Shown[]).find((item) => item.message_id === id && wanted(item)),
    );
  /** What Alice's phone has downloaded, checked and shows. */
  const arrived = (id: string) => shown(id, (item) => item.file !== undefined && item.file !== 'pending');
  const send = (path: string, body: unknown, headers?: Record<string, string>) =>
    rig.api.expect<Sent>(200, 'POST', `${PROXY}/send/${path}`, body, headers);
  const said = async (body: Record<string, unknown>) => {
    const { message_id: id } = await rig.api.expect<Sent>(201, 'POST', `/api/sandbox/v1/phones/${ALICE}/messages`, {
      to: OWNER,
      ...body,
    });
    await until(`the webhook of ${id}`, () =>
      rig.receiver.requests.find((r) => r.path === '/bridges/demo' && bodyOf(r).message_id === id),
    );
    return id;
  };
  const download = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const response = await fetch(rig.base + path, {
      method,
      headers: { authorization: `Bearer ${rig.testKey}`, ...headers },
      signal: AbortSignal.timeout(60_000),
    });
    return { response, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const spooled = () => readdir(join(rig.environment.DATA_DIR ?? '', 'media', 'spool'));

  test('every kind of file that has an address is sent as what it is', async () => {
    for (const kind of ['image', 'video', 'audio', 'document'] as const) {
      const { bytes, mimeType } = fixture(kind);
      const url = files.serve(`/${kind}.bin`, bytes, mimeType);
      const caption = kind === 'audio' ? {} : { caption: `a ${kind}` };
      const { message_id: id } = await send('media', { chat: ALICE, url, ...caption });
      expect(await arrived(id)).toMatchObject({
        type: kind,
        mime_type: mimeType,
        size: bytes.length,
        sha256: sha(bytes),
        file: 'ok',
        ...caption,
      });
    }
    await until('the spool to be empty', async () => (await spooled()).length === 0);
  });

  test('files of every kind that a phone sends are downloaded byte by byte', async () => {
    for (const kind of ['image', 'video', 'audio', 'voice', 'document', 'sticker'] as const) {
      const { bytes, mimeType } = fixture(kind);
      const id = await said({ type: kind, fixture: kind });
      const { response, bytes: got } = await download(`${PROXY}/messages/${id}/media`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, mimeType]);
      expect(sha(got)).toBe(sha(bytes));
    }
  });

  test('a file goes by base64 and as a form, and once per Idempotency-Key', async () => {
    const bytes = randomBytes(200_000);
    const data = { chat: ALICE, data: bytes.toString('base64'), filename: 'numbers.bin', caption: 'Numbers' };
    const first = await send('media', data, { 'idempotency-key': `${database}-1` });
    expect(await arrived(first.message_id)).toMatchObject({
      type: 'document',
      filename: 'numbers.bin',
      caption: 'Numbers',
      sha256: sha(bytes),
    });
    expect(await send('media', data, { 'idempotency-key': `${database}-1` })).toEqual(first);
    const asForm = (content: Uint8Array) =>
      form({ chat: ALICE, kind: 'document' }, { bytes: content, type: 'text/csv', name: 'ünï "1".csv' });
    const second = await send('media', asForm(Buffer.from('a,b')), { 'idempotency-key': `${database}-2` });
    expect(await arrived(second.message_id)).toMatchObject({ mime_type: 'text/csv', filename: 'ünï "1".csv', size: 3 });
    expect(await send('media', asForm(Buffer.from('a,b')), { 'idempotency-key': `${database}-2` })).toEqual(second);
    const other = await rig.api.call('POST', `${PROXY}/send/media`, asForm(Buffer.from('a,c')), {
      'idempotency-key': `${database}-2`,
    });
    expect([other.status, other.body.error]).toEqual([409, 'idempotency_conflict']);
    await until('the spool to be empty', async () => (await spooled()).length === 0);
  });

  test.runIf(database === 'sqlite')(
    'a file that was accepted is sent after kill -9',
    async () => {
      const { bytes, mimeType } = fixture('image');
      const url = files.serve('/later.jpg', bytes, mimeType);
      // WhatsApp takes no file now: the send waits, accepted.
      await rig.sandbox.fault(line.lineId, { kind: 'media_fail', status: 503, count: 1_000 });
      const send = { chat: ALICE, url };
      const { message_id: id } = await rig.api.expect<Sent>(202, 'POST', `${PROXY}/send/media?wait=0`, send);
      expect(await spooled()).toHaveLength(1);
      files.files.delete('/later.jpg');
      await rig.killGateway();
      await rig.world('DELETE', `/lines/${line.lineId}/faults`);
      await rig.startGateway();
      await rig.untilConnected('demo');
      expect(await arrived(id)).toMatchObject({ type: 'image', file: 'ok', sha256: sha(bytes), copies: 1 });
      await until('the spool to be empty', async () => (await spooled()).length === 0);
    },
    60_000,
  );
});
