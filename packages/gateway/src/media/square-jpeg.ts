import { AppError } from '../core/app-error.ts';
import { CONVERT_SECONDS, INPUT_PIXELS_MAX, requireSharp } from './sharp.ts';

/**
 * WhatsApp keeps profile pictures at this size (Baileys chats.js updateProfilePicture, whatsmeow
 * group.go).
 */
const SIDE_PIXELS = 640;
const QUALITY = 85;

type Format = 'JPEG' | 'PNG' | 'WebP';

/**
 * A picture as WhatsApp takes it for a profile: the middle square, 640 pixels at most, as JPEG,
 * turned as its camera says, without what the camera noted about place and time. Rejects with
 * `media_rejected` for what is no JPEG, PNG or WebP, and `unavailable` when this installation
 * cannot convert pictures.
 */
export async function squareJpeg(picture: Uint8Array): Promise<Uint8Array> {
  if (!formatOf(picture)) {
    throw new AppError('media_rejected', {}, { message: 'The picture is not a JPEG, PNG or WebP file.' });
  }
  const sharp = await requireSharp();
  try {
    const jpeg = await sharp(picture, { limitInputPixels: INPUT_PIXELS_MAX, failOn: 'error' })
      .timeout({ seconds: CONVERT_SECONDS })
      .autoOrient()
      .resize(SIDE_PIXELS, SIDE_PIXELS, { fit: 'cover', withoutEnlargement: true })
      .flatten({ background: '#ffffff' })
      .jpeg({ quality: QUALITY })
      .toBuffer({ resolveWithObject: true });
    if (jpeg.info.width === jpeg.info.height) return jpeg.data;
    // A side shorter than 640 pixels: nothing was enlarged, so the square is that side.
    const side = Math.min(jpeg.info.width, jpeg.info.height);
    return await sharp(jpeg.data).resize(side, side, { fit: 'cover' }).jpeg({ quality: QUALITY }).toBuffer();
  } catch (cause) {
    throw new AppError(
      'media_rejected',
      {},
      { message: 'The picture cannot be read: it is damaged or too large.', cause },
    );
  }
}

/** What the first bytes say; names and declared types may say anything. */
function formatOf(bytes: Uint8Array): Format | undefined {
  const start = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (start.startsWith('\xff\xd8\xff')) return 'JPEG';
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'PNG';
  return start.startsWith('RIFF') && start.endsWith('WEBP') ? 'WebP' : undefined;
}
