import { EventEmitter } from 'node:events';
import type { EngineStore, Node, RawStanza } from '@ponte/engine';
import { MemoryStore } from '@ponte/engine/conformance';
import { describe, expect, it } from 'vitest';
import { KeyVault } from '../store/key-vault.ts';
import { StoreGuard } from '../store/store-guard.ts';
import { StanzaGate } from './stanza-gate.ts';
import { StanzaLinks } from './stanza-links.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));
const self = { pn: '15550001111@s.whatsapp.net', lid: '1001@lid', name: '' };

/** A socket whose stanzas Baileys would announce under many names, the bare one last. */
function setUp(wrap = (store: EngineStore) => store) {
  const socket = new EventEmitter();
  const store = new MemoryStore();
  const guard = new StoreGuard(
    new KeyVault(wrap(store.attach())),
    () => {},
    () => {},
  );
  const seen: string[] = [];
  const broken: string[] = [];
  const failed: string[] = [];
  const gate = new StanzaGate(socket, {
    guard,
    links: new StanzaLinks(),
    self: () => self,
    learn: async () => {},
    onLive: async ({ tag }) => void seen.push(`live ${tag}`),
    intercept: async ({ attrs }) => attrs.type === 'taken',
    statuses: {
      takeTopLevel: async () => void seen.push('status'),
      takePrompt: async () => void seen.push('prompt'),
      open: async () => true,
      acknowledge: async () => void seen.push('status given up'),
    },
    onRetry: ({ attrs }) => seen.push(`retry ${attrs.id}`),
    acknowledge: async ({ tag }) => void seen.push(`ack ${tag}`),
    onUnknown: (tag) => seen.push(`unknown ${tag}`),
    onPassed: async () => {},
    onBroken: (reason) => broken.push(reason),
    onListenerError: (event) => failed.push(event),
  });
  const receive = (node: Node) => {
    for (const [name, value] of Object.entries(node.attrs)) socket.emit(`CB:${node.tag},${name}:${value}`, node);
    socket.emit(`CB:${node.tag},,`, node);
    return socket.emit(`CB:${node.tag}`, node);
  };
  return { socket, store, gate, seen, broken, failed, receive };
}

const message = (...content: Node[]): Node => ({
  tag: 'message',
  attrs: { id: 'M', from: '2002@lid', offline: '3' },
  content,
});
const enc = (type: string): Node => ({ tag: 'enc', attrs: { type }, content: Buffer.of(1) });
const failures = (store: MemoryStore) =>
  store.rows.flatMap(({ entry }) => (entry.kind === 'stanza' ? [(entry satisfies RawStanza).failure] : []));

