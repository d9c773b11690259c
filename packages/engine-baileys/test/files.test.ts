import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineFiles, FileMessage, OutboundMessage, ReceivedMessage } from '@ponte/engine';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineLine } from '../../engine/src/conformance/line.ts';
import { MemoryStore } from '../../engine/src/conformance/memory-store.ts';
import { until } from '../../engine/src/conformance/until.ts';
import { Input } from '../../simulator/src/phone/content/input.ts';
import { MEDIA_CONTENT } from '../../simulator/src/phone/content/media.ts';
import { proto } from '../src/baileys.ts';
import { simulatorNetwork, TENANT, type TestNetwork } from './simulator-network.ts';

/**
 * One of them is in the middle of nothing: sizes around the block of AES, the pieces of a stream,
 * and nothing at all.
 */
const SIZES = [0, 1, 15, 16, 17, 65_536, 262_144, 262_145, 1_000_003];

/** Files of a folder, as the engine is given them. */
const filesIn = (folder: string): EngineFiles => ({
  async read(name) {
    const path = join(folder, name);
    return existsSync(path) ? createReadStream(path) : undefined;
  },
  async write(name, pieces) {
    const path = join(folder, name);
    await writeFile(`${path}.part`, pieces);
    await rename(`${path}.part`, path);
  },
});

