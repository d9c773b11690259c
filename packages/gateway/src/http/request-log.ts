import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../core/clock.ts';
import type { Mode } from '../core/lines.ts';
import { redacted } from './redacted.ts';

interface Owner {
  accountId: string;
  mode: Mode;
}

/** A call of a published API by a key, once it was answered. */
export interface LoggedRequest {
  requestId: string;
  /** Unix milliseconds of the answer. */
  at: number;
  method: string;
  /** Without its query, which may hold what people wrote. */
  path: string;
  status: number;
  durationMs: number;
  keyId: string;
  /** The message it was about, when the answer says so. */
  messageId: string | null;
  lineId: string | null;
  /** Only while a person wants bodies kept; what people wrote and secrets are not in them. */
  body: unknown;
  answer: unknown;
}

export interface RequestLog {
  /** `bodies` is asked for them only while they are kept. */
  note(owner: Owner, request: Omit<LoggedRequest, 'body' | 'answer'>, bodies: () => Bodies): void;
  /** Newest first. */
  latest(owner: Owner, limit: number): LoggedRequest[];
  /** Keeps bodies of what follows for an hour, or no longer, forgetting those that it kept. */
  keepBodies(owner: Owner, isOn: boolean): void;
  /** Unix milliseconds; undefined: bodies are not kept. */
  bodiesUntil(owner: Owner): number | undefined;
}

/** Per account and mode; older ones are forgotten. */
const MAX = 300;
/** Accounts and modes; the one that was longest silent is forgotten. */
const MAX_OWNERS = 1_000;
const BODIES_FOR_MS = 3_600_000;

interface Bodies {
  body: unknown;
  answer: unknown;
}

const NO_BODIES: Bodies = { body: null, answer: null };

interface Kept {
  requests: LoggedRequest[];
  bodiesUntil: number;
}

/** Kept in memory: it helps while a problem is being looked into, and is gone with the process. */
export function createRequestLog(clock: Clock): RequestLog {
  const owners = new Map<string, Kept>();
  const nameOf = ({ accountId, mode }: Owner) => `${accountId} ${mode}`;

  function keptOf(owner: Owner): Kept {
    const name = nameOf(owner);
    const kept = owners.get(name) ?? { requests: [], bodiesUntil: 0 };
    // Last in the order of the map: the first one is the longest silent.
    owners.delete(name);
    owners.set(name, kept);
    if (owners.size > MAX_OWNERS) {
      const [first] = owners.keys();
      if (first !== undefined) owners.delete(first);
    }
    return kept;
  }
  const hasBodies = (kept: Kept | undefined): boolean => kept !== undefined && kept.bodiesUntil > clock.now();

  return {
    note(owner, request, bodies) {
      const kept = keptOf(owner);
      const { body, answer } = hasBodies(kept) ? bodies() : NO_BODIES;
      kept.requests.push({ ...request, body: redacted(body), answer: redacted(answer) });
      // In steps, so that not every request moves all the others.
      if (kept.requests.length >= 2 * MAX) kept.requests.splice(0, MAX);
    },
    latest: (owner, limit) => (owners.get(nameOf(owner))?.requests ?? []).slice(-Math.min(limit, MAX)).reverse(),
    keepBodies(owner, isOn) {
      const kept = keptOf(owner);
      kept.bodiesUntil = isOn ? clock.now() + BODIES_FOR_MS : 0;
      if (!isOn) kept.requests = kept.requests.map((one) => ({ ...one, body: null, answer: null }));
    },
    bodiesUntil(owner) {
      const kept = owners.get(nameOf(owner));
      return hasBodies(kept) ? kept?.bodiesUntil : undefined;
    },
  };
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What was answered, as text, when it is short enough to be looked at. */
    answered?: string;
  }
}

const MAX_ANSWER = 65_536;

/** Keeps what a key is answered until the request is noted. */
export function holdAnswer(request: FastifyRequest, payload: unknown): void {
  if (request.caller && !request.session && typeof payload === 'string' && payload.length <= MAX_ANSWER) {
    request.answered = payload;
  }
}

/** Notes a call of a key once it was answered; calls without a key are not kept. */
export function noteRequest(
  log: RequestLog,
  request: FastifyRequest,
  reply: FastifyReply,
  { at, durationMs }: { at: number; durationMs: number },
): void {
  const { caller, answered } = request;
  if (!caller || request.session) return;
  const [path = ''] = request.url.split('?', 1);
  const { id: requestId, method } = request;
  const facts = { requestId, at, method, path, status: reply.statusCode, durationMs, keyId: caller.keyId };
  log.note(caller, { ...facts, ...namedIn(request, answered) }, () => ({
    body: request.body ?? null,
    answer: parsed(answered),
  }));
}

/** What an answer says about the message and the line that it is about. */
function namedIn(request: FastifyRequest, answer: string | undefined) {
  const find = (name: string) =>
    answer === undefined ? null : (new RegExp(`"${name}":"([^"\\\\]{1,128})"`).exec(answer)?.[1] ?? null);
  const params = request.params as Record<string, string> | undefined;
  return { messageId: find('message_id'), lineId: params?.line_id ?? find('line_id') };
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return null; // A page, a picture: nothing to show.
  }
}
