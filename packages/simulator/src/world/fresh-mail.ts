import type { Node } from '@ponte/engine';
import { type Db, prepare } from './database.ts';
import { type SharedCommit, sharedCommit } from './shared-commit.ts';

/** A stanza that waits, as the turn that added it has it. */
export interface FreshStanza {
  seq: number;
  pn: string;
  device: number;
  stanzaClass: string;
  id: string;
  sender: string;
  node: Node;
}

const numbers = new WeakMap<Db, { last: number }>();

/** The number of the next stanza of this database; they grow. */
function nextSeq(db: Db): number {
  let of = numbers.get(db);
  if (!of) {
    const row = prepare<[], { seq: number }>(db, "select seq from sqlite_sequence where name = 'queue'").get();
    of = { last: row?.seq ?? 0 };
    numbers.set(db, of);
  }
  of.last += 1;
  return of.last;
}

/**
 * Mail of this turn, before the commit: what is taken from it before then (a phone answers at once)
 * never sees the database.
 */
export class FreshMail {
  readonly #db: Db;
  readonly #commit: SharedCommit;
  readonly #write: (stanza: FreshStanza) => void;
  /** By device, in the order of their numbers. */
  readonly #devices = new Map<string, Map<number, FreshStanza>>();
  #isPlanned = false;

  /** `write` puts one of them into the database. */
  constructor(db: Db, write: (stanza: FreshStanza) => void) {
    this.#db = db;
    this.#commit = sharedCommit(db);
    this.#write = write;
  }

  /** Answers its number. */
  add(stanza: Omit<FreshStanza, 'seq'>): number {
    const fresh = { ...stanza, seq: nextSeq(this.#db) };
    this.#keep(fresh);
    this.#commit.onTakenBack(() => this.#drop(fresh));
    return fresh.seq;
  }

  count(pn: string, device: number): number {
    return this.#devices.get(keyOf(pn, device))?.size ?? 0;
  }

  /** Those of a device for which `test` holds, oldest first. */
  matching(pn: string, device: number, test: (stanza: FreshStanza) => boolean): FreshStanza[] {
    const own = this.#devices.get(keyOf(pn, device));
    return own ? [...own.values()].filter(test) : [];
  }

  remove(stanza: FreshStanza): void {
    this.#drop(stanza);
    this.#commit.onTakenBack(() => this.#keep(stanza));
  }

  /** Writes everything out, for reads that go to the database. */
  flush(): void {
    this.#isPlanned = false;
    const all = [...this.#devices.values()].flatMap((own) => [...own.values()]);
    if (all.length === 0) return;
    this.#devices.clear();
    // What was written in a transaction that is taken back is not written.
    this.#commit.onTakenBack(() => {
      for (const stanza of all) this.#keep(stanza);
    });
    for (const stanza of all) this.#write(stanza);
  }

  forget(): void {
    this.#devices.clear();
  }

  #keep(stanza: FreshStanza): void {
    const key = keyOf(stanza.pn, stanza.device);
    const own = this.#devices.get(key) ?? new Map<number, FreshStanza>();
    this.#devices.set(key, own.set(stanza.seq, stanza));
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.#commit.writeLater(() => this.flush());
  }

  #drop({ pn, device, seq }: FreshStanza): void {
    const own = this.#devices.get(keyOf(pn, device));
    own?.delete(seq);
    if (own?.size === 0) this.#devices.delete(keyOf(pn, device));
  }
}

const keyOf = (pn: string, device: number): string => `${pn} ${device}`;
