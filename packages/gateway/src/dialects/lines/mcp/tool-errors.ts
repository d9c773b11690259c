import type { CallToolResult } from '@modelcontextprotocol/server';
import { AppError, type ErrorCode } from '../../../core/app-error.ts';
import { nearestName } from '../../../http/near-names.ts';
import type { ErrorAnswer } from '../../../http/route.ts';
import { errorAnswer } from '../errors.ts';

const ASK_OWNER = 'Tell the person who gave you this server.';
const NOT_AGAIN = 'Do not repeat the call as it is.';

/** What an agent does next. Exhaustive: a new code does not compile until it says so. */
const NEXT: Record<ErrorCode, string> = {
  validation_error: 'Correct the named parameters and call again.',
  unauthorized: ASK_OWNER,
  subscription_required: ASK_OWNER,
  forbidden: `${NOT_AGAIN} ${ASK_OWNER}`,
  not_found: NOT_AGAIN,
  method_not_allowed: NOT_AGAIN,
  unsupported_media_type: NOT_AGAIN,
  payload_too_large: 'Send less in one call.',
  line_not_found: 'Call bridge_list_lines and use a line_id from its answer.',
  message_not_found: 'Call bridge_get_messages and use a message_id from its answer.',
  message_cancelled: 'It was taken back on purpose: send it again only when you are asked to.',
  message_expired:
    'See bridge_get_line why the line was not connected, and send it again only if it still makes sense.',
  message_revoked: 'Nothing more can be done with this message; leave it.',
  message_left: 'Call bridge_revoke_message to delete it for everyone instead.',
  chat_not_found: 'Call bridge_get_chats and use a chat from its answer.',
  contact_not_found: 'Call bridge_list_contacts, or bridge_check_numbers for a number without a chat.',
  group_not_found: 'Call bridge_list_groups and use a group from its answer.',
  group_forbidden: `${NOT_AGAIN} Ask the person you work for to have the line made a member, or an admin, of the group.`,
  not_in_group: `${NOT_AGAIN} Ask the person you work for to have the line added to the group.`,
  group_admins_only: `${NOT_AGAIN} Ask the person you work for to have the line made an admin of the group.`,
  channel_not_found: 'Check the channel with the person you work for.',
  channel_admins_only: `${NOT_AGAIN} ${ASK_OWNER}`,
  channel_text_only: 'Send a text.',
  unconfirmed: `${NOT_AGAIN} It may have arrived: ask the recipient, or the person you work for, first.`,
  whatsapp_limit: 'Wait some minutes, then call again with the same arguments.',
  invite_invalid: 'Ask for a new invite link.',
  avatar_not_found: 'Go on without the picture.',
  media_not_found: 'Go on without the file: only messages whose media is not null have one.',
  webhook_not_found: 'Call bridge_list_webhooks and use an id from its answer.',
  delivery_not_found: 'Call bridge_list_deliveries and use an id from its answer.',
  cursor_expired: 'Begin anew with after=oldest or after=now.',
  account_not_found: ASK_OWNER,
  plan_not_found: ASK_OWNER,
  plan_in_use: ASK_OWNER,
  approval_required: NOT_AGAIN,
  approval_not_found: 'Use the approval_id of the answer that asked for the approval.',
  approval_over: NOT_AGAIN,
  key_not_found: ASK_OWNER,
  search_off: 'Do not search. Read the messages of the chat with bridge_get_messages.',
  nothing_kept: 'Pair it anew: bridge_get_qr or bridge_create_connect_link.',
  already_paired:
    'Nothing to do: call bridge_get_line. Call bridge_logout_line first only when it must be paired anew.',
  line_not_connected:
    'Call bridge_get_line: status_reason says why, status_remedy what to do. unpaired or logged_out: pair it with bridge_get_qr or bridge_create_connect_link. connecting, or disconnected without a reason: try again in some seconds.',
  line_failed: 'Try again in a minute.',
  idempotency_conflict: 'Use a new idempotency_key: this one belongs to another call.',
  idempotency_in_progress: 'Make the same call with the same idempotency_key again in a few seconds.',
  not_on_whatsapp:
    'Check the number with the person you work for; bridge_check_numbers tells which numbers have WhatsApp.',
  media_fetch_failed: 'Check that the URL is public, https and answers with the file itself.',
  media_rejected: 'Use a file of a kind and size that WhatsApp takes, or send it as a document.',
  media_expired: 'Ask the sender to send the file again.',
  edit_window_closed: 'Send a new message that corrects the old one.',
  target_refused: 'Use a public https URL.',
  account_restricted: `${NOT_AGAIN} Wait until status_until, or answer people who wrote first.`,
  recipient_restricted: `${NOT_AGAIN} Wait until this person writes.`,
  message_malformed: `${NOT_AGAIN} Send something simpler.`,
  whatsapp_error: `${NOT_AGAIN} Read whatsapp_code, and tell the person you work for.`,
  whatsapp_timeout:
    'It may still happen: look before you repeat it (bridge_get_messages), or repeat it with the same idempotency_key.',
  rate_limited: 'Wait, then call again with the same arguments.',
  queue_full: 'Wait until bridge_get_queue shows fewer messages, then call again.',
  quota_exceeded: `The plan is used up for this period; bridge_get_usage says until when. ${ASK_OWNER}`,
  line_limit_reached: `Use a line that is there (bridge_list_lines), or: ${ASK_OWNER}`,
  unavailable: 'Try again in some seconds.',
  server_error: 'Try once more with the same idempotency_key. If it stays: tell the person who runs this server.',
};

/**
 * A refusal or failure as a tool error: what happened, what to do next, and the error as REST says
 * it (`_meta.error`).
 */
export function toolError(error: AppError): CallToolResult {
  return worded(errorAnswer(error), NEXT[error.code]);
}

/** The same of an answer that was saved with an idempotency key. */
export function savedToolError(answer: ErrorAnswer): CallToolResult {
  const { error } = answer.body;
  const code = typeof error === 'string' ? error : (error as { code?: unknown } | undefined)?.code;
  return worded(answer, typeof code === 'string' && Object.hasOwn(NEXT, code) ? NEXT[code as ErrorCode] : NOT_AGAIN);
}

function worded({ body }: ErrorAnswer, next: string): CallToolResult {
  // The envelope and the flat form of the Lines API as one.
  const { error, message, ok: _, ...details } = body;
  const flat =
    typeof error === 'object' && error !== null
      ? { ...(error as { code: string; message: string }) }
      : { code: error, message, ...details };
  return {
    isError: true,
    content: [
      { type: 'text', text: `${String(flat.code)}: ${String(flat.message)}\nNext: ${next}\n${JSON.stringify(flat)}` },
    ],
    _meta: { error: flat, next },
  };
}

/**
 * Arguments that the tool does not have: the nearest thing to a typing error that an agent makes.
 */
export function unknownParameters(unknown: readonly string[], known: readonly string[]): AppError {
  const meant = (name: string) => nearestName(name, known);
  const details = unknown.slice(0, 20).map((path) => {
    const near = meant(path);
    return { path, message: near === undefined ? 'This tool takes no such parameter.' : `did you mean ${near}?` };
  });
  const sentence = unknown
    .slice(0, 5)
    .map((name) => `${name}: ${meant(name) === undefined ? 'no such parameter.' : `did you mean ${meant(name)}?`}`)
    .join(' ');
  const takes = known.length === 0 ? 'none' : known.join(', ');
  return new AppError('validation_error', { details }, { message: `${sentence} The tool takes ${takes}.` });
}
