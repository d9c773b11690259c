import type { Jid } from './address.ts';

/** A message that carries a file, as the gateway stored it. */
export interface FileMessage {
  id: string;
  chat: Jid;
  sender: Jid;
  fromMe: boolean;
  /** Encoded protobuf `Message`. */
  proto: Uint8Array;
}

/** A file that was fetched and checked. */
export interface FetchedFile {
  sizeBytes: number;
  /** Base64 SHA-256 of the plain file. */
  sha256: string;
  /**
   * The message with the file's new place, when the phone had to upload it again: to be stored
   * instead of the old one.
   */
  proto?: Uint8Array;
}

/**
 * Files of messages. Bytes go from and to the disk of this machine: neither side ever holds a whole
 * file in memory. Takes and answers plain data, so that a call can cross processes.
 */
export interface MediaOperations {
  /**
   * Downloads the file of a message, verifies its MAC and hashes, and only then makes it appear at
   * `path` (an absolute path in a folder that exists). What is cut off leaves at most a file beside
   * it that ends in `.part`. Needs no connection while WhatsApp has the file; when it has it no
   * more, asks the own phone to upload it again (`not_connected` without a connection). Rejects
   * with `media_gone` when neither WhatsApp nor the phone has it, `media_damaged` when what came is
   * not what the message says, `unknown_message` when the message has no file, `timeout`,
   * `rejected`.
   */
  fetch(input: { message: FileMessage; path: string }): Promise<FetchedFile>;
}
