import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { EngineChange } from '@ponte/engine';
import { MemoryStore } from '@ponte/engine/conformance';
import { afterEach, expect, it, vi } from 'vitest';
import { createBaileysEngine } from '../src/index.ts';

afterEach(() => vi.useRealTimers());

it('a server that takes the connection and says nothing is given up after twenty seconds', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const closed = Promise.withResolvers<Extract<EngineChange, { type: 'closed' }>>();
  const engine = await createBaileysEngine().open({
    session: 'line',
    store: new MemoryStore().attach(),
    lookup: { proto: async () => undefined },
    endpoint: { wsUrl: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, noiseRoot: new Uint8Array(32) },
    clock: Date,
    log: { debug: () => {}, info: () => {}, warn: () => {} },
    onChange: (change) => change.type === 'closed' && closed.resolve(change),
  });
  const taken = once(server, 'connection');
  await engine.connect({ kind: 'qr' });
  await taken;
  vi.advanceTimersByTime(20_000);
  expect(await closed.promise).toMatchObject({ reason: 'connection_lost', detail: expect.stringContaining('20 s') });
  for (const socket of sockets) socket.destroy();
  server.close();
  await once(server, 'close');
});
