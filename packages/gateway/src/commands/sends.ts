import type { Jid, OutboundContent } from '@ponte/engine';
import { claim, type IdempotentRequest } from '../access/idempotency.ts';
import { AppError, ERRORS, type ErrorCode, type ErrorDetails } from '../core/app-error.ts';
import { newMessageId, newOutboxId } from '../core/ids.ts';
import type { SendOutcome } from '../core/line-commands.ts';
import type { Line } from '../core/lines.ts';
import { checkQuota, limitsOf, periodOf } from '../core/quota.ts';
import { countWaiting, findSend, insertAccepted, reopenSend, type SendRow } from '../store/sends.ts';
import type { Tx } from '../store/store.ts';
import { countUsed, lockAccount } from '../store/usage.ts';
import type { SendCommand } from './command.ts';
import type { Context } from './context.ts';
import type { LineRef } from './find-line.ts';
import { lineStatus } from './line-status.ts';

export interface SendInput {
  line: LineRef;
  to: Jid;
  content: OutboundContent;
  /** How long the caller waits for WhatsApp's acknowledgement. */
  waitMs: number;
}

/** An accepted message: acknowledged by WhatsApp, or still waiting for its turn. */
export interface Sent {
  state: 'sent' | 'queued';
  messageId: string;
  lineId: string;
  to: Jid;
  /** Unix seconds: of WhatsApp's acknowledgement, or of our acceptance while queued. */
  timestamp: number;
}

/** Somebody else holds the Idempotency-Key; nothing was kept. Never leaves execute. */
export class ClaimTakenError extends Error {
  override readonly name = 'ClaimTakenError';
}

const MAX_WAITING_SENDS = 1_000;
/** Between two tries to reach a line whose worker is being restarted. */
const RETRY_MS = 250;
/** A command runs at least this long at the worker, even when nobody waits for its answer. */
const MIN_RUN_MS = 5_000;

export const sendMessage: SendCommand<SendInput, Sent> = {
  on: 'send',
  scope: 'messages:send',
  accept: acceptSend,
  settle: settleSend,
  isWaiting: (sent) => sent.state === 'queued',
};

/**
 * Accepts a message: from here on it is sent exactly once, whatever crashes. Refuses with `line_not_connected` when the line is not connected
 * right now, `quota_exceeded`, `queue_full`; throws ClaimTakenError when the Idempotency-Key was claimed meanwhile.
 */
async function acceptSend(context: Context, line: Line, input: SendInput, once?: IdempotentRequest): Promise<string> {
  const status = lineStatus(line, context.router.view(line.id));
  if (status !== 'connected') throw new AppError('line_not_connected', { status });
  const id = newOutboxId();
  const messageId = newMessageId();
  const nowMs = context.clock.now();
  await context.store.transaction(async (tx) => {
    await checkSendQuota(context, tx, nowMs);
    const waiting = await countWaiting(tx.db, line.id);
    if (waiting >= (context.maxWaitingSends ?? MAX_WAITING_SENDS)) {
      throw new AppError('queue_full', { retryAfterSeconds: 10 });
    }
    const accepted = await insertAccepted(tx.db, {
      id,
      accountId: line.accountId,
      lineId: line.id,
      messageId,
      to: input.to,
      content: input.content,
      acceptedAt: nowMs,
    });
    if (!accepted) throw new AppError('line_not_found');
    if (once && !(await claim(tx.db, once, id, nowMs))) throw new ClaimTakenError();
  }, 'full');
  return id;
}

async function checkSendQuota(context: Context, tx: Tx, nowMs: number): Promise<void> {
  const { account, caller } = context;
  const limit = limitsOf(context.plans, account.plan).sent_messages;
  if (limit === null) return;
  await lockAccount(tx, account.id);
  const used = await countUsed(tx.db, 'sent_messages', {
    accountId: account.id,
    mode: caller.mode,
    period: periodOf(nowMs),
  });
  checkQuota({ metric: 'sent_messages', used, limit, plan: account.plan, nowMs });
}

/** Waits for the end of an accepted row. Rejects with the row's error when it failed. */
async function settleSend(context: Context, line: Line, outboxId: string, waitMs: number): Promise<Sent> {
  const outcome = await awaitOutcome(context, line.id, outboxId, waitMs);
  const row = await findSend(context.store.db, outboxId);
  if (!row) throw new AppError('line_not_found');
  const end = outcome ?? outcomeOf(row);
  const facts = { messageId: row.messageId, lineId: line.id, to: row.to };
  if (!end) return { state: 'queued', ...facts, timestamp: Math.floor(row.acceptedAt / 1_000) };
  if (end.state === 'failed') throw new AppError(end.code, end.details);
  return { state: 'sent', ...facts, timestamp: end.timestamp };
}

/** The outcome a row records; undefined while it has none. */
export function outcomeOf(row: SendRow): SendOutcome | undefined {
  if (row.state === 'sent') return { state: 'sent', timestamp: row.ackTimestamp ?? Math.floor(row.acceptedAt / 1_000) };
  if (row.state !== 'failed') return undefined;
  return { state: 'failed', code: knownCode(row.errorCode), details: row.errorDetails };
}

const knownCode = (code: string | null): ErrorCode =>
  code !== null && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'server_error';

export const failureOf = (row: SendRow): AppError | undefined => {
  const outcome = outcomeOf(row);
  return outcome?.state === 'failed' ? new AppError(outcome.code, outcome.details satisfies ErrorDetails) : undefined;
};

/** Puts a failed row back to work: same message id, same bytes. */
export async function reopenFailed(context: Context, line: Line, outboxId: string): Promise<void> {
  const status = lineStatus(line, context.router.view(line.id));
  if (status !== 'connected') throw new AppError('line_not_connected', { status });
  await reopenSend(context.store.db, outboxId);
}

/** The worker's word on a row, or undefined when the time was up first. A worker that is gone is asked again: the row outlives it. */
async function awaitOutcome(
  context: Context,
  lineId: string,
  outboxId: string,
  waitMs: number,
): Promise<SendOutcome | undefined> {
  const until = context.clock.monotonic() + waitMs;
  for (let isFirst = true; ; isFirst = false) {
    const leftMs = until - context.clock.monotonic();
    if (!isFirst && leftMs <= 0) return undefined;
    const answer = await askOnce(context, lineId, outboxId, leftMs);
    if (answer !== 'unreachable') return answer;
    await context.clock.sleep(Math.max(0, Math.min(RETRY_MS, until - context.clock.monotonic())));
  }
}

async function askOnce(
  context: Context,
  lineId: string,
  outboxId: string,
  leftMs: number,
): Promise<SendOutcome | 'unreachable' | undefined> {
  const running = context.router
    .run(lineId, 'send', { outboxId }, { timeoutMs: Math.max(leftMs, MIN_RUN_MS) })
    .catch((error: unknown): 'unreachable' | undefined => {
      if (error instanceof AppError && error.code === 'whatsapp_timeout') return undefined;
      // The row is accepted: whatever is wrong between here and the worker, it is still going to be sent.
      context.log.warn({ error, lineId, outboxId }, 'asking the line about a send failed');
      return 'unreachable';
    });
  const over = new AbortController();
  const timeUp = context.clock.sleep(Math.max(0, leftMs), over.signal).then(() => undefined);
  const answer = await Promise.race([running, timeUp]);
  over.abort();
  return answer;
}
