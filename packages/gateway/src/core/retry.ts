const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * Waits between the attempts of a delivery: the published schedule of both APIs. After the last one
 * it is dead-lettered.
 */
export const DELIVERY_SCHEDULE_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

const JITTER = 0.2;
export const MAX_RETRY_AFTER_MS = 24 * HOUR;

/**
 * When to try again after the `attempts`-th failed attempt (1 = the first). Undefined: no further
 * attempt. Jitter is ±20 %. A receiver's `Retry-After` (milliseconds) lengthens the wait up to 24
 * h, never shortens it.
 */
export function nextAttemptDelayMs(attempts: number, random: number, retryAfterMs?: number): number | undefined {
  const base = DELIVERY_SCHEDULE_MS[attempts - 1];
  if (base === undefined) return undefined;
  const jittered = base * (1 - JITTER + 2 * JITTER * random);
  return Math.round(Math.max(jittered, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)));
}

/**
 * Full-jitter exponential back-off: a random wait between half a second and `base · 2^failures`,
 * capped.
 */
export function backoffMs(failures: number, random: number, baseMs = SECOND, capMs = 5 * MINUTE): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(failures, 30));
  return Math.max(500, Math.round(ceiling * random));
}
