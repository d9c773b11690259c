import { AppError } from '../../src/core/app-error.ts';
import type { LineCommandName, LineCommands, SendOutcome } from '../../src/core/line-commands.ts';
import type { LineProcessView, LineRouter } from '../../src/lines/workers/router.ts';
import type { Store } from '../../src/store/db/store.ts';
import { returnSent } from '../../src/store/sends/usage.ts';

type Handlers = {
  [N in LineCommandName]?: (lineId: string, input: LineCommands[N]['in']) => Promise<LineCommands[N]['out']>;
};

/** What the scripted worker does with a send. */
export type SendScript = (send: { outboxId: string; lineId: string }) => Promise<SendOutcome>;

/** A LineRouter without workers: commands answer as scripted, and every one is remembered. */
export class ScriptedRouter implements LineRouter {
  readonly commands: { lineId: string; name: LineCommandName; input: unknown; timeoutMs: number }[] = [];
  readonly started: string[] = [];
  readonly stopped: string[] = [];
  readonly handlers: Handlers = {};
  processView: LineProcessView = {
    state: 'running',
    health: 'healthy',
    startedAt: Date.UTC(2026, 0, 1),
    failCount: 0,
    worker: 'worker-1',
  };
  readonly #store: () => Store;

  constructor(store: () => Store) {
    this.#store = store;
  }

  async run<N extends LineCommandName>(
    lineId: string,
    name: N,
    input: LineCommands[N]['in'],
    options: { timeoutMs: number },
  ): Promise<LineCommands[N]['out']> {
    this.commands.push({ lineId, name, input, timeoutMs: options.timeoutMs });
    const handler = this.handlers[name];
    if (!handler) throw new AppError('line_failed');
    return handler(lineId, input);
  }

  async start(lineId: string): Promise<void> {
    this.started.push(lineId);
  }

  async stop(lineId: string): Promise<void> {
    this.stopped.push(lineId);
  }

  view(): LineProcessView {
    return this.processView;
  }

  async isMoving(): Promise<boolean> {
    return false;
  }

  /** How often a command reached a line. */
  count(name: LineCommandName): number {
    return this.commands.filter((command) => command.name === name).length;
  }

  /** Sends end as the script says; the outbox row ends with them, as a worker would see to. */
  scriptSends(script: SendScript): void {
    this.handlers.send = async (lineId, { outboxId }) => {
      const outcome = await script({ outboxId, lineId });
      await this.end(outboxId, outcome);
      return outcome;
    };
  }

  /** Writes a send's end into its row. */
  async end(outboxId: string, outcome: SendOutcome): Promise<void> {
    if (outcome.state === 'unconfirmed') return;
    const end =
      outcome.state === 'sent'
        ? { state: 'sent' as const, ack_timestamp: outcome.timestamp }
        : {
            state: 'failed' as const,
            error_code: outcome.code,
            error_details: JSON.stringify(outcome.details),
          };
    await this.#store().transaction(async ({ db }) => {
      const row = await db
        .updateTable('outbox')
        .set({ ...end, finished_at: Date.now() })
        .where('id', '=', outboxId)
        .where('finished_at', 'is', null)
        .returning(['account_id', 'line_id', 'accepted_at'])
        .executeTakeFirst();
      if (!row || outcome.state !== 'failed') return;
      const send = { accountId: row.account_id, lineId: row.line_id, acceptedAt: Number(row.accepted_at) };
      await returnSent(db, send);
    });
  }
}
