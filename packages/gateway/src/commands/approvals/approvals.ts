import type { ApiKeys } from '../../access/api-keys.ts';
import { AppError, ERRORS, type ErrorCode, type ErrorDetails } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import { approvalKey } from '../../core/event-keys.ts';
import { type IdempotentRequest, idempotentRequest } from '../../core/idempotency.ts';
import { newApprovalId, newEventId } from '../../core/ids.ts';
import type { News } from '../../journal/news.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store, Tx } from '../../store/db/store.ts';
import { insertEvent } from '../../store/journal/events.ts';
import { findLineById } from '../../store/lines/lines.ts';
import * as stored from '../../store/sends/approvals.ts';
import { findClaim } from '../../store/sends/idempotency.ts';
import { fanOut } from '../../webhooks/fan-out.ts';
import type { Caller, CommandName, Execute } from '../execute.ts';
import type { LineName } from '../lines/find-line.ts';
import type { Sent } from '../sends/sends.ts';
import type { Approval } from './approval-view.ts';
import { viewOf } from './approval-view.ts';

/** What a key asks for, that a person is to decide. */
export interface ApprovalRequest {
  command: CommandName;
  /** Of that command; JSON. */
  input: { line: LineName };
  /** What the person is shown: the published operation and its arguments. */
  operation: string;
  shown: Record<string, unknown>;
  /** The same key and request: the same approval, as an Idempotency-Key does it for sends. */
  once?: { key: string; method: string; path: string; body: unknown };
}

/**
 * Sends of keys that need a person's yes: asked for by the key, decided in the console, sent once.
 */
export interface Approvals {
  /**
   * Stores a request. Nothing is sent. `line_not_found`; `idempotency_conflict`; `queue_full` when
   * too many wait.
   */
  ask(request: ApprovalRequest, caller: Caller): Promise<Approval>;
  /**
   * A person's word. Yes: it is sent with the rights that the key has at this moment; what became
   * of it is in the answer, or later in `approvals.get`. `approval_not_found`; `approval_over` when
   * it was decided or had run out.
   */
  decide(owner: stored.Owner, id: string, decision: { isYes: boolean; by: string }): Promise<Approval>;
  /**
   * Goes on with what was approved (before a time) when a crash came between. What this process is
   * going on with already is left alone.
   */
  resume(before?: number): Promise<void>;
}

/** An undecided request expires after this time: its content may no longer be true. */
export const APPROVAL_TTL_MS = 10 * 60_000;
const MAX_PENDING = 100;
const KEPT_MS = 30 * 86_400_000;
const SWEEP_EVERY_MS = 3_600_000;
/** After a crash the line may take its time to connect. */
const RESUME_WITHIN_MS = 10 * 60_000;
const RESUME_EVERY_MS = 2_000;
const RESUMED_AT_ONCE = 1_000;
const WAIT_MS = 10_000;
const TOO_LATE = 'The server was away for too long after the approval. Look whether it was sent before you ask again.';

export interface ApprovalServices {
  store: Store;
  clock: Clock;
  log: Log;
  news: Pick<News, 'tell' | 'isClosed'>;
  keys: Pick<ApiKeys, 'holderOf'>;
  execute: Execute;
  /** Tells the dispatcher that deliveries may be due. */
  nudgeDeliveries?(): void;
}

