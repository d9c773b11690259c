import { nextAttemptDelayMs } from '../core/retry.ts';
import type { AttemptResult } from './attempt.ts';

/**
 * What becomes of a delivery after an attempt. `gone`: the endpoint answered 410; it is switched
 * off, this delivery is dead.
 */
export type Outcome = { kind: 'delivered' } | { kind: 'retry'; nextAt: number } | { kind: 'dead' } | { kind: 'gone' };

/**
 * The published rules: a complete 2xx within the time limit is success, 410 ends the endpoint,
 * everything else (3xx and 4xx too) is tried again on the schedule, and dead after its last step.
 * `step` is the number of failed attempts that counted so far.
 */
export function judge(result: AttemptResult, step: number, random: number): Outcome {
  const { statusCode, errorClass } = result;
  if (errorClass === null && statusCode !== null && statusCode >= 200 && statusCode <= 299)
    return { kind: 'delivered' };
  if (statusCode === 410) return { kind: 'gone' };
  const delayMs = nextAttemptDelayMs(step + 1, random, result.retryAfterMs);
  return delayMs === undefined ? { kind: 'dead' } : { kind: 'retry', nextAt: result.at + result.durationMs + delayMs };
}
