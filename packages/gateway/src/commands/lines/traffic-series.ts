import { invalid } from '../../core/app-error.ts';
import {
  KEEP_TRAFFIC_MS,
  type LineTraffic,
  readLineTraffic,
  readWebhookTraffic,
  STEPS,
  type Step,
  startOf,
  type WebhookTraffic,
} from '../../store/lines/traffic.ts';
import { accountCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { requireWholeAccount } from '../line-limits.ts';
import { getWebhook } from '../webhooks/webhook-deliveries.ts';
import { findLine, type LineName } from './find-line.ts';

/** What happened in one step of time; the first one of a series begins at or before `from`. */
export interface TrafficPoint extends LineTraffic, WebhookTraffic {
  /** Its begin, Unix milliseconds. */
  atMs: number;
}

export interface TrafficSeries {
  step: Step;
  fromMs: number;
  toMs: number;
  /** One for every step of the time asked for, empty ones too. */
  points: TrafficPoint[];
}

/** Steps when the caller gives no begin. */
const DEFAULT_STEPS: Record<Step, number> = { hour: 24, day: 30 };
const MOST_STEPS: Record<Step, number> = {
  hour: KEEP_TRAFFIC_MS.hour / STEPS.hour,
  day: KEEP_TRAFFIC_MS.day / STEPS.day,
};

/**
 * Messages, webhook attempts and how long both took, by hour or day (UTC), counted as they were
 * committed. Of the account's lines and webhooks as they exist now: what a deleted line or webhook
 * carried is gone with it. Hours are kept for 8 days, days for 400.
 */
export const trafficSeries = accountCommand(
  { scope: 'account:read', whenInactive: true, forLineKeys: 'own' },
  async (
    context: Context,
    input: { step: Step; fromMs?: number; toMs?: number; line?: LineName; webhookId?: string },
  ): Promise<TrafficSeries> => {
    const { store, clock, caller } = context;
    const { step } = input;
    const stepMs = STEPS[step];
    const toMs = input.toMs ?? clock.now() + 1;
    const endMs = startOf(stepMs, toMs - 1) + stepMs;
    const fromMs = startOf(stepMs, input.fromMs ?? endMs - DEFAULT_STEPS[step] * stepMs);
    const steps = (endMs - fromMs) / stepMs;
    if (steps < 1) throw invalid('from', 'from must be before to.');
    if (steps > MOST_STEPS[step])
      throw invalid('from', `A series has ${MOST_STEPS[step]} steps at most. Use a later from, or days.`);
    if (!input.line && input.webhookId === undefined) requireWholeAccount(caller, 'Name one of them in line_id.');
    const lineId = input.line && (await findLine(context, input.line)).id;
    if (input.webhookId !== undefined) await getWebhook.run(context, { id: input.webhookId });
    const owner = { accountId: caller.accountId, mode: caller.mode };
    const span = { step, fromMs, toMs: endMs };
    // A webhook of its own is asked about: messages of lines are not its matter.
    const lines =
      input.webhookId === undefined
        ? await readLineTraffic(store.db, owner, span, lineId)
        : new Map<number, LineTraffic>();
    const webhooks = await readWebhookTraffic(store.db, owner, span, { lineId, webhookId: input.webhookId });
    const points = Array.from({ length: steps }, (_, index) => {
      const atMs = fromMs + index * stepMs;
      return { atMs, ...(lines.get(atMs) ?? NO_MESSAGES), ...(webhooks.get(atMs) ?? NO_ATTEMPTS) };
    });
    return { step, fromMs, toMs: endMs, points };
  },
);

const NO_MESSAGES: LineTraffic = { received: 0, sent: 0, failed: 0, sendMs: 0, slowestSendMs: 0 };
const NO_ATTEMPTS: WebhookTraffic = { delivered: 0, failedAttempts: 0, answerMs: 0, slowestAnswerMs: 0 };
