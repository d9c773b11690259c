import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { Role } from '../access/console-roles.ts';
import type { ConsoleSession } from '../access/console-sessions.ts';
import type { IpLimit, RowLimit } from '../access/rate-limit.ts';
import type { Caller, CommandName, Execute, Input, Output, Scope } from '../commands/execute.ts';
import type { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';

import type { FileAnswer } from './file-answer.ts';
import type { Recorded } from './openapi/recorded.ts';
import type { UnknownMembers } from './unknown-members.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * What goes back. `json` is written as it stands, in its own member order. Neither `json` nor
 * `bytes`: an empty body.
 */
export interface Answer {
  status: number;
  json?: unknown;
  bytes?: { contentType: string; data: Uint8Array | string };
  /** A file of this machine; ranges of it are answered by themselves. */
  file?: FileAnswer;
  /** Sent as it comes, until it ends. */
  stream?: { contentType: string; data: Readable };
  headers?: Record<string, string | string[]>;
}

/** One documented answer of a route. */
export interface AnswerDoc {
  description: string;
  /** JSON shape; absent for empty and binary answers. */
  schema?: z.ZodType;
  /** Media types of a binary answer. */
  contentTypes?: string[];
  example?: unknown;
}

/** The parts of a request that a row takes, checked. */
export interface Checked<P, Q, B> {
  params: P;
  query: Q;
  body: B;
}

/**
 * What every row says, whatever it does. The table is the API: routing, checks, limits and the
 * OpenAPI document come from it.
 */
export interface RouteFacts {
  method: Method;
  /** Below the dialect's prefix, with `:name` parameters. */
  path: string;
  /** OpenAPI operationId; unique in the document. */
  operation: string;
  summary: string;
  description?: string;
  tag: string;
  /** `session`: a user signed in to the console; `role` is the least role required. */
  auth: 'key' | 'session' | 'none';
  /** Default `developer`. */
  role?: Role;
  /** False: not worth a line in the console's audit log (reading never is). */
  audited?: boolean;
  /** Budget per API key or session; rows without either draw from the address's budget only. */
  limit: RowLimit;
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
  /** Largest JSON body; 1 MiB unless said. */
  maxBodyBytes?: number;
  /** True when the body may bring a file: as base64 in `data`, or as a form. */
  takesFile?: boolean;
  /** True when the call takes an Idempotency-Key. */
  idempotent?: boolean;
  /**
   * What a key needs for a row without a command (a command's rows need what it needs).
   * `by_content`: what is asked for in the body is looked at one by one.
   */
  scope?: Scope | 'by_content';
  /** Looks at the request before its body is read; throws what refuses it. */
  admits?(request: FastifyRequest): void;
  /** True: `?ticket=` may stand in for the key (access/stream-tickets.ts). */
  takesTickets?: boolean;
  requestExample?: unknown;
  /** True: what it answers can be gone for good (410). */
  contentExpires?: boolean;
  answers: Record<number, AnswerDoc>;
}

/** A row as the server runs it; made by `route`. */
export interface Route extends RouteFacts {
  /** Null: the row answers by itself (`toAnswer`), or passes the request on (`forward`). */
  command: CommandName | null;
  /** Passes the request on as it came; its schemas are for the document only. */
  forward?: Forward;
  /** Answers by itself, knowing the request. */
  handle?: Handle;
  /** Takes requests of this row that ask for a WebSocket. */
  openSocket?: OpenSocket;
  toInput(checked: Checked<unknown, unknown, unknown>, caller: Caller | undefined): unknown;
  toAnswer(result: unknown, checked: Checked<unknown, unknown, unknown>): Answer;
}

/** Passes a request on and answers what came back. */
export type Forward = (request: FastifyRequest, caller: Caller) => Promise<Answer>;

/** What a row without a command knows of its request. */
export interface Visit<P, Q, B> extends Checked<P, Q, B> {
  request: FastifyRequest;
  /** Who is signed in; always there in rows with `auth: 'session'`. */
  session: ConsoleSession | undefined;
  caller: Caller | undefined;
  execute: Execute;
  clock: Clock;
  /** Aborted when the client hangs up before it is answered. */
  hangUp: AbortSignal;
}
type Handle = (visit: Visit<unknown, unknown, unknown>) => Promise<Answer>;
/** Checks the request (a throw is its answer), and answers what to do with the socket. */
type OpenSocket = (visit: Visit<unknown, unknown, unknown>) => Promise<(socket: WebSocket) => void>;

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

/**
 * A row that maps to a command, with its types joined: schema → input → command → output → answer.
 */
export function route<
  N extends CommandName,
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  row: Omit<RouteFacts, 'params' | 'query' | 'body'> & {
    command: N;
    params?: P;
    query?: Q;
    body?: B;
    in: (checked: Checked<Parsed<P>, Parsed<Q>, Parsed<B>>) => Input<N>;
    out: (result: Output<N>, checked: Checked<Parsed<P>, Parsed<Q>, Parsed<B>>) => Answer;
  },
): Route {
  const { in: toInput, out: toAnswer, ...facts } = row;
  return {
    ...facts,
    // The server hands over what this row's own schemas produced, and this row's own command's
    // result.
    toInput: (checked) => toInput(checked as Checked<Parsed<P>, Parsed<Q>, Parsed<B>>),
    toAnswer: (result, checked) => toAnswer(result as Output<N>, checked as Checked<Parsed<P>, Parsed<Q>, Parsed<B>>),
  };
}

