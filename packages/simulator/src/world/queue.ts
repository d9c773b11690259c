import type { Node } from '@ponte/engine';
import { decodeStanza, encodeStanza } from '../wire/codec.ts';
import { type Db, prepare } from './database.ts';
import { FreshMail, type FreshStanza } from './fresh-mail.ts';
import { ReadCache } from './read-cache.ts';

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

/** What an acknowledgement clears: what was pushed, of one sender when known, one or `all`. */
interface Cleared {
  pushedSeq: number;
  sender?: string | undefined;
  all: boolean;
}
type ClearWritten = (pn: string, device: number, stanzaClass: QueuedClass, id: string, what: Cleared) => number;

const isFrom = (row: { sender: string }, sender: string | undefined): boolean =>
  sender === undefined || row.sender === sender;

/** Durable mail of every device of one tenant. Rows leave only by `clear` or with their device. */
export function createQueue(db: Db, tenant: string) {
  const { insert, count, counts, after, matching, remove, rewrite, named, notifications, withMail } = statements(db);
  const bytesOf = encodeOnce();
  const fresh = new FreshMail(db, ({ seq, pn, device, stanzaClass, id, sender, node }) => {
    written.add(pn, device, 1);
    insert.run(seq, tenant, pn, device, stanzaClass, id, sender, bytesOf(node));
  });
  const written = new Counts(db, (pn, device) => count.get(tenant, pn, device)?.n ?? 0);
  const clearWritten: ClearWritten = (pn, device, stanzaClass, id, { pushedSeq, sender, all }) => {
    if (written.of(pn, device) === 0) return 0;
    const rows = matching.all(tenant, pn, device, stanzaClass, id, pushedSeq).filter((row) => isFrom(row, sender));
    const meant = all ? rows : rows.slice(0, 1);
    for (const { seq } of meant) remove.run(seq);
    written.add(pn, device, -meant.length);
    return meant.length;
  };

  return {
    isFull: (pn: string, device: number): boolean =>
      written.of(pn, device) + fresh.count(pn, device) >= QUEUE_PER_DEVICE_MAX,
    /**
     * Keeps a stanza for a device. `sender` is the PN of the account it came from, empty for the
     * server itself.
     */
    add: (pn: string, device: number, stanzaClass: QueuedClass, sender: string, node: Node): number =>
      fresh.add({ pn, device, stanzaClass, id: node.attrs.id ?? '', sender, node }),
    /** The next stanzas after a sequence number, oldest first. */
    next(pn: string, device: number, afterSeq: number, limit: number): Queued[] {
      fresh.flush();
      return after
        .all(tenant, pn, device, afterSeq, limit)
        .map((row) => ({ seq: row.seq, node: decodeStanza(row.stanza) }));
    },
    /** How many stanzas of each class wait. */
    counts(pn: string, device: number): Partial<Record<QueuedClass, number>> {
      fresh.flush();
      return Object.fromEntries(counts.all(tenant, pn, device).map((row) => [row.class, row.n]));
    },
    /** What waits of this class with this id. */
    waiting(pn: string, device: number, stanzaClass: QueuedClass, id: string): Queued[] {
      fresh.flush();
      return named
        .all(tenant, pn, device, stanzaClass, id)
        .map(({ seq, stanza }) => ({ seq, node: decodeStanza(stanza) }));
    },
    /** Puts another stanza in the place of one that waits. */
    replace(seq: number, node: Node): void {
      rewrite.run(bytesOf(node), seq);
    },
    /** Accounts whose phone has mail that it has not taken. */
    phonesWithMail: (): string[] => withMail.all(tenant).map(({ pn }) => pn),
    hasNotification(pn: string, device: number, test: (node: Node) => boolean): boolean {
      fresh.flush();
      return notifications.all(tenant, pn, device).some((row) => test(decodeStanza(row.stanza)));
    },
    /**
     * Forgets what a device has acknowledged: stanzas of this class and id that were pushed (seq up
     * to `pushedSeq`), the oldest one only or `all` of them. `sender` narrows it to one account
     * when known. Returns how many went.
     */
    clear(pn: string, device: number, stanzaClass: QueuedClass, id: string, options: Cleared): number {
      const { pushedSeq, sender, all } = options;
      // What is written is older than what is fresh.
      const gone = clearWritten(pn, device, stanzaClass, id, options);
      if (gone > 0 && !all) return gone;
      const isMeant = (of: FreshStanza): boolean =>
        of.id === id && of.stanzaClass === stanzaClass && of.seq <= pushedSeq && isFrom(of, sender);
      const found = fresh.matching(pn, device, isMeant);
      const taken = all ? found : found.slice(0, 1);
      for (const stanza of taken) fresh.remove(stanza);
      return gone + taken.length;
    },
    /** Rows were changed past this object. */
    forget(): void {
      written.forget();
    },
    /** Everything is gone. */
    wiped(): void {
      fresh.forget();
      written.forget();
    },
  };
}

/** How many rows a device has, counted once and then kept. */
class Counts {
  readonly #count: (pn: string, device: number) => number;
  readonly #cache: ReadCache;

  constructor(db: Db, count: (pn: string, device: number) => number) {
    this.#count = count;
    this.#cache = new ReadCache(db);
  }

  of(pn: string, device: number): number {
    return this.#entry(pn, device).n;
  }

  add(pn: string, device: number, n: number): void {
    this.#entry(pn, device).n += n;
  }

  forget(): void {
    this.#cache.forget();
  }

  #entry(pn: string, device: number): { n: number } {
    return this.#cache.get(`${pn} ${device}`, () => ({ n: this.#count(pn, device) }));
  }
}

function statements(db: Db) {
  return {
    insert: prepare<unknown[]>(
      db,
      'insert into queue (seq, tenant, pn, device, class, id, sender, stanza) values (?,?,?,?,?,?,?,?)',
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
      // The other index would be gone through from the device's first stanza on.
      `select seq, sender from queue indexed by queue_stanza
       where tenant = ? and pn = ? and device = ? and class = ? and id = ? and seq <= ? order by seq`,
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
