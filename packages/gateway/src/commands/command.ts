import type { IdempotentRequest } from '../core/idempotency.ts';
import type { AcceptedSend } from '../core/line-commands.ts';
import type { Line } from '../core/lines.ts';
import type { Context, Scope } from './context.ts';
import type { LineName } from './lines/find-line.ts';

interface Facts {
  scope: Scope;
  /** True for what an account may still read when its subscription is not active. */
  whenInactive?: boolean;
  /**
   * True for what other people get to see although it is no message, such as a group's subject. It
   * cannot wait for a person's yes: keys that need one are refused.
   */
  speaks?: boolean;
}

/** What a command of the account does for a key that is limited to lines. */
interface AccountFacts extends Facts {
  /**
   * `own`: only what belongs to the key's lines, which the command itself sees to
   * (`line-limits.ts`). `account`: nothing in it belongs to a line. `never`: refused.
   */
  forLineKeys: 'own' | 'account' | 'never';
}

/** Concerns the account. */
export interface AccountCommand<I, O> extends AccountFacts {
  on: 'account';
  run(context: Context, input: I): Promise<O>;
}

/** Concerns one line, which exists and belongs to the caller when `run` begins. */
export interface LineCommand<I extends { line: LineName }, O> extends Facts {
  on: 'line';
  run(context: Context, line: Line, input: I): Promise<O>;
}

/** Sends through one line: accepted durably first, then waited for; takes an Idempotency-Key. */
export interface SendCommand<I extends { line: LineName; waitMs: number }, O> extends Facts {
  on: 'send';
  /** Commits the outbox row, and the claim of `once` with it. Answers the row. */
  accept(context: Context, line: Line, input: I, once?: IdempotentRequest): Promise<AcceptedSend>;
  /** Waits at most `waitMs` for the end of a row: one just accepted, or any by its id. */
  settle(context: Context, line: Line, send: AcceptedSend | string, waitMs: number): Promise<O>;
  /** True when the row had not ended when the wait was over. */
  isWaiting(output: O): boolean;
}

export const accountCommand = <I, O>(facts: AccountFacts, run: AccountCommand<I, O>['run']): AccountCommand<I, O> => ({
  on: 'account',
  ...facts,
  run,
});

export const lineCommand = <I extends { line: LineName }, O>(
  facts: Facts,
  run: LineCommand<I, O>['run'],
): LineCommand<I, O> => ({ on: 'line', ...facts, run });
