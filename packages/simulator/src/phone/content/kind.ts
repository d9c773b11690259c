import type { PhoneMedia } from '../network.ts';
import type { ContextInfo, Message } from '../wa-proto.ts';
import type { Input } from './input.ts';

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/**
 * What a message says, in the words of the sandbox API: `type`, mostly a `body`, and fields of its
 * kind.
 */
export interface Content {
  type: string;
  body?: string;
  fields?: { [name: string]: Json };
}

/**
 * What WhatsApp puts on the stanza beside the ciphertext (attributes as Baileys messages-send.js
 * sets them).
 */
export interface MessageShape {
  type: 'text' | 'media' | 'poll' | 'event' | 'reaction';
  mediatype?: string;
  /** 1 edit, 7 revoke of an own message, 8 revoke by an admin. */
  edit?: string;
  /** True: receivers show nothing when they cannot decrypt it. */
  isHiddenOnFailure?: boolean;
  meta?: Record<string, string>;
  /** Seconds after which the message disappears. */
  expiration?: number;
  /** True: linked devices are told that there is a message, and do not get it. */
  isForPhonesOnly?: boolean;
}

export interface BuildContext {
  random: (length: number) => Uint8Array;
  nowMs: () => number;
  /** Quote, mentions, forwarding: goes into the content message that WhatsApp puts it in. */
  contextInfo: ContextInfo | undefined;
  /** Puts an encrypted file on the media host. */
  upload: PhoneMedia['upload'];
  /** Draws a link to a call that begins at this time (seconds since 1970). */
  callLink: (media: 'voice' | 'video', startAt: number) => Promise<string>;
}

export interface Built {
  message: Message;
  shape: MessageShape;
}

/** One kind of message: how it is written, and how it is recognised and shown. */
export interface ContentKind {
  type: string;
  /** Throws InputError naming the field. */
  build(input: Input, context: BuildContext): Built | Promise<Built>;
  /** Undefined when the message is of another kind. */
  read(message: Message): Content | undefined;
}
