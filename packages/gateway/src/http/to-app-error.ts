import type { z } from 'zod';
import { AppError } from '../core/app-error.ts';
import { isStoreUnreachable } from '../core/store-unreachable.ts';

/**
 * Codes of Fastify (docs: Reference/Errors) and of Node's HTTP parser that are the caller's doing.
 */
const FRAMEWORK: Record<string, () => AppError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => new AppError('payload_too_large'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => new AppError('unsupported_media_type'),
  FST_ERR_BAD_URL: () => badPath(),
  FST_ERR_MAX_PARAM_LENGTH: () => new AppError('not_found'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new AppError('validation_error', { details: [{ path: '', message: 'The body ended early.' }] }),
  ECONNRESET: () => new AppError('validation_error', { details: [{ path: '', message: 'The body ended early.' }] }),
};

const STORE_RETRY_SECONDS = 5;
const STORE_AWAY =
  'The database cannot be reached or written right now. Try again shortly; with the same Idempotency-Key no message is sent twice.';

function badPath(): AppError {
  return new AppError(
    'validation_error',
    { details: [{ path: 'path', message: 'The path is not validly percent-encoded.' }] },
    { message: 'The path is not validly percent-encoded. Encode it as UTF-8.' },
  );
}

/**
 * Any failure of a request as one of the catalogue. An unexpected one becomes `server_error`, with
 * the cause kept for the log.
 */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isStoreUnreachable(error)) {
    return new AppError(
      'unavailable',
      { retryAfterSeconds: STORE_RETRY_SECONDS },
      { message: STORE_AWAY, cause: error },
    );
  }
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return FRAMEWORK[code]?.() ?? new AppError('server_error', {}, { cause: error });
}

/**
 * The details of a refused body, query or path: one entry per field, path in dots (`mentions.0`).
 * At most 20.
 */
export function validationError(issues: readonly z.core.$ZodIssue[]): AppError {
  const details = issues.slice(0, 20).map((issue) => ({
    path: issue.path.map(String).join('.'),
    message: readable(issue),
  }));
  const first = details[0];
  const where = first && first.path !== '' ? `${first.path}: ` : '';
  return new AppError('validation_error', { details }, first && { message: `${where}${first.message}` });
}

/** zod's sentence, but "is required" for what is absent. */
function readable(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return issue.path.length === 0 ? 'A JSON body is required.' : 'This field is required.';
  }
  return issue.message;
}
