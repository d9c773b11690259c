/*
 * What nodes of a fleet say to each other: commands to the owner of a line, nudges, live views.
 * Nothing in here is the only copy of anything: what is lost costs time, never data.
 */

/** Why a request has no answer. */
export type BusFailure =
  /** No process serves the subject. Known at once. */
  | 'no_responders'
  /** No answer in time, or before the bus was lost; it may have been done all the same. */
  | 'timeout'
  /** The bus cannot be reached: nothing was sent. */
  | 'away'
  /** The message is larger than the bus takes: nothing was sent. */
  | 'too_large'
  /** The server of the subject failed, is overloaded, or runs a version that does not know it. */
  | 'failed';

export class BusError extends Error {
  override readonly name = 'BusError';
  readonly failure: BusFailure;

  constructor(failure: BusFailure, subject: string, cause?: unknown) {
    super(`${subject}: ${failure.replaceAll('_', ' ')}`, cause === undefined ? undefined : { cause });
    this.failure = failure;
  }
}

/** Bodies are what JSON can say; an absent body arrives as null. */
export interface Bus {
  /** False while it cannot be reached. It comes back by itself. */
  readonly isUp: boolean;
  /** Rejects with a BusError. */
  request(subject: string, body: unknown, options: { timeoutMs: number }): Promise<unknown>;
  /**
   * Answers requests. Of several that serve a subject, one gets each request. The answer to what is
   * thrown is `failed`. The returned function ends it.
   */
  serve(subject: string, handler: (body: unknown) => Promise<unknown>): () => void;
  /** Sends to all current listeners, this process included. Lost when the bus is away. */
  publish(subject: string, body: unknown): void;
  subscribe(subject: string, listener: (body: unknown) => void): () => void;
  /** Resolves when what was served and subscribed to so far is in force, or it is away. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Of messages: one that is of another version is not understood. Raised when they change. */
export const BUS_VERSION = 1;
/** Largest message in bytes: what a NATS server takes unless it is told otherwise. */
export const MAX_MESSAGE_BYTES = 1_048_576;
/** Requests that one subject serves at a time; more are refused. */
export const MAX_SERVED_AT_ONCE = 1_000;

const SUBJECT = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

/** Throws on what is no plain subject. */
export function plainSubject(subject: string): string {
  if (!SUBJECT.test(subject)) throw new Error(`"${subject}" is no subject: words of letters, digits, _ and -`);
  return subject;
}

type Envelope = { v: number; body?: unknown; failed?: true };

/** Throws BusError (`too_large`). */
export function encodeMessage(subject: string, body: unknown): Uint8Array {
  const bytes = Buffer.from(JSON.stringify({ v: BUS_VERSION, body: body ?? null } satisfies Envelope));
  if (bytes.byteLength > MAX_MESSAGE_BYTES) throw new BusError('too_large', subject);
  return bytes;
}

export const encodeFailure = (): Uint8Array => Buffer.from(JSON.stringify({ v: BUS_VERSION, failed: true }));

/** Undefined when it is not a message of this version; `isFailure`: the server failed. */
export function decodeMessage(bytes: Uint8Array): { body: unknown; isFailure: boolean } | undefined {
  try {
    const envelope = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Envelope> | null;
    if (envelope?.v !== BUS_VERSION) return undefined;
    return { body: envelope.body ?? null, isFailure: envelope.failed === true };
  } catch {
    return undefined;
  }
}
