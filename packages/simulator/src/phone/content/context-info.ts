import type { Jid } from '@ponte/engine';
import { type InboxEntry, messageOf } from '../inbox.ts';
import type { ContextInfo } from '../wa-proto.ts';

/** What goes beside the content of a message. */
export interface SendOptions {
  quotedMessageId?: string | undefined;
  /** Addresses of people the text mentions. */
  mentions?: Jid[] | undefined;
  isMentioningAll?: boolean | undefined;
  isForwarded?: boolean | undefined;
  /** The message disappears after so many seconds. */
  ephemeralSeconds?: number | undefined;
  /** When the chat was set so (seconds since 1970). */
  ephemeralSetAt?: number | undefined;
}

/**
 * Quote, mentions, forwarding and disappearing as WhatsApp writes them. Undefined when there is
 * nothing to say.
 */
export function contextInfoOf(
  options: SendOptions,
  quoted: InboxEntry | undefined,
  wire: (jid: Jid) => Jid,
): ContextInfo | undefined {
  const { quotedMessageId, mentions = [], isForwarded, ephemeralSeconds } = options;
  const info: ContextInfo = {};
  if (quotedMessageId !== undefined && quoted) {
    info.stanzaId = quotedMessageId;
    info.participant = quoted.senderJid;
    info.quotedMessage = messageOf(quoted) ?? {};
  }
  if (mentions.length > 0) info.mentionedJid = mentions.map(wire);
  if (options.isMentioningAll) info.nonJidMentions = 1;
  if (isForwarded) Object.assign(info, { isForwarded: true, forwardingScore: 1 });
  if (ephemeralSeconds !== undefined) info.expiration = ephemeralSeconds;
  if (ephemeralSeconds !== undefined && options.ephemeralSetAt) info.ephemeralSettingTimestamp = options.ephemeralSetAt;
  return Object.keys(info).length > 0 ? info : undefined;
}
