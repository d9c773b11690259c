import type { Clock } from '../../core/clock.ts';
import type { LineCommandName } from '../../core/line-commands.ts';
import type { LineStanding } from '../../core/lines.ts';
import { within } from '../../core/within.ts';
import { type LineModel, standingOf } from './line-state.ts';

/**
 * A connection that WhatsApp wants to begin anew (515) is usually back within a fraction of a
 * second.
 */
const WAIT_MS = 10_000;
/** Commands that ask WhatsApp nothing, or wait for a connection by themselves. */
const PATIENT: ReadonlySet<LineCommandName> = new Set([
  'pairing.qr',
  'pairing.code',
  'logout',
  'send',
  'queue.look',
  'queue.refresh',
  'trace',
  'receipt.wait',
]);

/**
 * WhatsApp's "restart required" (515) is not reported: the line stays `connected` while nothing can
 * be asked. Commands wait for its end instead of answering that a connected line is not connected.
 */
export class RestartWait {
  readonly #clock: Clock;
  readonly #model: () => LineModel;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock, model: () => LineModel) {
    this.#clock = clock;
    this.#model = model;
  }

  /** The standing as the issuer of a command sees it: an unfinished restart shows. */
  standing(): LineStanding {
    const standing = standingOf(this.#model());
    return this.#isRestarting ? { ...standing, status: 'connecting' } : standing;
  }

  /** The line's model is another one. */
  changed(): void {
    if (!this.#isRestarting) for (const go of this.#waiting) go();
  }

  /** Resolves when no restart is in this command's way, and after ten seconds whatever is. */
  async over(name: LineCommandName): Promise<void> {
    if (!this.#isRestarting || PATIENT.has(name)) return;
    const { promise: ended, resolve: go } = Promise.withResolvers<void>();
    this.#waiting.add(go);
    await within(this.#clock, ended, WAIT_MS);
    this.#waiting.delete(go);
  }

  get #isRestarting(): boolean {
    const { status, openedAt } = this.#model();
    return status === 'connected' && openedAt === null;
  }
}
