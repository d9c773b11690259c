import { type Engine, type EngineChange, EngineError } from '@ponte/engine';
import { createInTurn } from '../../core/in-turn.ts';
import type { Log } from '../../observe/logger.ts';

type Closed = Extract<EngineChange, { type: 'closed' }>;
type HowToPair = NonNullable<Parameters<Engine['connect']>[0]>;

export interface ConnectorOptions {
  engine: Engine;
  log: Log;
  /** A connection ended, or could not be opened, without being told to. */
  onLost(end: Closed): void;
}

/** The one hand on a line's connection: opens, replaces and ends it, one thing at a time. */
export class Connector {
  readonly #options: ConnectorOptions;
  /** A connection exists or is being made. */
  #isOnline = false;
  #pairing: HowToPair['kind'] | undefined;
  /** It is being ended on purpose: what the engine says of that is no news. */
  #isEnding = false;
  readonly #exclusive = createInTurn();

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /**
   * Logs in, unless there is a connection already or `may` says no when its turn has come. Never
   * rejects.
   */
  login(may: () => boolean): Promise<void> {
    return this.#exclusive(async () => {
      if (may() && !this.#isOnline) await this.#open();
    });
  }

  /**
   * Sees to it that pairing of this kind is under way, unless `may` says no. A code is always asked
   * for anew. Never rejects.
   */
  pair(how: HowToPair, may: () => boolean, onBegin: () => void): Promise<void> {
    return this.#exclusive(async () => {
      if (!may() || (this.#isOnline && how.kind === 'qr' && this.#pairing === 'qr')) return;
      if (this.#isOnline) {
        await this.#quietly(() => this.#options.engine.close());
        this.#isOnline = false;
      }
      this.#pairing = how.kind;
      onBegin();
      await this.#open(how);
    });
  }

  /**
   * Unlinks and clears the credentials; `first` runs before, with the connection as it is. Rejects
   * when it failed: then the line is as paired as before, and a connection that ended on the way is
   * told as lost.
   */
  logout(timeoutMs: number, first: () => Promise<void>): Promise<{ unlinked: boolean }> {
    return this.#exclusive(async () => {
      try {
        const result = await this.#quietly(async () => {
          await first();
          return this.#options.engine.logout(timeoutMs);
        });
        this.#isOnline = false;
        this.#pairing = undefined;
        return result;
      } catch (error) {
        if (!this.#isOnline) this.#lost('connection_lost', 'logging out failed');
        throw error;
      }
    });
  }

  /** Ends the connection; nothing follows. */
  close(): Promise<void> {
    return this.#exclusive(() => {
      this.#isEnding = true;
      return this.#options.engine.close();
    });
  }

  /** The engine says that the connection ended. */
  ended(end: Closed): void {
    this.#isOnline = false;
    this.#pairing = undefined;
    if (!this.#isEnding) this.#options.onLost(end);
  }

  /** A refusal of the engine counts as a connection that was lost at once. */
  async #open(how?: HowToPair): Promise<void> {
    this.#isOnline = true;
    try {
      await this.#options.engine.connect(how);
    } catch (error) {
      this.#options.log.warn({ error }, 'connecting failed');
      const isStore = error instanceof EngineError && error.code === 'store_failed';
      if (this.#isOnline) this.#lost(isStore ? 'store_failed' : 'connection_lost', 'the engine refused to connect');
    }
  }

  #lost(reason: Closed['reason'], detail: string): void {
    this.ended({ type: 'closed', reason, detail });
  }

  async #quietly<T>(work: () => Promise<T>): Promise<T> {
    this.#isEnding = true;
    try {
      return await work();
    } finally {
      this.#isEnding = false;
    }
  }
}
