import type { MediaPart, Message } from '../wa-proto.ts';
import type { MediaUse } from './media-cipher.ts';

export type MediaType = 'image' | 'video' | 'audio' | 'voice' | 'document' | 'sticker';

type MediaField = 'imageMessage' | 'videoMessage' | 'audioMessage' | 'documentMessage' | 'stickerMessage';

/**
 * How one kind of media is sent: which part of the message, which keys, which words on the wire.
 */
export interface MediaKind {
  type: MediaType;
  field: MediaField;
  use: MediaUse;
  /** Word of the upload path. */
  upload: string;
  /** Attribute of `<enc>` (Baileys getMediaType, whatsmeow getMediaTypeFromMessage). */
  mediatype: string;
  mimeType: string;
  canBeViewOnce: boolean;
}

export const MEDIA_KINDS: readonly MediaKind[] = [
  media('image', 'imageMessage', 'Image', 'image', 'image', 'image/jpeg', true),
  media('video', 'videoMessage', 'Video', 'video', 'video', 'video/mp4', true),
  media('audio', 'audioMessage', 'Audio', 'audio', 'audio', 'audio/mpeg', false),
  media('voice', 'audioMessage', 'Audio', 'ptt', 'ptt', 'audio/ogg; codecs=opus', true),
  media('document', 'documentMessage', 'Document', 'document', 'document', 'application/pdf', false),
  media('sticker', 'stickerMessage', 'Image', 'image', 'sticker', 'image/webp', false),
];

/** The file of a message, and what kind it is. Undefined when the message has none. */
export function mediaOf(message: Message): { kind: MediaKind; part: MediaPart } | undefined {
  const isVoice = message.audioMessage?.ptt === true;
  for (const kind of MEDIA_KINDS) {
    const part = message[kind.field] ?? (kind.type === 'video' ? message.ptvMessage : undefined);
    if (part && (kind.field !== 'audioMessage' || isVoice === (kind.type === 'voice'))) return { kind, part };
  }
  return undefined;
}

function media(
  type: MediaType,
  field: MediaField,
  use: MediaUse,
  upload: string,
  mediatype: string,
  mimeType: string,
  canBeViewOnce: boolean,
): MediaKind {
  return { type, field, use, upload, mediatype, mimeType, canBeViewOnce };
}
