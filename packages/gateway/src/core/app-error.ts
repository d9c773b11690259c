import { explain, isLineReason } from './line-reasons.ts';
import type { LineStanding } from './lines.ts';

/**
 * The closed catalogue of what can go wrong. No HTTP status here: each dialect maps every code, and
 * does not compile until it does. `retryable` says whether the same request may succeed later
 * without being changed.
 */
export const ERRORS = {
  validation_error: { retryable: false, message: 'The request is not valid; see details.' },
  unauthorized: {
    retryable: false,
    message: 'The API key is missing, unknown, revoked or expired. Send it as "Authorization: Bearer <key>".',
  },
  subscription_required: {
    retryable: false,
    message: 'The subscription of this account is not active. Renew it to go on.',
  },
  forbidden: { retryable: false, message: 'This API key lacks the scope for this operation. Use a key that has it.' },
  not_found: {
    retryable: false,
    message: 'There is nothing at this address. Check the path against the API reference.',
  },
  method_not_allowed: { retryable: false, message: 'This address does not take this method; see the Allow header.' },
  unsupported_media_type: { retryable: false, message: 'Send the body as application/json.' },
  payload_too_large: {
    retryable: false,
    message: 'The body is too large. Send at most 1 MiB of JSON; send files by URL.',
  },
  line_not_found: { retryable: false, message: 'No such line in this account.' },
  message_not_found: { retryable: false, message: 'No such message on this line.' },
  message_cancelled: { retryable: false, message: 'This message was cancelled before it left.' },
  message_expired: {
    retryable: false,
    message:
      'The message could not be sent in time and was dropped. Make sure that the line is connected, then send it again.',
  },
  unconfirmed: {
    retryable: false,
    message:
      'The message may have arrived: it was sent, but the line was lost before WhatsApp confirmed it. It is not sent again; ask the recipient before you repeat it.',
  },
  message_left: {
    retryable: false,
    message: 'This message was sent, or may have been, and can no longer be cancelled. Revoke it instead.',
  },
  message_revoked: { retryable: false, message: 'This message was deleted for everyone; its content is gone.' },
  chat_not_found: { retryable: false, message: 'No such chat on this line.' },
  contact_not_found: { retryable: false, message: 'No such contact.' },
  group_not_found: { retryable: false, message: 'There is no such group, or the line was never in it.' },
  group_forbidden: {
    retryable: false,
    message:
      'WhatsApp allows this only to members, or only to admins, of the group, and the line is not one. Ask an admin of the group.',
  },
  not_in_group: {
    retryable: false,
    message: 'The line is not a member of this group: it left, was removed, or was never in it. Have it added again.',
  },
  group_admins_only: {
    retryable: false,
    message: 'Only admins may write in this group, and the line is not one. Have it made an admin, or ask one to.',
  },
  channel_not_found: { retryable: false, message: 'There is no such channel. Check its id (…@newsletter).' },
  channel_admins_only: {
    retryable: false,
    message: 'Only admins of a channel can post to it, and the line is not one.',
  },
  channel_text_only: {
    retryable: false,
    message: 'Only texts can be sent to a channel. Send a text, with a link if it is about a file.',
  },
  invite_invalid: { retryable: false, message: 'This invite link is invalid or has expired. Ask for a new one.' },
  avatar_not_found: { retryable: false, message: 'There is no picture, or it is hidden from this number.' },
  media_not_found: { retryable: false, message: 'This message has no media.' },
  webhook_not_found: { retryable: false, message: 'No such webhook in this account.' },
  delivery_not_found: { retryable: false, message: 'No such delivery in this account.' },
  cursor_expired: {
    retryable: false,
    message:
      'The events after this cursor are no longer kept, or the cursor belongs to another journal. Continue with after=oldest or after=now.',
  },
  account_not_found: { retryable: false, message: 'No such account.' },
  plan_not_found: { retryable: false, message: 'No such plan.' },
  plan_in_use: { retryable: false, message: 'Accounts have this plan. Give them another one first.' },
  approval_required: {
    retryable: false,
    message: 'Sends with this API key need the approval of a person. Send through the MCP server, which requests it.',
  },
  approval_not_found: { retryable: false, message: 'No such approval in this account.' },
  approval_over: { retryable: false, message: 'This was decided already, or the request expired.' },
  key_not_found: { retryable: false, message: 'No such API key.' },
  already_paired: { retryable: false, message: 'This line is paired already. Log it out first to pair it again.' },
  nothing_kept: {
    retryable: false,
    message:
      'No credentials of this line are kept: they are kept for 7 days after a logout by the phone, and deleted by a logout here or a new pairing. Pair the line again.',
  },
  search_off: {
    retryable: false,
    message:
      'The contents of this account are encrypted, so its messages cannot be searched. Read them page by page, or have the operator switch the encryption off.',
  },
  line_not_connected: {
    retryable: true,
    message: 'The line is not connected to WhatsApp. Pair it, or wait until it is connected again.',
  },
  line_failed: {
    retryable: true,
    message: 'The line is not running at the moment. It restarts automatically; try again later.',
  },
  idempotency_conflict: {
    retryable: false,
    message: 'This Idempotency-Key was used with a different request. Use a new key.',
  },
  idempotency_in_progress: {
    retryable: true,
    message: 'The first request with this Idempotency-Key is still running. Ask again in a moment.',
  },
  not_on_whatsapp: { retryable: false, message: 'This phone number has no WhatsApp account.' },
  media_fetch_failed: { retryable: false, message: 'The file could not be fetched from its URL.' },
  media_rejected: { retryable: false, message: 'WhatsApp does not accept this file.' },
  media_expired: {
    retryable: false,
    message:
      'WhatsApp no longer has this file, and the phone did not upload it again. If the phone was offline, open WhatsApp on it and try again.',
  },
  edit_window_closed: { retryable: false, message: 'WhatsApp accepts edits only for 20 minutes after sending.' },
  target_refused: { retryable: false, message: 'This URL is not allowed as a target. It must be public and https.' },
  recipient_restricted: {
    retryable: false,
    message:
      'WhatsApp currently does not allow this number to write to this person. Do not retry: wait until they write, or for a few days.',
  },
  account_restricted: {
    retryable: false,
    message:
      'WhatsApp has restricted the account: it may not write to people who never wrote to it. Wait until the restriction ends.',
  },
  message_malformed: {
    retryable: false,
    message: 'WhatsApp refused the message as malformed for this recipient. Trying the same one again does not help.',
  },
  whatsapp_limit: {
    retryable: true,
    message: 'WhatsApp limits how often this account may do this. Wait some minutes, then try again.',
  },
  whatsapp_error: { retryable: false, message: 'WhatsApp refused the operation.' },
  whatsapp_timeout: { retryable: true, message: 'WhatsApp did not answer in time.' },
  rate_limited: { retryable: true, message: 'Too many requests. Wait as long as Retry-After says.' },
  queue_full: { retryable: true, message: 'Too many messages are waiting on this line. Try again later.' },
  quota_exceeded: { retryable: false, message: 'Monthly quota exceeded' },
  line_limit_reached: { retryable: false, message: 'The plan allows no further line.' },
  unavailable: { retryable: true, message: 'The service is not available right now. Try again shortly.' },
  server_error: {
    retryable: true,
    message: 'Something went wrong on our side. Try again; name the request id if it stays.',
  },
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** What a caller may read beside code and message. Never a secret, never another account's data. */
export interface ErrorDetails {
  /** validation_error: where and what. */
  details?: { path: string; message: string }[];
  /** line_not_connected: the state the line is in, why, and the told end of that (RFC 3339). */
  status?: string;
  status_reason?: string;
  status_until?: string;
  /** whatsapp_error: WhatsApp's own code. */
  whatsapp_code?: number;
  /** rate_limited, unavailable, …: whole seconds until it makes sense to try again. */
  retryAfterSeconds?: number;
  metric?: string;
  used?: number;
  limit?: number;
  plan?: string;
  /** method_not_allowed */
  allow?: string[];
  [name: string]: unknown;
}

/**
 * A refusal or failure that a caller sees. The private reason goes to `cause` and the log, never to
 * the body.
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /** `message` replaces the catalogue's sentence where it can say the remedy more exactly. */
  constructor(code: ErrorCode, details: ErrorDetails = {}, options: { message?: string; cause?: unknown } = {}) {
    super(
      options.message ?? sentenceOf(code, details),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.details = details;
  }

  /** True while the sentence is the catalogue's own; a dialect may then use its own words. */
  get isStandard(): boolean {
    return this.message === ERRORS[this.code].message;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}

/**
 * The sentence of a code; of a line that is not connected for a known reason, that reason and its
 * remedy.
 */
export function sentenceOf(code: ErrorCode, details: ErrorDetails): string {
  const { status_reason: reason, status_until: until } = details;
  const isOfStanding = code === 'line_not_connected' || code === 'account_restricted';
  if (!isOfStanding || !isLineReason(reason)) return ERRORS[code].message;
  const end = until === undefined ? Number.NaN : Date.parse(until);
  return explain(reason, Number.isNaN(end) ? null : end);
}

/** What a caller is told of where a line stands, in the details of an error. */
export const standingDetails = ({ status, reason, until }: LineStanding): ErrorDetails => ({
  status,
  ...(reason === null ? {} : { status_reason: reason }),
  ...(until === null ? {} : { status_until: new Date(until).toISOString() }),
});

/** A validation error on one field. */
export function invalid(path: string, message: string): AppError {
  const sentence = path === '' ? message : `${path}: ${message}`;
  return new AppError('validation_error', { details: [{ path, message }] }, { message: sentence });
}
