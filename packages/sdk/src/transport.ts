import { errorOf, PonteError } from './ponte-error.ts';

export interface TransportOptions {
  /** Where Ponte is, such as `https://wa.example.com`. */
  baseUrl: string;
  /** `wzb_live_…` or `wzb_test_…`. */
  key: string;
  /**
   * For one attempt, answer included (streams: until its head). Default 65 s: the longest `wait`
   * and a bit.
   */
  timeoutMs?: number;
  /** Further attempts after the first. Default 3. */
  retries?: number;
  /**
   * The longest wait that a `Retry-After` may ask for; a longer one is not waited for. Default 60
   * s.
   */
  maxWaitMs?: number;
  /** Default: the runtime's own. */
  fetch?: typeof fetch;
}

export interface TransportRequest {
  method: string;
  path: string;
  query?: Record<string, unknown>;
  /** JSON, or a form with a file in it. */
  body?: unknown;
  headers?: Record<string, string>;
  /** The same request twice does the same as once: it may be repeated when no answer came. */
  isRepeatable: boolean;
  /** True: the body is handed over as it comes; the time limit ends with its head. */
  isStream?: boolean;
  signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 65_000;
const DEFAULT_RETRIES = 3;
const DEFAULT_MAX_WAIT_MS = 60_000;
const BACKOFF_MS = 500;

/**
 * Sends requests, and repeats them where that is safe: those that are repeatable after any failure
 * that may pass, others only when the server says that it did nothing (429, 503). Waits with
 * jitter, at least as long as `Retry-After` says. Rejects with a PonteError.
 */
export class Transport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    const { protocol } = new URL(options.baseUrl);
    if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError(`baseUrl must be http or https`);
    this.#options = { ...options, baseUrl: options.baseUrl.replace(/\/+$/, '') };
  }

  async send(request: TransportRequest): Promise<Response> {
    const { retries = DEFAULT_RETRIES, maxWaitMs = DEFAULT_MAX_WAIT_MS } = this.#options;
    for (let attempt = 0; ; attempt += 1) {
      const failure = await this.#once(request);
      if (failure instanceof Response) return failure;
      request.signal?.throwIfAborted();
      const waitMs = Math.max(
        BACKOFF_MS * 2 ** attempt * (0.5 + Math.random()),
        (failure.retryAfterSeconds ?? 0) * 1_000,
      );
      if (attempt >= retries || waitMs > maxWaitMs || !mayRepeat(request, failure)) throw failure;
      await pause(waitMs, request.signal);
    }
  }

  async #once(request: TransportRequest): Promise<Response | PonteError> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, key, baseUrl } = this.#options;
    const call = this.#options.fetch ?? fetch;
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), timeoutMs);
    const cancel = () => over.abort();
    request.signal?.addEventListener('abort', cancel, { once: true });
    const isForm = typeof FormData !== 'undefined' && request.body instanceof FormData;
    try {
      const response = await call(baseUrl + request.path + searchOf(request.query), {
        method: request.method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(request.body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        body:
          request.body === undefined ? undefined : isForm ? (request.body as FormData) : JSON.stringify(request.body),
        redirect: 'error',
        signal: over.signal,
      });
      if (!response.ok) return await errorOf(response);
      if (request.isStream) return response;
      // Read here, under the same time limit.
      const data = await response.arrayBuffer();
      const { status, headers } = response;
      return new Response([204, 205, 304].includes(status) ? null : data, { status, headers });
    } catch (cause) {
      const message = over.signal.aborted ? `no answer within ${timeoutMs} ms` : 'the server cannot be reached';
      return new PonteError({ status: 0, code: 'no_answer', message, retryable: true, cause });
    } finally {
      clearTimeout(timer);
      // A stream goes on: the caller's signal still ends it.
      if (!request.isStream) request.signal?.removeEventListener('abort', cancel);
    }
  }
}

function mayRepeat(request: TransportRequest, failure: PonteError): boolean {
  if (failure.status === 429 || failure.status === 503) return failure.retryable || failure.status === 503;
  return request.isRepeatable && failure.retryable;
}

function searchOf(query: Record<string, unknown> | undefined): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) search.set(name, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(done, ms);
    function done(): void {
      signal?.removeEventListener('abort', stop);
      resolve();
    }
    function stop(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
    signal?.addEventListener('abort', stop, { once: true });
  });
}
