import { createHash } from 'node:crypto';
import { invalid } from './app-error.ts';
import type { Mode } from './lines.ts';

/** How long a key is remembered after its request was accepted. */
export const IDEMPOTENCY_TTL_MS = 24 * 60 * 60 * 1_000;
/** How long a repetition waits for the first request to end. */
export const IDEMPOTENCY_WAIT_MS = 5_000;

const VISIBLE = /^[\x21-\x7e]{1,255}$/;
/** Nesting beyond this is no request of ours; the HTTP layer refuses it before. */
const MAX_DEPTH = 100;

/** One request that must happen once. */
export interface IdempotentRequest {
  /**
   * Account and mode: a key names one request among those of an account, whichever API key sent it.
   */
  scope: string;
  key: string;
  /** What must be the same in a repetition. */
  fingerprint: string;
  /**
   * What earlier versions stored for it: of the path as it was spelled. Their claims are as old as
   * a day at the most.
   */
  formerFingerprint?: string;
}

/** Every fingerprint that a claim of this request may carry. */
export const fingerprintsOf = ({ fingerprint, formerFingerprint }: IdempotentRequest): string[] =>
  formerFingerprint === undefined ? [fingerprint] : [fingerprint, formerFingerprint];

/** True when both stand for the same request. */
export const isSameRequest = (request: IdempotentRequest, fingerprint: string): boolean =>
  fingerprintsOf(request).includes(fingerprint);

/** An answer as it left: the repetition gets the same bytes. */
export interface SavedAnswer {
  status: number;
  body: string;
}

/**
 * JSON with sorted member names and no white space: two texts of the same value give the same one.
 * `undefined` counts as absent.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw invalid('', 'The body is nested too deeply.');
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null, depth + 1)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member, depth + 1)}`);
  return `{${members.join(',')}}`;
}

/**
 * The request of an `Idempotency-Key` header: method, the matched route's template with its decoded
 * parameters, query and body. `spelled` is the path as it was written, which earlier versions
 * compared. Of the query, `wait` says how patient the caller is, not what is asked for: a
 * repetition may have another one. Throws `validation_error` when the key is not 1–255 visible
 * characters.
 */
export function idempotentRequest(input: {
  accountId: string;
  mode: Mode;
  key: string;
  method: string;
  /** The route's template, without the query. */
  path: string;
  params?: Record<string, unknown>;
  spelled?: string;
  query?: Record<string, unknown>;
  body: unknown;
}): IdempotentRequest {
  if (!VISIBLE.test(input.key)) {
    throw invalid(
      'Idempotency-Key',
      'Use 1 to 255 visible ASCII characters, without spaces, and send the header once.',
    );
  }
  const { spelled, params = {} } = input;
  const hasParams = Object.keys(params).length > 0;
  const fingerprint = hashOf(input, hasParams ? `${input.path}\n${canonicalJson(params)}` : input.path);
  const former = spelled === undefined ? fingerprint : hashOf(input, spelled);
  return {
    scope: `${input.accountId}:${input.mode}`,
    key: input.key,
    fingerprint,
    ...(former === fingerprint ? {} : { formerFingerprint: former }),
  };
}

function hashOf(input: { method: string; query?: Record<string, unknown>; body: unknown }, where: string): string {
  const hash = createHash('sha256');
  const { wait: _, ...query } = input.query ?? {};
  hash.update(`${input.method}\n${where}\n`).update(canonicalJson(input.body));
  if (Object.keys(query).length > 0) hash.update('\n').update(canonicalJson(query));
  return hash.digest('hex');
}

/**
 * Answers that are given again: everything but "try later" (429) and failures of ours or WhatsApp's
 * (≥500).
 */
export const isSaveable = (status: number): boolean => status !== 429 && status < 500;
