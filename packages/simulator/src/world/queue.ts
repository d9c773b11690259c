import type { Node } from '@ponte/engine';
import { decodeStanza, encodeStanza } from '../wire/codec.ts';
import { type Db, prepare } from './database.ts';

/** What waits for a device until the device says that it has it. */
export interface Queued {
  /** Grows with every stanza of the network: the order of delivery. */
  seq: number;
  node: Node;
}

/**
 * Stanza tags that are kept until acknowledged; everything else is sent to connected devices or not
 * at all.
 */
export type QueuedClass = 'message' | 'status' | 'receipt' | 'notification' | 'call';

const QUEUE_PER_DEVICE_MAX = 20_000;

export type Queue = ReturnType<typeof createQueue>;

/** Durable mail of every device of one tenant. Rows leave only by `clear` or with their device. */
export function createQueue(db: Db, tenant: string) {
  const { insert, count, counts, after, matching, remove, rewrite, named, notifications, withMail } = statements(db);
  const bytesOf = encodeOnce();

  return {
    isFull: (pn: string, device: number): boolean => (count.get(tenant, pn, device)?.n ?? 0) >= QUEUE_PER_DEVICE_MAX,
    /**
     * Keeps a stanza for a device. `sender` is the PN of the account it came from, empty for the
     * server itself.
     */
    add(pn: string, device: number, stanzaClass: QueuedClass, sender: string, node: Node): number {
      const row = insert.get(tenant, pn, device, stanzaClass, node.attrs.id ?? '', sender, bytesOf(node));
      return (row as { seq: number }).seq;
    },
    /** The next stanzas after a sequence number, oldest first. */
    next(pn: string, device: number, afterSeq: number, limit: number): Queued[] {
      return after
        .all(tenant, pn, device, afterSeq, limit)
        .map((row) => ({ seq: row.seq, node: decodeStanza(row.stanza) }));
    },
    /** How many stanzas of each class wait. */
    counts(pn: string, device: number): Partial<Record<QueuedClass, number>> {
      return Object.fromEntries(counts.all(tenant, pn, device).map((row) => [row.class, row.n]));
    },
    /** What waits of this class with this id. */
    waiting: (pn: string, device: number, stanzaClass: QueuedClass, id: string): Queued[] =>
      named.all(tenant, pn, device, stanzaClass, id).map(({ seq, stanza }) => ({ seq, node: decodeStanza(stanza) })),
    /** Puts another stanza in the place of one that waits. */
    replace(seq: number, node: Node): void {
      rewrite.run(bytesOf(node), seq);
    },
    /** Accounts whose phone has mail that it has not taken. */
    phonesWithMail: (): string[] => withMail.all(tenant).map(({ pn }) => pn),
    hasNotification: (pn: string, device: number, test: (node: Node) => boolean): boolean =>
      notifications.all(tenant, pn, device).some((row) => test(decodeStanza(row.stanza))),
    /**
     * Forgets what a device has acknowledged: stanzas of this class and id that were pushed (seq up
     * to `pushedSeq`), the oldest one only or `all` of them. `sender` narrows it to one account
     * when known. Returns how many went.
     */
    clear(
      pn: string,
      device: number,
      stanzaClass: QueuedClass,
      id: string,
      options: { pushedSeq: number; sender?: string | undefined; all: boolean },
    ): number {
      const rows = matching
        .all(tenant, pn, device, stanzaClass, id, options.pushedSeq)
        .filter((row) => options.sender === undefined || row.sender === options.sender);
      const gone = options.all ? rows : rows.slice(0, 1);
      for (const row of gone) remove.run(row.seq);
      return gone.length;
    },
  };
}

function statements(db: Db) {
  return {
    insert: prepare<unknown[]>(
      db,
      'insert into queue (tenant, pn, device, class, id, sender, stanza) values (?,?,?,?,?,?,?) returning seq',
    ),
    count: prepare<[string, string, number], { n: number }>(
      db,
      'select count(*) as n from queue where tenant = ? and pn = ? and device = ?',
    ),
    counts: prepare<[string, string, number], { class: string; n: number }>(
      db,
      'select class, count(*) as n from queue where tenant = ? and pn = ? and device = ? group by class',
    ),
    after: prepare<[string, string, number, number, number], { seq: number; stanza: Buffer }>(
      db,
      'select seq, stanza from queue where tenant = ? and pn = ? and device = ? and seq > ? order by seq limit ?',
    ),
    matching: prepare<[string, string, number, string, string, number], { seq: number; sender: string }>(
      db,
      'select seq, sender from queue where tenant = ? and pn = ? and device = ? and class = ? and id = ? and seq <= ? order by seq',
    ),
    remove: prepare<unknown[]>(db, 'delete from queue where seq = ?'),
    withMail: prepare<[string], { pn: string }>(
      db,
      'select distinct pn from queue where tenant = ? and device = 0 order by pn',
    ),
    rewrite: prepare<unknown[]>(db, 'update queue set stanza = ? where seq = ?'),
    named: prepare<[string, string, number, string, string], { seq: number; stanza: Buffer }>(
      db,
      'select seq, stanza from queue where tenant = ? and pn = ? and device = ? and class = ? and id = ? order by seq',
    ),
    notifications: prepare<[string, string, number], { stanza: Buffer }>(
      db,
      "select stanza from queue where tenant = ? and pn = ? and device = ? and class = 'notification' order by seq",
    ),
  };
}

/** A stanza for a thousand devices of a group is written once. */
function encodeOnce(): (node: Node) => Uint8Array {
  let lastNode: Node | undefined;
  let lastBytes: Uint8Array = new Uint8Array();
  return (node) => {
    if (node !== lastNode) {
      lastBytes = encodeStanza(node);
      lastNode = node;
    }
    return lastBytes;
  };
}
