import { AppError } from '../core/app-error.ts';
import { IDEMPOTENCY_WAIT_MS, type IdempotentRequest, isSaveable, type SavedAnswer } from '../core/idempotency.ts';
import type { AcceptedSend } from '../core/line-commands.ts';
import type { Line } from '../core/lines.ts';
import { type Claim, findClaim, saveAnswer, sweepExpired } from '../store/sends/idempotency.ts';
import { findSend } from '../store/sends/sends.ts';
import { findAccount } from './account/find-account.ts';
import type { AccountCommand, LineCommand, SendCommand } from './command.ts';
import { COMMANDS, type CommandTable } from './commands.ts';
import { type Caller, type Context, requireScope, type Scope, type Services } from './context.ts';
import { requireWholeAccount } from './line-limits.ts';
import { findLine, type LineName } from './lines/find-line.ts';
import { withKnownNumbers } from './lines/known-numbers.ts';
import { ClaimTakenError, failureOf, reopenFailed } from './sends/sends.ts';

export { type Caller, requireScope, type Scope } from './context.ts';

export type CommandName = keyof CommandTable;

/** What a command takes. */
export type Input<N extends CommandName> = CommandTable[N] extends {
  on: 'account';
  run(context: Context, input: infer I): unknown;
}
  ? I
  : CommandTable[N] extends { on: 'line'; run(context: Context, line: Line, input: infer I): unknown }
    ? I
    : CommandTable[N] extends { on: 'send'; accept(context: Context, line: Line, input: infer I): unknown }
      ? I
      : never;

/** What a command answers. */
export type Output<N extends CommandName> = CommandTable[N] extends {
  on: 'account' | 'line';
  run(...args: never): Promise<infer O>;
}
  ? O
  : CommandTable[N] extends { on: 'send'; settle(...args: never): Promise<infer O> }
    ? O
    : never;

/** A request with an Idempotency-Key, and how its dialect words the end. */
export interface Once {
  request: IdempotentRequest;
  render(outcome: { result: unknown } | { error: AppError }): SavedAnswer;
}

/** The one way into the product, for every dialect: authorise → idempotency → quota → handler. */
export interface Execute {
  /** Runs a command. Rejects with an AppError for every expected refusal. */
  run<N extends CommandName>(name: N, input: Input<N>, caller: Caller): Promise<Output<N>>;
  /**
   * Runs a send at most once per Idempotency-Key. `replayed` is true when the answer is that of an
   * earlier request. Rejects like `run` for answers that are not remembered (before the message was
   * accepted, 429, ≥500).
   */
  runOnce<N extends CommandName>(
    name: N,
    input: Input<N>,
    caller: Caller,
    once: Once,
  ): Promise<{ answer: SavedAnswer; replayed: boolean }>;
}

/**
 * Any row of the table, for code that does not know which. The table itself is typed row by row.
 */
type AnyCommand =
  | AccountCommand<unknown, unknown>
  | LineCommand<{ line: LineName }, unknown>
  | SendCommand<{ line: LineName; waitMs: number }, unknown>;
type LineInput = { line: LineName; waitMs: number };

const SWEEP_EVERY_MS = 60_000;

