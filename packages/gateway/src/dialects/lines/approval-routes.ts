import { z } from 'zod';
import type { Approval } from '../../commands/approvals/approval-view.ts';
import { waitSchema } from '../../http/address-schema.ts';
import { json, type Route, route } from '../../http/route.ts';
import { done, limitOf, sent } from './schemas.ts';

const STATES = ['pending', 'denied', 'expired', 'approved', 'sent', 'queued', 'failed'] as const;
const approvalShape = {
  approval_id: z.string(),
  line_id: z.string(),
  operation: z.string(),
  request: z.record(z.string(), z.unknown()).meta({ description: 'The arguments as they were given.' }),
  status: z.enum(STATES).meta({
    description:
      'pending: no decision yet. approved: it is being sent. sent, queued, failed: the outcome. denied, expired: it is never sent.',
  }),
  asked_by: z.string().meta({ description: 'The name of the key.' }),
  created_at: z.string(),
  expires_at: z.string(),
  decided_at: z.string().nullable(),
  decided_by: z.string().nullable(),
  message: sent.pick({ message_id: true, to: true, chat_id: true, timestamp: true }).partial().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
};
export const approvalSchema = z.object(approvalShape);

const rfc3339 = (ms: number): string => new Date(ms).toISOString();

export const approvalAnswer = (of: Approval) => ({
  approval_id: of.id,
  line_id: of.lineId,
  operation: of.operation,
  request: of.shown,
  status: of.state,
  asked_by: of.keyName,
  created_at: rfc3339(of.createdAt),
  expires_at: rfc3339(of.expiresAt),
  decided_at: of.decidedAt === null ? null : rfc3339(of.decidedAt),
  decided_by: of.decidedBy,
  message:
    of.outcome && 'sent' in of.outcome
      ? {
          message_id: of.outcome.sent.messageId,
          to: of.outcome.sent.to,
          chat_id: of.outcome.sent.to,
          timestamp: of.outcome.sent.timestamp,
        }
      : null,
  error:
    of.outcome && 'error' in of.outcome ? { code: of.outcome.error.code, message: of.outcome.error.message } : null,
});

const APPROVALS = { tag: 'Approvals', auth: 'key', limit: 'api', method: 'GET' } as const;

/**
 * Sends that wait for a person, as the keys see them that asked. Deciding is for people: in the
 * console.
 */
export const approvalRoutes: Route[] = [
  route({
    ...APPROVALS,
    path: '/v1/approvals',
    operation: 'listApprovals',
    summary: 'Sends of keys with approval, newest first',
    query: z.object({ limit: limitOf(200, 50) }),
    answers: {
      200: { description: 'The approvals.', schema: done.extend({ approvals: z.array(approvalSchema) }) },
    },
    command: 'approvals.all',
    in: ({ query }) => ({ limit: query.limit }),
    out: (all) => json(200, { ok: true, approvals: all.map(approvalAnswer) }),
  }),
  route({
    ...APPROVALS,
    path: '/v1/approvals/:id',
    operation: 'getApproval',
    summary: 'What became of a send that waits for a person',
    description: 'Waits until it is decided and sent, at most wait seconds.',
    params: z.object({ id: z.string() }),
    query: z.object({ wait: waitSchema.removeDefault().default(0) }),
    answers: { 200: { description: 'The approval.', schema: done.extend(approvalShape) } },
    command: 'approvals.get',
    in: ({ params, query }) => ({ id: params.id, waitMs: query.wait * 1_000 }),
    out: (approval) => json(200, { ok: true, ...approvalAnswer(approval) }),
  }),
];
