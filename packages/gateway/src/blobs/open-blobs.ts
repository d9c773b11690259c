import type { Clock } from '../core/clock.ts';
import type { BlobSettings, BlobStore } from './blob-store.ts';
import { openFolderStore } from './folder-store.ts';
import { openS3Store } from './s3-store.ts';

/** Opens the store that the settings name. Asks nothing of a network yet. */
export const openBlobs = (settings: BlobSettings, clock: Clock): BlobStore =>
  settings.kind === 's3' ? openS3Store(settings, clock) : openFolderStore(settings.folder, clock);
