import type { FileKind, OutboundFile } from '@ponte/engine';
import { invalid } from '../core/app-error.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { defaultName, withEnding } from './file-names.ts';
import { describeAudio, describeVideo, sendableVideo } from './film.ts';
import { decideKind, documentType, type KindWish, typeKnowing } from './media-kind.ts';
import { limitOf, type MediaLimits, rejected, tooLarge } from './media-limits.ts';
import { describePicture, sendablePicture, sendableSticker } from './picture.ts';
import { describeVoice, sendableVoice } from './sound.ts';
import { noMemory, type Spool, type SpooledFile } from './spool.ts';

/** What files are made ready with. */
export interface MediaTools {
  spool: Spool;
  ffmpeg: Ffmpeg;
  limits: MediaLimits;
}

export interface FileWish extends KindWish {
  fileName?: string;
  /** Counts for files that their bytes do not tell, such as texts. */
  mimeType?: string;
  caption?: string;
  viewOnce?: boolean;
  /** True: a status, which is a picture or a video. */
  asStatus?: boolean;
}

/** A file that is ready to be accepted for sending. */
export interface ReadyFile {
  kind: FileKind;
  gif: boolean;
  file: OutboundFile;
}

/** Kinds that show a text under the file. */
const CAPTIONED = new Set<FileKind>(['image', 'video', 'document']);
const ONCE = new Set<FileKind>(['image', 'video', 'voice']);

/**
 * Decides what a spooled file is sent as, converts it where WhatsApp wants another format, and adds
 * what recipients see before they have it: thumbnail, size, length, waveform. `media_rejected` for
 * what cannot be sent so, `validation_error` for a caption or view once where there is none.
 */
export async function readyFile(spooled: SpooledFile, wish: FileWish, tools: MediaTools): Promise<ReadyFile> {
  if (spooled.sizeBytes === 0) throw rejected('The file is empty. Send one with content.');
  const given = wish.fileName ?? spooled.fileName;
  const known = documentType(typeKnowing(spooled.mimeType, wish.mimeType), given);
  const { kind, gif, mimeType } = decideKind(known, wish);
  if (wish.asStatus && kind !== 'image' && kind !== 'video') {
    throw rejected(`A status is a text, a picture or a video; this file is ${mimeType}.`);
  }
  const maxBytes = limitOf(kind, tools.limits);
  if (spooled.sizeBytes > maxBytes) throw tooLarge(kind, maxBytes);
  if (wish.caption !== undefined && !CAPTIONED.has(kind)) {
    throw invalid('caption', `A ${kind} message has none; leave it out, or send it as a text of its own.`);
  }
  if (wish.viewOnce && !ONCE.has(kind)) throw invalid('view_once', `A ${kind} cannot be viewed once.`);
  const { file, shown } = await convert(spooled, kind, tools);
  const { name, sizeBytes, sha256 } = file;
  const fileName = wish.fileName ?? (kind === 'document' ? documentName(spooled.fileName, mimeType) : undefined);
  return {
    kind,
    gif,
    file: {
      name,
      mimeType: file === spooled ? mimeType : file.mimeType,
      sizeBytes,
      sha256,
      ...(fileName === undefined ? {} : { fileName }),
      ...shown,
    },
  };
}

/** A name that programs on the phone open: with the ending of its type. */
const documentName = (name: string | undefined, mimeType: string): string =>
  name === undefined ? defaultName(mimeType) : withEnding(name, mimeType);

type Converted = { file: SpooledFile; shown: Partial<OutboundFile> };

async function convert(spooled: SpooledFile, kind: FileKind, tools: MediaTools): Promise<Converted> {
  if (kind === 'document') return { file: spooled, shown: {} };
  const converted = await tools.spool.withPath(spooled, () => madeFit(spooled, kind, tools));
  if (converted) return converted;
  // Not to be had in the clear here: it goes as it is, without what would be shown before it.
  if (!isFitAsItIs(spooled, kind)) throw noMemory();
  return { file: spooled, shown: {} };
}

async function madeFit(
  spooled: SpooledFile,
  kind: Exclude<FileKind, 'document'>,
  { spool, ffmpeg }: MediaTools,
): Promise<Converted> {
  switch (kind) {
    case 'image': {
      const file = await sendablePicture(spooled, spool);
      return { file, shown: await describePicture(file.path) };
    }
    case 'sticker': {
      const { file, size } = await sendableSticker(spooled, spool);
      return { file, shown: size };
    }
    case 'video': {
      const file = await sendableVideo(spooled, spool, ffmpeg);
      return { file, shown: await describeVideo(file.path, ffmpeg) };
    }
    case 'voice': {
      const file = await sendableVoice(spooled, spool, ffmpeg);
      return { file, shown: await describeVoice(file.path, ffmpeg) };
    }
    case 'audio':
      return { file: spooled, shown: await describeAudio(spooled.path, ffmpeg) };
  }
}

/** Phones take it without any conversion, as far as its type tells. */
function isFitAsItIs({ mimeType }: SpooledFile, kind: FileKind): boolean {
  switch (kind) {
    case 'image':
      return mimeType === 'image/jpeg' || mimeType === 'image/png';
    case 'sticker':
      return mimeType === 'image/webp';
    case 'video':
      return mimeType !== 'image/gif';
    case 'voice':
      return false;
    case 'audio':
    case 'document':
      return true;
  }
}
