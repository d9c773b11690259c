import { isLid, isPn, type Party } from '@ponte/engine';
import { type ErrorCode, type ErrorDetails, sentenceOf } from '../../core/app-error.ts';
import { canonicalJid, statusKey } from '../../core/event-keys.ts';
import type { Fact } from '../../journal/from-engine.ts';

/**
 * The fact that a message of ours will not arrive. A message fails once: later news of the same
 * kind has the same key.
 */
export function failedFact(failure: {
  messageId: string;
  /** The recipient, or the one address that is known of him. */
  chat: Party | string;
  code: ErrorCode;
  details: ErrorDetails;
  atMs: number;
}): Fact {
  const { messageId, code, details, atMs } = failure;
  const chat = typeof failure.chat === 'string' ? partyOf(failure.chat) : failure.chat;
  const whatsappCode = details.whatsapp_code;
  return {
    type: 'message.status',
    payload: {
      messageId,
      chat,
      status: 'failed',
      timestamp: Math.floor(atMs / 1_000),
      error: {
        code,
        message: sentenceOf(code, details),
        ...(whatsappCode === undefined ? {} : { whatsappCode }),
      },
    },
    dedupeKey: statusKey(messageId, null, 'failed'),
    chat: canonicalJid(chat),
  };
}

/** A person or group of whom only one address is known. */
function partyOf(jid: string): Party {
  return { jid, ...(isLid(jid) ? { lid: jid } : {}), ...(isPn(jid) ? { pn: jid } : {}) };
}
