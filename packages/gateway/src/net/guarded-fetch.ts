import { isIP } from 'node:net';
import { Pool } from 'undici';
import type { Clock } from '../core/clock.ts';
import { within } from '../core/within.ts';
import type { AddressPolicy } from './address-policy.ts';
import { FetchError, toFetchError } from './fetch-error.ts';
import type { FetchOptions } from './fetch-options.ts';
import { type ConnectorDeps, createGuardedConnector } from './guarded-connector.ts';
import { limitedBody, type ReadableBody } from './limited-body.ts';
import type { ResolveName } from './resolver.ts';
import { parseTarget, type TargetProblem } from './target-url.ts';

export const CONNECT_TIMEOUT_MS = 5_000;
const CHECK_RESOLVE_MS = 3_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_REDIRECTS = 3;
const IDLE_SOCKET_MS = 4_000;
const MAX_IDLE_SOCKET_MS = 60_000;
/** A connection that was closed before the request was sent shows it at once. */
const STALE_WITHIN_MS = 1_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface FetchedResponse {
  status: number;
  /** Lower-case names; repeated headers are joined by a comma. */
  headers: Record<string, string>;
  /** Where it came from in the end, after redirects. */
  url: string;
  /**
   * Must be read to the end, or closed with `discard`. Ends with a FetchError when it breaks a
   * limit.
   */
  body: AsyncIterable<Uint8Array>;
  discard(): void;
}

export interface GuardDeps {
  policy: AddressPolicy;
  resolve: ResolveName;
  clock: Clock;
  ca?: string[];
}

/**
 * Connections to one target that are kept open between requests. Not shared: what one webhook does
 * changes nothing for another.
 */
export interface TargetPool {
  /** Rejects with FetchError only. */
  fetch(url: string, options: FetchOptions): Promise<FetchedResponse>;
  /**
   * True when a connection was allowed by a network entry only: what it answers must not be shown
   * to customers.
   */
  readonly answersArePrivate: boolean;
  destroy(): void;
}

export type TargetCheck = { ok: true } | { ok: false; problem: TargetProblem };

/** The only door to URLs that customers choose: webhooks, media, pictures. */
export interface Guard {
  /**
   * What can be said at configuration time: form, port, and every address the name has now. A name
   * that does not resolve yet passes.
   */
  checkTarget(url: string): Promise<TargetCheck>;
  /** One exchange on a connection of its own. Rejects with FetchError only. */
  fetch(url: string, options: FetchOptions): Promise<FetchedResponse>;
  openPool(options: { connections: number }): TargetPool;
}

function plainHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

/** The pool of one origin; `allowed` hears how its connections were allowed. */
function createOriginPool(deps: ConnectorDeps, origin: string, connections: number, onPrivate: () => void): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    // All limits in time are ours, on the clock of the process.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: IDLE_SOCKET_MS,
    keepAliveMaxTimeout: MAX_IDLE_SOCKET_MS,
    connect: createGuardedConnector(deps, (verdict) => verdict.by === 'network' && onPrivate()),
  });
}

interface Exchange {
  pool: Pool;
  url: URL;
  options: FetchOptions;
  clock: Clock;
  /** When the whole must be over, monotonic. */
  deadline: number;
}

/** One request and the head of its answer. The time limits go on while the body is read. */
async function fetchOnce({ pool, url, options, clock, deadline }: Exchange): Promise<FetchedResponse> {
  const controller = new AbortController();
  const cut = (kind: 'timeout' | 'aborted') => () => controller.abort(new FetchError(kind));
  const remaining = deadline - clock.monotonic();
  const cancelTotal = clock.after(remaining, cut('timeout'));
  const cancelFirst = clock.after(Math.min(options.firstByteTimeoutMs ?? remaining, remaining), cut('timeout'));
  const onAbort = cut('aborted');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const finish = () => {
    cancelTotal();
    options.signal?.removeEventListener('abort', onAbort);
  };
  if (options.signal?.aborted) onAbort();
  const isWebhook = options.purpose === 'webhook';
  try {
    const answer = await pool.request({
      method: isWebhook ? 'POST' : 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { ...options.headers, ...(isWebhook ? {} : { 'accept-encoding': 'identity' }) },
      body: options.body ?? null,
      signal: controller.signal,
    });
    const source: ReadableBody = answer.body.on('error', () => {});
    const headers = plainHeaders(answer.headers);
    const head = { status: answer.statusCode, headers, url: url.href };
    return { ...head, ...limitedBody(source, { options, headers, clock, finish }) };
  } catch (error) {
    finish();
    throw toFetchError(controller.signal.aborted ? controller.signal.reason : error, 'exchange');
  } finally {
    cancelFirst();
  }
}

