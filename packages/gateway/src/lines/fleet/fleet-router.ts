import { type Bus, BusError } from '../../bus/bus.ts';
import { AppError, type ErrorCode, type ErrorDetails } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { LineCommandName, LineCommands } from '../../core/line-commands.ts';
import type { Log } from '../../observe/logger.ts';
import type { LineProcessView, LineRouter } from '../workers/router.ts';

export interface FleetRouterOptions {
  nodeId: string;
  bus: Bus;
  /** What this node does with lines of its own. */
  local: {
    isHere(lineId: string): boolean;
    run: LineRouter['run'];
    start(lineId: string): Promise<void>;
    stop(lineId: string): Promise<void>;
    view(lineId: string): LineProcessView;
  };
  /** The node that holds the line now, by the database. */
  ownerOf(lineId: string): Promise<string | undefined>;
  /** A line that may be new gets a lease, so that a node takes it. */
  made(lineId: string): Promise<void>;
  /** What the owner of a line said of it last. */
  remoteView(lineId: string): LineProcessView | undefined;
  /** Whether the line is on its way to another node, by the database. */
  isMoving(lineId: string): Promise<boolean>;
  clock: Clock;
  log: Log;
}

/** What one node asks of another. */
type Errand =
  | { do: 'run'; lineId: string; name: LineCommandName; input: unknown; timeoutMs: number }
  | { do: 'start' | 'stop'; lineId: string };

type Answer =
  | { is: 'done'; value: unknown }
  /** The line is not there any more: ask the database again. */
  | { is: 'moved' }
  | { is: 'refused'; code: ErrorCode; message: string; details: ErrorDetails };

/** Owners that are remembered; one that is not true any more is noticed by its answer. */
const MAX_REMEMBERED = 10_000;
/** Poll interval for a line that moves to another node. */
const LOOK_MS = 250;
const START_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 15_000;
/** The answer's way back. */
const MARGIN_MS = 1_000;

/** What is assumed of a line of which its owner has said nothing yet: what its row says is true. */
const UNTOLD: LineProcessView = { state: 'running', health: 'healthy', startedAt: null, failCount: 0, worker: null };

const subjectOf = (nodeId: string): string => `node.${nodeId}.line`;

/**
 * The way to a line from any node: here, or over the bus to the node that holds it. What was not
 * begun because the line moved is asked of the next owner, within the time; what may have been
 * begun never is.
 */
export class FleetRouter implements LineRouter {
  readonly #options: FleetRouterOptions;
  readonly #owners = new Map<string, string>();
  readonly #end: () => void;

  constructor(options: FleetRouterOptions) {
    this.#options = options;
    this.#end = options.bus.serve(subjectOf(options.nodeId), (body) => this.#serve(body as Errand));
  }

  /** Stops serving requests. */
  close(): void {
    this.#end();
  }

  view(lineId: string): LineProcessView {
    const { local, remoteView } = this.#options;
    return local.isHere(lineId) ? local.view(lineId) : (remoteView(lineId) ?? UNTOLD);
  }

  isMoving(lineId: string): Promise<boolean> {
    return this.#options.isMoving(lineId);
  }

  async run<N extends LineCommandName>(
    lineId: string,
    name: N,
    input: LineCommands[N]['in'],
    { timeoutMs }: { timeoutMs: number },
  ): Promise<LineCommands[N]['out']> {
    const value = await this.#ask({ do: 'run', lineId, name, input, timeoutMs }, timeoutMs);
    return value as LineCommands[N]['out'];
  }

  async start(lineId: string): Promise<void> {
    await this.#options.made(lineId);
    await this.#ask({ do: 'start', lineId }, START_WITHIN_MS);
  }

  async stop(lineId: string): Promise<void> {
    // No node runs it: there is nothing to stop.
    if (!this.#options.local.isHere(lineId) && (await this.#options.ownerOf(lineId)) === undefined) return;
    await this.#ask({ do: 'stop', lineId }, STOP_WITHIN_MS);
  }

  async #ask(errand: Errand, withinMs: number): Promise<unknown> {
    const { clock } = this.#options;
    const until = clock.monotonic() + withinMs;
    for (;;) {
      const leftMs = until - clock.monotonic();
      if (leftMs <= 0) throw new AppError('line_failed');
      const answer = await this.#askOnce(errand, leftMs);
      if (answer.is === 'done') return answer.value;
      if (answer.is === 'refused') throw new AppError(answer.code, answer.details, { message: answer.message });
      this.#owners.delete(errand.lineId);
      await clock.sleep(Math.min(LOOK_MS * (0.5 + clock.random()), Math.max(0, until - clock.monotonic())));
    }
  }

  async #askOnce(errand: Errand, leftMs: number): Promise<Answer> {
    const { local, bus } = this.#options;
    const { lineId } = errand;
    const timed: Errand = errand.do === 'run' ? { ...errand, timeoutMs: leftMs } : errand;
    if (local.isHere(lineId)) return { is: 'done', value: await this.#here(timed) };
    const owner = await this.#ownerOf(lineId);
    // Without an owner at this moment, or ours and not started yet.
    if (owner === undefined || owner === this.#options.nodeId) return { is: 'moved' };
    try {
      return (await bus.request(subjectOf(owner), timed, { timeoutMs: leftMs + MARGIN_MS })) as Answer;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (error.failure === 'no_responders') return { is: 'moved' };
      if (error.failure === 'timeout') throw new AppError('whatsapp_timeout', {}, { cause: error });
      throw new AppError('unavailable', { retryAfterSeconds: 1 }, { cause: error });
    }
  }

  async #ownerOf(lineId: string): Promise<string | undefined> {
    const known = this.#owners.get(lineId);
    if (known !== undefined) return known;
    const owner = await this.#options.ownerOf(lineId);
    if (owner === undefined) return undefined;
    const oldest = this.#owners.size >= MAX_REMEMBERED ? this.#owners.keys().next().value : undefined;
    if (oldest !== undefined) this.#owners.delete(oldest);
    this.#owners.set(lineId, owner);
    return owner;
  }

  async #here(errand: Errand): Promise<unknown> {
    const { local } = this.#options;
    switch (errand.do) {
      case 'run':
        return local.run(errand.lineId, errand.name, errand.input as never, { timeoutMs: errand.timeoutMs });
      case 'start':
        return local.start(errand.lineId);
      case 'stop':
        return local.stop(errand.lineId);
    }
  }

  async #serve(errand: Errand): Promise<Answer> {
    const { local, log } = this.#options;
    if (!local.isHere(errand.lineId)) return { is: 'moved' };
    try {
      return { is: 'done', value: await this.#here(errand) };
    } catch (error) {
      if (error instanceof AppError) {
        const { code, message, details } = error;
        return { is: 'refused', code, message, details };
      }
      log.error({ error, lineId: errand.lineId }, 'what another node asked of a line failed');
      const { code, message, details } = new AppError('server_error');
      return { is: 'refused', code, message, details };
    }
  }
}
