import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../observe/logger.ts';
import type { Store } from '../store/db/store.ts';
import { isFileNeeded } from '../store/sends/sends.ts';
import { createFfmpeg } from './ffmpeg.ts';
import { FileCache } from './file-cache.ts';
import type { MediaLimits } from './media-limits.ts';
import type { MediaTools } from './outbound-file.ts';
import { Spool } from './spool.ts';

/** Files in both directions, as handlers use them. */
export interface Media extends MediaTools {
  cache: FileCache;
}

export interface MediaOptions {
  /** Folder of the files; only this process writes there. */
  folder: string;
  limits: MediaLimits;
  cacheHours: number;
  cacheMaxBytes: number;
  /** Where ffmpeg is looked for, as in PATH. */
  programPath: string;
  clock: Clock;
  log: Log;
}

const HOUR_MS = 60 * 60 * 1_000;
const MAX_FETCHES = 8;
const SWEEP_MS = HOUR_MS;
/** A file comes in before its send is accepted; after this it never will be. */
const ABANDONED_MS = HOUR_MS;

export function createMedia({
  folder,
  limits,
  cacheHours,
  cacheMaxBytes,
  programPath,
  clock,
  log,
}: MediaOptions): Media {
  const onError = (error: unknown) => log.warn({ error }, 'tidying up files failed; next time');
  return {
    limits,
    spool: new Spool(join(folder, 'spool'), clock),
    ffmpeg: createFfmpeg(clock, programPath),
    cache: new FileCache({
      folder: join(folder, 'cache'),
      clock,
      keepMs: cacheHours * HOUR_MS,
      maxBytes: cacheMaxBytes,
      maxFetches: MAX_FETCHES,
      onError,
    }),
  };
}

/**
 * Removes spooled files that no send needs: at once those that a crash left, then every hour those
 * that were abandoned. To be called before requests are taken. Answers what ends it.
 */
export async function keepSpoolTidy(media: Media, store: Store, clock: Clock, log: Log): Promise<() => void> {
  let cancel = () => {};
  const sweep = (minAgeMs: number) =>
    media.spool
      .sweep((name) => isFileNeeded(store.db, name, clock.now()), minAgeMs)
      .catch((error: unknown) => log.warn({ error }, 'tidying up the spool failed; next time'));
  const schedule = () => {
    cancel = clock.after(SWEEP_MS, () => void sweep(ABANDONED_MS).then(schedule));
  };
  await sweep(0);
  schedule();
  return () => cancel();
}
