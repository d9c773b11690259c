import { AppError } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { LineCommandName, LineCommands } from '../../core/line-commands.ts';
import type { Store } from '../../store/db/store.ts';
import { loadLine } from '../../store/lines/line-row.ts';
import type { LineProcessView } from '../workers/router.ts';
import type { Supervisor } from '../workers/supervisor.ts';
import type { LeaseKeeper } from './lease-keeper.ts';

/** From the taking of a line to its place in a worker it takes a query. */
const HOSTED_WITHIN_MS = 5_000;
const LOOK_MS = 50;

export interface OwnLinesOptions {
  store: Store;
  clock: Clock;
  supervisor: Pick<Supervisor, 'hosts' | 'host' | 'end' | 'run' | 'start' | 'view'>;
  keeper: Pick<LeaseKeeper, 'epochOf'>;
}

/**
 * What a node does with the lines that it holds. A line that is stopped keeps its lease: it stays
 * here, and runs again when it is started, or when another node takes it.
 */
export class OwnLines {
  readonly #options: OwnLinesOptions;
  /** Stopped lines, and the number under which they were. */
  readonly #stopped = new Map<string, number>();

  constructor(options: OwnLinesOptions) {
    this.#options = options;
  }

  isHere(lineId: string): boolean {
    return this.#options.keeper.epochOf(lineId) !== undefined;
  }

  view(lineId: string): LineProcessView {
    return this.#options.supervisor.view(lineId);
  }

  async run<N extends LineCommandName>(
    lineId: string,
    name: N,
    input: LineCommands[N]['in'],
    { timeoutMs }: { timeoutMs: number },
  ): Promise<LineCommands[N]['out']> {
    const { supervisor, clock } = this.#options;
    const from = clock.monotonic();
    const mayWaitMs = Math.min(timeoutMs, HOSTED_WITHIN_MS);
    while (!supervisor.hosts(lineId) && this.#isComing(lineId) && clock.monotonic() - from < mayWaitMs) {
      await clock.sleep(LOOK_MS);
    }
    return supervisor.run(lineId, name, input, { timeoutMs: Math.max(1, timeoutMs - (clock.monotonic() - from)) });
  }

  async stop(lineId: string): Promise<void> {
    const { supervisor, keeper } = this.#options;
    const epoch = keeper.epochOf(lineId);
    if (epoch === undefined) return;
    this.#forgetOthers();
    this.#stopped.set(lineId, epoch);
    await supervisor.end(lineId, false);
  }

  async start(lineId: string): Promise<void> {
    const { supervisor, keeper, store } = this.#options;
    this.#stopped.delete(lineId);
    if (!supervisor.hosts(lineId)) {
      const row = await loadLine(store.db, lineId);
      if (!row) throw new AppError('line_not_found');
      const epoch = keeper.epochOf(lineId);
      if (epoch === undefined) throw new AppError('line_failed');
      supervisor.host(row, epoch);
    }
    await supervisor.start(lineId);
  }

  #isComing(lineId: string): boolean {
    const epoch = this.#options.keeper.epochOf(lineId);
    return epoch !== undefined && this.#stopped.get(lineId) !== epoch;
  }

  /** What is not ours under that number any more was not stopped by us. */
  #forgetOthers(): void {
    for (const [lineId, epoch] of this.#stopped) {
      if (this.#options.keeper.epochOf(lineId) !== epoch) this.#stopped.delete(lineId);
    }
  }
}
