import type { Node } from '@ponte/engine';
import type { Clock } from './clock.ts';
import type { Demands } from './demands.ts';
import { type Endpoint, Mailbox } from './mailbox.ts';
import type { Queue, Queued, QueuedClass } from './queue.ts';

const WITHHELD_MAX = 10_000;

/** One stanza for one device. */
export interface Parcel {
  pn: string;
  device: number;
  stanzaClass: QueuedClass;
  /** PN of the account it comes from; empty for the server. */
  sender: string;
  node: Node;
  /** It takes the place of a stanza that waits for a device that is away. */
  replacesSeq?: number;
}

/**
 * Who is connected, and how mail reaches them: a parcel is durable before it is delivered, and
 * deleted only when the device acknowledges it. `wake` is called once for a device that gets mail
 * while no client is attached (virtual phones start lazily).
 */
export class Delivery {
  readonly #queue: Queue;
  readonly #clock: Clock;
  readonly #demands: Demands;
  /** Statuses that devices refused, by device: they come first, and nothing else comes. */
  readonly #withheld = new Map<string, { stanzaClass: QueuedClass; id: string }>();
  readonly #wake: (pn: string, device: number) => void;
  readonly #mailboxes = new Map<string, Mailbox>();

  constructor(options: { queue: Queue; clock: Clock; demands: Demands; wake: (pn: string, device: number) => void }) {
    this.#queue = options.queue;
    this.#clock = options.clock;
    this.#demands = options.demands;
    this.#wake = options.wake;
  }

  /**
   * Attaches a connection; an earlier one of the same device is ended as `replaced`, as WhatsApp
   * does.
   */
  attach(endpoint: Endpoint): Mailbox {
    const id = keyOf(endpoint.pn, endpoint.device);
    const earlier = this.#mailboxes.get(id);
    earlier?.close();
    const mailbox = new Mailbox(endpoint, this.#queue, this.#clock, {
      demands: this.#demands,
      refused: () => this.#refusedBy(id, endpoint),
    });
    this.#mailboxes.set(id, mailbox);
    earlier?.endpoint.end('replaced');
    return mailbox;
  }

  /** Detaches this very connection; a newer one of the same device stays. */
  detach(endpoint: Endpoint): void {
    const id = keyOf(endpoint.pn, endpoint.device);
    const mailbox = this.#mailboxes.get(id);
    if (mailbox?.endpoint !== endpoint) return;
    mailbox.close();
    this.#mailboxes.delete(id);
  }

  endpoint(pn: string, device: number): Endpoint | undefined {
    return this.mailbox(pn, device)?.endpoint;
  }

  endpoints(): Endpoint[] {
    return [...this.#mailboxes.values()].map((mailbox) => mailbox.endpoint);
  }

  mailbox(pn: string, device: number): Mailbox | undefined {
    return this.#mailboxes.get(keyOf(pn, device));
  }

  isFull(pn: string, device: number): boolean {
    return this.#queue.isFull(pn, device);
  }

  /**
   * Makes a parcel durable; call inside the transaction that decides it. Returns the push to do
   * after the commit.
   */
  keep(parcel: Parcel): () => void {
    const { pn, device, stanzaClass, sender, node, replacesSeq } = parcel;
    if (replacesSeq !== undefined) {
      this.#queue.replace(replacesSeq, node);
      return () => undefined;
    }
    const seq = this.#queue.add(pn, device, stanzaClass, sender, node);
    return () => {
      const mailbox = this.mailbox(pn, device);
      if (mailbox) mailbox.offer(seq, node);
      else this.#wake(pn, device);
    };
  }

  /** Sends to a device only if it is connected and has caught up with its mail. */
  sendNow(pn: string, device: number, node: Node): void {
    const mailbox = this.mailbox(pn, device);
    if (mailbox?.isLive && !mailbox.endpoint.isCongested) mailbox.endpoint.push(node);
  }

  /** The device has these stanzas. Only what was pushed on its present connection counts. */
  acknowledge(
    from: { pn: string; device: number },
    stanza: { stanzaClass: QueuedClass; id: string; sender: string | undefined; all: boolean },
  ): number {
    const mailbox = this.mailbox(from.pn, from.device);
    if (!mailbox) return 0;
    const { stanzaClass, id, sender, all } = stanza;
    const { pushedSeq } = mailbox;
    const gone = this.#queue.clear(from.pn, from.device, stanzaClass, id, { pushedSeq, sender, all });
    mailbox.cleared(gone);
    return gone;
  }

  /** The device refused a status: from its next login on nothing else is delivered. */
  withhold(from: { pn: string; device: number }, stanzaClass: QueuedClass, id: string): void {
    const key = keyOf(from.pn, from.device);
    if (this.#withheld.size < WITHHELD_MAX || this.#withheld.has(key)) this.#withheld.set(key, { stanzaClass, id });
  }

  #refusedBy(key: string, { pn, device }: Endpoint): Queued | undefined {
    const refused = this.#withheld.get(key);
    const [waiting] = refused ? this.#queue.waiting(pn, device, refused.stanzaClass, refused.id) : [];
    if (!waiting) this.#withheld.delete(key);
    return waiting;
  }

  /** The connection of this device can take more. */
  resume(pn: string, device: number): void {
    this.mailbox(pn, device)?.pump();
  }

  /** Ends every connection. */
  endAll(why: 'reset'): void {
    const all = [...this.#mailboxes.values()];
    this.#mailboxes.clear();
    for (const mailbox of all) {
      mailbox.close();
      mailbox.endpoint.end(why);
    }
  }
}

function keyOf(pn: string, device: number): string {
  return `${pn}:${device}`;
}
