import { type SharedCommit, sharedCommit } from './shared-commit.ts';

const ENTRIES_MAX = 20_000;

/**
 * What was read of rows that change seldom and are read with every message. It forgets everything
 * when one of them is written (`forget`) and when something was taken back, so that it never says
 * what is not there. Values are shared and must not be changed.
 */
export class ReadCache {
  readonly #commit: SharedCommit;
  readonly #known = new Map<string, unknown>();
  #takenBack = 0;

  constructor(db: Parameters<typeof sharedCommit>[0]) {
    this.#commit = sharedCommit(db);
  }

  get<T>(key: string, read: () => T): T {
    if (this.#takenBack !== this.#commit.takenBack) {
      this.#takenBack = this.#commit.takenBack;
      this.#known.clear();
    }
    if (this.#known.has(key)) return this.#known.get(key) as T;
    const value = read();
    if (this.#known.size >= ENTRIES_MAX) this.#known.clear();
    this.#known.set(key, value);
    return value;
  }

  forget(): void {
    this.#known.clear();
  }
}
