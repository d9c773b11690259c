import type { Node } from '@ponte/engine';
import type { SignalDevice } from '../signal/signal-device.ts';
import type { Envelope } from './envelope.ts';
import { keysNode, registrationNode } from './key-stanzas.ts';

/** After this many tries a message stays undecryptable (whatsmeow and Baileys stop at 5). */
const MAX_RETRIES = 5;
const MAX_COUNTERS = 500;

/**
 * Retry receipts for messages that could not be decrypted. Counts in memory: a restart begins
 * again.
 */
export class RetryRequests {
  readonly #signal: SignalDevice;
  readonly #counts = new Map<string, number>();

  constructor(signal: SignalDevice) {
    this.#signal = signal;
  }

  /** The receipt that asks for the message again; undefined when it was asked for often enough. */
  next(envelope: Envelope, message: Node): Node | undefined {
    const key = keyOf(envelope);
    const count = (this.#counts.get(key) ?? 0) + 1;
    if (count > MAX_RETRIES) return undefined;
    this.#counts.delete(key);
    this.#counts.set(key, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > MAX_COUNTERS && oldest !== undefined) this.#counts.delete(oldest);
    const { id = '', from = '', participant, recipient, t = '0' } = message.attrs;
    const attrs: Record<string, string> = { id, to: from, type: 'retry' };
    if (participant !== undefined) attrs.participant = participant;
    if (recipient !== undefined) attrs.recipient = recipient;
    // Keys come along from the second try on, as WhatsApp clients do: the first failure is mostly a
    // lost message before this one.
    const keys = count > 1 ? [keysNode(this.#signal, this.#signal.createPreKeys(1)[0])] : [];
    return {
      tag: 'receipt',
      attrs,
      content: [
        { tag: 'retry', attrs: { count: String(count), id, t, v: '1', error: '0' } },
        registrationNode(this.#signal),
        ...keys,
      ],
    };
  }

  /** The message has been read at last. */
  done(envelope: Envelope): void {
    this.#counts.delete(keyOf(envelope));
  }
}

function keyOf(envelope: Envelope): string {
  return `${envelope.chatJid}|${envelope.device}|${envelope.messageId}`;
}
