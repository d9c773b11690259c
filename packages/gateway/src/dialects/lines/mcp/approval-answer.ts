import type { Approval } from '../../../commands/approvals/approval-view.ts';
import { approvalAnswer } from '../approval-routes.ts';
import type { Json } from './json.ts';

/**
 * What a sending tool answers when a person has to decide first; the whole of it is
 * bridge_get_approval's.
 */
export function pendingAnswer(approval: Approval): Json {
  const { approval_id, line_id, status, expires_at, message } = approvalAnswer(approval);
  return { ok: true, ...message, line_id, status: status === 'pending' ? PENDING : status, approval_id, expires_at };
}

const PENDING = 'pending_approval';

export function sayPending({ status, approval_id: id, expires_at: until }: Json): string {
  if (status !== PENDING) return `The approval ${String(id)} is ${String(status)}.`;
  return `Not sent yet: a person has to approve it in the console, until ${String(until)}. Nothing more is needed to ask; do not send it again. bridge_get_approval with approval_id ${String(id)} waits for the decision.`;
}

/** The schema of a send's answer, as it is for keys whose sends wait and for all others. */
export function withPending({ properties, required: _, ...rest }: Json): Json {
  return {
    ...rest,
    properties: {
      ...(properties as Json),
      status: {
        type: 'string',
        enum: ['sent', 'queued', 'pending', PENDING, 'approved', 'denied', 'expired', 'failed'],
        description:
          'sent: WhatsApp has it. queued: accepted, it leaves by itself. pending: it left, and the line was lost before WhatsApp confirmed it. pending_approval: a person has to approve it first (bridge_get_approval).',
      },
      approval_id: { type: 'string' },
      expires_at: { type: 'string' },
    },
    required: ['ok', 'line_id', 'status'],
  };
}
