import type { LineCommandName, LineCommands } from '../../core/line-commands.ts';
import type { LineState } from '../../core/lines.ts';

export interface LineProcessView {
  state: LineState;
  health: 'healthy' | 'degraded' | 'unhealthy';
  /** Unix milliseconds of the start of the process that hosts the line; null when none does. */
  startedAt: number | null;
  /** Crashes since the last hour without one. */
  failCount: number;
  /** Name of the worker; null when none hosts it. */
  worker: string | null;
}

/** The way to a line, wherever it lives. Implemented by the supervisor. */
export interface LineRouter {
  /**
   * Runs a command where the line lives. Rejects with an AppError: what the command says,
   * `line_failed` when no worker hosts the line and none comes in time, `whatsapp_timeout` when
   * `timeoutMs` passed without an answer (the work itself may still go on).
   */
  run<N extends LineCommandName>(
    lineId: string,
    name: N,
    input: LineCommands[N]['in'],
    options: { timeoutMs: number },
  ): Promise<LineCommands[N]['out']>;
  /** Makes sure a worker hosts the line (after its row was created). Resolves when it does. */
  start(lineId: string): Promise<void>;
  /** Ends the line's connection and takes it from its worker. */
  stop(lineId: string): Promise<void>;
  view(lineId: string): LineProcessView;
  /**
   * Whether the line is on its way to another node and about to connect there; never without a
   * fleet.
   */
  isMoving(lineId: string): Promise<boolean>;
}
