import type { Jid, Node } from '@ponte/engine';
import type { RandomBytes } from '../../signal/curve.ts';
import type { AddressBook } from '../address-book.ts';
import { type Inbox, type InboxEntry, messageOf } from '../inbox.ts';
import type { PhoneMedia } from '../network.ts';
import type { FileState } from './file-state.ts';
import { MediaError, openFile } from './media-cipher.ts';
import { mediaOf } from './media-kinds.ts';
import { isAuthentic, mediaRetryAnswer, readMediaRetry } from './media-retry.ts';

type HistoryFile = (messageId: string) => { mediaKey: Uint8Array; fileEncSha256: Uint8Array } | undefined;

/** Fetches the files of received messages, checks them, and says in the inbox what came of it. */
export class PhoneFiles {
  readonly #media: PhoneMedia;
  readonly #inbox: Inbox;
  readonly #book: AddressBook;
  readonly #random: RandomBytes;
  readonly #historyFile: HistoryFile;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: {
    media: PhoneMedia;
    inbox: Inbox;
    book: AddressBook;
    random: RandomBytes;
    /** The file of history that was offered under this id. */
    historyFile: HistoryFile;
  }) {
    this.#historyFile = parts.historyFile;
    this.#media = parts.media;
    this.#inbox = parts.inbox;
    this.#book = parts.book;
    this.#random = parts.random;
  }

  /**
   * Starts the download of what came with a message, one file after the other. Does nothing for a
   * message without one.
   */
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

  /**
   * A companion could not download a file: this phone, which has it, puts it on the media host
   * again and says where. The answer says that it is gone when it is, or when the request was not
   * made with the file's key. Undefined for a request that names no message.
   */
  uploadAgain(receipt: Node, device: Jid): Node | undefined {
    const request = readMediaRetry(receipt);
    if (!request) return undefined;
    const entry = this.#inbox.find(this.#book.shown(request.chatJid), request.messageId);
    const message = entry && messageOf(entry);
    const { mediaKey, fileEncSha256 } = (message ? mediaOf(message)?.part : this.#historyFile(request.messageId)) ?? {};
    if (!mediaKey || !fileEncSha256 || !isAuthentic(receipt, mediaKey)) {
      return mediaRetryAnswer(request, device, undefined, this.#random);
    }
    const directPath = this.#media.reupload(Buffer.from(fileEncSha256).toString('hex'));
    return mediaRetryAnswer(request, device, { mediaKey, directPath }, this.#random);
  }

  /**
   * The file of a message as it was sent. Undefined when it is not to be had; throws MediaError.
   */
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
