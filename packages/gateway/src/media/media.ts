import { join } from 'node:path';
import { type AccountFiles, createAccountFiles } from '../blobs/account-files.ts';
import type { BlobSettings, BlobStore } from '../blobs/blob-store.ts';
import type { Clock } from '../core/clock.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Log } from '../observe/logger.ts';
import type { Store } from '../store/db/store.ts';
import { linesOfAccount } from '../store/lines/lines.ts';
import { fileOwner } from '../store/sends/sends.ts';
import { createFfmpeg } from './ffmpeg.ts';
import { FileCache } from './file-cache.ts';
import type { MediaLimits } from './media-limits.ts';
import type { MediaTools } from './outbound-file.ts';
import { Spool } from './spool.ts';
import { openWorkbench } from './workbench.ts';

/** Files in both directions, as handlers use them. */
export interface Media extends MediaTools {
  cache: FileCache;
  files: AccountFiles;
  /** Other nodes have the same files. */
  isShared: boolean;
}

export interface MediaOptions {
  /** Of this process alone: files that are being converted. */
  folder: string;
  /** For files that must not reach a disk. */
  memoryFolder: string;
  blobs: BlobStore;
  settings: BlobSettings;
  store: Pick<Store, 'contents'>;
  ring: Pick<KeyRing, 'box'>;
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

/** True: nodes of a fleet have the same files there. */
export const isShared = (settings: BlobSettings): boolean => settings.kind === 's3' || settings.isShared;

export async function createMedia(options: MediaOptions): Promise<Media> {
  const { blobs, settings, store, ring, limits, cacheHours, cacheMaxBytes, clock, log } = options;
  const files = createAccountFiles({ blobs, ring, sealing: (accountId) => store.contents.sealing(accountId) });
  // What a killed writer left; of other nodes' writers it is not known whether they live.
  await files.tidy(isShared(settings) ? ABANDONED_MS : 0);
  return {
    limits,
    files,
    isShared: isShared(settings),
    spool: new Spool({ files, bench: openWorkbench(join(options.folder, 'work'), options.memoryFolder), clock }),
    ffmpeg: createFfmpeg(clock, options.programPath),
    cache: await FileCache.open({
      files,
      isShared: isShared(settings),
      clock,
      keepMs: cacheHours * HOUR_MS,
      maxBytes: cacheMaxBytes,
      maxFetches: MAX_FETCHES,
      onError: (error) => log.warn({ error }, 'tidying up files failed; next time'),
    }),
  };
}

/**
 * Removes spooled files that no send needs: at once those that a crash left (of this node alone),
 * then every hour those that were abandoned. To be called before requests are taken. Answers what
 * ends it.
 */
export async function keepSpoolTidy(media: Media, store: Store, clock: Clock, log: Log): Promise<() => void> {
  let cancel = () => {};
  const sweep = (minAgeMs: number) =>
    sweepSpool(media, store, clock, minAgeMs).catch((error: unknown) =>
      log.warn({ error }, 'tidying up the spool failed; next time'),
    );
  const schedule = () => {
    cancel = clock.after(SWEEP_MS, () => void sweep(ABANDONED_MS).then(schedule));
  };
  await sweep(media.isShared ? ABANDONED_MS : 0);
  schedule();
  return () => cancel();
}

const sweepSpool = (media: Media, store: Store, clock: Clock, minAgeMs: number): Promise<void> =>
  media.spool.sweep((name) => fileOwner(store.db, name, clock.now()), minAgeMs);

/**
 * For an account that has asked for its contents to be sealed: what waits to be sent is sealed, and
 * what was downloaded in the clear is removed; it is fetched again when it is asked for.
 */
export async function sealFilesOf(accountId: string, media: Media, store: Store, clock: Clock): Promise<void> {
  await sweepSpool(media, store, clock, ABANDONED_MS);
  for (const lineId of await linesOfAccount(store.db, accountId)) await media.cache.removeLine(lineId);
}
