import { randomBytes } from 'node:crypto';
import {
  EngineError,
  type Expiration,
  type FileKind,
  type Jid,
  type MessageLookup,
  type OutboundContent,
  type OutboundContext,
  type OutboundFile,
  type OutboundMessage,
  type Party,
} from '@ponte/engine';
import { proto } from '../baileys.ts';
import { unwrapMessage } from '../inbound/message-content.ts';
import type { UploadedFile } from '../media/baileys-media.ts';
import { buildChange } from './build-change.ts';
import type { BuiltMessage } from './built-message.ts';
import { fileMessage } from './file-message.ts';

export interface BuildContext {
  /** Whom it goes to, by every address known. */
  recipient: Party;
  lookup: MessageLookup;
  /** How long messages of the chat stay. */
  expiration?: Expiration | undefined;
  nowMs: number;
  /** Asks WhatsApp for a link to a call; answers its token. */
  callLink(media: 'audio' | 'video', startAt: number): Promise<string>;
  /** Encrypts a file and puts it where WhatsApp keeps files. */
  upload(kind: FileKind, file: OutboundFile): Promise<UploadedFile>;
}

type Message = proto.IMessage;
type Of<K extends OutboundMessage['kind']> = Extract<OutboundMessage, { kind: K }>;

/** Where links to calls lead (Baileys Defaults CALL_VIDEO_PREFIX, CALL_AUDIO_PREFIX). */
const CALL_PAGE = 'https://call.whatsapp.com';

/**
 * Encodes what is to be sent as a protobuf `Message`. The secret inside is drawn here, so the same
 * bytes must be kept for a repeat. Rejects with `unknown_message` when it quotes or changes an
 * unknown message.
 */
export async function buildMessage(content: OutboundContent, to: Jid, context: BuildContext): Promise<BuiltMessage> {
  switch (content.kind) {
    case 'reaction':
    case 'edit':
    case 'revoke':
      return buildChange(content, to, context);
    case 'event':
      return encoded(await eventMessage(content, to, context), { event_type: 'creation' });
    case 'poll':
      return encoded(await pollMessage(content, to, context), { polltype: 'creation' });
    case 'text':
      return encoded({
        extendedTextMessage: { text: content.body, ...cardOf(content), ...(await quote(content, to, context)) },
      });
    case 'location':
      return encoded(await locationMessage(content, to, context));
    case 'contact':
      return encoded(await contactMessage(content, to, context));
    default: {
      // First what may be refused at once, then the long way.
      const hung = await quote(content, to, context);
      return encoded(fileMessage(content, await context.upload(content.kind, content.file), hung));
    }
  }
}

/**
 * WhatsApp's own clients put a secret into every message: abuse reports, votes and answers to
 * invitations are bound to it.
 */
function encoded(message: Message, meta?: Record<string, string>): BuiltMessage {
  const whole = proto.Message.create({ ...message, messageContextInfo: { messageSecret: randomBytes(32) } });
  return { proto: proto.Message.encode(whole).finish(), attrs: {}, ...(meta ? { meta } : {}) };
}

/** The card of a link, as WhatsApp's own clients put it beside the text (Baileys messages.js). */
function cardOf({ card }: Of<'text'>): proto.Message.IExtendedTextMessage {
  if (!card) return {};
  return {
    matchedText: card.url,
    title: card.title,
    previewType: proto.Message.ExtendedTextMessage.PreviewType.NONE,
    ...(card.description === undefined ? {} : { description: card.description }),
    ...(card.thumbnail === undefined ? {} : { jpegThumbnail: Buffer.from(card.thumbnail, 'base64') }),
  };
}

async function locationMessage(content: Of<'location'>, to: Jid, context: BuildContext): Promise<Message> {
  const { latitude, longitude, name, address } = content;
  return {
    locationMessage: {
      degreesLatitude: latitude,
      degreesLongitude: longitude,
      ...(name === undefined ? {} : { name }),
      ...(address === undefined ? {} : { address }),
      ...(await quote(content, to, context)),
    },
  };
}

