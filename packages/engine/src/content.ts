import type { Jid } from './address.ts';

/**
 * What a message is, in our words. `unknown` is a message of a kind we do not name (its bytes are
 * kept), `undecryptable` one whose content this device could not read (yet).
 */
export type MessageKind =
  | 'text'
  | 'image'
  | 'video'
  | 'audio'
  | 'voice'
  | 'document'
  | 'sticker'
  | 'location'
  | 'contact'
  | 'poll'
  | 'event'
  | 'unknown'
  | 'undecryptable';

/** What is needed to download a file later: WhatsApp's reference, never the bytes. */
export interface MediaRef {
  mimeType: string;
  /** Bytes of the plain file; undefined when the sender did not say. */
  sizeBytes?: number;
  fileName?: string;
  /** Base64 SHA-256 of the plain file. */
  sha256?: string;
  durationSeconds?: number;
  width?: number;
  height?: number;
  /** Of stickers: it moves. */
  isAnimated?: boolean;
  /** Of videos: plays without sound, again and again. */
  isGif?: boolean;
  /** Of videos: a round video note, recorded as it is seen. */
  isNote?: boolean;
  /** Of documents. */
  pages?: number;
}

/** The card of a link, as the sender's client made it. */
export interface LinkPreview {
  /** The link as it stands in the text. */
  url: string;
  title?: string;
  description?: string;
}

/** The card of a link in a text that is to be sent. */
export interface LinkCard extends LinkPreview {
  title: string;
  /** A small JPEG, base64. */
  thumbnail?: string;
}

/** Where an event takes place, as far as its author said. */
export interface EventPlace {
  address?: string;
  latitude?: number;
  longitude?: number;
}

/**
 * A received message's content. Everything beyond `kind` and `body` is present only for the kinds
 * that have it.
 */
export interface MessageContent {
  kind: MessageKind;
  /** The text, caption, poll question, event or place name; empty when there is none. */
  body: string;
  media?: MediaRef;
  /** `isLive`: a phone that shares where it is; this is where it was then. */
  location?: { latitude: number; longitude: number; name?: string; address?: string; isLive?: boolean };
  poll?: { options: string[]; maxAnswers: number };
  /** `location` is what the place is called. */
  event?: {
    startAt: number;
    endAt?: number;
    description?: string;
    location?: string;
    place?: EventPlace;
    joinLink?: string;
    isCanceled?: boolean;
  };
  linkPreview?: LinkPreview;
  contacts?: { name: string; vcard: string }[];
}

/** Messages that are a file. */
export type FileKind = Extract<MessageKind, 'image' | 'video' | 'audio' | 'voice' | 'document' | 'sticker'>;

/** A file to be sent. Plain data: the bytes lie among the engine's files. */
export interface OutboundFile {
  /**
   * Its name among the engine's files. It must be there, unchanged, until the message is prepared.
   */
  name: string;
  mimeType: string;
  sizeBytes: number;
  /** Base64 SHA-256 of the plain file. */
  sha256: string;
  /** What the recipient sees as the name of a document. */
  fileName?: string;
  /** A small JPEG, base64. */
  thumbnail?: string;
  width?: number;
  height?: number;
  durationSeconds?: number;
  /** Of stickers: it moves. */
  animated?: boolean;
  /** Of voice messages: 64 loudnesses of 0 to 100, base64. */
  waveform?: string;
}

/** How long messages of a chat stay, and since when that is so (Unix seconds). */
export interface Expiration {
  /** 0 = for good. */
  seconds: number;
  setAt: number;
}

/** What hangs on any outgoing message. */
export interface OutboundContext {
  /** Of private chats; of groups the engine knows it. */
  expiration?: Expiration;
  /** The message this one answers; its sender and bytes are looked up by id. */
  quotedId?: string;
  /** People named in the text, as JIDs. */
  mentions?: Jid[];
  /** All members of the group are mentioned. */
  mentionsAll?: boolean;
  /** Of a status (a message to `status@broadcast`): who gets it, beside the own devices. */
  audience?: Jid[];
}

/** New content: a message of its own. */
export type OutboundMessage =
  | { kind: 'text'; body: string; card?: LinkCard; context?: OutboundContext }
  | {
      kind: 'location';
      latitude: number;
      longitude: number;
      name?: string;
      address?: string;
      context?: OutboundContext;
    }
  | {
      kind: FileKind;
      file: OutboundFile;
      caption?: string;
      viewOnce?: boolean;
      /** Of videos: plays without sound, again and again. */
      gif?: boolean;
      context?: OutboundContext;
    }
  | { kind: 'contact'; contacts: { name: string; vcard: string }[]; context?: OutboundContext }
  /** `maxAnswers` 0 = any number. */
  | { kind: 'poll'; question: string; options: string[]; maxAnswers: number; context?: OutboundContext }
  | {
      kind: 'event';
      name: string;
      /** Unix seconds. */
      startAt: number;
      endAt?: number;
      description?: string;
      location?: string;
      /** Adds a link to a call of this kind. */
      call?: 'voice' | 'video';
      context?: OutboundContext;
    };

/**
 * Something done to a message that is there already. It travels as a message with an id of its own.
 */
export type OutboundChange =
  /** Replaces this account's earlier reaction; an empty emoji takes it back. */
  | { kind: 'reaction'; targetId: string; emoji: string }
  /** A new text, or a new caption, for an own message. */
  | { kind: 'edit'; targetId: string; body: string }
  /**
   * Deletes for everyone. `author`: whose message it is, when it is another's in a group where this
   * account is admin.
   */
  | { kind: 'revoke'; targetId: string; author?: Jid };

/** Everything a line can be asked to send. */
export type OutboundContent = OutboundMessage | OutboundChange;

/** True for content that is a file. */
export function isFile(content: OutboundContent): content is Extract<OutboundMessage, { file: OutboundFile }> {
  return 'file' in content;
}

/** True for content that changes another message instead of being one. */
export function isChange(content: OutboundContent): content is OutboundChange {
  return content.kind === 'reaction' || content.kind === 'edit' || content.kind === 'revoke';
}