/** A row that needs no command (liveness probes). */
export function plainRoute(row: RouteFacts & { answer: () => Answer }): Route {
  const { answer, ...facts } = row;
  return { ...facts, command: null, toInput: () => undefined, toAnswer: () => answer() };
}

/** A row that passes its requests on. */
export function forwardRoute(row: RouteFacts & { forward: Forward }): Route {
  return { ...row, command: null, toInput: () => undefined, toAnswer: () => ({ status: 204 }) };
}

/** A row that is no command: people, sessions, live streams. */
export function handlerRoute<
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  row: Omit<RouteFacts, 'params' | 'query' | 'body'> & {
    params?: P;
    query?: Q;
    body?: B;
    handle: (visit: Visit<Parsed<P>, Parsed<Q>, Parsed<B>>) => Promise<Answer>;
    openSocket?: (visit: Visit<Parsed<P>, Parsed<Q>, Parsed<B>>) => Promise<(socket: WebSocket) => void>;
  },
): Route {
  // The server hands over what this row's own schemas produced.
  const handle = row.handle as Handle;
  const openSocket = row.openSocket as OpenSocket | undefined;
  return { ...row, handle, openSocket, command: null, toInput: () => undefined, toAnswer: () => ({ status: 204 }) };
}

/** How a dialect words a failure. The body is JSON. */
export interface ErrorAnswer {
  status: number;
  body: Record<string, unknown>;
}

/** An event as webhooks of a dialect get it. */
export interface DocumentedEvent {
  name: string;
  summary: string;
  description: string;
  /** The whole body. */
  schema: z.ZodType;
}

/** What no row takes, below a dialect's prefix. */
export interface Fallback {
  auth?: 'key' | 'session';
  limit: Route['limit'];
  maxBodyBytes?: number;
  /** What a key needs to read, and to do anything else. */
  scopes: { read: Scope; write: Scope };
  forward: Forward;
}

/** One published API: a prefix, its rows, and its way to word errors. */
export interface Dialect {
  name: string;
  /** Without a trailing slash. */
  prefix: string;
  title: string;
  description: string;
  /** Answers carry `Access-Control-Allow-Origin: *`, and preflights are answered without a key. */
  cors: boolean;
  ipLimit: IpLimit;
  /** True: every call that changes something must come from the console's own pages. */
  sameOrigin?: boolean;
  /** Members of bodies that a row does not know; default: ignored. */
  unknownMembers?: UnknownMembers;
  /** False: left out of the OpenAPI document. */
  published?: boolean;
  routes: Route[];
  errorAnswer(error: AppError): ErrorAnswer;
  /** What its webhooks deliver, for the OpenAPI document. */
  events?: readonly DocumentedEvent[];
  /** Recorded answers and events, as examples for the OpenAPI document. */
  recorded?(): Recorded;
  /** Any of them; `event` says which. */
  event?: z.ZodType;
  /** Shapes of error bodies, for the OpenAPI document. */
  errorSchema: z.ZodType;
  /** Takes what no row takes, below the prefix. */
  fallback?: Fallback;
}

/** A JSON answer. */
export const json = (status: number, body: unknown, headers?: Record<string, string | string[]>): Answer => ({
  status,
  json: body,
  headers,
});

/**
 * Text of a length, without NUL characters (no database text takes them). Lengths in UTF-16 units.
 */
export function text(min: number, max: number, what: string): z.ZodString {
  return z
    .string(`${what} must be a string.`)
    .min(min, min === 1 ? `${what} must not be empty.` : `${what} needs at least ${min} characters.`)
    .max(max, `${what} takes at most ${max} characters.`)
    .refine((value) => !value.includes('\u0000'), `${what} must not contain NUL characters.`);
}
