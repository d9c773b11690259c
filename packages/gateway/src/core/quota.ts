import { AppError } from './app-error.ts';

/** What is metered, in the words of the Lines API. */
export type Metric = 'sent_messages' | 'webhook_events' | 'lines';
export const METRICS = ['sent_messages', 'webhook_events', 'lines'] as const satisfies readonly Metric[];

/** Null = unlimited. */
export type PlanLimits = Record<Metric, number | null>;

/** Plans by name. An account whose plan is not configured has no limits. */
export type Plans = Record<string, PlanLimits>;

export const UNLIMITED: PlanLimits = { sent_messages: null, webhook_events: null, lines: null };

/** A billing cycle: `[start, end)`, Unix milliseconds. */
export interface Period {
  startMs: number;
  endMs: number;
}

/**
 * The instant of `anchorMs`, moved by whole months; a day that a month does not have is its last
 * one.
 */
function inMonth(anchorMs: number, months: number): number {
  const anchor = new Date(anchorMs);
  const year = anchor.getUTCFullYear();
  const month = anchor.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const midnight = Date.UTC(year, month, Math.min(anchor.getUTCDate(), lastDay));
  return midnight + (anchorMs - Date.UTC(year, anchor.getUTCMonth(), anchor.getUTCDate()));
}

/**
 * The billing cycle that `nowMs` lies in: cycles begin on the day and time of `anchorMs` in every
 * month (the 31st: on the last day of shorter months). Without an anchor: the calendar month, UTC.
 */
export function periodOf(nowMs: number, anchorMs: number | null = null): Period {
  const anchor = anchorMs ?? 0;
  const now = new Date(nowMs);
  const from = new Date(anchor);
  const months = (now.getUTCFullYear() - from.getUTCFullYear()) * 12 + now.getUTCMonth() - from.getUTCMonth();
  const at = inMonth(anchor, months) > nowMs ? months - 1 : months;
  return { startMs: inMonth(anchor, at), endMs: inMonth(anchor, at + 1) };
}

/** The refusal of one more of `metric`: `quota_exceeded`, or `line_limit_reached` for lines. */
export function quotaError(input: {
  metric: Metric;
  used: number;
  limit: number;
  plan: string;
  period: Period;
  nowMs: number;
}): AppError {
  const { metric, used, limit, plan } = input;
  // A line gets free when one is deleted, not when a cycle ends.
  const untilMs = metric === 'lines' ? 0 : input.period.endMs - input.nowMs;
  const retryAfterSeconds = Math.max(metric === 'lines' ? 60 : 1, Math.ceil(untilMs / 1_000));
  return new AppError(metric === 'lines' ? 'line_limit_reached' : 'quota_exceeded', {
    metric,
    used,
    limit,
    plan,
    retryAfterSeconds,
  });
}
