import { newOutboxId } from '../../core/ids.ts';
import { cleanName } from '../../media/intake.ts';
import type { Media } from '../../media/media.ts';
import { tooLarge } from '../../media/media-limits.ts';
import type { SpooledFile } from '../../media/spool.ts';

/** What a request says of a file that comes in with it. */
export interface FileFacts {
  declaredType?: string | undefined;
  fileName?: string | undefined;
}

/** Takes a file of one account. */
export type ReceiveFile = (source: AsyncIterable<Uint8Array>, facts: FileFacts) => Promise<SpooledFile>;

/** Takes files that come in with a request, before it is known what they are for. */
export interface FileIntake {
  /**
   * Streams a file to where files lie, bounded by the largest file there is. `media_rejected`,
   * `unavailable`.
   */
  receive(accountId: string): ReceiveFile;
  /** Removes a file that no accepted send needs. */
  discard(file: SpooledFile): Promise<void>;
}

export function createFileIntake(media: Media): FileIntake {
  const { limits, spool } = media;
  const maxBytes = Math.max(...Object.values(limits));
  return {
    receive:
      (accountId) =>
      (source, { declaredType, fileName }) =>
        spool.write(source, {
          name: newOutboxId(),
          accountId,
          declaredType,
          fileName: cleanName(fileName),
          limit: () => ({ maxBytes, refusal: tooLarge('document', maxBytes) }),
        }),
    async discard(file) {
      if (!file.isKept) await spool.remove(file.name);
    },
  };
}
