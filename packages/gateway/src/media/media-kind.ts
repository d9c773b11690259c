import type { FileKind } from '@ponte/engine';
import { fileTypeFromBuffer } from 'file-type/core';
import { rejected } from './media-limits.ts';

/** What the caller says of a file. */
export interface KindWish {
  kind?: FileKind;
  /** An audio file as a voice message. */
  voice?: boolean;
  /** A video that plays like a GIF. */
  gif?: boolean;
}

export interface DecidedKind {
  kind: FileKind;
  mimeType: string;
  /** Plays like a GIF. */
  gif: boolean;
}

/** So many first bytes are enough to know a file by. */
export const HEAD_BYTES = 4_100;

const UNKNOWN = 'application/octet-stream';
/** Containers of something more exact: a declared document type says more. */
const GENERAL = new Set(['application/zip', 'application/x-cfb', 'application/xml', 'application/gzip']);
type Family = 'image' | 'video' | 'audio' | 'document';

/** What the first bytes say; undefined for texts and whatever has no mark. */
export async function sniff(head: Uint8Array): Promise<string | undefined> {
  return (await fileTypeFromBuffer(head))?.mime;
}

/** `Image/PNG; x=1` → `image/png`; the codec of Opus stays, since WhatsApp wants to hear of it. */
function normal(type: string | undefined): string {
  const [bare = '', ...parameters] = (type ?? '').toLowerCase().split(';');
  const isOpus = bare.trim() === 'audio/ogg' && parameters.some((one) => one.includes('opus'));
  return isOpus ? 'audio/ogg; codecs=opus' : bare.trim();
}

/**
 * The media type of a file: what its bytes say, else what was declared. A declared image, video or
 * audio without the marks of one is none: an error page that is called a photo, for example.
 */
export function typeOf(declared: string | undefined, sniffed: string | undefined): string {
  const said = normal(declared);
  if (sniffed === undefined) return said === '' || familyOf(said) !== 'document' ? UNKNOWN : said;
  const isVague = said === '' || said === UNKNOWN || familyOf(said) !== 'document';
  return GENERAL.has(sniffed) && !isVague ? said : normal(sniffed);
}

/**
 * The type of a spooled file when the caller says one, too: it counts only where the bytes say
 * nothing.
 */
export const typeKnowing = (mimeType: string, declared: string | undefined): string =>
  mimeType === UNKNOWN && declared !== undefined ? typeOf(declared, undefined) : mimeType;

function familyOf(type: string): Family {
  const [family] = type.split('/');
  if (type === 'application/ogg') return 'audio';
  return family === 'image' || family === 'video' || family === 'audio' ? family : 'document';
}

/**
 * What kind of message a file of this type becomes. `media_rejected` when it cannot be what the
 * caller wants.
 */
export function decideKind(mimeType: string, { kind, voice, gif }: KindWish): DecidedKind {
  const family = familyOf(mimeType);
  const isGif = mimeType === 'image/gif';
  if (kind === 'document') return { kind, mimeType, gif: false };
  if (kind === 'sticker') {
    if (family === 'image') return { kind, mimeType, gif: false };
    throw rejected(`A sticker is a WebP, PNG or JPEG image; this file is ${mimeType}.`);
  }
  if (kind === 'voice' || voice) {
    if (family === 'audio' && (kind === undefined || kind === 'voice' || kind === 'audio')) {
      return { kind: 'voice', mimeType, gif: false };
    }
    throw rejected(
      `A voice message is an audio file; this one is ${mimeType}${kind ? `, to be sent as ${kind}` : ''}.`,
    );
  }
  if (gif || (isGif && (kind === undefined || kind === 'video'))) {
    if ((family === 'video' || isGif) && (kind === undefined || kind === 'video')) {
      return { kind: 'video', mimeType, gif: true };
    }
    throw rejected(`gif is for videos and GIF files; this file is ${mimeType}.`);
  }
  if (kind === undefined || kind === family) return { kind: family, mimeType, gif: false };
  throw rejected(`The file is ${mimeType}, which is no ${kind}. Say what it is (${family}), or send it as document.`);
}
