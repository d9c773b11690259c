import { z } from 'zod';
import { parseMoment } from '../core/moment.ts';

const SENTENCE = 'Use RFC 3339 with a time zone (2030-01-01T09:00:00Z), or Unix seconds.';
const NOWHERE = 'There is no such date or time in the calendar. Check day, month, hour and zone.';
/** The year 9999, in seconds. */
const LAST_S = 253_402_300_799;

/**
 * A moment as callers write it, parsed to Unix milliseconds. A time without a zone is refused: it
 * does not determine a moment.
 */
export const timeSchema = z.union([z.string(), z.number()], SENTENCE).transform((value, context) => {
  const ms = typeof value === 'number' ? value * 1_000 : parseMoment(value);
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 0 && ms <= LAST_S * 1_000) return Math.round(ms);
  context.addIssue({ code: 'custom', message: ms === 'nowhere' ? NOWHERE : SENTENCE });
  return z.NEVER;
});

/** The same in a query, where even Unix seconds come as text. */
export const queryTime = z.preprocess(
  (value) => (typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : value),
  timeSchema,
);
