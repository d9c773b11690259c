import {
  isChange,
  isNewsletter,
  type Jid,
  type OutboundContent,
  otherWayToWrite,
  phoneOf,
  STATUS_BROADCAST,
} from '@ponte/engine';
import { AppError, invalid, standingDetails } from '../../core/app-error.ts';
import type { IdempotentRequest } from '../../core/idempotency.ts';
import { newMessageId, newOutboxId } from '../../core/ids.ts';
import type { AcceptedSend, SendOutcome } from '../../core/line-commands.ts';
import { LINE_REASONS } from '../../core/line-reasons.ts';
import type { Line } from '../../core/lines.ts';
import { type Priority, rankOf } from '../../core/pacing.ts';
import { periodOf, quotaError } from '../../core/quota.ts';
import { within } from '../../core/within.ts';
import { lineStanding } from '../../lines/connection/line-status.ts';
import { heldBy, restrictionDetails } from '../../lines/sends/restricted.ts';
import type { Tx } from '../../store/db/store.ts';
import { quotableIn } from '../../store/messages/known-message.ts';
import { knownNumber } from '../../store/messages/people.ts';
import { claim } from '../../store/sends/idempotency.ts';
import {
  countScheduled,
  findSend,
  insertAccepted,
  isLineThere,
  reopenSend,
  type SendRow,
} from '../../store/sends/sends.ts';
import { takeUsage } from '../../store/sends/usage.ts';
import { type ArchivePolicy, archivesAfter } from '../chats/archive.ts';
import type { SendCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';
import { refreshQueue } from './refresh-queue.ts';
import { statusAudienceOf } from './status-audience.ts';

export const IF_RESTRICTED = ['refuse', 'wait'] as const;
export type IfRestricted = (typeof IF_RESTRICTED)[number];

export interface SendInput {
  line: LineName;
  to: Jid;
  content: OutboundContent;
  /** How long the caller waits for WhatsApp's acknowledgement. */
  waitMs: number;
  /** Default `normal`. */
  priority?: Priority;
  /** Not before (Unix milliseconds). A time that has passed means now. */
  sendAt?: number;
  /** When WhatsApp restricts the account and the recipient never wrote: default `refuse`. */
  ifRestricted?: IfRestricted;
  /** Default `never`. */
  archivePolicy?: ArchivePolicy;
  /** Of texts: whether the first link gets a card. Default true. */
  linkPreview?: boolean;
}

/** An accepted message: acknowledged by WhatsApp, or still waiting for its turn. */
export interface Sent {
  /** `pending`: it may have left, and WhatsApp's acknowledgement is no longer expected. */
  state: 'sent' | 'queued' | 'pending';
  messageId: string;
  lineId: string;
  to: Jid;
  /** Unix seconds: of WhatsApp's acknowledgement, or of our acceptance while queued. */
  timestamp: number;
}

/** Another request holds the Idempotency-Key; nothing was stored. Never leaves execute. */
export class ClaimTakenError extends Error {
  override readonly name = 'ClaimTakenError';
}

const MAX_WAITING_SENDS = 1_000;
/** Messages of one line that wait for a later time. */
const MAX_SCHEDULED_SENDS = 10_000;
/** The furthest that a message can be scheduled. */
const MAX_AHEAD_MS = 366 * 24 * 60 * 60 * 1_000;
/** Between two tries to reach a line whose worker is being restarted. */
const RETRY_MS = 250;
/** A command runs at least this long at the worker, even when no caller waits for its answer. */
const MIN_RUN_MS = 5_000;

export const sendMessage: SendCommand<SendInput, Sent> = {
  on: 'send',
  scope: 'messages:send',
  accept: acceptSend,
  settle: settleSend,
  isWaiting: (sent) => sent.state !== 'sent',
};

/**
 * Accepts a message: from here on it is sent exactly once, whatever crashes. Refuses with
 * `line_not_connected` when the line is not connected right now, `message_not_found` when the
 * message it answers is not, `quota_exceeded`, `queue_full`; throws ClaimTakenError when the
 * Idempotency-Key was claimed meanwhile.
 */
export async function acceptSend(
  context: Context,
  line: Line,
  input: SendInput,
  once?: IdempotentRequest,
  id = newOutboxId(),
): Promise<AcceptedSend> {
  const nowMs = context.clock.now();
  const asked = input.sendAt !== undefined && input.sendAt > nowMs ? input.sendAt : null;
  const sendAt = await afterRestriction(context, line, input, asked);
  if (sendAt !== null && sendAt - nowMs > MAX_AHEAD_MS) throw invalid('send_at', 'Give a time within the next year.');
  await requireSendable(context, line, sendAt !== null);
  requireTextForChannels(input);
  await requireQuoted(context, line, input);
  const archives = await archivesAfter(context, line, input.to, input.archivePolicy);
  const content = await withCard(context, input, await withAudience(context, line, input));
  const rank = rankOf(input.priority ?? 'normal');
  const messageId = newMessageId();
  const text = JSON.stringify(content);
  const accepted = { accountId: line.accountId, lineId: line.id, messageId, acceptedAt: nowMs, rank, sendAt, archives };
  const { traceparent } = context.caller;
  const seq = await context.store.transaction(
    async (tx) => {
      if (!isChange(input.content)) await takeFromQuota(context, tx, nowMs);
      const places = placesFor(context, rank);
      if (sendAt !== null) await checkSchedule(tx, line.id, nowMs);
      const room = sendAt === null ? places : Number.MAX_SAFE_INTEGER;
      const taken = await insertAccepted(tx.db, { ...accepted, id, to: input.to, content: text, room });
      if (taken === undefined) throw await whyRefused(tx, line.id);
      if (once && !(await claim(tx.db, once, id, nowMs))) throw new ClaimTakenError();
      return taken;
    },
    'full',
    line.accountId,
  );
  return { ...accepted, id, seq, toJid: input.to, content: text, ...(traceparent && { traceparent }) };
}

/** The line is being deleted, or its queue is full. */
async function whyRefused(tx: Tx, lineId: string): Promise<AppError> {
  if (!(await isLineThere(tx.db, lineId))) return new AppError('line_not_found');
  return new AppError('queue_full', { retryAfterSeconds: 10 });
}

/** Spread after the end of a restriction: not everything that waited for it leaves at once. */
const AFTER_RESTRICTION_MS = 60_000;

/**
 * When the message may leave. `account_restricted` when it would break a restriction of WhatsApp's
 * that lasts until then, unless the caller wants it to wait and the end is known.
 */
async function afterRestriction(
  context: Context,
  line: Line,
  { to, content, ifRestricted }: SendInput,
  sendAt: number | null,
): Promise<number | null> {
  const { store, clock } = context;
  const nowMs = sendAt ?? clock.now();
  const held = await heldBy(store.db, { lineId: line.id, to, content, nowMs, restrictions: line.restrictions });
  if (!held) return sendAt;
  if (ifRestricted !== 'wait' || held.until === null) {
    throw new AppError('account_restricted', restrictionDetails(held));
  }
  return held.until * 1_000 + Math.round(clock.random() * AFTER_RESTRICTION_MS);
}

/** Posts of channels are not encrypted, and what is no text travels there in ways of its own. */
function requireTextForChannels({ to, content }: SendInput): void {
  if (isNewsletter(to) && content.kind !== 'text') throw new AppError('channel_text_only');
}

/** A text with a link gets its card, as on a phone; never later than three seconds. */
async function withCard(
  { previews }: Context,
  { to, linkPreview = true }: SendInput,
  content: OutboundContent,
): Promise<OutboundContent> {
  if (content.kind !== 'text' || !linkPreview || isNewsletter(to)) return content;
  const card = await previews?.of(content.body);
  return card ? { ...content, card } : content;
}

/** A status says whom it is for: decided now, by the phone's privacy settings. */
async function withAudience(context: Context, line: Line, { to, content }: SendInput): Promise<OutboundContent> {
  if (to !== STATUS_BROADCAST || isChange(content)) return content;
  return { ...content, context: { ...content.context, audience: await statusAudienceOf(context, line) } };
}

/**
 * A message that answers another needs that one: `message_not_found` before anything is accepted.
 */
async function requireQuoted({ store }: Context, line: Line, { to, content }: SendInput): Promise<void> {
  const quotedId = 'context' in content ? content.context?.quotedId : undefined;
  if (quotedId === undefined) return;
  const place = await quotableIn(store.db, line.id, to, quotedId);
  if (place === 'here') return;
  const message =
    place === 'nowhere'
      ? 'The quoted message is not known on this line.'
      : 'The quoted message is of another chat: quoting it here would show it to others. Quote a message of this chat; one of a group can be answered in private to its author only.';
  throw new AppError('message_not_found', {}, { message });
}

/**
 * What is to leave now needs a connection now, or a line that is being handed to another node; what
 * is to leave later needs a line that is paired.
 */
export async function requireSendable(context: Context, line: Line, isScheduled: boolean): Promise<void> {
  const standing = lineStanding(line, context.router.view(line.id));
  const { status, reason } = standing;
  const isFit = isScheduled ? !['unpaired', 'pairing', 'logged_out'].includes(status) : status === 'connected';
  if (isFit) return;
  const mayConnect = ['connecting', 'disconnected'].includes(status) && !(reason && LINE_REASONS[reason].isFinal);
  if (!mayConnect || !(await context.router.isMoving(line.id)))
    throw new AppError('line_not_connected', standingDetails(standing));
}

/**
 * Takes one message from the account's plan; it is given back when the message fails. Both in the
 * transaction of what is counted.
 */
async function takeFromQuota({ caller, account }: Context, tx: Tx, nowMs: number, acceptedAt = nowMs): Promise<void> {
  // As they stood when this request was authorised.
  const { plan, cycleAnchor } = account;
  const limit = account.limits.sent_messages;
  const period = periodOf(acceptedAt, cycleAnchor);
  const counter = { accountId: caller.accountId, mode: caller.mode, metric: 'sent_messages' } as const;
  const { taken, used } = await takeUsage(tx.db, { ...counter, periodStartMs: period.startMs }, 1, limit);
  if (taken === 1 || limit === null) return;
  throw quotaError({ metric: 'sent_messages', used, limit, plan, period, nowMs });
}

/** An extra 10 % of the places is reserved for urgent messages. */
function placesFor({ maxWaitingSends }: Context, rank: number): number {
  const places = maxWaitingSends ?? MAX_WAITING_SENDS;
  return rank === 0 ? places + Math.ceil(places / 10) : places;
}

async function checkSchedule(tx: Tx, lineId: string, nowMs: number): Promise<void> {
  if ((await countScheduled(tx.db, lineId, nowMs)) < MAX_SCHEDULED_SENDS) return;
  throw new AppError('queue_full', { retryAfterSeconds: 60 });
}

/** Waits for the end of an accepted row. Rejects with the row's error when it failed. */
export async function settleSend(
  context: Context,
  line: Line,
  send: AcceptedSend | string,
  waitMs: number,
): Promise<Sent> {
  const [fresh, outboxId] = typeof send === 'string' ? [undefined, send] : [send, send.id];
  const known = fresh ? asAccepted(fresh) : await findSend(context.store.db, outboxId);
  const isLater = known?.sendAt != null && known.state === 'accepted' && known.sendAt > context.clock.now() + waitMs;
  if (isLater) refreshQueue(context, line.id);
  const outcome = isLater
    ? undefined
    : await awaitOutcome(context, { lineId: line.id, outboxId, accepted: fresh }, waitMs);
  const isTold = isLater || (outcome !== undefined && outcome !== 'gone' && known !== undefined);
  // The line may be deleted meanwhile, its rows with it: what was known of it last counts then.
  const row = (isTold ? undefined : await findSend(context.store.db, outboxId)) ?? known;
  if (!row) throw new AppError('line_not_found');
  const end = outcome === 'gone' || outcome === undefined ? outcomeOf(row) : outcome;
  const facts = { messageId: row.messageId, lineId: line.id, to: row.to };
  const accepted = Math.floor(row.acceptedAt / 1_000);
  if (outcome === 'gone' && !end) {
    if (row.state === 'sending') return { state: 'pending', ...facts, timestamp: accepted };
    const message = 'The line was deleted before this message left. It was not sent.';
    throw new AppError('line_not_found', {}, { message });
  }
  if (!end) return { state: 'queued', ...facts, timestamp: accepted };
  if (end.state === 'unconfirmed') return { state: 'pending', ...facts, timestamp: accepted };
  if (end.state === 'failed') throw new AppError(end.code, end.details);
  return { state: 'sent', ...facts, to: await nowKnownAs(context, line, row.to), timestamp: end.timestamp };
}

/** The person's number as WhatsApp has it, where sending showed that it has other digits. */
async function nowKnownAs({ store }: Context, line: Line, to: Jid): Promise<Jid> {
  const phone = phoneOf(to);
  const canBeOther = phone !== undefined && otherWayToWrite(phone) !== undefined;
  return canBeOther ? knownNumber(store.db, line.id, to) : to;
}

/** A row as it was accepted a moment ago. */
const asAccepted = ({ id, lineId, messageId, toJid, acceptedAt, sendAt }: AcceptedSend): SendRow => ({
  ...{ id, lineId, messageId, to: toJid, state: 'accepted', acceptedAt, sendAt },
  ...{ isUnconfirmed: false, end: null },
});

/** The outcome a row records; undefined while it has none. */
function outcomeOf(row: SendRow): SendOutcome | undefined {
  return row.end ?? (row.isUnconfirmed ? { state: 'unconfirmed' } : undefined);
}

export const failureOf = ({ end }: SendRow): AppError | undefined =>
  end?.state === 'failed' ? new AppError(end.code, end.details) : undefined;

/** Puts a failed row back to work: same message id, same bytes; it counts again. */
export async function reopenFailed(context: Context, line: Line, outboxId: string): Promise<void> {
  await requireSendable(context, line, false);
  await context.store.transaction(async (tx) => {
    const row = await reopenSend(tx.db, outboxId);
    if (row && !isChange(row.content)) await takeFromQuota(context, tx, context.clock.now(), row.acceptedAt);
  }, 'full');
}

/** A row that the worker is asked about. */
interface Asked {
  lineId: string;
  outboxId: string;
  accepted: AcceptedSend | undefined;
}

/**
 * The worker's word on a row, or undefined when the time was up first, or this process ends. A
 * worker that is gone is asked again: the row outlives it. `gone`: the line was deleted meanwhile.
 */
async function awaitOutcome(
  context: Context,
  { lineId, outboxId, accepted }: Asked,
  waitMs: number,
): Promise<SendOutcome | 'gone' | undefined> {
  const until = context.clock.monotonic() + waitMs;
  for (let isFirst = true; ; isFirst = false) {
    const leftMs = until - context.clock.monotonic();
    if (!isFirst && (leftMs <= 0 || context.ending?.aborted)) return undefined;
    // By the second question the row may have moved on: the worker reads it.
    const answer = await askOnce(context, { lineId, outboxId, accepted: isFirst ? accepted : undefined }, leftMs);
    if (!(answer instanceof AppError)) return answer;
    if (!(await isLineThere(context.store.db, lineId))) return 'gone';
    // Once per send: it is asked for again and again.
    if (isFirst) context.log.warn({ error: answer, lineId, outboxId }, 'asking the line about a send failed');
    await context.clock.sleep(Math.max(0, Math.min(RETRY_MS, until - context.clock.monotonic())));
  }
}

/** How the worker answers; an AppError when it could not be asked. */
async function askOnce(
  context: Context,
  { lineId, outboxId, accepted }: Asked,
  leftMs: number,
): Promise<SendOutcome | AppError | undefined> {
  const running = context.router
    .run(lineId, 'send', accepted ? { outboxId, accepted } : { outboxId }, { timeoutMs: Math.max(leftMs, MIN_RUN_MS) })
    .catch((error: unknown): AppError | undefined => {
      if (error instanceof AppError && error.code === 'whatsapp_timeout') return undefined;
      // The row is accepted: whatever is wrong between here and the worker, it is still going to be
      // sent.
      return error instanceof AppError ? error : new AppError('line_failed', {}, { cause: error });
    });
  return within(context.clock, running, Math.max(0, leftMs), context.ending);
}
