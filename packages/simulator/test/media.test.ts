import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { proto, type WAMessage } from 'baileys';
import { expect, test, vi } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import { fixtureOf } from '../src/phone/media/media-fixtures.ts';
import { MEDIA_KINDS } from '../src/phone/media/media-kinds.ts';
import { SystemClock } from '../src/world/clock.ts';
import type { BaileysLine } from './baileys-line.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, Fixture, pnJid, TENANT } from './fixture.ts';

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

function http(
  net: Fixture,
  method: string,
  path: string,
  options: { body?: Uint8Array; headers?: object } = {},
): Promise<Answer> {
  const { body, headers = {} } = options;
  return new Promise((resolve, reject) => {
    const { mediaPort: port, mediaCaPem: ca } = net.simulator;
    const wanted = { host: '127.0.0.1', port, path, method, ca, agent: false, headers: { ...headers } };
    request(wanted, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    })
      .on('error', reject)
      .end(body);
  });
}

const mediaMessage = (line: BaileysLine, id: string): Promise<WAMessage> =>
  line.until(`the message ${id}`, () => line.received.find((message) => message.key.id === id));

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** A token of the media host as a client gets it. */
async function token(line: BaileysLine): Promise<string> {
  return (await line.sock?.refreshMediaConn(true))?.auth ?? '';
}

const uploadPath = (kind: string, bytes: Uint8Array, auth: string): string => {
  const name = createHash('sha256').update(bytes).digest('base64url');
  return `/mms/${kind}/${name}?auth=${encodeURIComponent(auth)}&token=${name}`;
};

test('a line sends every kind of media, and the phone downloads and checks each', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  const bytes = (type: (typeof MEDIA_KINDS)[number]['type']): Buffer => Buffer.from(fixtureOf(type, type).bytes);
  const contents = {
    image: { image: bytes('image'), caption: 'A square', jpegThumbnail: '' },
    video: { video: bytes('video'), jpegThumbnail: '' },
    audio: { audio: bytes('audio'), mimetype: 'audio/mpeg', seconds: 1 },
    voice: { audio: bytes('voice'), mimetype: 'audio/ogg; codecs=opus', ptt: true, seconds: 1 },
    document: { document: bytes('document'), mimetype: 'application/pdf', fileName: 'a.pdf' },
    sticker: { sticker: bytes('sticker'), mimetype: 'image/webp' },
  };
  for (const [type, content] of Object.entries(contents)) {
    const sent = await line.sock?.sendMessage(pnJid(BOB), content);
    const [kind] = MEDIA_KINDS.filter((candidate) => candidate.type === type);
    const file = bytes(kind?.type ?? 'image');
    await vi.waitFor(async () => {
      expect(await call(`GET /phones/${BOB}/inbox`)).toContainEqual(
        expect.objectContaining({
          message_id: sent?.key.id,
          type,
          mime_type: fixtureOf(kind?.type ?? 'image', type).mimeType,
          size: file.length,
          sha256: sha(file),
          file: 'ok',
        }),
      );
    });
  }
  const [first, , , , document] = await call(`GET /phones/${BOB}/inbox`);
  expect(first).toMatchObject({ body: 'A square', caption: 'A square' });
  expect(document).toMatchObject({ filename: 'a.pdf' });
});

test('a phone sends every kind of media, and the line gets the same bytes', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  for (const { type } of MEDIA_KINDS) {
    const { message_id } = await call(`POST /phones/${BOB}/messages`, { to: ALICE, type, fixture: type });
    const message = await mediaMessage(line, message_id);
    expect(sha(await line.download(message))).toBe(sha(fixtureOf(type, type).bytes));
  }
  const own = randomBytes(300_000);
  const { message_id } = await call(`POST /phones/${BOB}/messages`, {
    to: ALICE,
    type: 'document',
    data: own.toString('base64'),
    mime_type: 'application/zip',
    filename: 'x.zip',
    caption: 'Here',
  });
  const message = await mediaMessage(line, message_id);
  expect(message.message?.documentMessage).toMatchObject({
    mimetype: 'application/zip',
    fileName: 'x.zip',
    caption: 'Here',
  });
  expect(sha(await line.download(message))).toBe(sha(own));
});