/** Where a redirect leads; undefined when the answer is none. */
function redirectTarget(answer: FetchedResponse): string | undefined {
  const location = answer.headers.location;
  if (!REDIRECTS.has(answer.status) || location === undefined) return undefined;
  if (!URL.canParse(location, answer.url)) throw new FetchError('protocol');
  return new URL(location, answer.url).href;
}

export function createGuard(deps: GuardDeps): Guard {
  const connectorDeps: ConnectorDeps = { ...deps, connectTimeoutMs: CONNECT_TIMEOUT_MS };
  const { policy, clock } = deps;

  const parse = (text: string): URL => {
    const parsed = parseTarget(text, policy);
    if (!parsed.ok) throw new FetchError('blocked', { reason: parsed.problem });
    return parsed.url;
  };

  const single = async (url: URL, options: FetchOptions, deadline: number): Promise<FetchedResponse> => {
    const pool = createOriginPool(connectorDeps, url.origin, 1, () => {});
    const destroy = () => void pool.destroy().catch(() => {});
    try {
      const answer = await fetchOnce({ pool, url, options, clock, deadline });
      const discard = () => {
        answer.discard();
        destroy();
      };
      return { ...answer, body: endingWith(answer.body, destroy), discard };
    } catch (error) {
      destroy();
      throw error;
    }
  };

  return {
    async checkTarget(text) {
      const parsed = parseTarget(text, policy);
      if (!parsed.ok) return parsed;
      if (isIP(parsed.target.hostname) !== 0) return { ok: true };
      // A webhook may be created before its name is: no answer passes, and the connector judges
      // again at every attempt.
      const resolved = deps.resolve(parsed.target.hostname).catch((): string[] => []);
      const addresses = (await within(clock, resolved, CHECK_RESOLVE_MS)) ?? [];
      const refused = addresses.map((a) => policy.judge(parsed.target, a)).find((v) => !v.allowed);
      return refused && !refused.allowed ? { ok: false, problem: refused.reason } : { ok: true };
    },

    async fetch(text, options) {
      const deadline = clock.monotonic() + options.totalTimeoutMs;
      let url = parse(text);
      for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
        const answer = await single(url, hop === 0 ? options : { ...options, headers: {} }, deadline);
        const next = options.purpose === 'media' ? redirectTarget(answer) : undefined;
        if (next === undefined) return answer;
        answer.discard();
        const from = url;
        url = parse(next);
        if (from.protocol === 'https:' && url.protocol !== 'https:')
          throw new FetchError('blocked', { reason: 'not_https' });
      }
      throw new FetchError('too_many_redirects');
    },

    openPool: ({ connections }) => poolOfOneTarget({ connectorDeps, clock, parse, connections }),
  };
}

interface PoolParts {
  connectorDeps: ConnectorDeps;
  clock: Clock;
  /** The URL, when the policy allows it; throws a FetchError otherwise. */
  parse(text: string): URL;
  connections: number;
}

/** Kept connections to the one place that a target's URL leads to; another URL begins anew. */
function poolOfOneTarget({ connectorDeps, clock, parse, connections }: PoolParts): ReturnType<Guard['openPool']> {
  let current: { origin: string; pool: Pool } | undefined;
  let answersArePrivate = false;
  let answered = false;
  const destroy = () => void current?.pool.destroy().catch(() => {});
  return {
    async fetch(text, options) {
      const url = parse(text);
      if (current?.origin !== url.origin) {
        // What is under way to the old place may end there.
        void current?.pool.close().catch(() => {});
        const onPrivate = () => {
          answersArePrivate = true;
        };
        current = { origin: url.origin, pool: createOriginPool(connectorDeps, url.origin, connections, onPrivate) };
        answersArePrivate = false;
        answered = false;
      }
      const startedAt = clock.monotonic();
      const once = { pool: current.pool, url, options, clock, deadline: startedAt + options.totalTimeoutMs };
      const answer = await fetchOnce(once).catch((error: unknown) => {
        // A kept connection that the other side closed while it was idle tells nothing about
        // the target: once more, on another one.
        const stale = error instanceof FetchError && error.kind === 'closed' && answered;
        if (stale && clock.monotonic() - startedAt < STALE_WITHIN_MS) return fetchOnce(once);
        throw error;
      });
      answered = true;
      return answer;
    },
    get answersArePrivate() {
      return answersArePrivate;
    },
    destroy,
  };
}

async function* endingWith(body: AsyncIterable<Uint8Array>, end: () => void): AsyncIterable<Uint8Array> {
  try {
    yield* body;
  } finally {
    end();
  }
}
