import {
  type AddressPair,
  ackFor,
  addressPairs,
  intAttr,
  isNewsletter,
  type Node,
  packNode,
  STATUS_BROADCAST,
  type StanzaFailure,
} from '@ponte/engine';
import { decryptMessageNode, type SocketConfig, type WASocket } from '../baileys.ts';
import type { StoreGuard } from '../store/store-guard.ts';
import { type StanzaLinks, withoutCiphertext } from './stanza-links.ts';

/** WhatsApp shows a status for a day; older ones are not sent again. */
const LIFETIME_SECONDS = 24 * 60 * 60;

export interface StatusMailParts {
  guard: StoreGuard;
  links: StanzaLinks;
  learn(pairs: AddressPair[]): Promise<void>;
  sock: Pick<WASocket, 'signalRepository' | 'sendRetryRequest'>;
  logger: SocketConfig['logger'];
  /** Own addresses, with the device. */
  me(): { id: string; lid?: string | undefined } | undefined;
  send(node: Node): Promise<void>;
  nowSeconds(): number;
}

/**
 * Statuses, in both of their forms: `<message from="status@broadcast">`, and since 2026-07 a
 * top-level `<status>` with the same inside (whatsapp-rust #1101). WhatsApp wants each `<status>`
 * acknowledged under that name, or it ends the stream every 50 minutes; and it takes a refused
 * status for one that was not delivered and withholds all other mail (Baileys #2779). So they are
 * opened here, and every one is acknowledged plainly, also one that cannot be read.
 */
export class StatusMail {
  readonly #parts: StatusMailParts;

  constructor(parts: StatusMailParts) {
    this.#parts = parts;
  }

  /**
   * A top-level `<status>`, from its arrival to its acknowledgement. `failure`: why it cannot be
   * read. A channel's is public and no message; it is kept as it is.
   */
  async takeTopLevel(node: Node, failure: StanzaFailure | undefined, isSealable: boolean): Promise<void> {
    const { guard, send, learn } = this.#parts;
    await learn(addressPairs(node));
    if (isNewsletter(node.attrs.from ?? '')) await guard.appendStanza({ stanza: packNode(node), tag: node.tag });
    else if (isSealable && failure === undefined) await this.#open(asMessage(node));
    else {
      const stanza = packNode(withoutCiphertext(asMessage(node)));
      await guard.appendStanza({ stanza, tag: 'message', failure });
    }
    await send(ackFor(node));
  }

  /** A status in a `<message>`: true when it could be read, and its receipt is to leave. */
  async open(node: Node): Promise<boolean> {
    if (await this.#open(node)) return true;
    await this.acknowledge(node);
    return false;
  }

  /**
   * What the phone asked a bot of WhatsApp's, from its arrival to the receipt that names the bot:
   * with another one it comes again and ends the stream every 50 minutes (whatsapp-rust #659).
   */
  async takePrompt(node: Node, isLost: boolean): Promise<void> {
    const { send } = this.#parts;
    if (isLost || !(await this.#open(node))) return this.acknowledge(node);
    const { id = '', from = '', recipient = '' } = node.attrs;
    await send({ tag: 'receipt', attrs: { id, to: from, recipient, type: 'sender' } });
  }

  /** Takes it off the queue, whatever became of it. */
  acknowledge(node: Node): Promise<void> {
    return this.#parts.send(ackFor(node));
  }

  /** Decrypts and seals it; asks the sender again when that fails. */
  async #open(node: Node): Promise<boolean> {
    const { sock, links, me, logger, nowSeconds } = this.#parts;
    const own = me();
    if (!own) return false;
    links.add(node);
    const { fullMessage, decrypt } = decryptMessageNode(node, own.id, own.lid ?? '', sock.signalRepository, logger);
    await decrypt();
    if (fullMessage.messageStubType === undefined || fullMessage.messageStubType === null) return true;
    const age = nowSeconds() - (intAttr(node, 't') ?? 0);
    if (age < LIFETIME_SECONDS) await sock.sendRetryRequest(node);
    return false;
  }
}

/** The form that decodes as a message. */
export function asMessage(status: Node): Node {
  const { offline: _offline, ...attrs } = status.attrs;
  return { ...status, tag: 'message', attrs };
}

/** True for a status that comes as a message. */
export const isStatusMessage = (node: Node): boolean =>
  node.tag === 'message' && node.attrs.from === STATUS_BROADCAST && node.attrs.participant !== undefined;
