import type { LineProcessView } from '../../lines/workers/router.ts';
import { listLines } from '../../store/lines/lines.ts';
import { readHoursByLine, STEPS, startOf } from '../../store/lines/traffic.ts';
import { countWaitingByLine } from '../../store/sends/sends.ts';
import { accountCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { mayUseLine } from '../line-limits.ts';

const HOURS = 24;

export interface LineActivity {
  lineId: string;
  process: LineProcessView;
  /** Accepted messages that have not ended, those for later too. */
  waiting: number;
  /** Messages of the last 24 hours, the present one last. */
  received: number;
  sent: number;
  failed: number;
  /** Received and sent by hour, oldest first; empty when there were none. */
  hours: number[];
}

/** How every line of the account does, for a list of them: three queries whatever their number. */
export const lineActivity = accountCommand(
  { scope: 'lines:read', forLineKeys: 'own' },
  async (context: Context, _: object): Promise<LineActivity[]> => {
    const { store, clock, caller, router } = context;
    const owner = { accountId: caller.accountId, mode: caller.mode };
    const fromMs = startOf(STEPS.hour, clock.now()) - (HOURS - 1) * STEPS.hour;
    const [lines, rows, waiting] = await Promise.all([
      listLines(store.db, owner),
      readHoursByLine(store.db, owner, fromMs),
      countWaitingByLine(store.db, owner),
    ]);
    const all = new Map<string, LineActivity>(
      lines
        .filter(({ id }) => mayUseLine(caller, id))
        .map(({ id }) => [
          id,
          {
            lineId: id,
            process: router.view(id),
            waiting: waiting.get(id) ?? 0,
            received: 0,
            sent: 0,
            failed: 0,
            hours: [],
          },
        ]),
    );
    for (const { lineId, at, received, sent, failed } of rows) {
      const of = all.get(lineId);
      const hour = (at - fromMs) / STEPS.hour;
      if (!of || hour >= HOURS) continue;
      if (of.hours.length === 0) of.hours = new Array<number>(HOURS).fill(0);
      of.hours[hour] = received + sent;
      of.received += received;
      of.sent += sent;
      of.failed += failed;
    }
    return [...all.values()];
  },
);
