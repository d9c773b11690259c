/** How far apart a line's sends leave. `maxGapMs` 0 = as fast as they come, in order. */
export interface Pacing {
  minGapMs: number;
  maxGapMs: number;
  /** So many may leave without a gap after a pause. */
  burst: number;
  /** A silence this long is a pause. */
  pauseMs: number;
}

/** Lines API, "Pacing": a random 1–3 s between sends, a burst of 5 after a pause. */
export const DEFAULT_PACING: Pacing = { minGapMs: 1_000, maxGapMs: 3_000, burst: 5, pauseMs: 10_000 };

/**
 * Which of a line's waiting messages leaves first: a reply goes before a mailing. Within one
 * priority: in the order accepted.
 */
export type Priority = 'high' | 'normal' | 'bulk';
export const PRIORITIES = ['high', 'normal', 'bulk'] as const satisfies readonly Priority[];

/** Lower leaves first. */
export const rankOf = (priority: Priority): number => PRIORITIES.indexOf(priority);
export const priorityOf = (rank: number): Priority => PRIORITIES[rank] ?? 'normal';
