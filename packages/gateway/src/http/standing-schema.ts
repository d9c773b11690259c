import { z } from 'zod';
import { LINE_REASONS, REASON_CODES, remedyOf } from '../core/line-reasons.ts';
import type { Line } from '../core/lines.ts';

const LIST = REASON_CODES.map((code) => `\`${code}\`: ${LINE_REASONS[code].means}`).join('\n');

/** Why a line stands as it does: the same four members in both APIs. */
export const standingFields = {
  status_reason: z
    .enum(REASON_CODES)
    .nullable()
    .meta({ description: `Why the status is what it is; null when there is nothing to say.\n\n${LIST}` }),
  status_until: z
    .string()
    .nullable()
    .meta({ description: 'When what status_reason says ends (RFC 3339), as far as WhatsApp told.' }),
  status_code: z.int().nullable().meta({ description: 'WhatsApp’s own code behind status_reason.' }),
  status_remedy: z.string().nullable().meta({ description: 'What to do about it, for people.' }),
};

/** The members of `standingFields`. */
export const standingMembers = (of: Line) => ({
  status_reason: of.statusReason,
  status_until: of.statusUntil === null ? null : new Date(of.statusUntil).toISOString(),
  status_code: of.statusCode,
  status_remedy: remedyOf(of.statusReason),
});
