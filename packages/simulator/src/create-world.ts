import { createSimulator, type SimulatorOptions } from './simulator.ts';
import { SystemClock } from './world/clock.ts';

export interface WorldOptions extends Omit<SimulatorOptions, 'clock' | 'controlToken'> {
  /**
   * Milliseconds since 1970: it is then in this world, and stays then until `advance`. What takes
   * its time (late acks, expiry, a code that goes stale) happens in `advance` only. Default: the
   * time of this machine.
   */
  startMs?: number;
}

/** A call of the Sandbox API that was refused; `code` is the one of its answer. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
  readonly status: number;
  readonly code: string;

  constructor(call: string, status: number, body: unknown) {
    const { error, message } = { error: 'unknown', message: '', ...(body as { error?: string; message?: string }) };
    super(`${call}: ${status} ${error}: ${message}`);
    this.status = status;
    this.code = error;
  }
}

/** One WhatsApp in this process, for a test suite. */
export interface TestWorld {
  /** Where the line of this id connects. */
  wsUrl(lineId: string): string;
  /** What the client must trust, or it must refuse to talk: the key of the Noise certificates. */
  noiseRootPublicKey: Uint8Array;
  /** Where media are, on this machine, and what the client must trust for them, in PEM. */
  mediaPort: number;
  mediaCaPem: string;
  /**
   * One call of the Sandbox API: `await world.call('POST', '/phones', { phone: '15550001111', name:
   * 'Alice' })`. Rejects with SandboxError when it is refused.
   */
  call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /**
   * Lets this much time pass at once: what is due in it happens, in order. Connections do not
   * notice.
   */
  advance(ms: number): void;
  /** Ends every connection and timer; nothing is left running. */
  close(): Promise<void>;
}

/**
 * Starts a world of its own, forgotten at the end unless `dataFile` keeps it. With `seed` and
 * `startMs`, every id, key and time of the network and its phones is the same in every run, as long
 * as the calls are, one after the other; what clients draw themselves is not.
 */
export async function createWorld(options: WorldOptions = {}): Promise<TestWorld> {
  const { startMs, ...rest } = options;
  const clock = new SystemClock(startMs === undefined ? {} : { startMs });
  const simulator = await createSimulator({ ...rest, clock });
  const tenant = 'world';
  return {
    wsUrl: (lineId) => simulator.wsUrl(tenant, lineId),
    noiseRootPublicKey: simulator.noiseRootPublicKey,
    mediaPort: simulator.mediaPort,
    mediaCaPem: simulator.mediaCaPem,
    async call<T>(method: string, path: string, body?: unknown): Promise<T> {
      const { pathname, searchParams } = new URL(path, 'http://sandbox');
      const query = Object.fromEntries(searchParams);
      const answer = await simulator.control.handle({ tenant, method, path: pathname, query, body });
      if (answer.status >= 300) throw new SandboxError(`${method} ${path}`, answer.status, answer.body);
      return answer.body as T;
    },
    advance: (ms) => clock.advance(ms),
    async close() {
      await simulator.close();
      clock.close();
    },
  };
}
