import { childrenOf, type Node } from '@ponte/engine';
import { breakMac } from '../signal/messages.ts';
import type { Clock, Timer } from '../world/clock.ts';
import type { LineFaults } from './line-faults.ts';

/** A shuffle that does not fill up is let go after this long. */
const REORDER_PATIENCE_MS = 3000;
const DELAYED_ACKS_MAX = 10_000;

/**
 * Stands between the server and one line's wire and spoils what passes according to the line's
 * faults: mail may come twice, in another order or with a broken MAC, acks late or never. Only what
 * is on the wire is spoilt; the server's own record stays right.
 */
export class Disturbance {
  readonly #clock: Clock;
  readonly #faults: LineFaults | undefined;
  readonly #write: (node: Node, note?: string) => void;
  readonly #lost: (node: Node) => void;
  readonly #timers = new Set<Timer>();
  #shuffled: Node[] = [];
  #shuffleTimer: Timer | undefined;

  constructor(options: {
    clock: Clock;
    faults: LineFaults | undefined;
    write: (node: Node, note?: string) => void;
    /** Told of what is not sent. */
    lost: (node: Node) => void;
  }) {
    this.#clock = options.clock;
    this.#faults = options.faults;
    this.#write = options.write;
    this.#lost = options.lost;
  }

  /** A stanza for the line: mail, notification or anything else. Only what is said is disturbed. */
  push(node: Node): void {
    const faults = this.#faults;
    if (!faults || (node.tag !== 'message' && node.tag !== 'status')) {
      this.#write(node);
      return;
    }
    const sent = faults.take('bad_mac') ? withBrokenMac(node) : node;
    const wanted = faults.reorderCount;
    if (wanted > 0) {
      this.#shuffle(sent, wanted);
      return;
    }
    this.#write(sent, sent === node ? undefined : 'bad mac');
    if (faults.take('duplicate')) this.#write(sent, 'duplicate');
  }

  /** The ack of a message that the line sent. */
  acknowledge(ack: Node): void {
    const faults = this.#faults;
    if (!faults) {
      this.#write(ack);
      return;
    }
    if (ack.attrs.error === undefined && faults.take('lose_acks')) {
      this.#lost(ack);
      return;
    }
    const delayMs = faults.ackDelayMs;
    if (delayMs === 0 || this.#timers.size >= DELAYED_ACKS_MAX) {
      this.#write(ack);
      return;
    }
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      this.#write(ack, `late by ${delayMs} ms`);
    });
    this.#timers.add(timer);
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#shuffleTimer?.cancel();
    this.#shuffled = [];
  }

  // `reorder` collects as many messages as the rule says and sends them last first.
  #shuffle(node: Node, wanted: number): void {
    this.#shuffled.push(node);
    if (this.#shuffled.length >= wanted) {
      this.#letGo();
      return;
    }
    this.#shuffleTimer ??= this.#clock.after(REORDER_PATIENCE_MS, () => this.#letGo());
  }

  #letGo(): void {
    this.#shuffleTimer?.cancel();
    this.#shuffleTimer = undefined;
    this.#faults?.endReorder();
    const nodes = this.#shuffled.reverse();
    this.#shuffled = [];
    for (const node of nodes) this.#write(node, 'reordered');
  }
}

/**
 * The same message with one bit of each ciphertext's MAC (or signature, of a sender key's message)
 * turned.
 */
function withBrokenMac(message: Node): Node {
  const content = Array.isArray(message.content) ? message.content : [];
  const broken = new Set(childrenOf(message, 'enc'));
  return {
    ...message,
    content: content.map((node) => {
      if (!broken.has(node) || !(node.content instanceof Uint8Array)) return node;
      return { ...node, content: breakMac(node.content, node.attrs.type === 'pkmsg') };
    }),
  };
}
