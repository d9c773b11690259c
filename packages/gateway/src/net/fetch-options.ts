export interface FetchOptions {
  /**
   * `webhook`: a POST, redirects are answers. `media`: a GET that follows up to three redirects,
   * each judged like the first.
   */
  purpose: 'webhook' | 'media';
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /**
   * Most bytes of body; one more ends the reading with `too_large` (media) or is cut off (webhook,
   * whose body only serves the log).
   */
  maxBytes: number;
  /** From the call to the last byte of the answer. */
  totalTimeoutMs: number;
  /** From the call to the headers of the answer; default: the total. */
  firstByteTimeoutMs?: number;
  signal?: AbortSignal;
}
