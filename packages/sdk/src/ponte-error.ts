/** A refusal or failure that the server answered, or the lack of any answer. */
export class PonteError extends Error {
  override readonly name = 'PonteError';
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  /** The code of the API's catalogue, such as `not_on_whatsapp`; `no_answer` when none came. */
  readonly code: string;
  /** The same request may succeed later. */
  readonly retryable: boolean;
  /** Names the request in the server's log. */
  readonly requestId: string | undefined;
  /** Whole seconds that the server asks to wait. */
  readonly retryAfterSeconds: number | undefined;
  /** The body as it came, with further members such as `details`. */
  readonly body: unknown;

  constructor(facts: {
    status: number;
    code: string;
    message: string;
    retryable: boolean;
    requestId?: string;
    retryAfterSeconds?: number;
    body?: unknown;
    cause?: unknown;
  }) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.status = facts.status;
    this.code = facts.code;
    this.retryable = facts.retryable;
    this.requestId = facts.requestId;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.body = facts.body;
  }
}

/** What an answer that is no success says, in either of the API's two forms. */
export async function errorOf(response: Response): Promise<PonteError> {
  const text = await response.text().catch(() => '');
  const body = parsed(text);
  const { error, message } = isRecord(body) ? body : {};
  const inner = isRecord(error) ? error : { code: error, message };
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN);
  const status = response.status;
  return new PonteError({
    status,
    code: typeof inner.code === 'string' ? inner.code : `http_${status}`,
    message: typeof inner.message === 'string' ? inner.message : `The server answered ${status}.`,
    retryable: typeof inner.retryable === 'boolean' ? inner.retryable : [429, 502, 503, 504].includes(status),
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
    body,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
