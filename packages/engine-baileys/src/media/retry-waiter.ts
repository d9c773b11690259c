import type { Node } from '@ponte/engine';

interface Emitter {
  on(event: string, listener: (node: Node) => void): unknown;
}

/** Waits for the phone's answers about files it uploads again. */
export class RetryWaiter {
  readonly #waiting = new Map<string, Set<(node: Node | undefined) => void>>();

  constructor(socket: Emitter) {
    socket.on('CB:notification,type:mediaretry', (node) => {
      for (const tell of [...(this.#waiting.get(node.attrs.id ?? '') ?? [])]) tell(node);
    });
  }

  /**
   * The phone's answer about this message, undefined when none comes within `ms`. To be called
   * before the question leaves.
   */
  answer(id: string, ms: number): Promise<Node | undefined> {
    return new Promise((resolve) => {
      const all = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, all);
      const tell = (node: Node | undefined) => {
        clearTimeout(timer);
        all.delete(tell);
        if (all.size === 0) this.#waiting.delete(id);
        resolve(node);
      };
      const timer = setTimeout(() => tell(undefined), ms);
      all.add(tell);
    });
  }

  /** Ends all waits without an answer. */
  stop(): void {
    for (const all of this.#waiting.values()) for (const tell of [...all]) tell(undefined);
  }
}
