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
 * Where the bytes of files are, as a line sees it: by name, whatever they lie on. Both sides
 * stream; neither ever holds a whole file in memory.
 */
export interface EngineFiles {
  /**
   * The pieces of a file, from its first byte; each call begins anew. Undefined when it is not
   * there.
   */
  read(name: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /**
   * Keeps what comes under this name: whole and durable when it resolves, and not at all when
   * `pieces` throws or it rejects. Rejects with the very error of `pieces`, or with one of its own.
   */
  write(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void>;
}

/**
 * Files of messages. Bytes go from and to the engine's `files`. Takes and answers plain data, so
 * that a call can cross processes.
 */
export interface MediaOperations {
  /**
   * Downloads the file of a message, verifies its MAC and hashes, and only then lets it appear as
   * `name` among the engine's files. Needs no connection while WhatsApp has the file; when it has
   * it no more, asks the own phone to upload it again (`not_connected` without a connection).
   * Rejects with `media_gone` when neither WhatsApp nor the phone has it, `media_damaged` when what
   * came is not what the message says, `unknown_message` when the message has no file, `timeout`,
   * `rejected`.
   */
  fetch(input: { message: FileMessage; name: string }): Promise<FetchedFile>;
}
