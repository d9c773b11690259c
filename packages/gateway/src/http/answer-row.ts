import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Execute } from '../commands/execute.ts';
import { AppError, invalid } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { sendFile } from './file-answer.ts';
import type { Answer, Checked, Dialect, Forward, Route } from './route.ts';
import { type OnceRequest, runRow } from './run-row.ts';
import { validationError } from './to-app-error.ts';
import { type UnknownMembers, unknownMemberIssues } from './unknown-members.ts';
import { acceptSocket, wantsSocket } from './websocket.ts';
import { brokenTextIssues } from './well-formed.ts';

export interface RowServices {
  execute: Execute;
  clock: Clock;
}

/** Checks a request against its row, runs the row's command and writes the answer. */
export async function answerRow(
  services: RowServices,
  dialect: Dialect,
  row: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (row.forward) return answerForwarded(row.forward, request, reply);
  const checked = check(row, request, dialect.unknownMembers);
  const { command, handle } = row;
  const write = (to: FastifyReply, answer: Answer) => writeAnswer(request, to, answer);
  if (handle) {
    const { session, caller } = request;
    const { execute, clock } = services;
    const visit = { ...checked, request, session, caller, execute, clock, hangUp: hangUpOf(reply) };
    if (!row.openSocket || !wantsSocket(request)) return write(reply, await handle(visit));
    acceptSocket(request, reply, await row.openSocket(visit));
    return reply;
  }
  if (command === null) return write(reply, row.toAnswer(undefined, checked));
  const { caller } = request;
  if (!caller) throw new AppError('unauthorized');
  const outcome = await runRow(services.execute, dialect, row, checked, {
    caller,
    once: onceOf(dialect, row, request),
  });
  if ('answer' in outcome) return write(reply, outcome.answer);
  if (outcome.replayed) reply.header('idempotent-replayed', 'true');
  return reply.code(outcome.saved.status).type('application/json; charset=utf-8').send(outcome.saved.body);
}

function hangUpOf(reply: FastifyReply): AbortSignal {
  const hangUp = new AbortController();
  reply.raw.once('close', () => hangUp.abort());
  return hangUp.signal;
}

function onceOf(dialect: Dialect, row: Route, request: FastifyRequest): OnceRequest | undefined {
  const key = row.idempotent ? request.headers['idempotency-key'] : undefined;
  if (key === undefined) return undefined;
  if (typeof key !== 'string') throw invalid('Idempotency-Key', 'Send the header once.');
  return {
    key,
    method: request.method,
    path: dialect.prefix + row.path,
    params: request.params as Record<string, unknown>,
    spelled: request.originalUrl.split('?', 1)[0] ?? '',
    query: request.query as Record<string, unknown>,
    body: request.body,
  };
}

/** Passes a request on, and the answer back. */
export async function answerForwarded(
  forward: Forward,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (!request.caller) throw new AppError('unauthorized');
  return writeAnswer(request, reply, await forward(request, request.caller));
}

function writeAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
): FastifyReply | Promise<FastifyReply> {
  reply.code(answer.status);
  if (answer.headers) reply.headers(answer.headers);
  if (answer.file) return sendFile(request, reply, answer.file);
  if (answer.stream) return reply.type(answer.stream.contentType).send(answer.stream.data);
  if (answer.bytes) {
    const { contentType, data } = answer.bytes;
    return reply.type(contentType).send(typeof data === 'string' ? data : Buffer.from(data));
  }
  if (answer.json === undefined) return reply.send();
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.json));
}

/**
 * The request's parts as the row's schemas produce them; every wrong field is named in one
 * `validation_error`.
 */
export function check(
  row: Pick<Route, 'params' | 'query' | 'body'>,
  request: { params: unknown; query: unknown; body?: unknown },
  unknownMembers: UnknownMembers = 'ignore',
): Checked<unknown, unknown, unknown> {
  const issues: z.core.$ZodIssue[] = [
    ...(row.body ? brokenTextIssues(request.body) : []),
    ...unknownMemberIssues(row.body, request.body, unknownMembers),
  ];
  const part = (schema: z.ZodType | undefined, value: unknown): unknown => {
    if (!schema) return undefined;
    const result = schema.safeParse(value);
    if (!result.success) issues.push(...result.error.issues);
    return result.data;
  };
  const checked = {
    params: part(row.params, request.params),
    query: part(row.query, request.query),
    body: part(row.body, request.body ?? undefined),
  };
  if (issues.length > 0) throw validationError(issues);
  return checked;
}
