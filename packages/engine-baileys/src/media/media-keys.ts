import { hkdfSync } from 'node:crypto';
import type { FileKind } from '@ponte/engine';
import type { proto } from '../baileys.ts';

export const MEDIA_KEY_BYTES = 32;
/** What is kept of the HMAC at the end of a file. */
export const MAC_BYTES = 10;

/**
 * How a kind of file is encrypted and where it is uploaded (Baileys MEDIA_HKDF_KEY_MAPPING and
 * MEDIA_PATH_MAP, whatsmeow download.go and upload.go).
 */
export interface MediaType {
  /** What the file's key is expanded for. */
  use: 'Image' | 'Video' | 'Audio' | 'Document';
  /** Word of the upload path `/mms/…`. */
  path: 'image' | 'video' | 'audio' | 'document';
}

export const MEDIA_TYPES: Readonly<Record<FileKind, MediaType>> = {
  image: { use: 'Image', path: 'image' },
  video: { use: 'Video', path: 'video' },
  audio: { use: 'Audio', path: 'audio' },
  voice: { use: 'Audio', path: 'audio' },
  document: { use: 'Document', path: 'document' },
  sticker: { use: 'Image', path: 'image' },
};

export interface MediaKeys {
  iv: Uint8Array;
  cipherKey: Uint8Array;
  macKey: Uint8Array;
}

/** The keys of one file, from the key in its message (whatsmeow download.go getMediaKeys). */
export function mediaKeys(mediaKey: Uint8Array, use: MediaType['use']): MediaKeys {
  const expanded = new Uint8Array(hkdfSync('sha256', mediaKey, new Uint8Array(), `WhatsApp ${use} Keys`, 112));
  return { iv: expanded.subarray(0, 16), cipherKey: expanded.subarray(16, 48), macKey: expanded.subarray(48, 80) };
}

/** The fields that every part with a file has. */
export interface FilePart {
  url?: string | null;
  directPath?: string | null;
  mediaKey?: Uint8Array | null;
  fileSha256?: Uint8Array | null;
  fileEncSha256?: Uint8Array | null;
  fileLength?: number | { toString(): string } | null;
}

/** The part of an unwrapped message that names its file; undefined when it has none. */
export function filePartOf(message: proto.IMessage): { kind: FileKind; part: FilePart } | undefined {
  const { imageMessage, audioMessage, documentMessage, stickerMessage } = message;
  const video = message.videoMessage ?? message.ptvMessage;
  if (imageMessage) return { kind: 'image', part: imageMessage };
  if (video) return { kind: 'video', part: video };
  if (audioMessage) return { kind: audioMessage.ptt ? 'voice' : 'audio', part: audioMessage };
  if (documentMessage) return { kind: 'document', part: documentMessage };
  return stickerMessage ? { kind: 'sticker', part: stickerMessage } : undefined;
}
