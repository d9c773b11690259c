import { isChange } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import type { Line } from '../../core/lines.ts';
import { DEFAULT_PACING, type Pacing } from '../../core/pacing.ts';
import { accept } from '../../journal/accept.ts';
import { lineStatus } from '../../lines/connection/line-status.ts';
import { failedFact } from '../../lines/sends/failed-fact.ts';
import { readPacing } from '../../store/lines/lines.ts';
import { cancelSend, findProgress, listQueue, type SendProgress } from '../../store/sends/message-progress.ts';
import { countScheduled, countWaiting } from '../../store/sends/sends.ts';
import { returnSent } from '../../store/sends/usage.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';
import { refreshQueue } from './refresh-queue.ts';

export interface QueueView {
  /** Messages that wait for their turn, without those for later. */
  depth: number;
  /** Messages for a later time. */
  scheduled: number;
  /** Made ready and not acknowledged yet; 0 while unknown. */
  inFlight: number;
  /**
   * When the next one leaves, as far as it is known (Unix milliseconds); null: nothing waits, or
   * the line is not connected.
   */
  nextSendAt: number | null;
  /** Null: not paced. */
  pacing: Pacing | null;
  /** `isLater`: waits for its time, not for its turn. */
  items: (SendProgress & { isLater: boolean })[];
}

const LOOK_WITHIN_MS = 2_000;

/** What waits on a line, in the order in which it leaves. */
export const lineQueue = lineCommand(
  { scope: 'messages:read' },
  async (context: Context, line, input: { line: LineName; limit: number }): Promise<QueueView> => {
    const { store, clock } = context;
    const nowMs = clock.now();
    const [depth, scheduled, items, own] = await Promise.all([
      countWaiting(store.db, line.id, nowMs),
      countScheduled(store.db, line.id, nowMs),
      listQueue(store.db, line.id, { nowMs, limit: input.limit }),
      readPacing(store.db, line.id),
    ]);
    const { nextAt, inFlight } = await look(context, line);
    const later = depth === 0 ? (items[0]?.sendAt ?? null) : null;
    return {
      depth,
      scheduled,
      inFlight,
      nextSendAt: nextAt ?? later,
      pacing: own ?? (line.mode === 'live' ? DEFAULT_PACING : null),
      items: items.map((item) => ({ ...item, isLater: (item.sendAt ?? 0) > nowMs })),
    };
  },
);

async function look(context: Context, line: Line): Promise<{ nextAt: number | null; inFlight: number }> {
  if (lineStatus(line, context.router.view(line.id)) !== 'connected') return { nextAt: null, inFlight: 0 };
  try {
    return await context.router.run(line.id, 'queue.look', {}, { timeoutMs: LOOK_WITHIN_MS });
  } catch (error) {
    context.log.debug({ lineId: line.id, error }, 'a line could not say when it sends next');
    return { nextAt: null, inFlight: 0 };
  }
}

/**
 * Takes a message back that has not left: it will not be sent, and does not count. Cancelling it
 * twice is the same as once. `message_not_found`; `message_left` once it was made ready to leave.
 */
export const cancelMessage = lineCommand(
  { scope: 'messages:send' },
  async (context: Context, line, input: { line: LineName; messageId: string }): Promise<{ messageId: string }> => {
    const { store, clock } = context;
    const send = await findProgress(store.db, line.id, input.messageId);
    if (!send) throw new AppError('message_not_found');
    if (send.error?.code === 'message_cancelled') return { messageId: send.messageId };
    const nowMs = clock.now();
    await store.transaction(async (tx) => {
      if (!(await cancelSend(tx.db, send.outboxId, nowMs))) throw new AppError('message_left');
      if (!isChange(send.content)) {
        await returnSent(tx.db, { accountId: line.accountId, lineId: line.id, acceptedAt: send.acceptedAt });
      }
      const failure = { code: 'message_cancelled', details: {}, atMs: nowMs } as const;
      await accept(tx, line, [failedFact({ messageId: send.messageId, chat: send.to, ...failure })], nowMs);
    }, 'full');
    context.nudgeDeliveries();
    refreshQueue(context, line.id);
    return { messageId: send.messageId };
  },
);
