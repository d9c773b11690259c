/** What is known of a stored file without reading it. */
export interface BlobFacts {
  sizeBytes: number;
  /** Unix milliseconds, by the clock of what stores it. */
  modifiedMs: number;
}

/** Where files to be sent lie, by the id of their send. */
export const SPOOL = 'spool/';
/** Where files of messages lie that were downloaded. */
export const CACHE = 'cache/';

/** Bytes of `BlobReading.head`, when there are so many. */
export const HEAD_BYTES = 1_024;

/** A file that is being read. To be closed. */
export interface BlobReading {
  sizeBytes: number;
  /** Its first bytes. */
  head: Uint8Array;
  /**
   * The bytes from `start` to `end`, both included, in pieces; may be called several times. Throws
   * BlobError.
   */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Where files lie, by key: parts of letters, digits, `.`, `_` and `-` with slashes between them.
 * What ends in `.part` is the store's own. Every call has an end; nothing is ever whole in memory.
 */
export interface BlobStore {
  /**
   * Writes a file: whole, in the place of an older one, and durable when this resolves. When
   * `pieces` throws, or the process dies, what was there before is there unchanged. Rejects with
   * the very error of `pieces`, or with BlobError.
   */
  put(key: string, pieces: AsyncIterable<Uint8Array>): Promise<void>;
  /** Undefined when it is not there. Rejects with BlobError. */
  open(key: string): Promise<BlobReading | undefined>;
  stat(key: string): Promise<BlobFacts | undefined>;
  /** No error when it is not there. */
  remove(key: string): Promise<void>;
  /** All whose key begins so, in no order that counts. */
  list(prefix: string): AsyncIterable<BlobFacts & { key: string }>;
  /** Removes what writers left that died more than so long ago; 0: of all writers. */
  tidy(minAgeMs: number): Promise<void>;
  /** Room that is left; undefined where there is no bound to be known. */
  freeBytes(): Promise<number | undefined>;
  /** The path of a file on this machine; undefined where files have none. */
  pathOf(key: string): string | undefined;
  /** For messages to operators; holds no secret. */
  readonly name: string;
  close(): Promise<void>;
}

/** The store could not do what was asked; `isFull`: there is no room. */
export class BlobError extends Error {
  override readonly name = 'BlobError';
  readonly isFull: boolean;

  constructor(message: string, options: { cause?: unknown; isFull?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.isFull = options.isFull ?? false;
  }
}

const KEY = /^(?!.*\.part$)[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/;

/** Throws on a key that could lead out of the store: a fault of the caller. */
export function requireKey(key: string): void {
  if (key.length > 512 || !KEY.test(key)) throw new RangeError('not a key of a file');
}

/** What a store is made of. Plain data: it travels to the workers. */
export type BlobSettings =
  | {
      kind: 'folder';
      folder: string;
      /** Other nodes have the same folder. */
      isShared: boolean;
    }
  | {
      kind: 's3';
      /** With the bucket: `https://host/bucket`, or `https://bucket.host`. */
      endpoint: string;
      region: string;
      /** Before every key; empty, or ending in a slash. */
      prefix: string;
      accessKeyId: string;
      secretAccessKey: string;
    };