export function createApprovals(services: ApprovalServices): Approvals {
  const { store, clock, log, news } = services;
  let sweptAt = Number.NEGATIVE_INFINITY;
  const resuming = new Set<string>();
  const sweep = () => {
    if (clock.monotonic() - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = clock.monotonic();
    stored.forgetApprovals(store.db, clock.now() - KEPT_MS).catch((error: unknown) => {
      log.warn({ error }, 'forgetting old approvals failed');
    });
  };
  const finish = async (of: stored.StoredApproval): Promise<stored.StoredApproval> => {
    const outcome = await perform(services, of).catch((error: unknown) => {
      if (!(error instanceof AppError)) log.error({ error, approvalId: of.id }, 'an approved send failed');
      return failed(error instanceof AppError ? error : new AppError('server_error'));
    });
    await stored.saveOutcome(store.db, of.id, outcome);
    news.tell();
    return { ...of, outcome };
  };
  return {
    async ask(request, caller) {
      sweep();
      const made = await newApproval(services, request, caller);
      if (await store.transaction((tx) => insertWithEvent(tx, made))) {
        services.nudgeDeliveries?.();
        news.tell();
        return viewOf(made, clock.now());
      }
      const known = made.repeatKey === null ? undefined : await stored.findRepeated(store.db, made, made.repeatKey);
      if (!known || known.fingerprint !== made.fingerprint) throw new AppError('idempotency_conflict');
      return viewOf(known, clock.now());
    },
    async decide(owner, id, { isYes, by }) {
      const state = isYes ? 'approved' : 'denied';
      const decided = await stored.decideApproval(store.db, owner, { id, state, by, nowMs: clock.now() });
      if (!decided) {
        const known = await stored.findApproval(store.db, owner, id);
        throw new AppError(known ? 'approval_over' : 'approval_not_found');
      }
      log.info({ approvalId: id, keyId: decided.keyId, state }, 'an approval was decided');
      news.tell();
      return viewOf(isYes ? await finish(decided) : decided, clock.now());
    },
    async resume(before) {
      const all = await stored.unfinishedApprovals(store.db, RESUMED_AT_ONCE, before);
      const fresh = all.filter(({ id }) => !resuming.has(id));
      for (const { id } of fresh) resuming.add(id);
      await Promise.all(fresh.map((of) => resumeOne(services, of, finish).finally(() => resuming.delete(of.id))));
    },
  };
}

/**
 * Waits for the line as long as the send may still be what the person meant; what was accepted
 * before the crash is followed to its end in any case.
 */
async function resumeOne(
  { store, clock, news, execute, keys }: ApprovalServices,
  of: stored.StoredApproval,
  finish: (of: stored.StoredApproval) => Promise<unknown>,
): Promise<void> {
  const until = (of.decidedAt ?? of.createdAt) + RESUME_WITHIN_MS;
  while (clock.now() < until && !news.isClosed) {
    const holder = await keys.holderOf(of.keyId);
    const line =
      holder && (await execute.run('lines.get', { line: { id: of.lineId } }, withAll(holder)).catch(() => undefined));
    if (!line || line.line.status === 'connected') break;
    await clock.sleep(RESUME_EVERY_MS);
  }
  if (news.isClosed) return;
  const claim = await findClaim(store.db, requestOf(of), clock.now());
  if (clock.now() < until || claim.state !== 'free') await finish(of);
  else await stored.saveOutcome(store.db, of.id, failed(new AppError('unavailable', {}, { message: TOO_LATE })));
}

/** The request and the event that tells of it: both or neither. */
async function insertWithEvent(tx: Tx, of: stored.StoredApproval): Promise<boolean> {
  if (!(await stored.insertApproval(tx.db, of))) return false;
  const type = 'approval.requested';
  const to = of.shown.to ?? of.shown.jid;
  const payload = {
    approvalId: of.id,
    operation: of.operation,
    to: typeof to === 'string' ? to : null,
    askedBy: of.keyName,
    expiresAt: of.expiresAt,
  };
  const base = { id: newEventId(), accountId: of.accountId, lineId: of.lineId, createdAt: of.createdAt };
  const seq = await insertEvent(tx.db, {
    id: base.id,
    account_id: base.accountId,
    line_id: base.lineId,
    type,
    dedupe_key: approvalKey(of.id),
    chat: null,
    payload: JSON.stringify(payload),
    created_at: base.createdAt,
  });
  await fanOut(tx, [{ ...base, seq, type, payload }]);
  return true;
}

async function newApproval(
  { store, clock }: ApprovalServices,
  request: ApprovalRequest,
  caller: Caller,
): Promise<stored.StoredApproval> {
  const owner = { accountId: caller.accountId, mode: caller.mode };
  const { line } = request.input;
  const known = 'id' in line ? await findLineById(store.db, owner, line.id) : undefined;
  if (!known) throw new AppError('line_not_found');
  const nowMs = clock.now();
  if ((await stored.countPending(store.db, owner, nowMs)) >= MAX_PENDING) {
    const message = 'Too many sends wait for a person’s approval. Wait until some are decided.';
    throw new AppError('queue_full', { retryAfterSeconds: 60 }, { message });
  }
  const once = request.once && idempotentRequest({ ...owner, ...request.once });
  return {
    id: newApprovalId(),
    ...owner,
    lineId: known.id,
    keyId: caller.keyId,
    keyName: caller.keyName,
    operation: request.operation,
    shown: request.shown,
    command: request.command,
    input: request.input,
    repeatKey: once?.key ?? null,
    fingerprint: once?.fingerprint ?? '',
    state: 'pending',
    createdAt: nowMs,
    expiresAt: nowMs + APPROVAL_TTL_MS,
    decidedAt: null,
    decidedBy: null,
    outcome: null,
  };
}

/**
 * Sends what was approved, once whatever crashes: the approval's id is the Idempotency-Key. With
 * the rights that the key has now; a key that was revoked meanwhile sends nothing.
 */
async function perform(
  { keys, execute }: ApprovalServices,
  of: stored.StoredApproval,
): Promise<NonNullable<Approval['outcome']>> {
  const holder = await keys.holderOf(of.keyId);
  if (!holder)
    throw new AppError('unauthorized', {}, { message: 'The key that asked for this is not valid any more.' });
  const command = of.command as CommandName;
  // It was stored by `ask`, which took this command's input.
  const input = { ...(of.input as object), waitMs: WAIT_MS } as never;
  const { answer } = await execute.runOnce(
    command,
    input,
    { ...holder, needsApproval: false },
    {
      request: requestOf(of),
      render: (end) =>
        'error' in end
          ? { status: ERRORS[end.error.code].retryable ? 503 : 422, body: JSON.stringify(failed(end.error)) }
          : { status: 200, body: JSON.stringify(passedOn(end.result as Sent)) },
    },
  );
  return JSON.parse(answer.body) as NonNullable<Approval['outcome']>;
}

/** `queued` is everything that WhatsApp has not confirmed; `sent` says more. */
const passedOn = (sent: Sent): NonNullable<Approval['outcome']> => ({
  state: sent.state === 'sent' ? 'sent' : 'queued',
  sent,
});

/** The one send that an approval stands for. */
const requestOf = (of: stored.StoredApproval): IdempotentRequest =>
  idempotentRequest({
    accountId: of.accountId,
    mode: of.mode,
    key: of.id,
    method: 'APPROVAL',
    path: of.operation,
    body: of.shown,
  });

const withAll = (holder: Caller): Caller => ({ ...holder, scopes: ['*'], needsApproval: false });

const failed = (
  error: AppError,
): { state: 'failed'; error: { code: ErrorCode; message: string; details: ErrorDetails } } => ({
  state: 'failed',
  error: { code: error.code, message: error.message, details: error.details },
});
