import type { FileKind } from '@ponte/engine';
import { AppError } from '../core/app-error.ts';

/** Largest files by kind, in bytes. */
export interface MediaLimits {
  image: number;
  video: number;
  audio: number;
  document: number;
}

export const MEBIBYTE = 1024 * 1024;

export function limitOf(kind: FileKind, limits: MediaLimits): number {
  if (kind === 'sticker') return limits.image;
  return limits[kind === 'voice' ? 'audio' : kind];
}

/** The refusal of a file that is larger than its kind may be. */
export const tooLarge = (kind: FileKind, maxBytes: number): AppError =>
  rejected(
    `The ${kind} has more than ${Math.floor((maxBytes / MEBIBYTE) * 100) / 100} MiB, the most that is sent as ${kind}. Make it smaller${kind === 'document' ? '' : ', or send it with kind "document"'}.`,
    { limit_bytes: maxBytes },
  );

/** `media_rejected` with a sentence that says the remedy. */
export const rejected = (message: string, details: Record<string, unknown> = {}, cause?: unknown): AppError =>
  new AppError('media_rejected', details, { message, cause });
