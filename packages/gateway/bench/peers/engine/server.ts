import { randomBytes } from 'node:crypto';
import type { Engine, EngineChange, InboxEntry, KeyChange } from '@ponte/engine';
import { createBaileysEngine } from '@ponte/engine-baileys';
import type { EngineOrder, EngineReport } from '../../../src/bench/peer-settings.ts';

/*
 * The engine alone, for `npm run bench`: keys and inbox in memory, orders by message, no HTTP, no
 * database, no webhooks. What Ponte costs above it is Ponte's own.
 */

/** One line: what is durable elsewhere is here in memory. */
class BareLine {
  readonly id: string;
  readonly #keys = new Map<string, Map<string, Uint8Array>>();
  readonly #sealed = new Map<string, Uint8Array>();
  readonly #inbox: InboxEntry[] = [];
  #isReading = false;
  engine: Engine | undefined;

  constructor(id: string) {
    this.id = id;
  }

  async open(at: { wsUrl: string; noiseRoot: Uint8Array }): Promise<void> {
    this.engine = await createBaileysEngine().open({
      session: this.id,
      store: {
        get: async (kind, ids) => {
          const values = this.#keys.get(kind);
          return new Map(ids.flatMap((id) => (values?.has(id) ? [[id, values.get(id) ?? new Uint8Array(0)]] : [])));
        },
        list: async (kind) => new Map(this.#keys.get(kind)),
        commit: async (changes, sealed) => {
          for (const change of changes) this.#apply(change);
          if (!sealed) return;
          this.#sealed.set(sealed.hash, sealed.plaintext);
          this.#inbox.push({ kind: 'sealed', ...sealed });
        },
        findSealed: async (hash) => {
          const plaintext = this.#sealed.get(hash);
          return plaintext && { plaintext };
        },
        appendStanza: async (entry) => {
          this.#inbox.push({ kind: 'stanza', ...entry });
        },
        clear: async () => this.#keys.clear(),
      },
      lookup: { proto: async () => undefined },
      endpoint: { wsUrl: `${at.wsUrl}?line=${encodeURIComponent(this.id)}`, noiseRoot: at.noiseRoot },
      clock: Date,
      log: { debug: () => {}, info: () => {}, warn: () => {} },
      onChange: (change) => this.#changed(change),
    });
  }

  #apply({ kind, id, value }: KeyChange): void {
    const values = this.#keys.get(kind) ?? new Map<string, Uint8Array>();
    this.#keys.set(kind, values);
    if (value === null) values.delete(id);
    else values.set(id, Uint8Array.from(value));
  }

  #changed(change: EngineChange): void {
    if (change.type === 'qr') tell({ type: 'qr', id: this.id, data: change.data });
    if (change.type === 'open') tell({ type: 'open', id: this.id });
    if (change.type === 'inbox') void this.#read();
    if (change.type !== 'closed' || change.reason === 'closed') return;
    const wait = change.reason === 'restart_required' ? 0 : 1_000;
    setTimeout(() => void this.engine?.connect().catch(() => {}), wait);
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    for (let entry = this.#inbox.shift(); entry; entry = this.#inbox.shift()) {
      for (const event of (await this.engine?.decode(entry)) ?? []) {
        if (event.type === 'message' && !event.message.fromMe) tell({ type: 'message', messageId: event.message.id });
      }
    }
    this.#isReading = false;
  }
}

const lines = new Map<string, BareLine>();
let at = { wsUrl: '', noiseRoot: new Uint8Array(0) };
const tell = (report: EngineReport): void => void process.send?.(report);

async function obey(order: EngineOrder): Promise<void> {
  if (order.do === 'set_up') {
    at = { wsUrl: order.wsUrl, noiseRoot: Buffer.from(order.noiseRootHex, 'hex') };
    tell({ type: 'up' });
  } else if (order.do === 'pair') {
    const line = new BareLine(order.id);
    lines.set(order.id, line);
    await line.open(at);
    await line.engine?.connect({ kind: 'qr' });
  } else {
    const engine = lines.get(order.id)?.engine;
    if (!engine) throw new Error(`no line ${order.id}`);
    const id = `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
    await engine.transmit(await engine.prepare({ kind: 'text', body: order.text }, `${order.to}@s.whatsapp.net`, id));
    tell({ type: 'sent', call: order.call });
  }
}

process.on('message', (order: EngineOrder) => {
  obey(order).catch((error: unknown) => {
    if (order.do === 'send') tell({ type: 'sent', call: order.call, error: String(error) });
    else throw error;
  });
});
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
