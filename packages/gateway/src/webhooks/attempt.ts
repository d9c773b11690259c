import type { Clock } from '../core/clock.ts';
import { FetchError, type FetchErrorKind } from '../net/fetch-error.ts';
import type { TargetPool } from '../net/guarded-fetch.ts';
import type { DueDelivery } from '../store/webhooks/delivery-queue.ts';
import type { Endpoint } from '../store/webhooks/webhooks.ts';
import type { Rendered } from './format.ts';
import { parseRetryAfter } from './retry-after.ts';
import { legacySignature, standardHeaders } from './signature.ts';

/** From the first byte out to the last byte of the answer. The published limit. */
export const ATTEMPT_TIMEOUT_MS = 15_000;
const EXCERPT_BYTES = 1_024;
/** Read so that the connection can be used again; what is beyond is cut off. */
const MAX_ANSWER_BYTES = 64 * 1_024;
export const USER_AGENT = 'Ponte-Webhooks/1';

/** What one attempt came to. */
export interface AttemptResult {
  /** Unix milliseconds of its start. */
  at: number;
  durationMs: number;
  /** Null when no complete head of an answer came. */
  statusCode: number | null;
  /** Null when a complete answer came, whatever its status. */
  errorClass: FetchErrorKind | 'render' | null;
  /**
   * First bytes of the answer; null when there is none, or when it comes from a network only the
   * operator may read.
   */
  excerpt: string | null;
  /** The receiver's wish for the next attempt. */
  retryAfterMs: number | undefined;
  /** Where traces are on. */
  traceId?: string;
}

export interface SignedPost {
  endpoint: Endpoint;
  rendered: Rendered;
  legacySignatureHeader: string | null;
  delivery: Pick<DueDelivery, 'id'> & Partial<Pick<DueDelivery, 'event'>>;
  eventId: string;
  /** 1 for the first. */
  attempt: number;
  /** By which the receiver's steps belong to ours. */
  traceparent?: string;
}

/** Headers of a delivery. The owner's own come first, so that none of ours can be replaced. */
function headersOf(out: SignedPost, timestampSeconds: number): Record<string, string> {
  const { endpoint, rendered } = out;
  const { body } = rendered;
  // The single-valued legacy header stays on the old secret until the grace ends.
  const oldest = endpoint.secrets.at(-1) ?? endpoint.secrets[0];
  return {
    ...endpoint.headers,
    'content-type': 'application/json',
    'user-agent': USER_AGENT,
    ...rendered.headers,
    'X-Delivery-Id': out.delivery.id,
    'X-Delivery-Attempt': String(out.attempt),
    ...(out.traceparent === undefined ? {} : { traceparent: out.traceparent }),
    ...standardHeaders({ id: out.eventId, timestampSeconds, body }, endpoint.secrets),
    ...(out.legacySignatureHeader === null ? {} : { [out.legacySignatureHeader]: legacySignature(body, oldest) }),
  };
}

/** Text for the log: no control characters (PostgreSQL takes no NUL, terminals take too much). */
const printable = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('utf8')
    .replace(/\p{Cc}/gu, ' ');

async function readExcerpt(body: AsyncIterable<Uint8Array>): Promise<string> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    if (length < EXCERPT_BYTES) kept.push(chunk.subarray(0, EXCERPT_BYTES - length));
    length += chunk.length;
  }
  return printable(Buffer.concat(kept));
}

/** One POST of exactly the signed bytes. Never rejects: what went wrong is in the result. */
export async function attempt(
  pool: TargetPool,
  clock: Clock,
  out: SignedPost,
  signal?: AbortSignal,
): Promise<AttemptResult> {
  const at = clock.now();
  const from = clock.monotonic();
  let statusCode: number | null = null;
  let retryAfterMs: number | undefined;
  const result = (errorClass: FetchErrorKind | null, excerpt: string | null): AttemptResult => {
    return { at, durationMs: Math.round(clock.monotonic() - from), statusCode, errorClass, excerpt, retryAfterMs };
  };
  try {
    const answer = await pool.fetch(out.endpoint.webhook.url, {
      purpose: 'webhook',
      headers: headersOf(out, Math.floor(at / 1_000)),
      body: out.rendered.body,
      maxBytes: MAX_ANSWER_BYTES,
      totalTimeoutMs: ATTEMPT_TIMEOUT_MS,
      signal,
    });
    statusCode = answer.status;
    retryAfterMs = parseRetryAfter(answer.headers['retry-after'], at);
    const excerpt = await readExcerpt(answer.body);
    return result(null, pool.answersArePrivate || excerpt === '' ? null : excerpt);
  } catch (error) {
    return result(error instanceof FetchError ? error.kind : 'protocol', null);
  }
}
