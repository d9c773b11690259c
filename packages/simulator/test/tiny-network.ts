import { createHash } from 'node:crypto';
import { bareJid, child, childrenOf, formatJid, type Jid, type Node } from '@ponte/engine';
import { IqError, type PhoneSettings } from '../src/phone/network.ts';
import { Phone } from '../src/phone/phone.ts';
import { memoryStore } from './memory-store.ts';

interface Keys {
  registration: Node;
  identity: Node;
  skey: Node;
  preKeys: Node[];
}

/** A device on the tiny network: anything that takes stanzas. */
interface Device {
  jid: Jid;
  lid: Jid;
  receive(node: Node): Promise<void>;
  keys?: Keys;
}

const SERVER = '@s.whatsapp.net';

/**
 * Just enough server to test phones alone: keys, usync, and a router for messages and receipts, all
 * at once and in order. Stanzas are recorded; `meddle` may change, drop or double what is
 * delivered.
 */
export class TinyNetwork {
  readonly delivered: { to: Jid; node: Node }[] = [];
  meddle: (to: Jid, node: Node) => Node[] = (_to, node) => [node];
  nowMs = 1_790_000_000_000;
  readonly #devices: Device[] = [];
  readonly #pending: Promise<void>[] = [];
  #generation = 0;

  phone(digits: string, name: string, settings: Partial<PhoneSettings> = {}) {
    const store = memoryStore();
    const current: PhoneSettings = {
      autoReceipts: 'delivered',
      online: true,
      addressing: 'lid',
      replyEcho: false,
      ...settings,
    };
    const make = () => this.#make(digits, name, store, current);
    return { store, settings: current, phone: make(), restart: make };
  }

  /** Until nothing is under way any more. */
  async settle(): Promise<void> {
    for (let work = this.#pending.shift(); work; work = this.#pending.shift()) await work;
  }

  #make(digits: string, name: string, store: ReturnType<typeof memoryStore>, settings: PhoneSettings): Phone {
    const jid = formatJid(digits, 's.whatsapp.net');
    const lid = formatJid(`900${digits}`, 'lid');
    let drawn = 0;
    const generation = this.#generation++;
    const phone = new Phone({
      jid,
      lid,
      name,
      store,
      settings: () => settings,
      media: {
        upload: async () => ({ directPath: '/v/none', url: 'https://media/v/none' }),
        reupload: () => undefined,
        download: async () => undefined,
      },
      clock: { nowMs: () => this.nowMs },
      rng: {
        bytes: (length) => {
          const blocks: Buffer[] = [];
          for (let have = 0; have < length; have += 32) {
            blocks.push(createHash('sha256').update(`${digits}|${generation}|${drawn++}`).digest());
          }
          return Uint8Array.from(Buffer.concat(blocks).subarray(0, length));
        },
      },
      link: {
        send: (node) => {
          this.#route(jid, lid, node);
          return undefined;
        },
        query: async (node) => this.#answer(jid, node),
      },
    });
    const known = this.#devices.find((device) => device.jid === jid);
    if (known) known.receive = (node) => phone.receive(node);
    else this.#devices.push({ jid, lid, receive: (node) => phone.receive(node) });
    return phone;
  }

  #find(jid: Jid | undefined): Device | undefined {
    return this.#devices.find((device) => device.jid === jid || device.lid === jid);
  }

  #answer(from: Jid, node: Node): Node {
    const { xmlns, type } = node.attrs;
    if (xmlns === 'usync') return this.#usync(node);
    if (xmlns === 'encrypt' && type === 'set') return this.#storeKeys(from, node);
    if (xmlns === 'encrypt') return this.#bundles(node);
    throw new IqError(501, 'feature-not-implemented');
  }

  #usync(node: Node): Node {
    const list = childrenOf(child(child(node, 'usync'), 'list'), 'user').map((user): Node => {
      const device = this.#find(user.attrs.jid);
      const found: Node[] | undefined = device && [
        {
          tag: 'devices',
          attrs: {},
          content: [{ tag: 'device-list', attrs: {}, content: [{ tag: 'device', attrs: { id: '0' } }] }],
        },
        { tag: 'lid', attrs: { val: device.lid } },
      ];
      return { tag: 'user', attrs: user.attrs, ...(found ? { content: found } : {}) };
    });
    return result([{ tag: 'usync', attrs: {}, content: [{ tag: 'list', attrs: {}, content: list }] }]);
  }

  #storeKeys(from: Jid, node: Node): Node {
    const device = this.#find(from);
    const [registration, identity, skey] = ['registration', 'identity', 'skey'].map((tag) => child(node, tag));
    if (!device || !registration || !identity || !skey) throw new IqError(400, 'bad-request');
    const preKeys = [...(device.keys?.preKeys ?? []), ...childrenOf(child(node, 'list'), 'key')];
    device.keys = { registration, identity, skey, preKeys };
    return result([]);
  }

  #bundles(node: Node): Node {
    const users = childrenOf(child(node, 'key'), 'user').map((user): Node => {
      const keys = this.#find(user.attrs.jid)?.keys;
      if (!keys) return { tag: 'user', attrs: user.attrs, content: [{ tag: 'error', attrs: { code: '404' } }] };
      const preKey = keys.preKeys.shift();
      const content = [keys.registration, keys.identity, keys.skey, ...(preKey ? [preKey] : [])];
      return { tag: 'user', attrs: user.attrs, content };
    });
    return result([{ tag: 'list', attrs: {}, content: users }]);
  }

  #route(pn: Jid, lid: Jid, node: Node): void {
    const { to, id = '' } = node.attrs;
    if (node.tag === 'ack' || node.tag === 'iq') return;
    const sender = to?.endsWith('@lid') ? lid : pn;
    const alternative: Record<string, string> = sender === lid ? { sender_pn: pn } : { sender_lid: lid };
    const t = String(Math.floor(this.nowMs / 1000));
    if (node.tag === 'receipt') {
      const { to: _to, ...attrs } = node.attrs;
      this.#deliver(to, { ...node, attrs: { t, ...attrs, from: sender } });
      return;
    }
    this.#deliver(pn, { tag: 'ack', attrs: { class: 'message', id, from: to ?? '', t } });
    const base = { ...alternative, id, from: sender, t, type: node.attrs.type ?? 'text' };
    const direct = childrenOf(node, 'enc');
    if (direct.length > 0) this.#deliver(to, { tag: 'message', attrs: base, content: direct });
    for (const recipient of childrenOf(child(node, 'participants'), 'to')) {
      this.#deliver(recipient.attrs.jid, { tag: 'message', attrs: base, content: childrenOf(recipient, 'enc') });
    }
  }

  #deliver(to: Jid | undefined, node: Node): void {
    const device = this.#find(to === undefined ? undefined : bareJid(to));
    if (!device) return;
    for (const delivered of this.meddle(device.jid, node)) {
      this.delivered.push({ to: device.jid, node: delivered });
      this.#pending.push(device.receive(delivered));
    }
  }
}

function result(content: Node[]): Node {
  return { tag: 'iq', attrs: { type: 'result', from: SERVER }, content };
}
