import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixtureOf } from '../../simulator/src/phone/media/media-fixtures.ts';
import { freePort } from '../src/bench/processes.ts';
import type { ReceivedRequest } from './receiver.ts';
import type { InboxItem } from './support/api.ts';
import { FileServer } from './support/file-server.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';
import { watchMemory } from './support/watch-memory.ts';

type Body = Record<string, unknown> & { data?: Record<string, unknown> };
type Shown = InboxItem & Record<string, unknown>;
type Sent = { message_id: string; timestamp: number };
type FixtureKind = Parameters<typeof fixtureOf>[0];

const ALICE = '15550002222';
const OWNER = '15550001111';
const PROXY = '/api/instances/demo/proxy';
const LINES = '/api/bridge/v1';
const _sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const bodyOf = (request: ReceivedRequest) => JSON.parse(request.body) as Body;
const fixture = (kind: FixtureKind) => fixtureOf(kind, kind);

describe('files, in detail', () => {
  let rig: Rig;
  let files: FileServer;
  let line: LinkedLine;
  let otherPort: number;

  beforeAll(async () => {
    files = await FileServer.start();
    otherPort = await freePort();
    rig = await Rig.start({
      targetPorts: [files.port],
      environment: { MEDIA_MAX_IMAGE_MB: '1', MEDIA_MAX_DOCUMENT_MB: '128', PATH: process.env.PATH ?? '' },
    });
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
  const arrived = (id: string) => shown(id, (item) => item.file !== undefined && item.file !== 'pending');
  const send = (path: string, body: unknown) => rig.api.expect<Sent>(200, 'POST', `${PROXY}/send/${path}`, body);
  const refused = async (body: unknown, path = 'send/media') => {
    const answer = await rig.api.call('POST', `${PROXY}/${path}`, body);
    return [answer.status, answer.body.error, String(answer.body.message)] as const;
  };
  const say = (body: Record<string, unknown>) =>
    rig.api.expect<Sent>(201, 'POST', `/api/sandbox/v1/phones/${ALICE}/messages`, { to: OWNER, ...body });
  const heard = (id: string, path = '/bridges/demo') =>
    until(`the webhook of ${id}`, () =>
      rig.receiver.requests
        .filter((r) => r.path === path)
        .map(bodyOf)
        .find((body) => body.message_id === id || body.data?.message_id === id),
    );
  const said = async (body: Record<string, unknown>) => {
    const { message_id: id } = await say(body);
    await heard(id);
    return id;
  };
  const download = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    const response = await fetch(path.startsWith('http') ? path : rig.base + path, {
      method,
      headers: { authorization: `Bearer ${rig.testKey}`, ...headers },
      signal: AbortSignal.timeout(60_000),
    });
    return { response, status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const mediaOf = (id: string) => `${PROXY}/messages/${id}/media`;

  test('stickers, voice messages, GIFs and view once arrive as such', async () => {
    const png = await sharp({ create: { width: 60, height: 30, channels: 3, background: '#0a0' } })
      .png()
      .toBuffer();
    const url = files.serve('/square.png', png, 'image/png');
    const sticker = await send('sticker', { chat: ALICE, url });
    expect(await arrived(sticker.message_id)).toMatchObject({ type: 'sticker', mime_type: 'image/webp', file: 'ok' });
    const once = await send('media', { chat: ALICE, url, view_once: true });
    expect(await arrived(once.message_id)).toMatchObject({ type: 'image', view_once: true, file: 'ok' });
    const opus = fixture('voice');
    const voice = await send('media', { chat: ALICE, data: Buffer.from(opus.bytes).toString('base64'), voice: true });
    expect(await arrived(voice.message_id)).toMatchObject({ type: 'voice', seconds: 1, file: 'ok' });
    const video = files.serve('/a.mp4', fixture('video').bytes, 'video/mp4');
    const gif = await send('media', { chat: ALICE, url: video, gif: true, quoted_message_id: sticker.message_id });
    expect(await arrived(gif.message_id)).toMatchObject({
      type: 'video',
      gif: true,
      quoted_message_id: sticker.message_id,
    });
  });

  test('a status reaches the people in the address book, as text and as picture', async () => {
    const { bytes, mimeType } = fixture('image');
    await rig.sandbox.phone('15550003333', 'A stranger');
    await rig.world('POST', '/phones/15550003333/messages', { to: OWNER, type: 'text', body: 'Hello' });
    // The address book is still empty.
    expect((await refused({ body: 'x' }, 'send/status'))[0]).toBe(400);
    await rig.world('POST', `/phones/${OWNER}/contacts`, { contacts: [{ phone: ALICE, name: 'Alice' }] });
    const text = await until('the address book to be known', async () => {
      const answer = await rig.api.call<Sent>('POST', `${PROXY}/send/status`, { body: 'Open until nine' });
      return answer.status === 200 && answer.body;
    });
    const image = await send('status', { url: files.serve('/s.jpg', bytes, mimeType), caption: 'New' });
    expect(await shown(text.message_id)).toMatchObject({ chat: 'status@broadcast', body: 'Open until nine' });
    expect(await arrived(image.message_id)).toMatchObject({ chat: 'status@broadcast', caption: 'New', file: 'ok' });
    const byChat = await send('media', { chat: 'status@broadcast', url: files.url('/s.jpg'), caption: 'Again' });
    expect(await arrived(byChat.message_id)).toMatchObject({ chat: 'status@broadcast', caption: 'Again' });
    const channel = { chat: '120363000000000001@newsletter', url: files.url('/s.jpg') };
    expect((await refused(channel)).slice(0, 2)).toEqual([422, 'media_rejected']);
    const strangers = await rig.sandbox.inbox('15550003333');
    expect(strangers.filter(({ chat }) => chat === 'status@broadcast')).toEqual([]);
    expect((await refused({ body: 'x', url: 'https://example.com/a.jpg' }, 'send/status'))[0]).toBe(400);
  });

  test('what cannot be fetched is refused, whatever its address leads to', async () => {
    files.acts.set('/redirect', (_request, response) => {
      response.writeHead(302, { location: `http://127.0.0.1:${otherPort}/secret` }).end();
    });
    files.acts.set('/ring', (_request, response) => {
      response.writeHead(302, { location: files.url('/ring') }).end();
    });
    files.acts.set('/metadata', (_request, response) => {
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
    });
    files.acts.set('/broken', (_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png', 'content-length': '1000' });
      response.write('half');
      response.destroy();
    });
    const urls = ['/missing', '/redirect', '/ring', '/metadata', '/broken'].map((path) => files.url(path));
    const private_ = [
      'http://localhost:1/a',
      `http://127.0.0.1:${otherPort}/`,
      'http://169.254.169.254/',
      'http://[::1]/',
    ];
    for (const url of [...urls, ...private_, 'http://10.0.0.1/x.png', 'http://0x7f000001/']) {
      const [status, error, message] = await refused({ chat: ALICE, url });
      expect([url, status, error]).toEqual([url, 422, 'media_fetch_failed']);
      expect(message).not.toMatch(/169\.254|127\.0|ECONN|secret/);
    }
    for (const url of ['file:///etc/passwd', 'ftp://example.com/a', '/etc/passwd', 'data:image/png;base64,AAAA']) {
      expect((await refused({ chat: ALICE, url })).slice(0, 2)).toEqual([400, 'validation_error']);
    }
  });

  test('what is too large or contradicts itself is refused while it comes in', async () => {
    let served = 0;
    files.acts.set('/endless.png', (_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png' });
      response.write(Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'));
      const pump = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) served += 65_536;
      };
      response.on('drain', pump);
      pump();
    });
    const [status, error, message] = await refused({ chat: ALICE, url: files.url('/endless.png') });
    expect([status, error]).toEqual([422, 'media_rejected']);
    expect(message).toContain('1 MiB');
    expect(served).toBeLessThan(16 * 1_048_576);
    const page = files.serve('/page.png', Buffer.from('<html>'), 'image/png');
    expect((await refused({ chat: ALICE, url: page, kind: 'image' })).slice(0, 2)).toEqual([422, 'media_rejected']);
    const lines = (body: Record<string, unknown>) =>
      rig.api.call('POST', `${LINES}/messages/send-media`, { line_id: line.lineId, to: ALICE, ...body });
    const pdf = files.serve('/a.pdf', fixture('document').bytes, 'application/pdf');
    const contradicting = await lines({ media_url: pdf });
    expect([contradicting.status, contradicting.body.error]).toEqual([422, 'media_rejected']);
    expect((await lines({ media_url: pdf, media_type: 'document' })).status).toBe(200);
    for (const body of [{}, { url: page, data: 'AAAA' }, { data: 'not base64 §' }, { url: page, view_once: 'yes' }]) {
      expect((await refused({ chat: ALICE, ...body })).slice(0, 2)).toEqual([400, 'validation_error']);
    }
    const spool = join(rig.environment.DATA_DIR ?? '', 'media', 'spool');
    await until('the spool to be empty', async () => (await readdir(spool)).length === 0);
  });

  test('a download says type and name, and serves ranges', async () => {
    const bytes = randomBytes(10_000);
    const fields = { data: bytes.toString('base64'), mime_type: 'application/x-test', filename: 'Übersicht "1".bin' };
    const path = mediaOf(await said({ type: 'document', ...fields }));
    const whole = await download(path);
    expect(whole.bytes.equals(bytes)).toBe(true);
    const header = (name: string) => whole.response.headers.get(name);
    expect(header('content-type')).toBe('application/x-test');
    expect(header('content-disposition')).toContain("filename*=UTF-8''%C3%9Cbersicht%20%221%22.bin");
    expect([header('x-content-type-options'), header('content-length'), header('accept-ranges')]).toEqual([
      'nosniff',
      '10000',
      'bytes',
    ]);
    const part = async (range: string) => {
      const { status, response, bytes: got } = await download(path, { range });
      return [status, response.headers.get('content-range'), got.toString('hex')];
    };
    const hex = (from: number, to?: number) => bytes.subarray(from, to).toString('hex');
    expect(await part('bytes=10-19')).toEqual([206, 'bytes 10-19/10000', hex(10, 20)]);
    expect(await part('bytes=9990-')).toEqual([206, 'bytes 9990-9999/10000', hex(9990)]);
    expect(await part('bytes=-5')).toEqual([206, 'bytes 9995-9999/10000', hex(9995)]);
    expect((await part('bytes=10000-'))[0]).toBe(416);
    expect((await part('bytes=1-2,4-5'))[0]).toBe(200);
    const head = await download(path, {}, 'HEAD');
    expect([head.status, head.response.headers.get('content-length'), head.bytes.length]).toEqual([200, '10000', 0]);
  });

  test('webhooks, lists and the message itself say where the file is', async () => {
    const { bytes, mimeType } = fixture('image');
    const id = await said({ type: 'image', fixture: 'image', caption: 'Look' });
    const { data } = await heard(id, '/lines');
    const about = { mime_type: mimeType, size: bytes.length, filename: null };
    const url = `${rig.base}${LINES}/messages/${id}/media?line_id=${line.lineId}`;
    expect(data?.media).toEqual({ ...about, url, sha256: createHash('sha256').update(bytes).digest('base64') });
    const one = await rig.api.expect(200, 'GET', `${LINES}/messages/${id}?line_id=${line.lineId}`);
    expect(one.media).toEqual({ ...about, url });
    expect((await download(url)).bytes.equals(Buffer.from(bytes))).toBe(true);
    expect((await fetch(url)).status).toBe(401);
    const sent = await rig.api.expect<Sent>(200, 'POST', `${LINES}/messages/send-media`, {
      line_id: line.lineId,
      to: ALICE,
      media_url: files.serve('/own.jpg', bytes, mimeType),
      caption: 'Mine',
    });
    expect((await download(mediaOf(sent.message_id))).bytes.equals(Buffer.from(bytes))).toBe(true);
  });

  test('a file is kept after its first download; gone from WhatsApp, the phone uploads it again', async () => {
    const cached = mediaOf(await said({ type: 'image', fixture: 'image' }));
    const before = await rig.api.expect<{ media_cache_size: number }>(200, 'GET', `${PROXY}/debug/stats`);
    expect((await download(cached)).status).toBe(200);
    await rig.sandbox.fault(line.lineId, { kind: 'media_fail', status: 500, count: 1 });
    expect((await download(cached)).status).toBe(200);
    const after = await rig.api.expect<{ media_cache_size: number }>(200, 'GET', `${PROXY}/debug/stats`);
    expect(after.media_cache_size).toBe(before.media_cache_size + 1);
    // The fault is still there: the next download meets it, and tries again.
    const bytes = randomBytes(5_000);
    const lost = mediaOf(await said({ type: 'document', data: bytes.toString('base64') }));
    expect((await download(lost)).bytes.equals(bytes)).toBe(true);
    const expired = randomBytes(5_000);
    const id = await said({ type: 'document', data: expired.toString('base64') });
    await rig.sandbox.fault(line.lineId, { kind: 'media_fail', status: 410, count: 1 });
    expect((await download(mediaOf(id))).bytes.equals(expired)).toBe(true);
    const wire = await rig.world<{ tag: string; attrs: Record<string, string> }[]>('GET', `/lines/${line.lineId}/wire`);
    expect(wire.some(({ tag, attrs }) => tag === 'receipt' && attrs.type === 'server-error' && attrs.id === id)).toBe(
      true,
    );
  });

  test('what is not there is said to be so', async () => {
    const text = await said({ type: 'text', body: 'no file' });
    const answer = async (id: string) => {
      const { status, body } = await rig.api.call('GET', mediaOf(id));
      return [status, body.error];
    };
    expect(await answer(text)).toEqual([404, 'media_not_found']);
    expect(await answer('NOSUCHMESSAGE')).toEqual([404, 'message_not_found']);
    const gone = await said({ type: 'image', fixture: 'image' });
    await rig.sandbox.fault(line.lineId, { kind: 'media_fail', status: 410, count: 2 });
    expect(await answer(gone)).toEqual([410, 'media_expired']);
    expect((await download(mediaOf(gone))).status).toBe(200);
  });

  test('a virtual phone sends what lies behind an address, fetched as guarded as all else', async () => {
    const { bytes, mimeType } = fixture('image');
    const id = await said({ type: 'image', url: files.serve('/phone.jpg', bytes, mimeType), caption: 'From the web' });
    expect((await download(mediaOf(id))).bytes.equals(Buffer.from(bytes))).toBe(true);
    const blocked = await rig.api.call('POST', `/api/sandbox/v1/phones/${ALICE}/messages`, {
      to: OWNER,
      type: 'image',
      url: 'http://169.254.169.254/',
    });
    expect([blocked.status, blocked.body.error]).toEqual([422, 'media_fetch_failed']);
  });

  test('a document of 100 MiB passes in both directions without being held in memory', async () => {
    const MIB = 1_048_576;
    const block = randomBytes(MIB);
    const hash = createHash('sha256');
    for (let i = 0; i < 100; i++) hash.update(block);
    const digest = hash.digest('hex');
    files.acts.set('/large.bin', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-large', 'content-length': String(100 * MIB) });
      let left = 100;
      const pump = () => {
        while (left > 0) {
          left -= 1;
          if (!response.write(block)) return;
        }
        response.end();
      };
      response.on('drain', pump);
      pump();
    });
    const pids = [rig.pid, ...rig.workers()];
    const grown = watchMemory(pids);
    const sent = await send('media', { chat: ALICE, url: files.url('/large.bin'), filename: 'large.bin' });
    const { response } = await fetchStream(rig.base + mediaOf(sent.message_id), rig.testKey);
    const got = createHash('sha256');
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) got.update(piece);
    expect(got.digest('hex')).toBe(digest);
    const growth = grown();
    console.info(
      `100 MiB both ways: resident memory grew by ${growth.map((mib) => `${mib} MiB`).join(' (main), ')} (worker)`,
    );
    for (const mib of growth) expect(mib).toBeLessThan(64);
  }, 120_000);
});

const fetchStream = async (url: string, key: string) => ({
  response: await fetch(url, { headers: { authorization: `Bearer ${key}` }, signal: AbortSignal.timeout(100_000) }),
});
