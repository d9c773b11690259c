import type { FileKind } from '@ponte/engine';
import { fileTypeFromBuffer } from 'file-type/core';
import { typeByName } from './file-names.ts';
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
/** What a web page is. */
export const PAGE_TYPE = 'text/html';
/** Drawings are no pictures to WhatsApp: phones show JPEG, PNG and WebP. */
const DRAWINGS = new Set(['image/svg+xml']);
type Family = 'image' | 'video' | 'audio' | 'document';

/** A web page: a comment or an XML declaration may come first. */
const PAGE = /^\ufeff?(?:\s|<!--[\s\S]*?-->|<\?xml[^>]*>)*<(?:!doctype\s+html|html|head|body)[\s>]/i;
const DRAWING = /^\ufeff?(?:\s|<!--[\s\S]*?-->|<\?xml[^>]*>|<!doctype\s+svg[^>]*>)*<svg[\s>]/i;

/** What the first bytes say; undefined for texts and whatever has no mark. */
export async function sniff(head: Uint8Array): Promise<string | undefined> {
  const found = (await fileTypeFromBuffer(head))?.mime;
  if (found !== undefined && found !== 'application/xml') return found;
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8');
  if (PAGE.test(text)) return PAGE_TYPE;
  return DRAWING.test(text) ? 'image/svg+xml' : found;
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

/**
 * The type of a document by its name, where the bytes say nothing exact: `a.csv` has no marks, and
 * a `.docx` looks like any other zip.
 */
export function documentType(mimeType: string, name: string | undefined): string {
  const byName = typeByName(name);
  if (byName === undefined || (mimeType !== UNKNOWN && mimeType !== 'text/plain' && !GENERAL.has(mimeType))) {
    return mimeType;
  }
  // A name does not make a picture or a sound of bytes that are none.
  return familyOf(byName) === 'document' ? byName : mimeType;
}

function familyOf(type: string): Family {
  const [family] = type.split('/');
  if (DRAWINGS.has(type)) return 'document';
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
