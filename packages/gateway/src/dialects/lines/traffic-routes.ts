import { z } from 'zod';
import type { TrafficPoint } from '../../commands/lines/traffic-series.ts';
import { json, type Route, route } from '../../http/route.ts';
import { queryTime } from '../../http/time-schema.ts';
import * as schemas from './schemas.ts';

const rfc3339 = (ms: number): string => new Date(ms).toISOString();

const seriesQuery = z.object({
  step: z.enum(['hour', 'day'], 'Use hour or day.').default('day'),
  from: queryTime.optional(),
  to: queryTime.optional(),
  line_id: z.string().optional(),
  webhook_id: z.string().optional(),
});

const count = z.int();
const tookMs = z.object({ average: z.int().nullable(), slowest: z.int().nullable() });
const point = z.object({
  at: z.string(),
  messages: z.object({ received: count, sent: count, failed: count }),
  send_ms: tookMs,
  deliveries: z.object({ delivered: count, failed_attempts: count }),
  answer_ms: tookMs,
});
const series = z.object({
  ok: z.literal(true),
  step: z.enum(['hour', 'day']),
  from: z.string(),
  to: z.string(),
  points: point.array(),
});
const restarted = z.object({ ok: z.literal(true), line_id: z.string(), restarted: z.literal(true) });

const took = (sumMs: number, of: number, slowestMs: number) =>
  of === 0 ? { average: null, slowest: null } : { average: Math.round(sumMs / of), slowest: slowestMs };

const pointOf = (of: TrafficPoint) => ({
  at: rfc3339(of.atMs),
  messages: { received: of.received, sent: of.sent, failed: of.failed },
  send_ms: took(of.sendMs, of.sent, of.slowestSendMs),
  deliveries: { delivered: of.delivered, failed_attempts: of.failedAttempts },
  answer_ms: took(of.answerMs, of.delivered + of.failedAttempts, of.slowestAnswerMs),
});

/** What charts show, and a line's restart. */
export const trafficRoutes: Route[] = [
  route({
    method: 'GET',
    path: '/v1/usage/series',
    operation: 'usageSeries',
    summary: 'Messages, webhook deliveries and their latency over time',
    description:
      'By hour (the last 8 days are kept) or by day (400 days), in UTC. Without from: the last 24 hours or 30 days. With line_id: of this line and the webhooks that are its own. With webhook_id: of this webhook. send_ms: from when a message could leave to WhatsApp’s acknowledgement. What a deleted line or webhook carried is gone with it.',
    tag: 'Account',
    auth: 'key',
    limit: 'api',
    query: seriesQuery,
    answers: { 200: { description: 'One point for every step, empty ones too.', schema: series } },
    command: 'account.series',
    in: ({ query }) => ({
      step: query.step,
      fromMs: query.from,
      toMs: query.to,
      line: query.line_id === undefined ? undefined : { id: query.line_id },
      webhookId: query.webhook_id,
    }),
    out: ({ step, fromMs, toMs, points }) =>
      json(200, { ok: true, step, from: rfc3339(fromMs), to: rfc3339(toMs), points: points.map(pointOf) }),
  }),
  route({
    method: 'POST',
    path: '/v1/lines/:line_id/restart',
    operation: 'restartLine',
    summary: 'Restart a line',
    description:
      'Ends its connection and opens it afresh. Pairing and waiting messages stay. Answers once it is started, not once it is connected.',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.lineParams,
    answers: { 200: { description: 'It was restarted.', schema: restarted } },
    command: 'lines.restart',
    in: ({ params }) => ({ line: { id: params.line_id } }),
    out: (_, { params }) => json(200, { ok: true, line_id: params.line_id, restarted: true }),
  }),
];