async function contactMessage(content: Of<'contact'>, to: Jid, context: BuildContext): Promise<Message> {
  const contacts = content.contacts.map(({ name, vcard }) => ({ displayName: name, vcard }));
  const [only] = contacts;
  const hung = await quote(content, to, context);
  if (only && contacts.length === 1) return { contactMessage: { ...only, ...hung } };
  return { contactsArrayMessage: { displayName: `${contacts.length} contacts`, contacts, ...hung } };
}

/** Polls with one answer go in a field of their own (Baileys messages.js). */
async function pollMessage(content: Of<'poll'>, to: Jid, context: BuildContext): Promise<Message> {
  const poll = {
    name: content.question,
    options: content.options.map((optionName) => ({ optionName })),
    selectableOptionsCount: content.maxAnswers,
    ...(await quote(content, to, context)),
  };
  return content.maxAnswers === 1 ? { pollCreationMessageV3: poll } : { pollCreationMessage: poll };
}

async function eventMessage(content: Of<'event'>, to: Jid, context: BuildContext): Promise<Message> {
  const { name, startAt, endAt, description, location, call } = content;
  const media = call === 'voice' ? 'audio' : call;
  const token = media && (await context.callLink(media, startAt));
  const page = call === 'voice' ? 'voice' : 'video';
  return {
    eventMessage: {
      name,
      startTime: startAt,
      isCanceled: false,
      extraGuestsAllowed: true,
      isScheduleCall: call !== undefined,
      ...(endAt === undefined ? {} : { endTime: endAt }),
      ...(description === undefined ? {} : { description }),
      ...(location === undefined ? {} : { location: { name: location } }),
      ...(token === undefined ? {} : { joinLink: `${CALL_PAGE}/${page}/${token}` }),
      ...(await quote(content, to, context)),
    },
  };
}

/** The `contextInfo` of a message: what it answers and whom it names. */
async function quote(
  content: { context?: OutboundContext },
  to: Jid,
  { lookup, recipient, expiration }: BuildContext,
): Promise<{ contextInfo?: proto.IContextInfo }> {
  const { context } = content;
  const contextInfo: proto.IContextInfo = {};
  if (context?.mentions && context.mentions.length > 0) contextInfo.mentionedJid = context.mentions;
  // WhatsApp's clients work out themselves who "all" are (Baileys messages.js mentionAll).
  if (context?.mentionsAll) contextInfo.nonJidMentions = 1;
  // As phones write it (whatsmeow, zapo): the time it stays, and when the chat was set so.
  if (expiration && expiration.seconds > 0) {
    contextInfo.expiration = expiration.seconds;
    if (expiration.setAt > 0) contextInfo.ephemeralSettingTimestamp = expiration.setAt;
  }
  if (context?.quotedId !== undefined) {
    const quoted = await lookup.proto(context.quotedId, to);
    if (!quoted)
      throw new EngineError('unknown_message', `the quoted message ${context.quotedId} is not known on this line`);
    contextInfo.stanzaId = context.quotedId;
    contextInfo.participant = quoted.sender.jid;
    contextInfo.quotedMessage = withoutContext(quoted.proto);
    // Said elsewhere (a private answer to a group): the quote names that chat.
    if (quoted.chat && !isSame(quoted.chat, recipient)) contextInfo.remoteJid = quoted.chat.jid;
  }
  return Object.keys(contextInfo).length === 0 ? {} : { contextInfo };
}

const isSame = (one: Party, other: Party): boolean =>
  [one.jid, one.lid, one.pn].some((jid) => jid !== undefined && [other.jid, other.lid, other.pn].includes(jid));

/** A quoted message without its own quotes, secrets and wrappers. */
function withoutContext(bytes: Uint8Array): Message {
  const { message } = unwrapMessage(proto.Message.decode(bytes));
  const parts = Object.entries(message).flatMap(([kind, part]) => {
    if (kind === 'messageContextInfo' || part === null || part === undefined) return [];
    return [[kind, typeof part === 'object' && 'contextInfo' in part ? { ...part, contextInfo: undefined } : part]];
  });
  return Object.fromEntries(parts);
}
