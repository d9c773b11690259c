import type { Caller, Execute } from '../commands/execute.ts';
import type { AppError } from '../core/app-error.ts';
import { idempotentRequest, type SavedAnswer } from '../core/idempotency.ts';
import type { Answer, Checked, Dialect, Route } from './route.ts';

/** A request that carries an Idempotency-Key: what has to be the same when the key comes again. */
export interface OnceRequest {
  key: string;
  method: string;
  /** The row's template, with the dialect's prefix. */
  path: string;
  params?: Record<string, unknown>;
  /** The path as the caller wrote it, without the query. */
  spelled?: string;
  query?: Record<string, unknown>;
  body: unknown;
}

/** What a row's command came to; `saved` when the request had an Idempotency-Key. */
export type RowOutcome = { answer: Answer } | { saved: SavedAnswer; replayed: boolean };

/**
 * Runs a row's command for a caller. Throws the AppError that refuses it; a refusal that is
 * remembered comes back as `saved`.
 */
export async function runRow(
  execute: Execute,
  dialect: Pick<Dialect, 'errorAnswer'>,
  row: Route,
  checked: Checked<unknown, unknown, unknown>,
  { caller, once }: { caller: Caller; once?: OnceRequest },
): Promise<RowOutcome> {
  const { command } = row;
  if (command === null) throw new Error(`${row.operation} runs no command`);
  // The row's own types joined its input to its command when it was made (see `route`).
  const input = row.toInput(checked, caller) as never;
  if (!once) return { answer: row.toAnswer(await execute.run(command, input, caller), checked) };
  const { answer, replayed } = await execute.runOnce(command, input, caller, {
    request: idempotentRequest({ accountId: caller.accountId, mode: caller.mode, ...once }),
    render: (outcome) =>
      'error' in outcome ? savedError(dialect, outcome.error) : saved(row.toAnswer(outcome.result, checked)),
  });
  return { saved: answer, replayed };
}

const saved = (answer: Answer): SavedAnswer => ({ status: answer.status, body: JSON.stringify(answer.json) });

function savedError(dialect: Pick<Dialect, 'errorAnswer'>, error: AppError): SavedAnswer {
  const { status, body } = dialect.errorAnswer(error);
  return { status, body: JSON.stringify(body) };
}