test('media without bytes are refused with what to send instead', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  await net.phone(ALICE);
  await net.phone(BOB);
  const cases: [object, string][] = [
    [{ type: 'image', url: 'https://example.com/a.jpg' }, 'url: is not fetched'],
    [{ type: 'image' }, 'data: is required for a image'],
    [{ type: 'image', data: '§§' }, 'data: must be base64'],
    [{ type: 'image', fixture: 'voice' }, 'fixture: must be "image"'],
    [{ type: 'voice', fixture: 'voice', caption: 'x' }, 'caption: a voice has none'],
    [{ type: 'document', fixture: 'document', view_once: true }, 'view_once: a document'],
    [{ type: 'text', body: 'x', view_once: true }, 'view_once: a text'],
    [{ type: 'text', body: 'x', ephemeral_seconds: 0 }, 'ephemeral_seconds: must be a number'],
  ];
  for (const [body, message] of cases) {
    const answer = await call.raw(`POST /phones/${ALICE}/messages`, { to: BOB, ...body });
    expect(answer).toMatchObject({ status: 400, body: { error: 'validation_error' } });
    expect(answer.body.message).toContain(message);
  }
});

test('view once, disappearing and forwarded messages say so, both ways', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  const bob = (body: object) => call(`POST /phones/${BOB}/messages`, { to: ALICE, ...body });
  const once = await bob({ type: 'image', fixture: 'image', view_once: true, to_companions: true });
  const image = await mediaMessage(line, once.message_id);
  expect(image.message?.viewOnceMessageV2?.message?.imageMessage?.viewOnce).toBe(true);
  expect(sha(await line.download(image))).toBe(sha(fixtureOf('image', 'image').bytes));
  const voice = await bob({ type: 'voice', fixture: 'voice', view_once: true, to_companions: true });
  const voiceMessage = await mediaMessage(line, voice.message_id);
  expect(voiceMessage.message?.viewOnceMessageV2Extension?.message?.audioMessage?.viewOnce).toBe(true);
  const short = await bob({ type: 'text', body: 'gone soon', ephemeral_seconds: 86_400, forwarded: true });
  const text = await mediaMessage(line, short.message_id);
  const content = text.message?.ephemeralMessage?.message?.extendedTextMessage;
  expect(content?.contextInfo).toMatchObject({ expiration: 86_400, isForwarded: true });
  const stanza = line.stanzas.find((node) => node.attrs.id === short.message_id);
  expect(stanza?.attrs.expiration).toBe('86400');

  const sent = await line.sock?.sendMessage(pnJid(BOB), {
    image: Buffer.from(fixtureOf('image', 'image').bytes),
    viewOnce: true,
    jpegThumbnail: '',
  });
  const fading = await line.sock?.sendMessage(pnJid(BOB), { text: 'fading' }, { ephemeralExpiration: 604_800 });
  const forwarded = await line.sock?.sendMessage(pnJid(BOB), { forward: text, force: true });
  await vi.waitFor(async () => {
    const inbox = await call(`GET /phones/${BOB}/inbox`);
    const shown = (id: string | null | undefined) =>
      inbox.find((item: { message_id: string }) => item.message_id === id);
    expect(shown(sent?.key.id)).toMatchObject({ type: 'image', view_once: true, file: 'ok' });
    expect(shown(fading?.key.id)).toMatchObject({ body: 'fading', ephemeral_seconds: 604_800 });
    expect(shown(forwarded?.key.id)).toMatchObject({ body: 'gone soon', forwarded: true });
  });
});

test('what is to be viewed once reaches phones; linked devices are told that it is there, and do not get it when they ask', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  const own = await net.linked('line_b', BOB);
  const { jid } = await call('POST /groups', { subject: 'Team', owner: BOB, participants: [ALICE] });
  for (const to of [ALICE, jid]) {
    const { message_id: id } = await call(`POST /phones/${BOB}/messages`, {
      ...{ to, type: 'image', fixture: 'image', view_once: true },
    });
    for (const companion of [line, own]) {
      const told = await companion.until('the stanza', () => companion.stanzas.find(({ attrs }) => attrs.id === id));
      const parts = Array.isArray(told.content) ? told.content : [];
      expect(parts.map(({ tag, attrs }) => [tag, attrs.type])).toContainEqual(['unavailable', 'view_once']);
      expect(parts.some(({ tag }) => tag === 'enc')).toBe(false);
    }
    const stub = await line.until('the placeholder', () => line.received.find(({ key }) => key.id === id));
    expect([stub.message, stub.key.isViewOnce]).toEqual([undefined, true]);
    await vi.waitFor(async () => {
      const shown = (await call(`GET /phones/${ALICE}/inbox`)).find(
        (item: { message_id: string }) => item.message_id === id,
      );
      expect(shown).toMatchObject({ type: 'image', view_once: true, file: 'ok' });
    });
    // The phone answers what Baileys asks it for, without the message.
    await until('the answer of the own phone', () =>
      net.world
        .wire(TENANT, 'line_a', 0)
        .some(({ direction, attrs }) => direction === 'out' && attrs.category === 'peer'),
    );
  }
  expect(line.received.every(({ message }) => !message?.viewOnceMessageV2)).toBe(true);
});

