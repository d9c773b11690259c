import { EngineError, intAttr, type Node, type ServerAck } from '@ponte/engine';

/** WhatsApp's acknowledgement, and whether it calls the recipient's address out of date. */
export type TakenAck = ServerAck & { isLidStale: boolean };

interface Waiting {
  resolve(ack: TakenAck): void;
  reject(error: EngineError): void;
}

/** One wait for one acknowledgement. */
export interface ExpectedAck {
  /**
   * Resolves with the ack, also one that came already. Rejects with `rejected`, or with `timeout`
   * after `ms` or when aborted.
   */
  within(ms: number, signal: AbortSignal | undefined): Promise<TakenAck>;
  /** Gives up waiting. Always to be called in the end. */
  stop(): void;
}

/**
 * Waits for WhatsApp's `<ack class="message">`: the only sign that a message is on the server
 * (Baileys does not wait for it).
 */
export class AckWaiter {
  readonly #waiting = new Map<string, Set<Waiting>>();

  /** To be called before the message leaves. */
  expect(id: string): ExpectedAck {
    const { promise: acked, ...waiting } = Promise.withResolvers<TakenAck>();
    // A refusal is reported by `within`; one that comes earlier must not count as an unhandled
    // rejection.
    acked.catch(() => {});
    this.#waiting.set(id, (this.#waiting.get(id) ?? new Set()).add(waiting));
    return {
      within: (ms, signal) => within(acked, ms, signal),
      stop: () => {
        const all = this.#waiting.get(id);
        all?.delete(waiting);
        if (all?.size === 0) this.#waiting.delete(id);
      },
    };
  }

  onAck(node: Node, nowSeconds: number): void {
    const { id, error } = node.attrs;
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    for (const one of waiting ?? []) {
      if (error === undefined) {
        const isLidStale = node.attrs.refresh_lid === 'true';
        one.resolve({ timestamp: intAttr(node, 't') ?? nowSeconds, isLidStale });
      } else one.reject(refusal(error));
    }
  }

  /** The connection is gone. */
  rejectAll(error: EngineError): void {
    for (const waiting of this.#waiting.values()) for (const one of waiting) one.reject(error);
  }
}

async function within(acked: Promise<TakenAck>, ms: number, signal: AbortSignal | undefined): Promise<TakenAck> {
  const { promise: gaveUp, reject: giveUp } = Promise.withResolvers<never>();
  const onAbort = () => giveUp(new EngineError('timeout', 'the wait for the acknowledgement was cancelled'));
  const timer = setTimeout(() => giveUp(new EngineError('timeout', `no acknowledgement within ${ms / 1000} s`)), ms);
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted) onAbort();
  try {
    return await Promise.race([acked, gaveUp]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function refusal(error: string): EngineError {
  const serverCode = Number(error);
  const options = Number.isFinite(serverCode) ? { serverCode } : {};
  return new EngineError('rejected', `WhatsApp refused the message (error ${error})`, options);
}
