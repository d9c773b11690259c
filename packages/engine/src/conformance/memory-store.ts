import type { EngineStore, InboxEntry, KeyChange, RawStanza, SealedEnvelope } from '../engine-store.ts';

/** A write that an engine asks for. */
export interface StoreWrite {
  /** From 1, over the handle's life. */
  index: number;
  kind: 'commit' | 'stanza' | 'clear';
  /** A commit that carries a decrypted envelope. */
  isSealed: boolean;
  /** Tag of an appended stanza. */
  tag?: string;
}

/**
 * What happens to a write: it is done; it is refused; the process dies before it is durable; or
 * right after, before the caller learns of it. A promise delays the decision: until then the write
 * has neither happened nor failed.
 */
export type WriteFate = 'done' | 'refused' | 'dies_before' | 'dies_after';

/** A row of the inbox as a journal would keep it. */
export interface InboxRow {
  seq: number;
  entry: InboxEntry;
  isProcessed: boolean;
}

/**
 * What is durable of one line, in memory. Outlives every engine: each "process" attaches with a
 * handle of its own.
 */
export class MemoryStore {
  readonly keys = new Map<string, Map<string, Uint8Array>>();
  readonly rows: InboxRow[] = [];
  #seq = 0;

  /**
   * The store as one process sees it. `fate` decides about every write; without it all are done.
   */
  attach(fate: (write: StoreWrite) => WriteFate | Promise<WriteFate> = () => 'done'): StoreHandle {
    return new StoreHandle(this, fate);
  }

  /** Rows not processed yet, in order. */
  pending(): InboxRow[] {
    return this.rows.filter((row) => !row.isProcessed);
  }

  /**
   * Marks a row as processed, as a journal does: sealed ones keep their hash and lose their
   * plaintext.
   */
  close(row: InboxRow): void {
    row.isProcessed = true;
    if (row.entry.kind === 'sealed') row.entry = { ...row.entry, plaintext: new Uint8Array(0) };
  }

  apply(changes: readonly KeyChange[], sealed: SealedEnvelope | undefined): void {
    for (const { kind, id, value } of changes) {
      const values = this.keys.get(kind) ?? new Map<string, Uint8Array>();
      this.keys.set(kind, values);
      if (value === null) values.delete(id);
      else values.set(id, Uint8Array.from(value));
    }
    if (sealed) this.append({ kind: 'sealed', ...sealed, plaintext: Uint8Array.from(sealed.plaintext) });
  }

  append(entry: InboxEntry): void {
    this.rows.push({ seq: ++this.#seq, entry, isProcessed: false });
  }

  sealed(hash: string): { plaintext: Uint8Array } | undefined {
    const row = this.rows.find(({ entry }) => entry.kind === 'sealed' && entry.hash === hash);
    return row?.entry.kind === 'sealed' ? { plaintext: row.entry.plaintext } : undefined;
  }
}

/** One process's access. Writes happen one after another in the order of calls. */
export class StoreHandle implements EngineStore {
  readonly #store: MemoryStore;
  readonly #fate: (write: StoreWrite) => WriteFate | Promise<WriteFate>;
  #index = 0;
  #tail: Promise<void> = Promise.resolve();
  #isDead = false;
  readonly #death = Promise.withResolvers<void>();
  #isBuried = false;
  readonly #burial = Promise.withResolvers<undefined>();
  #reapers: (() => void)[] = [];
  /** Resolves when the process died of a write. */
  readonly died = this.#death.promise;

  constructor(store: MemoryStore, fate: (write: StoreWrite) => WriteFate | Promise<WriteFate>) {
    this.#store = store;
    this.#fate = fate;
  }

  /** Writes asked for so far. */
  get writes(): number {
    return this.#index;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Lets whatever hangs since the death fail, so that the dead engine can be cleared away. */
  bury(): void {
    this.#isDead = true;
    this.#isBuried = true;
    this.#burial.resolve(undefined);
    for (const reap of this.#reapers) reap();
    this.#reapers = [];
  }

  async get(kind: string, ids: string[]): Promise<Map<string, Uint8Array>> {
    if (this.#isDead) return this.#hang();
    const values = this.#store.keys.get(kind);
    return new Map(ids.flatMap((id) => (values?.has(id) ? [[id, Uint8Array.from(values.get(id) ?? [])]] : [])));
  }

  async list(kind: string): Promise<Map<string, Uint8Array>> {
    if (this.#isDead) return this.#hang();
    return new Map(this.#store.keys.get(kind));
  }

  commit(changes: KeyChange[], sealed?: SealedEnvelope): Promise<void> {
    const copies = changes.map((change) => ({ ...change }));
    return this.#write({ kind: 'commit', isSealed: sealed !== undefined }, () => this.#store.apply(copies, sealed));
  }

  async findSealed(hash: string): Promise<{ plaintext: Uint8Array } | undefined> {
    return this.#isDead ? this.#hang() : this.#store.sealed(hash);
  }

  appendStanza(entry: RawStanza): Promise<void> {
    const { tag } = entry;
    return this.#write({ kind: 'stanza', isSealed: false, tag }, () =>
      this.#store.append({ kind: 'stanza', ...entry }),
    );
  }

  clear(): Promise<void> {
    return this.#write({ kind: 'clear', isSealed: false }, () => this.#store.keys.clear());
  }

  #write(what: Omit<StoreWrite, 'index'>, apply: () => void): Promise<void> {
    const index = ++this.#index;
    const written = this.#tail.then(async () => {
      if (this.#isDead) return this.#hang<void>();
      // A fate that is never decided ends with the funeral.
      const fate = await Promise.race([this.#fate({ ...what, index }), this.#burial.promise]);
      if (fate === undefined || this.#isDead) return this.#hang<void>();
      if (fate === 'refused') throw new Error('the disk is full');
      if (fate !== 'dies_before') apply();
      if (fate === 'done') return;
      this.#isDead = true;
      this.#death.resolve();
      return this.#hang<void>();
    });
    // What follows waits for the outcome, not for its success.
    this.#tail = written.catch(() => {});
    return written;
  }

  #hang<T>(): Promise<T> {
    return new Promise<T>((_resolve, reject) => {
      const reap = () => reject(new Error('the process is dead'));
      if (this.#isBuried) reap();
      else this.#reapers.push(reap);
    });
  }
}
