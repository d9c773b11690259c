import { z } from 'zod';

const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})$/;
const SENTENCE = 'Use RFC 3339 with a time zone (2030-01-01T09:00:00Z), or Unix seconds.';
/** The year 9999, in seconds. */
const LAST_S = 253_402_300_799;

/**
 * A moment as callers write it, parsed to Unix milliseconds. A time without a zone is refused:
 * nobody can say when it is.
 */
export const timeSchema = z.union([z.string(), z.number()], SENTENCE).transform((value, context) => {
  const ms =
    typeof value === 'number' ? value * 1_000 : RFC3339.test(value) ? Date.parse(value.replace(' ', 'T')) : Number.NaN;
  if (Number.isFinite(ms) && ms >= 0 && ms <= LAST_S * 1_000) return Math.round(ms);
  context.addIssue({ code: 'custom', message: SENTENCE });
  return z.NEVER;
});
