import type { EventEmitter } from 'node:events';
import { setImmediate as loopTurn } from 'node:timers/promises';
import {
  type AddressPair,
  addressPairs,
  isBot,
  type Node,
  packNode,
  parseMessageStanza,
  type Self,
  type StanzaFailure,
} from '@ponte/engine';
import { decodeMessageNode } from '../baileys.ts';
import { describeError } from '../library-log.ts';
import type { StoreGuard } from '../store/store-guard.ts';
import { encryptedParts, type StanzaLinks, withoutCiphertext } from './stanza-links.ts';
import { asMessage, isStatusMessage, type StatusMail } from './status-mail.ts';

/** Stanzas that carry facts. Answers to queries, acks and the login's own stanzas pass at once. */
const GATED = new Set(['message', 'status', 'receipt', 'notification', 'call', 'ib', 'chatstate']);
/** The rest of what is known: all others are kept, acknowledged and reported. */
const PASSED = new Set([
  'iq',
  'ack',
  'presence',
  'success',
  'failure',
  'error',
  'stream:error',
  'stream:features',
  'xmlstreamend',
  'xmlstreamstart',
]);
/** Unknown kinds that are reported, each once. */
const REPORTED_MAX = 100;
const SEALED_TYPES = new Set(['pkmsg', 'msg', 'skmsg']);
/**
 * Stanzas waiting to be made durable; beyond that the connection ends and WhatsApp delivers the
 * rest again.
 */
const WAITING_MAX = 5_000;
/**
 * How long a message may hold up what came after it (Baileys downloads history inside its handler).
 */
const MESSAGE_TURN_MS = 30_000;

export interface GateParts {
  guard: StoreGuard;
  links: StanzaLinks;
  self(): Self | undefined;
  learn(pairs: AddressPair[]): Promise<void>;
  /** A stanza that is never journaled. */
  onLive(node: Node): Promise<void>;
  /**
   * Deals with stanzas that are about the connection itself: true = neither journal nor Baileys
   * need them.
   */
  intercept(node: Node): Promise<boolean>;
  /** Statuses, which have rules of their own. */
  statuses: Pick<StatusMail, 'takeTopLevel' | 'takePrompt' | 'open' | 'acknowledge'>;
  /** A device asks for a message of ours again; it is answered and acknowledged in its own time. */
  onRetry(receipt: Node): void;
  /** Takes an unknown stanza off the server's queue. */
  acknowledge(node: Node): Promise<void>;
  /** A kind of stanza that this version does not know; told once per kind. */
  onUnknown(tag: string): void;
  /** A stanza has been dealt with. */
  onPassed(node: Node): Promise<void>;
  /** The connection cannot go on. */
  onBroken(reason: string): void;
  onListenerError(event: string, error: unknown): void;
}

/**
 * Stands between Baileys' socket and its handlers. Every stanza that carries a fact is made durable
 * before a handler sees it, and so before any acknowledgement: encrypted messages by the sealing
 * repository, everything else here. One queue keeps the order; a message is handled to its end
 * before the next stanza, so the inbox has the order of the wire. Receipts that follow each other
 * are made durable together, and handled in their order.
 *
 * It also catches what handlers throw: Baileys registers async listeners whose rejections would end
 * the process.
 */
export class StanzaGate {
  readonly #socket: EventEmitter;
  readonly #parts: GateParts;
  #names: string[] = [];
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();
  /** Receipts that are being made durable; their handlers run in order. */
  #receipts: Promise<void> = Promise.resolve();
  #isStopped = false;
  readonly #reported = new Set<string>();
  #endTurn: () => void = () => {};

  constructor(socket: EventEmitter, parts: GateParts) {
    this.#socket = socket;
    this.#parts = parts;
    socket.emit = (event: string | symbol, ...args: unknown[]) => this.#emit(event, args);
  }

  /** Nothing that still waits reaches a handler. */
  stop(): void {
    this.#isStopped = true;
    this.#endTurn();
  }

