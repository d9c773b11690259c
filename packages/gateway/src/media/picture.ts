import type { OutboundFile } from '@ponte/engine';
import { rejected } from './media-limits.ts';
import { CONVERT_SECONDS, findSharp, INPUT_PIXELS_MAX, requireSharp } from './sharp.ts';
import type { Spool, SpooledFile } from './spool.ts';

/** What every WhatsApp client shows; other pictures are sent as JPEG. */
const SENT_AS_THEY_ARE = new Set(['image/jpeg', 'image/png']);
const JPEG_QUALITY = 85;
/** Shown blurred until the recipient has the file; it travels inside the message. */
const THUMBNAIL_PIXELS = 72;
const THUMBNAIL_QUALITY = 50;
const WHITE = '#ffffff';
/** WhatsApp's stickers are squares of this size. */
const STICKER_PIXELS = 512;
const STICKER_QUALITY = 80;
const TRANSPARENT = { r: 0, g: 0, b: 0, alpha: 0 };

const READING = { limitInputPixels: INPUT_PIXELS_MAX, failOn: 'error' } as const;

type Shown = Pick<OutboundFile, 'thumbnail' | 'width' | 'height' | 'animated'>;

const unreadable = (cause: unknown) =>
  rejected('The picture cannot be read: it is damaged, or of a kind that is not converted here.', {}, cause);

/**
 * The picture as it is sent: a JPEG or PNG as it is, another one as JPEG. `media_rejected` when it
 * cannot be read.
 */
export async function sendablePicture(file: SpooledFile, spool: Spool): Promise<SpooledFile> {
  if (SENT_AS_THEY_ARE.has(file.mimeType)) return file;
  const sharp = await requireSharp();
  return spool.replace(file, 'image/jpeg', (path) =>
    sharp(file.path, READING)
      .timeout({ seconds: CONVERT_SECONDS })
      .autoOrient()
      .flatten({ background: WHITE })
      .jpeg({ quality: JPEG_QUALITY })
      .toFile(path)
      .catch((cause: unknown) => {
        throw unreadable(cause);
      }),
  );
}

/**
 * Size and thumbnail of a picture; nothing when pictures cannot be read here. `media_rejected` when
 * this one cannot.
 */
export async function describePicture(path: string): Promise<Shown> {
  const sharp = await findSharp();
  if (!sharp) return {};
  try {
    const image = sharp(path, READING).timeout({ seconds: CONVERT_SECONDS });
    const { autoOrient } = await image.metadata();
    const thumbnail = await image
      .autoOrient()
      .resize(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, { fit: 'inside', withoutEnlargement: true })
      .flatten({ background: WHITE })
      .jpeg({ quality: THUMBNAIL_QUALITY })
      .toBuffer();
    return { ...autoOrient, thumbnail: thumbnail.toString('base64') };
  } catch (cause) {
    throw unreadable(cause);
  }
}

/**
 * The picture as a sticker: a WebP that fits is sent as it is, everything else becomes a square
 * WebP on nothing.
 */
export async function sendableSticker(file: SpooledFile, spool: Spool): Promise<{ file: SpooledFile; size: Shown }> {
  const isWebp = file.mimeType === 'image/webp';
  const size = { width: STICKER_PIXELS, height: STICKER_PIXELS };
  const sharp = isWebp ? await findSharp() : await requireSharp();
  if (!sharp) return { file, size };
  const {
    width,
    height,
    pages = 1,
  } = await sharp(file.path, READING)
    .metadata()
    .catch((cause: unknown) => {
      throw unreadable(cause);
    });
  const shown = pages > 1 ? { ...size, animated: true } : size;
  const isFit = width === STICKER_PIXELS && height === STICKER_PIXELS;
  if (isWebp && (isFit || pages > 1)) return { file, size: shown };
  const made = await spool.replace(file, 'image/webp', (path) =>
    sharp(file.path, { ...READING, animated: pages > 1 })
      .timeout({ seconds: CONVERT_SECONDS })
      .autoOrient()
      .resize(STICKER_PIXELS, STICKER_PIXELS, { fit: 'contain', background: TRANSPARENT })
      .webp({ quality: STICKER_QUALITY })
      .toFile(path)
      .catch((cause: unknown) => {
        throw unreadable(cause);
      }),
  );
  return { file: made, size: shown };
}
