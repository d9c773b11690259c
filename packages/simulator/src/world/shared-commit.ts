/** What is needed of a database. */
interface Transactional {
  readonly inTransaction: boolean;
  readonly open: boolean;
  prepare(sql: string): { run(): unknown };
  exec(sql: string): unknown;
}

/**
 * One commit for everything that is written in a turn of the event loop. Code that shows others
 * what was written (a socket, an HTTP answer) waits for it with `afterCommit`: what has been seen
 * outside survives the death of the process. Inside, writes are visible at once.
 */
export class SharedCommit {
  readonly #db: Transactional;
  readonly #savepoint: { run(): unknown };
  readonly #release: { run(): unknown };
  readonly #rollbackTo: { run(): unknown };
  /** Grows whenever something that was written is taken back. */
  takenBack = 0;
  #isOpen = false;
  #isScheduled = false;
  #isSettling = false;
  readonly #writers: (() => void)[] = [];
  /** How deep in `atomically`. */
  #depth = 0;
  readonly #undo: (() => void)[] = [];
  readonly #waiting: { done(): void; failed(): void }[] = [];
  /**
   * The turn could not be committed: nothing of it was kept, and nothing was shown outside. What is
   * in memory is ahead of the database.
   */
  onFailed: (cause: unknown) => void = (cause) => {
    throw cause;
  };

  constructor(db: Transactional) {
    this.#db = db;
    this.#savepoint = db.prepare('savepoint work');
    this.#release = db.prepare('release work');
    this.#rollbackTo = db.prepare('rollback to work');
  }

  /** Called before every write: opens the transaction of this turn. */
  begin(): void {
    if (this.#isOpen) return;
    this.#db.exec('begin');
    this.#isOpen = true;
    this.#schedule();
  }

  /**
   * Something is only in memory yet: `write` puts it into the database before the commit (and
   * before `flush`).
   */
  writeLater(write: () => void): void {
    this.#writers.push(write);
    this.#schedule();
  }

  /** How to take back what was just changed in memory, if `atomically` takes its writes back. */
  onTakenBack(undo: () => void): void {
    if (this.#depth > 0) this.#undo.push(undo);
  }

  /** All of `work` or, when it throws, nothing of it. */
  atomically<T>(work: () => T): T {
    this.begin();
    const before = this.#undo.length;
    this.#savepoint.run();
    this.#depth += 1;
    try {
      const result = work();
      this.#release.run();
      return result;
    } catch (error) {
      this.takenBack += 1;
      for (const undo of this.#undo.splice(before).reverse()) undo();
      // A full disk takes the whole transaction back by itself.
      if (this.#db.inTransaction) {
        this.#rollbackTo.run();
        this.#release.run();
      }
      throw error;
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0) this.#undo.length = 0;
    }
  }

  /**
   * Calls `done` at the end of this turn, once everything written so far is committed, in the order
   * of the calls; `failed` instead when it could not be committed.
   */
  afterCommit(done: () => void, failed: () => void = () => {}): void {
    this.#waiting.push({ done, failed });
    this.#schedule();
  }

  /** Resolves once everything written so far is committed; rejects when it could not be. */
  settled(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.afterCommit(resolve, () => reject(new Error('the world could not be written to its file')));
    });
  }

  /** What is only in memory goes into the database; not committed yet. */
  flush(): void {
    for (let write = this.#writers.shift(); write; write = this.#writers.shift()) write();
  }

  /** Commits now, and resolves every waiter. */
  settle(): void {
    if (this.#isSettling) return;
    if (!this.#commit()) {
      for (const { failed } of this.#waiting.splice(0)) failed();
      return;
    }
    this.#isSettling = true;
    let told = 0;
    try {
      // A waiter may write when it is told; later waiters are served after that commit.
      const isQuiet = (): boolean => !this.#isOpen && this.#writers.length === 0;
      for (; told < this.#waiting.length && isQuiet(); told += 1) this.#waiting[told]?.done();
    } finally {
      this.#waiting.splice(0, told);
      this.#isSettling = false;
    }
    if (this.#waiting.length > 0) this.#schedule();
  }

  #commit(): boolean {
    try {
      this.flush();
      if (this.#isOpen) {
        if (!this.#db.inTransaction) throw new Error('the database took the transaction back');
        this.#db.exec('commit');
      }
      this.#isOpen = false;
      return true;
    } catch (cause) {
      this.#isOpen = false;
      this.#writers.length = 0;
      this.takenBack += 1;
      if (this.#db.inTransaction) this.#db.exec('rollback');
      this.onFailed(cause);
      return false;
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const end = (): void => {
      this.#isScheduled = false;
      if (this.#db.open) this.settle();
    };
    // The second turn: what phones do at once with what they get is in the same commit.
    setImmediate(() => setImmediate(end));
  }
}

const commits = new WeakMap<Transactional, SharedCommit>();

/** The shared commit of a database. */
export function sharedCommit(db: Transactional): SharedCommit {
  const known = commits.get(db) ?? new SharedCommit(db);
  commits.set(db, known);
  return known;
}

/** All of `work` or, when it throws, nothing of it; committed with the turn. */
export const atomically = <T>(db: Transactional, work: () => T): T => sharedCommit(db).atomically(work);