test('the media host checks token, hash, kind and path', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const auth = await token(line);
  const bytes = randomBytes(1000);
  const good = await http(net, 'POST', uploadPath('image', bytes, auth), { body: bytes });
  expect(good.status).toBe(200);
  const { direct_path: path, url } = JSON.parse(good.body.toString());
  expect(url).toBe(`https://127.0.0.1:${net.simulator.mediaPort}${path}`);
  const status = async (method: string, target: string, body?: Uint8Array): Promise<number> =>
    (await http(net, method, target, body ? { body } : {})).status;
  expect(await status('POST', uploadPath('image', bytes, 'nonsense'), bytes)).toBe(401);
  expect(await status('POST', uploadPath('image', bytes, `${auth}x`), bytes)).toBe(401);
  expect(await status('POST', uploadPath('secrets', bytes, auth), bytes)).toBe(404);
  expect(await status('POST', uploadPath('image', bytes, auth), randomBytes(1000))).toBe(400);
  expect(await status('DELETE', path)).toBe(405);
  expect(await status('GET', '/v/test/../../x.enc')).toBe(404);
  expect(await status('GET', `/v/other/${path.split('/')[3]}`)).toBe(404);
  const announced = { headers: { 'content-length': 129 * 1024 * 1024, expect: '100-continue' } };
  expect((await http(net, 'POST', uploadPath('image', bytes, auth), announced)).status).toBe(413);
});

test('the media host serves ranges', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bytes = randomBytes(1000);
  const made = await http(net, 'POST', uploadPath('document', bytes, await token(line)), { body: bytes });
  const path = JSON.parse(made.body.toString()).direct_path;
  const part = (range: string) => http(net, 'GET', path, { headers: { range } });
  expect((await http(net, 'GET', path)).body.equals(bytes)).toBe(true);
  const middle = await part('bytes=10-19');
  expect([middle.status, middle.headers['content-range']]).toEqual([206, 'bytes 10-19/1000']);
  expect(middle.body.equals(bytes.subarray(10, 20))).toBe(true);
  expect((await part('bytes=990-')).body.equals(bytes.subarray(990))).toBe(true);
  expect((await part('bytes=-5')).body.equals(bytes.subarray(995))).toBe(true);
  expect((await part('bytes=990-5000')).body.length).toBe(10);
  expect((await part('bytes=1000-')).status).toBe(416);
  expect((await http(net, 'HEAD', path)).headers['content-length']).toBe('1000');
});

test('a link that has expired is answered 403, and the phone uploads the file again', async () => {
  const clock = new SystemClock();
  const net = await Fixture.open({ clock });
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  const { message_id } = await call(`POST /phones/${BOB}/messages`, { to: ALICE, type: 'image', fixture: 'image' });
  const message = await mediaMessage(line, message_id);
  await vi.waitFor(async () => expect(await call(`GET /phones/${ALICE}/inbox`)).toHaveLength(1));
  clock.advance(31 * 24 * 3600 * 1000);
  const path = message.message?.imageMessage?.directPath ?? '';
  expect((await http(net, 'GET', path)).status).toBe(403);
  expect(sha(await line.download(message))).toBe(sha(fixtureOf('image', 'image').bytes));
  expect(message.message?.imageMessage?.directPath).not.toBe(path);
  await net.close();
  clock.close();
});

