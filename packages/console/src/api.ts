import { type Mode, mode } from './mode.ts';

/** A refusal or failure, in the server's words. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly details: { path: string; message: string }[];
  /** When the server asked to be called again; undefined when it did not say. */
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    { details = [], retryAfterMs }: Partial<Pick<ApiError, 'details' | 'retryAfterMs'>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Reading is quick, or it failed; what is done may wait for WhatsApp. */
const READ_WITHIN_MS = 20_000;
const DO_WITHIN_MS = 70_000;
const BASE = '/api/console/v1';

interface Failure {
  error?: string | { code: string; message: string };
  message?: string;
  details?: { path: string; message: string }[];
}

/**
 * Calls the console's API as the signed-in user, in the mode the page shows or the one given.
 * Rejects with an ApiError; status 0 = no answer at all.
 */
export async function api<T>(method: string, path: string, body?: unknown, of: Mode = mode.get()): Promise<T> {
  const headers: Record<string, string> = { 'x-ponte-console': '1', 'x-ponte-mode': of };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const signal = AbortSignal.timeout(method === 'GET' ? READ_WITHIN_MS : DO_WITHIN_MS);
  const { response, text } = await callServer(BASE + path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal,
  });
  const answer = parse(text);
  if (response.ok) return answer as T;
  const { error, message, details } = (answer ?? {}) as Failure;
  const code = typeof error === 'object' ? error.code : (error ?? 'server_error');
  const sentence = (typeof error === 'object' ? error.message : message) ?? text;
  throw new ApiError(response.status, code, sentence, { details: details ?? [], retryAfterMs: retryAfterOf(response) });
}

function retryAfterOf({ headers }: Response): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}

/** The whole answer, or an ApiError when it does not come in time. */
async function callServer(url: string, init: RequestInit): Promise<{ response: Response; text: string }> {
  try {
    const response = await fetch(url, init);
    return { response, text: await response.text() };
  } catch {
    throw new ApiError(0, 'no_answer', 'The server does not answer.');
  }
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not ours: a proxy's page, say. The status tells.
  }
}