  #emit(event: string | symbol, args: unknown[]): boolean {
    if (typeof event !== 'string' || !event.startsWith('CB:')) return this.#run(event, args);
    // Every CB event has the stanza as its argument (Baileys socket.js onMessageReceived).
    const node = args[0] as Node;
    if (PASSED.has(node.tag)) return this.#run(event, args);
    // One stanza is emitted under many names, one right after the other, the bare one last.
    this.#names.push(event);
    if (event !== `CB:${node.tag}`) return true;
    const names = this.#names;
    this.#names = [];
    this.#enqueue(node, names);
    return true;
  }

  #enqueue(node: Node, names: string[]): void {
    if (this.#isStopped) return;
    if (++this.#waiting > WAITING_MAX) {
      this.stop();
      this.#parts.onBroken('more stanzas arrive than can be made durable');
      return;
    }
    // The acknowledgement that came in the same frame is taken first: it says that a message was
    // sent, the receipt what became of it.
    const acked = node.tag === 'receipt' ? loopTurn() : undefined;
    this.#tail = this.#tail.then(async () => {
      await acked;
      if (node.tag === 'receipt') await this.#begin(node, names);
      else {
        await this.#receipts;
        await this.#finish(node, this.#pass(node, names));
      }
    });
  }

  /** Resolves when the receipt is on its way into the store, behind what came before it. */
  async #begin(node: Node, names: string[]): Promise<void> {
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const before = this.#receipts;
    this.#receipts = this.#finish(node, this.#passReceipt(node, names, before, asked)).finally(asked);
    await isAsked;
  }

  /** Never rejects. */
  #finish(node: Node, passing: Promise<void>): Promise<void> {
    return passing
      .then(() => (this.#isStopped ? undefined : this.#parts.onPassed(node)))
      .catch((error) => this.#parts.onListenerError('gate', error))
      .finally(() => {
        this.#waiting--;
      });
  }

  async #passReceipt(node: Node, names: string[], before: Promise<void>, asked: () => void): Promise<void> {
    if (this.#isStopped || (await this.#parts.intercept(node))) return before;
    await this.#parts.learn(addressPairs(node));
    const kept = this.#parts.guard.appendStanza({ stanza: packNode(node), tag: node.tag });
    asked();
    await Promise.all([kept, before]);
    if (this.#isStopped) return;
    if (node.attrs.type === 'retry') return this.#parts.onRetry(node);
    for (const name of names) this.#run(name, [node]);
  }

  async #pass(node: Node, names: string[]): Promise<void> {
    if (this.#isStopped || (await this.#parts.intercept(node))) return;
    if (!GATED.has(node.tag)) return this.#passUnknown(node);
    if (node.tag === 'message') return this.#passMessage(node, names);
    if (node.tag === 'status') {
      const message = asMessage(node);
      return this.#parts.statuses.takeTopLevel(node, this.#unreadable(message), isSealable(message));
    }
    await this.#parts.learn(addressPairs(node));
    if (node.tag === 'chatstate') return this.#parts.onLive(node);
    await this.#parts.guard.appendStanza({ stanza: packNode(node), tag: node.tag });
    if (this.#isStopped) return;
    for (const name of names) this.#run(name, [node]);
  }

  async #passMessage(node: Node, names: string[]): Promise<void> {
    const failure = this.#unreadable(node);
    if (failure || !isSealable(node)) {
      await this.#parts.guard.appendStanza({ stanza: packNode(withoutCiphertext(node)), tag: 'message', failure });
    }
    if (this.#isStopped) return;
    if (isPrompt(node)) return this.#parts.statuses.takePrompt(node, failure !== undefined || !isSealable(node));
    if (isStatusMessage(node)) {
      const isLost = failure !== undefined || !isSealable(node);
      if (isLost) return this.#parts.statuses.acknowledge(node);
      if (!(await this.#parts.statuses.open(node)) || this.#isStopped) return;
    }
    this.#parts.links.add(node);
    // Marked as offline mail it would go through a queue of Baileys' own, whose end cannot be
    // awaited.
    const { offline: _offline, ...attrs } = node.attrs;
    const handled = names.flatMap((name) => this.#call(name, [{ ...node, attrs }]));
    await this.#turn(Promise.allSettled(handled));
  }

  /**
   * Left unanswered, a stanza of a new kind may hold up all later mail, as `<status>` did
   * (whatsapp-rust #1101).
   */
  async #passUnknown(node: Node): Promise<void> {
    if (!this.#reported.has(node.tag) && this.#reported.size < REPORTED_MAX) {
      this.#reported.add(node.tag);
      this.#parts.onUnknown(node.tag);
    }
    if (node.attrs.id === undefined || node.attrs.from === undefined) return;
    await this.#parts.guard.appendStanza({ stanza: packNode(node), tag: node.tag });
    if (!this.#isStopped) await this.#parts.acknowledge(node);
  }

  /** Waits until the message is handled, its time is up, or the gate is stopped. */
  #turn(handled: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(end, MESSAGE_TURN_MS);
      this.#endTurn = end;
      if (this.#isStopped) end();
      void handled.then(end);
    });
  }

  /** Why this message can never be read; undefined when it may be readable. */
  #unreadable(node: Node): StanzaFailure | undefined {
    const self = this.#parts.self();
    if (!self || !parseMessageStanza(node, self)) return failed('malformed', 'the envelope names no usable sender');
    const unavailable = Array.isArray(node.content)
      ? node.content.find((part) => part.tag === 'unavailable')
      : undefined;
    if (unavailable)
      return failed('unavailable', `content unavailable (${unavailable.attrs.type ?? 'no reason given'})`);
    const parts = encryptedParts(node);
    if (parts.length === 0) return hasPlaintext(node) ? undefined : failed('malformed', 'the message has no content');
    if (!isSealable(node))
      return failed('unsupported', `encryption of type ${parts[0]?.attrs.type ?? '(none)'} is not supported`);
    try {
      decodeMessageNode(node, self.pn, self.lid ?? '');
      return undefined;
    } catch (error) {
      return failed('decryption_failed', describeError(error));
    }
  }

  #run(event: string | symbol, args: unknown[]): boolean {
    return this.#call(event, args).length > 0;
  }

  /** Calls every listener; nothing one of them throws reaches the others or the process. */
  #call(event: string | symbol, args: unknown[]): Promise<unknown>[] {
    return this.#socket.rawListeners(event).map(async (listener) => {
      try {
        await Reflect.apply(listener, this.#socket, args);
      } catch (error) {
        this.#parts.onListenerError(String(event), error);
      }
    });
  }
}

const failed = (cause: StanzaFailure['cause'], detail: string): StanzaFailure => ({ cause, detail });

/** A copy of what another device of the account wrote to a bot. */
const isPrompt = ({ attrs, content }: Node): boolean =>
  isBot(attrs.recipient) && Array.isArray(content) && content.some(({ tag }) => tag === 'enc');

const hasPlaintext = (node: Node): boolean =>
  Array.isArray(node.content) && node.content.some((part) => part.tag === 'plaintext');

/**
 * True when the sealing repository will make the message durable. Baileys looks at the first
 * `<enc>` to refuse a message whole.
 */
function isSealable(node: Node): boolean {
  const parts = encryptedParts(node);
  return (
    parts.length > 0 &&
    parts.every((part) => SEALED_TYPES.has(part.attrs.type ?? '') && part.content instanceof Uint8Array)
  );
}