describe('files', () => {
  let network: TestNetwork;
  let folder: string;
  let line: EngineLine;
  let bob: Awaited<ReturnType<TestNetwork['phone']>>;
  let alice: typeof bob;

  beforeAll(async () => {
    network = await simulatorNetwork();
    folder = await mkdtemp(join(tmpdir(), 'ponte-files-'));
    alice = await network.phone('15550003333');
    bob = await network.phone('15550004444');
    line = await EngineLine.open(network, 'files', new MemoryStore(), undefined, { files: filesIn(folder) });
    await line.pair(alice);
    await line.login();
  });
  afterAll(async () => {
    await line.close();
    await network.close();
    await rm(folder, { recursive: true, force: true });
  });

  const phone = async () => {
    const found = await network.simulator.world.phone(TENANT, bob.phone);
    if (!found) throw new Error('no phone');
    return found;
  };
  /** Bob sends a document; the line's message of it. */
  async function received(bytes: Uint8Array): Promise<ReceivedMessage> {
    const kind = MEDIA_CONTENT.find(({ type }) => type === 'document');
    if (!kind) throw new Error('no kind');
    const caption = randomBytes(6).toString('hex');
    const data = Buffer.from(bytes).toString('base64');
    await (await phone()).send(alice.pn, kind, new Input({ type: 'document', data, caption }));
    return line.text(caption);
  }
  const asked = ({ id, chat, sender, fromMe, proto: bytes }: ReceivedMessage): FileMessage => {
    return { id, chat: chat.jid, sender: sender.jid, fromMe, proto: bytes };
  };
  const fetchFile = (message: FileMessage, name = `got-${message.id}`) => line.engine.media.fetch({ message, name });
  /** The message, saying something else of its file. */
  const lying = (message: FileMessage, change: object): FileMessage => {
    const whole = proto.Message.decode(message.proto);
    Object.assign(whole.documentMessage ?? {}, change);
    return { ...message, proto: proto.Message.encode(whole).finish() };
  };
  const downloads = async () =>
    (await readdir(folder)).filter((name) => name.startsWith('got-') && !name.endsWith('.part'));

  it('arrive byte by byte, whatever their size', async () => {
    for (const size of SIZES.filter((one) => one > 0)) {
      const bytes = randomBytes(size);
      const message = asked(await received(bytes));
      const { sizeBytes, sha256 } = await fetchFile(message);
      expect([sizeBytes, sha256]).toEqual([size, createHash('sha256').update(bytes).digest('base64')]);
      expect((await readFile(join(folder, `got-${message.id}`))).equals(bytes)).toBe(true);
      await rm(join(folder, `got-${message.id}`));
    }
  });

  it('are sent byte by byte, whatever their size', async () => {
    for (const size of SIZES) {
      const bytes = randomBytes(size);
      const name = `out-${size}`;
      await writeFile(join(folder, name), bytes);
      const file = { name, mimeType: 'application/x-test', sizeBytes: size, sha256: '', fileName: 'x.bin' };
      const content: OutboundMessage = { kind: 'document', file };
      const id = `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
      await line.engine.transmit(await line.engine.prepare(content, bob.pn, id));
      const entry = await until('the phone to have it', async () => {
        const [found] = (await phone()).inbox
          .page({ after: 0, chat: undefined, isWithOwnSends: false })
          .filter(({ value }) => value.messageId === id);
        return found?.value.fileState === 'ok' && found.value;
      });
      expect(entry.content.fields).toMatchObject({ size, sha256: createHash('sha256').update(bytes).digest('hex') });
    }
  });

  it('that are not what their message says are refused, and leave nothing behind', async () => {
    const message = asked(await received(randomBytes(50_000)));
    const part = proto.Message.decode(message.proto).documentMessage;
    const lies: [string, object][] = [
      ['another key: the MAC is wrong', { mediaKey: randomBytes(32) }],
      ['another hash of the encrypted bytes', { fileEncSha256: randomBytes(32) }],
      ['another hash of the file', { fileSha256: randomBytes(32) }],
      ['fewer bytes than there are', { fileLength: 10_000 }],
      ['no key', { mediaKey: new Uint8Array() }],
    ];
    for (const [what, lie] of lies) {
      const outcome = await fetchFile(lying(message, lie)).then(
        () => 'taken',
        (error: { code?: string }) => error.code,
      );
      // The phone is asked for it again, which does not make it better; or refuses, since the key
      // is not that of its file.
      expect([what, ['media_damaged', 'media_gone'].includes(String(outcome))]).toEqual([what, true]);
    }
    expect(await downloads()).toEqual([]);
    // A place on another host is none: the phone says a better one.
    const { proto: renewed } = await fetchFile(lying(message, { directPath: `//example.com${part?.directPath}` }));
    expect(proto.Message.decode(renewed ?? new Uint8Array()).documentMessage?.directPath).toMatch(/^\/v\//);
    expect(await downloads()).toHaveLength(1);
  });

  it('that were changed on their way are refused', async () => {
    const message = asked(await received(randomBytes(50_000)));
    const { media } = network.simulator.world.network(TENANT).tenant;
    const sealed = Buffer.from(
      (await media.download(proto.Message.decode(message.proto).documentMessage?.directPath ?? '')) ?? [],
    );
    for (const at of [0, 25_000, sealed.length - 11, sealed.length - 1]) {
      const bytes = Buffer.from(sealed);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      const { directPath } = await media.upload('document', bytes);
      const fileEncSha256 = createHash('sha256').update(bytes).digest();
      // Even with a hash that fits, the MAC does not.
      for (const lie of [
        { directPath, url: '' },
        { directPath, url: '', fileEncSha256 },
        { directPath, url: '', fileEncSha256, fileSha256: null },
      ]) {
        const changed = { ...lying(message, lie), id: 'UNKNOWN' };
        await expect(fetchFile(changed)).rejects.toMatchObject({ code: expect.stringMatching(/media_(damaged|gone)/) });
      }
    }
    const { directPath } = await media.upload('document', sealed.subarray(0, 20_000));
    await expect(fetchFile({ ...lying(message, { directPath, url: '' }), id: 'UNKNOWN' })).rejects.toBeDefined();
  });

  it.each([403, 404, 410])(
    'that WhatsApp answers with %i come from the phone again, and the message says where',
    async (status) => {
      const bytes = randomBytes(20_000);
      const message = asked(await received(bytes));
      network.simulator.world.addFault(TENANT, 'files', { kind: 'media_fail', status, count: 1 });
      const { proto: renewed } = await fetchFile(message);
      expect((await readFile(join(folder, `got-${message.id}`))).equals(bytes)).toBe(true);
      const place = (of: Uint8Array) => proto.Message.decode(of).documentMessage?.directPath;
      expect(place(renewed ?? message.proto)).not.toBe(place(message.proto));
      expect((await fetchFile({ ...message, proto: renewed ?? message.proto })).proto).toBeUndefined();
    },
  );

  it('are fetched without a connection, as long as WhatsApp has them', async () => {
    const message = asked(await received(randomBytes(1_000)));
    await line.engine.close();
    await fetchFile(message);
    network.simulator.world.addFault(TENANT, 'files', { kind: 'media_fail', status: 410, count: 1 });
    await expect(fetchFile(message)).rejects.toMatchObject({ code: 'not_connected' });
    await line.login();
  });

  it('of hosts that fail are tried again, with an end', async () => {
    const name = 'out-retry';
    await writeFile(join(folder, name), 'x');
    const file = { name, mimeType: 'text/plain', sizeBytes: 1, sha256: '' };
    const prepare = (of = file) =>
      line.engine.prepare({ kind: 'document', file: of }, bob.pn, '3EB0000000000000000000');
    network.simulator.world.addFault(TENANT, 'files', { kind: 'media_fail', status: 503, count: 3 });
    await prepare();
    network.simulator.world.addFault(TENANT, 'files', { kind: 'media_fail', status: 503, count: 4 });
    await expect(prepare()).rejects.toMatchObject({ code: 'timeout' });
    network.simulator.world.addFault(TENANT, 'files', { kind: 'media_fail', status: 413, count: 1 });
    await expect(prepare()).rejects.toMatchObject({ code: 'rejected', serverCode: 413 });
    network.simulator.world.addFault(TENANT, 'files', { kind: 'media_fail', status: 401, count: 1 });
    await prepare();
    for (const bad of ['missing', '../../etc/passwd', '/etc/passwd', '..']) {
      await expect(prepare({ ...file, name: bad })).rejects.toMatchObject({ code: 'media_gone' });
    }
  });
});
