import type { z } from 'zod';
import type { EventType } from '../../core/events.ts';
import { json, type Route, route } from '../../http/route.ts';
import { rfc3339, rfc3339OrNull } from './answers.ts';
import * as schemas from './schemas.ts';

/** Events of a line's timeline, by what they are about. */
const KINDS: Record<z.output<typeof schemas.timelineKind>, readonly EventType[]> = {
  messages: [
    'message.received',
    'message.sent',
    'message.status',
    'message.edited',
    'message.revoked',
    'message.reaction',
    'message.undecryptable',
    'poll.vote',
    'event.response',
  ],
  connection: ['line.status', 'offline.preview', 'offline.completed', 'webhook.disabled', 'line.problem'],
};

const common = { tag: 'Lines', limit: 'console', auth: 'session', params: schemas.lineParams } as const;
const lineOf = ({ params }: { params: { line_id: string } }) => ({ line: { id: params.line_id } });
/**
 * What a line's page shows beside the line itself. `bridgeEvents`: what a webhook set here is told
 * about.
 */
export const lineRoutes = (bridgeEvents: readonly string[]): Route[] => [
  route({
    tag: 'Lines',
    limit: 'console',
    auth: 'session',
    method: 'GET',
    role: 'viewer',
    path: '/v1/activity',
    operation: 'lineActivity',
    summary: 'How every line does: its process, what waits, and the messages of the last 24 hours',
    answers: { 200: { description: 'One entry for every line.', schema: schemas.activity } },
    command: 'lines.activity',
    in: () => ({}),
    out: (lines) =>
      json(200, {
        lines: lines.map(({ lineId, process, ...rest }) => ({
          line_id: lineId,
          state: process.state,
          health: process.health,
          ...rest,
        })),
      }),
  }),
  route({
    ...common,
    method: 'GET',
    role: 'viewer',
    path: '/v1/lines/:line_id/timeline',
    operation: 'lineTimeline',
    summary: 'What happened on a line, newest first',
    query: schemas.timelineQuery,
    answers: { 200: { description: 'Events.', schema: schemas.timeline } },
    command: 'lines.timeline',
    in: ({ params, query: { kind, ...page } }) => ({
      line: { id: params.line_id },
      ...page,
      types: kind && KINDS[kind],
    }),
    out: ({ events, next }) =>
      json(200, {
        events: events.map(({ createdAt, ...event }) => ({ ...event, created_at: rfc3339(createdAt) })),
        next,
      }),
  }),
  route({
    ...common,
    method: 'GET',
    role: 'viewer',
    path: '/v1/lines/:line_id/process',
    operation: 'lineProcess',
    summary: 'The process that hosts a line, and where its Bridges webhook goes',
    answers: { 200: { description: 'Process.', schema: schemas.process } },
    command: 'lines.get',
    in: lineOf,
    out: ({ process, webhookUrl }) =>
      json(200, {
        state: process.state,
        health: process.health,
        started_at: rfc3339OrNull(process.startedAt),
        fail_count: process.failCount,
        worker: process.worker,
        webhook_url: webhookUrl,
      }),
  }),
  route({
    ...common,
    method: 'PUT',
    path: '/v1/lines/:line_id/webhook-url',
    operation: 'setLineWebhook',
    summary: "Where a line's events go in the Bridges format; null takes it away",
    body: schemas.webhookUrlBody,
    answers: { 200: { description: 'Changed.', schema: schemas.done } },
    command: 'lines.setWebhook',
    in: ({ params, body }) => ({ line: { id: params.line_id }, url: body.url, defaultEvents: bridgeEvents }),
    out: () => json(200, { ok: true }),
  }),
  route({
    ...common,
    method: 'GET',
    role: 'viewer',
    path: '/v1/lines/:line_id/stats',
    operation: 'lineStats',
    summary: 'Figures of the process that hosts a line',
    answers: { 200: { description: 'Figures.', schema: schemas.stats } },
    command: 'lines.stats',
    in: lineOf,
    out: (stats) =>
      json(200, {
        worker: stats.worker,
        lines_in_worker: stats.linesInWorker,
        heap_used_bytes: stats.heapUsedBytes,
        rss_bytes: stats.rssBytes,
        event_loop_lag_ms: stats.eventLoopLagMs,
      }),
  }),
];
