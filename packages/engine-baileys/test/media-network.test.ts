import { createSimulator } from '@ponte/simulator';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineLine } from '../../engine/src/conformance/line.ts';
import { until } from '../../engine/src/conformance/until.ts';
import { mediaNetwork } from '../src/media/media-network.ts';
import { simulatorNetwork, TENANT, type TestNetwork } from './simulator-network.ts';

const WS = { wsUrl: 'ws://127.0.0.1:1', noiseRoot: new Uint8Array(32) };

describe('the media network', () => {
  let network: TestNetwork;
  beforeAll(async () => {
    network = await simulatorNetwork();
  });
  afterAll(() => network.close());

  const endpoint = () => network.endpoint('line');
  const get = async (url: string, of = endpoint()) => {
    const { statusCode, body } = await request(url, { dispatcher: mediaNetwork(of) });
    return { statusCode, bytes: Buffer.from(await body.arrayBuffer()) };
  };

  it('leads every WhatsApp host of a test line to the simulated media host, under its own name', async () => {
    const bytes = Buffer.from('a file');
    const { directPath, url } = await network.simulator.world.network(TENANT).tenant.media.upload('document', bytes);
    for (const host of ['mmg.whatsapp.net', 'media-ams1-1.cdn.whatsapp.net', '127.0.0.1:1', 'localhost:9']) {
      expect(await get(`https://${host}${directPath}`)).toEqual({ statusCode: 200, bytes });
    }
    expect((await get(url)).bytes).toEqual(bytes);
  });

  it('refuses any other host, and any way but TLS', async () => {
    const urls = ['https://example.com/x', 'http://mmg.whatsapp.net/x', 'https://mmg.whatsapp.net.evil.example/x'];
    for (const url of [...urls, 'https://169.254.169.254/x']) {
      await expect(get(url)).rejects.toThrow('none of the media hosts');
    }
    // A live line reaches no loopback, whatever a message says.
    for (const url of ['https://127.0.0.1/x', 'https://localhost/x', 'https://[::1]/x']) {
      await expect(get(url, WS)).rejects.toThrow('none of the media hosts');
    }
  });

  it('believes only the authority of the endpoint', async () => {
    const other = await createSimulator();
    const wrong = { ...endpoint(), mediaAddress: `127.0.0.1:${other.mediaPort}` };
    await expect(get('https://mmg.whatsapp.net/x', wrong)).rejects.toThrow(/certificate|signature/);
    await other.close();
    await expect(get('https://mmg.whatsapp.net/x', { ...endpoint(), mediaCa: undefined })).rejects.toThrow();
  });

  it('brings Baileys the app state that lies on the media host', async () => {
    const alice = await network.phone('15550001111');
    const chats = await Promise.all(Array.from({ length: 12 }, (_, i) => network.phone(`1555000${2000 + i}`)));
    const phone = await network.simulator.world.phone(TENANT, alice.phone);
    // More changes than a server answers one by one: the line gets them as a file.
    for (const isArchived of [true, false, true]) {
      for (const { lid } of chats) await phone?.sync.changeChat(lid, { isArchived });
    }
    const line = await EngineLine.open(network, 'line');
    await line.pair(alice);
    await line.login();
    // The phone shares the key of its settings right after the login; until then there is nothing
    // to fetch.
    await until('the settings to be fetched', () =>
      line.engine.account.syncSettings({ isFresh: false }).then(
        () => true,
        () => false,
      ),
    );
    const archived = await until('every chat to be archived', () => {
      const found = line.changes.flatMap((change) =>
        change.type === 'archived' && change.archived ? [change.chat] : [],
      );
      return chats.every(({ lid }) => found.includes(lid)) && found;
    });
    // One by one they would have been taken out of the archive in between.
    expect(archived).toHaveLength(chats.length);
    expect(line.changes).not.toContainEqual(expect.objectContaining({ type: 'archived', archived: false }));
    await line.close();
  });
});
