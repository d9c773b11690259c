/**
 * Why an outbound request came to nothing. `blocked`: refused by our policy before any byte left.
 * `too_large`: body or declared length over the cap. `closed`: the connection ended in the
 * middle. `aborted`: the caller took it back. `local`: the fault is ours (no route, no file
 * descriptors), so the target is not to blame.
 */
export type FetchErrorKind =
  | 'blocked'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'too_large'
  | 'headers_too_large'
  | 'too_many_redirects'
  | 'encoding'
  | 'protocol'
  | 'closed'
  | 'aborted'
  | 'local';

const MESSAGES: Record<FetchErrorKind, string> = {
  blocked: 'the target is not allowed',
  dns: 'the host name could not be resolved',
  connect: 'no connection could be made',
  tls: 'the TLS handshake failed or the certificate is not valid',
  timeout: 'no complete answer in time',
  too_large: 'the answer is larger than allowed',
  headers_too_large: 'the headers of the answer are larger than allowed',
  too_many_redirects: 'too many redirects',
  encoding: 'the answer has a content encoding that was not asked for',
  protocol: 'the answer is not valid HTTP',
  closed: 'the connection was closed in the middle of the answer',
  aborted: 'the request was taken back',
  local: 'this machine could not make the connection',
};

/**
 * Its message never holds an address, a banner or a body: it may be shown to the customer. What is
 * private is in `cause`.
 */
export class FetchError extends Error {
  override readonly name = 'FetchError';
  readonly kind: FetchErrorKind;
  /** blocked: which rule. */
  readonly reason: string | undefined;

  constructor(kind: FetchErrorKind, options: { reason?: string; cause?: unknown } = {}) {
    super(MESSAGES[kind], options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.reason = options.reason;
  }
}

const LOCAL = new Set(['ENETUNREACH', 'ENETDOWN', 'EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL']);
const CLOSED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH']);

const ABORTED = new Set(['UND_ERR_ABORTED', 'UND_ERR_DESTROYED', 'UND_ERR_CLOSED']);

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/**
 * Any error of the client or the socket as one of ours. `phase` says what was going on when it has
 * no code of its own.
 */
export function toFetchError(error: unknown, phase: 'connect' | 'exchange'): FetchError {
  if (error instanceof FetchError) return error;
  const code = codeOf(error);
  const is = (kind: FetchErrorKind) => new FetchError(kind, { cause: error });
  if (LOCAL.has(code)) return is('local');
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return is('headers_too_large');
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return is('too_large');
  if (code.startsWith('HPE_')) return is('protocol');
  if (/^ERR_(TLS|SSL)|CERT|^UNABLE_TO|SELF_SIGNED|^ERR_OSSL/.test(code)) return is('tls');
  if (code.endsWith('_TIMEOUT') || code === 'ETIMEDOUT') return is(phase === 'connect' ? 'connect' : 'timeout');
  if (phase === 'connect') return is('connect');
  if (CLOSED.has(code)) return is('closed');
  return is(ABORTED.has(code) ? 'aborted' : 'protocol');
}
