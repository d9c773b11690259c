import { z } from 'zod';
import type { RecentAttempt, RecentEvent } from '../../commands/account/recent.ts';
import type { Caller } from '../../commands/execute.ts';
import { AppError } from '../../core/app-error.ts';
import type { LoggedRequest, RequestLog } from '../../http/request-log.ts';
import { handlerRoute, json, type Route } from '../../http/route.ts';
import { rfc3339, rfc3339OrNull } from './answers.ts';
import * as schemas from './schemas.ts';

const MAX_REQUESTS = 100;
const OK_BELOW = 400;

/** Calls, events, deliveries and changes of lines in one list, newest first. */
export function logRoutes(requestLog: RequestLog): Route[] {
  return [
    handlerRoute({
      method: 'GET',
      path: '/v1/log',
      operation: 'readLog',
      summary: 'What happened last: calls of the API, events, deliveries, changes of lines',
      tag: 'Log',
      auth: 'session',
      role: 'developer',
      limit: 'console',
      answers: { 200: { description: 'The newest of each.', schema: schemas.log } },
      handle: async ({ caller, execute }) => {
        const who = ownerOf(caller);
        const { events, attempts } = await execute.run('account.recent', {}, who);
        const byNumber = new Map(events.map((event) => [event.seq, event]));
        const entries = [
          ...requestLog.latest(who, MAX_REQUESTS).map(requestEntry),
          ...events.map(eventEntry),
          ...attempts.map((attempt) => attemptEntry(attempt, byNumber.get(attempt.eventSeq))),
        ];
        return json(200, {
          entries: entries.toSorted((a, b) => b.at.localeCompare(a.at)),
          bodies_until: rfc3339OrNull(requestLog.bodiesUntil(who) ?? null),
        });
      },
    }),
    handlerRoute({
      method: 'PUT',
      path: '/v1/log/bodies',
      operation: 'keepBodies',
      summary: 'Keep the shape of bodies for an hour, or no longer',
      tag: 'Log',
      auth: 'session',
      role: 'developer',
      limit: 'console',
      body: z.object({ on: z.boolean() }),
      answers: { 200: { description: 'Done.', schema: schemas.done } },
      handle: async ({ caller, body }) => {
        requestLog.keepBodies(ownerOf(caller), body.on);
        return json(200, { ok: true });
      },
    }),
  ];
}

function ownerOf(caller: Caller | undefined): Caller {
  if (!caller) throw new AppError('unauthorized');
  return caller;
}

function requestEntry(of: LoggedRequest) {
  return {
    id: of.requestId,
    kind: 'request' as const,
    at: rfc3339(of.at),
    title: `${of.method} ${of.path}`,
    result: String(of.status),
    ok: of.status < OK_BELOW,
    duration_ms: of.durationMs,
    line_id: of.lineId,
    ids: [of.requestId, of.keyId, of.messageId].filter((id) => id !== null),
    body: of.body,
    answer: of.answer,
  };
}

function eventEntry(of: RecentEvent) {
  const isLine = of.type === 'line.status' || of.type === 'line.problem';
  return {
    id: of.id,
    kind: isLine ? ('line' as const) : ('event' as const),
    at: rfc3339(of.createdAt),
    title: of.type,
    result: isLine ? standingOf(of.payload) : '',
    ok: true,
    duration_ms: null,
    line_id: of.lineId,
    ids: [of.id, messageOf(of.payload)].filter((id) => id !== null),
    body: null,
    answer: null,
  };
}

function attemptEntry(of: RecentAttempt, event: RecentEvent | undefined) {
  return {
    id: `${of.deliveryId} ${of.number}`,
    kind: 'delivery' as const,
    at: rfc3339(of.at),
    title: `${event?.type ?? ''} → ${of.webhookId}`,
    result: `${of.statusCode ?? of.errorClass ?? ''} (${of.number})`,
    ok: of.statusCode !== null && of.statusCode < 300,
    duration_ms: of.durationMs,
    line_id: event?.lineId ?? null,
    ids: [of.deliveryId, of.webhookId, event?.id ?? null, event ? messageOf(event.payload) : null].filter(
      (id) => id !== null,
    ),
    body: null,
    answer: null,
  };
}

function messageOf(payload: string): string | null {
  return /"messageId":"([^"\\]{1,128})"/.exec(payload)?.[1] ?? null;
}

function standingOf(payload: string): string {
  const { status, reason } = JSON.parse(payload) as { status?: string; reason?: string | null };
  return [status, reason].filter(Boolean).join(': ');
}
