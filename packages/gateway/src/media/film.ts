import type { OutboundFile } from '@ponte/engine';
import { type Ffmpeg, FfmpegError } from './ffmpeg.ts';
import { rejected } from './media-limits.ts';
import type { Spool, SpooledFile } from './spool.ts';

const THUMBNAIL_MAX_BYTES = 64 * 1024;
const THUMBNAIL = ['-an', '-frames:v', '1', '-vf', 'scale=72:72:force_original_aspect_ratio=decrease', '-q:v', '6'];
/** Even sides and this colour format: what phones can play. */
const MP4 = ['-an', '-vf', 'scale=trunc(iw/2)*2:trunc(ih/2)*2', '-pix_fmt', 'yuv420p', '-movflags', '+faststart'];

type Shown = Pick<OutboundFile, 'thumbnail' | 'width' | 'height' | 'durationSeconds'>;

/**
 * A GIF as the video that WhatsApp sends in its place; videos as they are. `media_rejected` without
 * ffmpeg.
 */
export async function sendableVideo(file: SpooledFile, spool: Spool, ffmpeg: Ffmpeg): Promise<SpooledFile> {
  if (file.mimeType !== 'image/gif') return file;
  if (!(await ffmpeg.isThere())) {
    throw rejected(
      'WhatsApp plays GIFs as video, and this installation has no ffmpeg to make one. Send an MP4 with gif, send the file as document, or ask the operator to install ffmpeg.',
    );
  }
  return spool.replace(file, 'video/mp4', (path) =>
    ffmpeg.run(file.path, [...MP4, '-f', 'mp4', path]).catch((cause: unknown) => {
      throw rejected('The GIF cannot be read: it is damaged.', {}, cause);
    }),
  );
}

/** Length, size and first picture of a video; what cannot be found out is left out. */
export async function describeVideo(path: string, ffmpeg: Ffmpeg): Promise<Shown> {
  if (!(await ffmpeg.isThere())) return {};
  return { ...(await orNothing(ffmpeg.probe(path))), ...(await orNothing(firstPicture(path, ffmpeg))) };
}

/** Length of a sound; nothing when it cannot be found out. */
export async function describeAudio(path: string, ffmpeg: Ffmpeg): Promise<Pick<OutboundFile, 'durationSeconds'>> {
  if (!(await ffmpeg.isThere())) return {};
  const { durationSeconds } = await orNothing(ffmpeg.probe(path));
  return durationSeconds === undefined ? {} : { durationSeconds };
}

async function firstPicture(path: string, ffmpeg: Ffmpeg): Promise<Pick<OutboundFile, 'thumbnail'>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  await ffmpeg.run(path, [...THUMBNAIL, '-f', 'mjpeg', 'pipe:1'], (piece) => {
    size += piece.length;
    if (size <= THUMBNAIL_MAX_BYTES) pieces.push(piece);
  });
  if (size === 0 || size > THUMBNAIL_MAX_BYTES) return {};
  return { thumbnail: Buffer.concat(pieces).toString('base64') };
}

/** WhatsApp takes videos that ffmpeg cannot read; then they go without these extras. */
async function orNothing<T extends object>(work: Promise<T>): Promise<Partial<T>> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FfmpegError) return {};
    throw error;
  }
}
