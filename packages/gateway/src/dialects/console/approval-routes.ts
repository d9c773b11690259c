import type { ConsoleSession } from '../../access/console-sessions.ts';
import type { Approvals } from '../../commands/approvals/approvals.ts';
import type { Caller } from '../../commands/execute.ts';
import { AppError } from '../../core/app-error.ts';
import { handlerRoute, json, type Route } from '../../http/route.ts';
import * as schemas from './schemas.ts';

/** A person's yes or no to what a key wants to send. No key can call these. */
export function approvalRoutes(approvals: Approvals): Route[] {
  const decision = (path: string, operation: string, summary: string, isYes: boolean): Route =>
    handlerRoute({
      method: 'POST',
      path: `/v1/approvals/:id/${path}`,
      operation,
      summary,
      tag: 'Approvals',
      auth: 'session',
      role: 'developer',
      limit: 'console',
      params: schemas.idParams,
      answers: { 200: { description: 'Decided.', schema: schemas.decided } },
      handle: async ({ caller, session, params }) => {
        const { owner, by } = personOf(caller, session);
        const { id, state, outcome } = await approvals.decide(owner, params.id, { isYes, by });
        const error = outcome && 'error' in outcome ? outcome.error.message : null;
        return json(200, { id, status: state, error });
      },
    });
  return [
    decision('approve', 'approveSend', 'Yes: it is sent now, once', true),
    decision('deny', 'denySend', 'No: it is never sent', false),
  ];
}

function personOf(caller: Caller | undefined, session: ConsoleSession | undefined) {
  if (!caller || !session) throw new AppError('unauthorized');
  return { owner: { accountId: caller.accountId, mode: caller.mode }, by: session.email };
}
