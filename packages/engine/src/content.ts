import type { Jid } from './address.ts';

/** What a message is, in our words. `unknown` is a message of a kind we do not name (its bytes are kept). */
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
  | 'unknown';

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
}

/** A received message's content. Everything beyond `kind` and `body` is present only for the kinds that have it. */
export interface MessageContent {
  kind: MessageKind;
  /** The text, caption, poll question, event or place name; empty when there is none. */
  body: string;
  media?: MediaRef;
  location?: { latitude: number; longitude: number; name?: string; address?: string };
  poll?: { options: string[]; maxAnswers: number };
  event?: { startAt: number; endAt?: number; description?: string };
  contacts?: { name: string; vcard: string }[];
}

/** What hangs on any outgoing message. */
export interface OutboundContext {
  /** The message this one answers; its sender and bytes are looked up by id. */
  quotedId?: string;
  /** People named in the text, as JIDs. */
  mentions?: Jid[];
}

/** Everything a line can be asked to send. */
export type OutboundContent = { kind: 'text'; body: string; context?: OutboundContext };
