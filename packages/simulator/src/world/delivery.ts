import type { Node } from '@ponte/engine';
import type { Clock } from './clock.ts';
import { type Endpoint, Mailbox } from './mailbox.ts';
import type { Queue, QueuedClass } from './queue.ts';

export type Delivery = ReturnType<typeof createDelivery>;

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
 * Who is connected, and how mail reaches them: a parcel is durable before anybody sees it, and it is forgotten only when the
 * device says it has it. `wake` is asked once for a device that gets mail while nobody is attached (virtual phones start lazily).
 */
export function createDelivery(options: { queue: Queue; clock: Clock; wake: (pn: string, device: number) => void }) {
  const { queue, clock, wake } = options;
  const mailboxes = new Map<string, Mailbox>();
  const key = (pn: string, device: number): string => `${pn}:${device}`;

  return {
    /** Attaches a connection; an earlier one of the same device is ended as `replaced`, as WhatsApp does. */
    attach(endpoint: Endpoint): Mailbox {
      const id = key(endpoint.pn, endpoint.device);
      const earlier = mailboxes.get(id);
      earlier?.close();
      const mailbox = new Mailbox(endpoint, queue, clock);
      mailboxes.set(id, mailbox);
      earlier?.endpoint.end('replaced');
      return mailbox;
    },
    /** Detaches this very connection; a newer one of the same device stays. */
    detach(endpoint: Endpoint): void {
      const id = key(endpoint.pn, endpoint.device);
      const mailbox = mailboxes.get(id);
      if (mailbox?.endpoint !== endpoint) return;
      mailbox.close();
      mailboxes.delete(id);
    },
    endpoint: (pn: string, device: number): Endpoint | undefined => mailboxes.get(key(pn, device))?.endpoint,
    endpoints: (): Endpoint[] => [...mailboxes.values()].map((mailbox) => mailbox.endpoint),
    mailbox: (pn: string, device: number): Mailbox | undefined => mailboxes.get(key(pn, device)),
    isFull: queue.isFull,
    /** Makes a parcel durable; call inside the transaction that decides it. Returns the push to do after the commit. */
    keep(parcel: Parcel): () => void {
      if (parcel.replacesSeq !== undefined) {
        queue.replace(parcel.replacesSeq, parcel.node);
        return () => undefined;
      }
      const seq = queue.add(parcel.pn, parcel.device, parcel.stanzaClass, parcel.sender, parcel.node);
      return () => {
        const mailbox = mailboxes.get(key(parcel.pn, parcel.device));
        if (mailbox) mailbox.offer(seq, parcel.node);
        else wake(parcel.pn, parcel.device);
      };
    },
    /** Sends to a device only if it is connected and has caught up with its mail. */
    sendNow(pn: string, device: number, node: Node): void {
      const mailbox = mailboxes.get(key(pn, device));
      if (mailbox?.isLive && !mailbox.endpoint.isCongested) mailbox.endpoint.push(node);
    },
    /** The device has these stanzas. Only what was pushed on its present connection counts. */
    acknowledge(
      from: { pn: string; device: number },
      stanza: { stanzaClass: QueuedClass; id: string; sender: string | undefined; all: boolean },
    ): number {
      const mailbox = mailboxes.get(key(from.pn, from.device));
      if (!mailbox) return 0;
      const { stanzaClass, id, sender, all } = stanza;
      const gone = queue.clear(from.pn, from.device, stanzaClass, id, { pushedSeq: mailbox.pushedSeq, sender, all });
      mailbox.cleared(gone);
      return gone;
    },
    /** The connection of this device can take more. */
    resume(pn: string, device: number): void {
      mailboxes.get(key(pn, device))?.pump();
    },
    /** Ends every connection. */
    endAll(why: 'reset'): void {
      const all = [...mailboxes.values()];
      mailboxes.clear();
      for (const mailbox of all) {
        mailbox.close();
        mailbox.endpoint.end(why);
      }
    },
  };
}
