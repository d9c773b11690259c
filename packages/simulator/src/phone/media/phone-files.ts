import { type Inbox, type InboxEntry, messageOf } from '../inbox.ts';
import type { PhoneMedia } from '../network.ts';
import { MediaError, openFile } from './media-cipher.ts';
import { mediaOf } from './media-kinds.ts';

/** How far a phone got with the file of a message. */
export type FileState = 'pending' | 'ok' | 'unavailable' | 'corrupt';

/** Fetches the files of received messages, checks them, and says in the inbox what came of it. */
export class PhoneFiles {
  readonly #media: PhoneMedia;
  readonly #inbox: Inbox;
  #last: Promise<void> = Promise.resolve();

  constructor(media: PhoneMedia, inbox: Inbox) {
    this.#media = media;
    this.#inbox = inbox;
  }

  /** Starts the download of what came with a message, one file after the other. Does nothing for a message without one. */
  fetch(entry: InboxEntry): void {
    const message = messageOf(entry);
    if (!message || !mediaOf(message)) return;
    this.#note(entry, 'pending');
    this.#last = this.#last
      .then(async () => {
        this.#note(entry, (await this.#check(entry)) ? 'ok' : 'unavailable');
      })
      .catch((error: unknown) => {
        this.#note(entry, error instanceof MediaError ? 'corrupt' : 'unavailable');
      });
  }

  /** The file of a message as it was sent. Undefined when it is not to be had; throws MediaError. */
  async #check(entry: InboxEntry): Promise<Uint8Array | undefined> {
    const message = messageOf(entry);
    const found = message && mediaOf(message);
    if (!found) return undefined;
    const { kind, part } = found;
    const bytes = part.directPath ? await this.#media.download(part.directPath) : undefined;
    return bytes && openFile(bytes, part.mediaKey ?? new Uint8Array(), kind.use, part);
  }

  #note(entry: InboxEntry, fileState: FileState): void {
    this.#inbox.update(entry.chat, entry.messageId, (now) => ({ ...now, fileState }));
  }
}
