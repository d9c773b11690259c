/** The run of failures a webhook is in; nulls while healthy. */
export interface Health {
  failingSince: number | null;
  lastFailureAt: number | null;
}

export const HEALTHY: Health = { failingSince: null, lastFailureAt: null };

const HOUR_MS = 60 * 60 * 1_000;
/** A webhook whose attempts have all failed for this long is switched off. */
export const DISABLE_AFTER_MS = 120 * HOUR_MS;
/**
 * Longer than any wait of the schedule (24 h and jitter, Retry-After 24 h): after a silence of this
 * length a failure begins a new run.
 */
const RUN_ENDS_AFTER_MS = 48 * HOUR_MS;

/**
 * The health after one more attempt. `disable`: it has been failing on end for five days. Any
 * success ends a run.
 */
export function healthAfter(health: Health, succeeded: boolean, at: number): Health & { disable: boolean } {
  if (succeeded) return { ...HEALTHY, disable: false };
  const { failingSince, lastFailureAt } = health;
  const goesOn = failingSince !== null && lastFailureAt !== null && at - lastFailureAt <= RUN_ENDS_AFTER_MS;
  const since = goesOn ? Math.min(failingSince, at) : at;
  return {
    failingSince: since,
    lastFailureAt: Math.max(lastFailureAt ?? at, at),
    disable: at - since >= DISABLE_AFTER_MS,
  };
}
