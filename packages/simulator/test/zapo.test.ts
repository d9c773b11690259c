import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createStore, WaClient } from 'zapo-js';
import { until } from '../../engine/src/conformance/until.ts';
import { letClientTimersGo } from './client-timers.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, bodies, Fixture, pnJid, TENANT } from './fixture.ts';
import { scan } from './pair-line.ts';

letClientTimersGo();

// zapo-js takes the WebSocket of the runtime; Node 20 has none.
Object.assign(globalThis, { WebSocket });

const silent = { level: 'error', trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

// The types of zapo-js do not resolve under Node's rules for ES modules: what is used of it is
// named here.
interface TextMessage {
  message?: { conversation?: string | null; extendedTextMessage?: { text?: string | null } };
}
interface Client {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  sendMessage(to: string, content: { conversation: string }): Promise<{ id: string }>;
  once(event: 'auth_qr', listener: (event: { qr: string }) => void): void;
  once(event: 'connection_success', listener: () => void): void;
  on(event: 'client_error', listener: (event: { error: Error }) => void): void;
  on(event: 'message', listener: (event: TextMessage) => void): void;
}

/** Credentials in memory; the library brings the other stores. */
function memoryStore(): unknown {
  const auth = new Map<string, unknown>();
  const stores = {
    auth: (id: string) => ({
      load: async () => auth.get(id) ?? null,
      save: async (credentials: unknown) => void auth.set(id, credentials),
      clear: async () => void auth.delete(id),
    }),
  };
  return createStore({ backends: { own: { stores, caches: {} } }, providers: { auth: 'own' } });
}

function zapoClient(net: Fixture, id: string): Client {
  const options = {
    store: memoryStore(),
    sessionId: id,
    chatSocketUrls: [net.simulator.wsUrl(TENANT, id)],
    testHooks: { noiseRootCa: { publicKey: net.simulator.noiseRootPublicKey, serial: 0 } },
    history: { enabled: false },
  };
  return new WaClient(options, silent);
}

test('a second, independent client pairs, checks every signature, and writes with phones and Baileys lines', async () => {
  const net = await Fixture.open();
  const alice = await net.phone(ALICE);
  const bob = await net.phone(BOB);
  const client = zapoClient(net, 'line_z');
  const errors: Error[] = [];
  const texts: (string | null | undefined)[] = [];
  client.on('client_error', ({ error }) => errors.push(error));
  client.on('message', (event) => texts.push(event.message?.conversation ?? event.message?.extendedTextMessage?.text));
  const qr = new Promise<string>((resolve) => client.once('auth_qr', (event) => resolve(event.qr)));
  const login = new Promise<void>((resolve) => client.once('connection_success', resolve));
  await client.connect();
  await scan(net.simulator, ALICE, await qr);
  await login;
  const sent = await client.sendMessage(pnJid(BOB), { conversation: 'from zapo' });
  expect(sent.id).toMatch(/^[0-9A-F]+$/);
  await until('the text on the phone', () => bodies(bob).includes('from zapo'));
  await until('the copy on the own phone', () => bodies(alice).includes('from zapo'));
  await bob.sendText(pnJid(ALICE), 'to zapo');
  await until('the text at the client', () => texts.includes('to zapo'));
  const line = await net.linked('line_b', BOB);
  await line.sendText(pnJid(ALICE), 'baileys to zapo');
  await until('the text of the other library', () => texts.includes('baileys to zapo'));
  const { jid } = await controlOf(net)('POST /groups', { subject: 'Team', owner: BOB, participants: [ALICE] });
  await bob.sendText(jid, 'to the group');
  await until('the text of the group', () => texts.includes('to the group'));
  await client.sendMessage(jid, { conversation: 'zapo to the group' });
  await until('the text on the phone', () => bodies(bob).includes('zapo to the group'));
  await line.text('zapo to the group');
  await client.disconnect();
  expect(errors).toEqual([]);
});

test('a client that checks certificates does not talk to a forged server', async () => {
  const net = await Fixture.open();
  net.fault('line_z', { kind: 'hostile', variant: 'leaf_not_bound' });
  const client = zapoClient(net, 'line_z');
  const qr = new Promise((resolve) => client.once('auth_qr', resolve));
  // It tries again by itself; the flaw was for one connection only.
  await client.connect();
  await qr;
  await client.disconnect();
  const [first, second, third] = net.world.wire(TENANT, 'line_z', 0);
  expect([first?.tag, second?.tag, third?.children]).toEqual(['closed', 'registration', ['pair-device']]);
});