test('a file that the phone has no more cannot be uploaded again, and that is said', async () => {
  const clock = new SystemClock();
  const net = await Fixture.open({ clock });
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  const { message_id } = await call(`POST /phones/${BOB}/messages`, { to: ALICE, type: 'image', fixture: 'image' });
  const message = await mediaMessage(line, message_id);
  await vi.waitFor(async () => expect(await call(`GET /phones/${ALICE}/inbox`)).toHaveLength(1));
  clock.advance(100 * 24 * 3600 * 1000);
  // Anything that is uploaded sweeps what is too old.
  await call(`POST /phones/${BOB}/messages`, { to: ALICE, type: 'sticker', fixture: 'sticker' });
  expect(await rejection(line.download(message))).toMatchObject({
    output: { statusCode: 404 },
    data: { result: proto.MediaRetryNotification.ResultType.NOT_FOUND },
  });
  await net.close();
  clock.close();
});

test('media_fail: uploads of the line and downloads fail as often as wished, then work', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  net.fault('line_a', { kind: 'media_fail', status: 503, count: 2 });
  expect(await call('GET /lines/line_a/faults')).toEqual([{ kind: 'media_fail', status: 503, count: 2 }]);
  const image = { image: Buffer.from(fixtureOf('image', 'image').bytes), jpegThumbnail: '' };
  await expect(line.sock?.sendMessage(pnJid(BOB), image)).rejects.toThrow('Media upload failed');
  expect(await call('GET /lines/line_a/faults')).toEqual([]);
  await line.sock?.sendMessage(pnJid(BOB), image);
  const { message_id } = await call(`POST /phones/${BOB}/messages`, { to: ALICE, type: 'image', fixture: 'image' });
  const message = await mediaMessage(line, message_id);
  net.fault('line_a', { kind: 'media_fail', status: 500, count: 1 });
  expect(await rejection(line.download(message))).toMatchObject({ output: { statusCode: 500 } });
  expect(sha(await line.download(message))).toBe(sha(fixtureOf('image', 'image').bytes));
  // 403, 404 and 410 are what makes a client ask the phone; the phone answers with a new path.
  await vi.waitFor(async () => expect(await call(`GET /phones/${ALICE}/inbox`)).toHaveLength(2));
  net.fault('line_a', { kind: 'media_fail', status: 410, count: 1 });
  const before = message.message?.imageMessage?.directPath;
  expect(sha(await line.download(message))).toBe(sha(fixtureOf('image', 'image').bytes));
  expect(message.message?.imageMessage?.directPath).not.toBe(before);
});

test('a phone says of a file that it was changed, and of one that is gone', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  const image = { image: Buffer.from(fixtureOf('image', 'image').bytes), jpegThumbnail: '' };
  const sent = await line.sock?.sendMessage(pnJid(BOB), image);
  const good = sent?.message?.imageMessage;
  const relay = (id: string, change: object) =>
    line.sock?.relayMessage(pnJid(BOB), { imageMessage: { ...good, ...change } }, { messageId: id });
  await relay('LYINGHASH', { fileSha256: randomBytes(32) });
  await relay('WRONGKEY', { mediaKey: randomBytes(32) });
  await relay('NOWHERE', { directPath: '/v/test/AAAAAAAAAAAAAAAAAAAAAAAA.enc' });
  await vi.waitFor(async () => {
    const states = (await call(`GET /phones/${BOB}/inbox`)).map((item: { file: string }) => item.file);
    expect(states).toEqual(['ok', 'corrupt', 'corrupt', 'unavailable']);
  });
});

test('media and the authority outlive a restart; a reset removes the files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'simulator-media-'));
  const dataFile = join(folder, 'world.db');
  const net = await Fixture.open({ dataFile });
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  const { message_id } = await call(`POST /phones/${BOB}/messages`, { to: ALICE, type: 'image', fixture: 'image' });
  const message = await mediaMessage(line, message_id);
  const { mediaCaPem, mediaPort } = net.simulator;
  await line.close();
  await net.restart({ dataFile });
  expect([net.simulator.mediaCaPem, net.simulator.mediaPort]).toEqual([mediaCaPem, mediaPort]);
  line.connect();
  await line.until('the login', () => line.isOpen && line.isDrained);
  expect(sha(await line.download(message))).toBe(sha(fixtureOf('image', 'image').bytes));
  expect(await readdir(join(`${dataFile}-media`, `t-${TENANT}`))).toHaveLength(1);
  await net.world.reset(TENANT);
  expect(await readdir(`${dataFile}-media`)).toEqual([]);
  await net.close();
  await rm(folder, { recursive: true, force: true });
});