describe('stanza gate', () => {
  it('makes a stanza durable before any handler sees it', async () => {
    const { socket, store, receive } = setUp();
    const rows: number[] = [];
    socket.on('CB:receipt,id:1', () => rows.push(store.rows.length));
    socket.on('CB:receipt', () => rows.push(store.rows.length));
    receive({ tag: 'receipt', attrs: { id: '1' } });
    expect(rows).toEqual([]);
    await turn();
    expect(rows).toEqual([1, 1]);
  });

  it('keeps the order, and handles a message to its end before the next stanza', async () => {
    const { socket, store, receive } = setUp();
    const order: string[] = [];
    const handled = Promise.withResolvers<void>();
    socket.on('CB:message', async ({ attrs }: Node) => {
      order.push(`message, offline=${attrs.offline}`);
      await handled.promise;
      order.push('message done');
    });
    socket.on('CB:ib', () => order.push('ib'));
    receive(message(enc('msg')));
    receive({ tag: 'ib', attrs: {} });
    await turn();
    expect(order).toEqual(['message, offline=undefined']);
    expect(store.rows).toEqual([]);
    handled.resolve();
    await turn();
    expect(order).toEqual(['message, offline=undefined', 'message done', 'ib']);
  });

  it('makes receipts that follow each other durable together, and handles them in order', async () => {
    const asked: string[] = [];
    const committed = new Map<string, () => void>();
    const { socket, receive } = setUp((store) => ({
      ...store,
      appendStanza({ tag }) {
        const name = `${tag} ${asked.length}`;
        asked.push(name);
        return new Promise((resolve) => committed.set(name, resolve));
      },
    }));
    const handled: string[] = [];
    for (const tag of ['receipt', 'notification']) {
      socket.on(`CB:${tag}`, ({ attrs }: Node) => handled.push(`${tag} ${attrs.id}`));
    }
    receive({ tag: 'receipt', attrs: { id: 'a' } });
    receive({ tag: 'receipt', attrs: { id: 'b' } });
    receive({ tag: 'notification', attrs: { id: 'c' } });
    await turn();
    expect(asked).toEqual(['receipt 0', 'receipt 1']);
    committed.get('receipt 1')?.();
    await turn();
    expect(handled).toEqual([]);
    committed.get('receipt 0')?.();
    await turn();
    expect(handled).toEqual(['receipt a', 'receipt b']);
    expect(asked).toEqual(['receipt 0', 'receipt 1', 'notification 2']);
  });

  it('takes a receipt after the acknowledgement that came with it', async () => {
    const { socket, store, receive } = setUp();
    const rowsAtAck = Promise.withResolvers<number>();
    socket.on('CB:ack', async () => {
      for (let hops = 0; hops < 100; hops += 1) await Promise.resolve();
      rowsAtAck.resolve(store.rows.length);
    });
    receive({ tag: 'ack', attrs: { id: '1', class: 'message' } });
    receive({ tag: 'receipt', attrs: { id: '1' } });
    expect(await rowsAtAck.promise).toBe(0);
    await turn();
    expect(store.rows).toHaveLength(1);
  });

  it('lets answers and acks through at once', () => {
    const { socket, seen, receive } = setUp();
    socket.on('CB:ack', () => seen.push('ack'));
    socket.on('TAG:7', () => seen.push('answer'));
    expect(receive({ tag: 'ack', attrs: { id: '7' } })).toBe(true);
    expect(socket.emit('TAG:7', {})).toBe(true);
    expect(seen).toEqual(['ack', 'answer']);
  });

  it('journals messages that nobody will decrypt, with the reason', async () => {
    const { store, receive } = setUp();
    receive(message(enc('pkmsg')));
    receive(message(enc('msmsg')));
    receive(message());
    receive(message({ tag: 'unavailable', attrs: { type: 'view_once' } }));
    receive(message({ tag: 'plaintext', attrs: {}, content: Buffer.of(1) }));
    receive({ tag: 'message', attrs: { id: 'M' }, content: [enc('msg')] });
    await turn();
    expect(failures(store)).toEqual([
      { cause: 'unsupported', detail: 'encryption of type msmsg is not supported' },
      { cause: 'malformed', detail: 'the message has no content' },
      { cause: 'unavailable', detail: 'content unavailable (view_once)' },
      undefined,
      { cause: 'malformed', detail: 'the envelope names no usable sender' },
    ]);
  });

  it('neither journals nor passes on what is taken over, and journals nothing of what is live', async () => {
    const { socket, store, seen, receive } = setUp();
    socket.on('CB:notification', () => seen.push('notification'));
    receive({ tag: 'notification', attrs: { type: 'taken' } });
    receive({ tag: 'chatstate', attrs: { from: '2002@lid' } });
    await turn();
    expect(seen).toEqual(['live chatstate']);
    expect(store.rows).toEqual([]);
  });

  it('acknowledges what nobody knows once it is durable, and reports each kind once', async () => {
    const { store, seen, receive } = setUp();
    for (const id of ['1', '2']) receive({ tag: 'novelty', attrs: { id, from: '2002@lid' } });
    receive({ tag: 'presence', attrs: { from: '2002@lid' } });
    await turn();
    expect(seen).toEqual(['unknown novelty', 'ack novelty', 'ack novelty']);
    expect(store.rows).toHaveLength(2);
  });

  it('hands no status to the library, and gives up the ones that nobody can read', async () => {
    const { socket, seen, receive } = setUp();
    socket.on('CB:message', () => seen.push('handled'));
    const attrs = { id: 'S', from: 'status@broadcast', participant: '2002@lid' };
    receive({ tag: 'status', attrs, content: [enc('skmsg')] });
    receive({ tag: 'message', attrs, content: [enc('msmsg')] });
    await turn();
    expect(seen).toEqual(['status', 'status given up']);
  });

  it('survives handlers that throw or reject', async () => {
    const { socket, seen, failed, receive } = setUp();
    socket.on('CB:call', () => {
      throw new Error('now');
    });
    socket.on('CB:call', async () => {
      throw new Error('later');
    });
    socket.on('CB:call', () => seen.push('call'));
    receive({ tag: 'call', attrs: {} });
    await turn();
    expect(seen).toEqual(['call']);
    expect(failed).toEqual(['CB:call', 'CB:call']);
  });

  it('passes nothing on once it is stopped', async () => {
    const { socket, gate, seen, receive } = setUp();
    socket.on('CB:receipt', () => seen.push('receipt'));
    receive({ tag: 'receipt', attrs: {} });
    gate.stop();
    receive({ tag: 'receipt', attrs: {} });
    await turn();
    expect(seen).toEqual([]);
  });

  it('ends the connection rather than hold without bound', async () => {
    const { socket, broken, receive } = setUp();
    socket.on('CB:message', () => new Promise(() => {}));
    receive(message(enc('msg')));
    for (let index = 0; index < 5_000; index++) receive({ tag: 'receipt', attrs: {} });
    expect(broken).toHaveLength(1);
  });
});
