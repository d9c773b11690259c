import { child, childrenOf, type Jid, type Node, parseJid, sameUser } from '@ponte/engine';
import type { Directory } from './directory.ts';
import type { PhoneStore } from './network.ts';
import type { AppState, CollectionName } from './sync/app-state.ts';
import { COLLECTIONS } from './sync/app-state.ts';
import { type Message, PROTOCOL, type ProtocolMessage } from './wa-proto.ts';

export interface CompanionParts {
  own: { jid: Jid; lid: Jid };
  store: PhoneStore;
  directory: Directory;
  appState: AppState;
  nowMs: () => number;
  /** Sends a message to one linked device; answers its id. */
  send: (device: Jid, message: Message) => Promise<string>;
  /** A companion has its keys and can take history. */
  ready: (device: Jid) => Promise<void>;
  /** A companion asks for something that is not about keys. */
  asked: (device: Jid, request: ProtocolMessage, messageId: string) => Promise<void>;
}

const SHARES = 'key-share';
const SHARES_MAX = 50;

/**
 * The phone's care for its linked devices: a new one gets the keys of app state and, once it says
 * that it has them (`peer_msg`), its history; when one is unlinked the keys change, so that it
 * cannot read on.
 */
export class Companions {
  readonly #parts: CompanionParts;

  constructor(parts: CompanionParts) {
    this.#parts = parts;
  }

  /** Addresses of the linked devices. */
  async devices(): Promise<Jid[]> {
    const [self] = await this.#parts.directory.contacts([this.#parts.own.jid]);
    return (self?.devices ?? []).filter((jid) => (parseJid(jid)?.device ?? 0) !== 0);
  }

  /** `<notification type="devices">` about this account, `server_sync`; others are ignored. */
  async notified(node: Node): Promise<void> {
    const { type, from } = node.attrs;
    const isOwn = sameUser(from, this.#parts.own.jid) || sameUser(from, this.#parts.own.lid);
    if (type === 'server_sync') {
      const names = childrenOf(node, 'collection').map(({ attrs }) => attrs.name);
      await this.#parts.appState.pull(COLLECTIONS.filter((name: CollectionName) => names.includes(name)));
    }
    if (type !== 'devices' || !isOwn) return;
    if (child(node, 'remove')) await this.rotateKeys();
    const added = child(child(node, 'add'), 'device')?.attrs.jid;
    if (added !== undefined) await this.#shareWith(added);
  }

  /** A companion has received a message of ours. */
  async received(device: Jid, messageIds: string[]): Promise<void> {
    for (const id of messageIds) {
      if (!this.#parts.store.get(SHARES, id)) continue;
      this.#parts.store.set(SHARES, id, null);
      await this.#parts.ready(device);
    }
  }

  /** A peer message of a companion. */
  async told(device: Jid, message: Message, messageId: string): Promise<void> {
    const { protocolMessage } = message;
    if (!protocolMessage) return;
    if (protocolMessage.type !== PROTOCOL.appStateSyncKeyRequest) {
      await this.#parts.asked(device, protocolMessage, messageId);
      return;
    }
    const { keys } = this.#parts.appState;
    const wanted = (protocolMessage.appStateSyncKeyRequest?.keyIds ?? []).flatMap(({ keyId }) => keyId ?? []);
    const known = wanted.flatMap((id) => keys.find(id) ?? []);
    if (known.length > 0) await this.#parts.send(device, keys.share(known, this.#parts.nowMs()));
  }

  /** Makes a new key and gives it to every companion. */
  async rotateKeys(): Promise<void> {
    const { appState, nowMs, send } = this.#parts;
    const key = appState.keys.rotate();
    for (const device of await this.devices()) await send(device, appState.keys.share([key], nowMs()));
  }

  async #shareWith(device: Jid): Promise<void> {
    const { appState, nowMs, send, store } = this.#parts;
    appState.keys.current();
    const id = await send(device, appState.keys.share(appState.keys.all(), nowMs()));
    for (const old of store.list(SHARES).slice(SHARES_MAX)) store.set(SHARES, old.id, null);
    store.set(SHARES, id, new TextEncoder().encode(device));
  }
}