export function createExecute(services: Services): Execute {
  let sweptAt = Number.NEGATIVE_INFINITY;
  const sweep = () => {
    const now = services.clock.monotonic();
    if (now - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = now;
    sweepExpired(services.store.db, services.clock.now()).catch((error: unknown) => {
      services.log.warn({ error }, 'sweeping expired idempotency keys failed');
    });
  };
  return {
    async run(name, input, caller) {
      const command = COMMANDS[name] as AnyCommand;
      const context = await authorise(services, command, caller);
      return (await runCommand(context, command, input)) as Output<typeof name>;
    },
    async runOnce(name, input, caller, once) {
      const command = COMMANDS[name] as AnyCommand;
      const context = await authorise(services, command, caller);
      if (command.on !== 'send') throw new Error(`${String(name)} takes no Idempotency-Key`);
      sweep();
      return runOnce(context, command, input as LineInput, once);
    },
  };
}

/** What a key needs to run a command. */
export const scopeOf = (name: CommandName): Scope => COMMANDS[name].scope;

/**
 * Whether a command's runs of this caller wait for a person's yes (`approvals.ts`); `run` and
 * `runOnce` refuse them.
 */
export const needsApproval = (name: CommandName, caller: Caller): boolean =>
  COMMANDS[name].on === 'send' && caller.needsApproval === true;

/** Whether a key's scopes, its lines and its need of a yes leave a command to it at all. */
export function mayRun(name: CommandName, caller: Caller): boolean {
  const command: AnyCommand = COMMANDS[name] as AnyCommand;
  if (!caller.scopes.includes('*') && !caller.scopes.includes(command.scope)) return false;
  if (caller.needsApproval && command.speaks) return false;
  return caller.lines === undefined || command.on !== 'account' || command.forLineKeys !== 'never';
}

const CANNOT_WAIT =
  'What this API key sends waits for a person, and this call cannot wait. Use a key that needs no approval.';

/** The key's scope, its lines, whether it may speak by itself, then the account's state. */
async function authorise(services: Services, command: AnyCommand, caller: Caller): Promise<Context> {
  requireScope(caller, command.scope);
  if (command.on === 'send' && caller.needsApproval) throw new AppError('approval_required');
  if (command.speaks && caller.needsApproval) throw new AppError('approval_required', {}, { message: CANNOT_WAIT });
  if (command.on === 'account' && command.forLineKeys === 'never') {
    requireWholeAccount(caller, 'This call concerns the whole account: use a key that is not limited.');
  }
  const account = await findAccount(services.store.db, caller.accountId);
  if (!account) throw new AppError('unauthorized');
  if (account.subscription !== 'active' && !command.whenInactive) throw new AppError('subscription_required');
  return { ...services, caller, account };
}

async function runCommand(context: Context, command: AnyCommand, input: unknown): Promise<unknown> {
  if (command.on === 'account') return command.run(context, input);
  const line = await findLine(context, (input as LineInput).line);
  const known = await withKnownNumbers(context, line, input as LineInput);
  if (command.on === 'line') return command.run(context, line, known);
  const send = await command.accept(context, line, known);
  return command.settle(context, line, send, known.waitMs);
}

async function runOnce(
  context: Context,
  command: SendCommand<LineInput, unknown>,
  input: LineInput,
  once: Once,
): Promise<{ answer: SavedAnswer; replayed: boolean }> {
  const line = await findLine(context, input.line);
  const known = await findClaim(context.store.db, once.request, context.clock.now());
  if (known.state === 'free') {
    try {
      const send = await command.accept(context, line, await withKnownNumbers(context, line, input), once.request);
      const answer = await conclude(context, command, { line, send, waitMs: input.waitMs }, once);
      return { answer, replayed: false };
    } catch (error) {
      if (!(error instanceof ClaimTakenError)) throw error;
    }
  }
  return repeat(context, command, line, once);
}

/**
 * A repetition: the saved answer, or the end of the message that the first request had accepted.
 */
async function repeat(
  context: Context,
  command: SendCommand<LineInput, unknown>,
  line: Line,
  once: Once,
): Promise<{ answer: SavedAnswer; replayed: boolean }> {
  const known: Claim = await findClaim(context.store.db, once.request, context.clock.now());
  if (known.state === 'answered') return { answer: known.answer, replayed: true };
  // Free again: the line and with it the claim was deleted between two looks.
  if (known.state === 'free') throw new AppError('line_not_found');
  const row = await findSend(context.store.db, known.outboxId);
  const failure = row && failureOf(row);
  // A failure that is not remembered (≥500, 429) may be tried again; it stays the same message.
  if (failure && !isSaveable(once.render({ error: failure }).status)) await reopenFailed(context, line, known.outboxId);
  const answer = await conclude(
    context,
    command,
    { line, send: known.outboxId, waitMs: IDEMPOTENCY_WAIT_MS, isRepetition: true },
    once,
  );
  return { answer, replayed: true };
}

/**
 * Waits for an accepted row's end, words it, and saves it for repetitions. All callers get the
 * answer that was saved first.
 */
async function conclude(
  context: Context,
  command: SendCommand<LineInput, unknown>,
  of: { line: Line; send: AcceptedSend | string; waitMs: number; isRepetition?: boolean },
  once: Once,
): Promise<SavedAnswer> {
  const { db } = context.store;
  let answer: SavedAnswer;
  try {
    const result = await command.settle(context, of.line, of.send, of.waitMs);
    if (of.isRepetition && command.isWaiting(result)) {
      // The first request may have answered 202 meanwhile.
      const known = await findClaim(db, once.request, context.clock.now());
      if (known.state === 'answered') return known.answer;
      throw new AppError('idempotency_in_progress', { retryAfterSeconds: 1 });
    }
    answer = once.render({ result });
  } catch (error) {
    if (!(error instanceof AppError) || error.code === 'idempotency_in_progress') throw error;
    answer = once.render({ error });
    if (!isSaveable(answer.status)) {
      // Another request may not have waited for the failure: what it was told counts.
      const known = await findClaim(db, once.request, context.clock.now());
      if (known.state === 'answered') return known.answer;
      throw error;
    }
  }
  return saveAnswer(db, once.request, answer);
}
