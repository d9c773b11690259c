import { z } from 'zod';
import type { Batch, StreamRequest } from '../../commands/events/event-streams.ts';
import type { FollowInput } from '../../commands/events/events.ts';
import type { Execute } from '../../commands/execute.ts';
import { AppError, invalid } from '../../core/app-error.ts';
import { pumpSocket } from '../../http/event-socket.ts';
import { eventSource } from '../../http/event-source.ts';
import { handlerRoute, json, type Route, route, type Visit } from '../../http/route.ts';
import { errorAnswer } from './errors.ts';
import { linesEvent } from './event-schemas.ts';
import { done, limitOf } from './schemas.ts';
import { EVENT_NAMES } from './webhook-format.ts';

const CURSOR_WORDS = 'Use a cursor from an earlier answer, now, or oldest.';
const CURSOR = /^\d{1,15}$/;
const cursorSchema = z
  .string(CURSOR_WORDS)
  .refine((text) => text === 'now' || text === 'oldest' || CURSOR.test(text), CURSOR_WORDS)
  .transform((text): StreamRequest['after'] => (text === 'now' || text === 'oldest' ? text : Number(text)));

const query = z.object({
  after: cursorSchema.optional().meta({
    type: 'string',
    description:
      'Where to go on: next_cursor or the id of the last event; oldest for everything kept; now (the default) for what is yet to come. The header Last-Event-ID goes before it.',
  }),
  line_id: z.string('line_id must be a string.').max(128).optional().meta({ description: 'Only events of this line.' }),
  events: z
    .string('Give the names with commas between them.')
    .max(2_000)
    .default('*')
    .transform((names) => names.split(',').map((name) => name.trim()))
    .meta({ type: 'string', description: `Names with commas between them, or * for all: ${EVENT_NAMES.join(', ')}.` }),
  wait: z.coerce
    .number('Use whole seconds from 0 to 60.')
    .int('Use whole seconds from 0 to 60.')
    .min(0, 'Use whole seconds from 0 to 60.')
    .max(60, 'Use whole seconds from 0 to 60.')
    .default(0)
    .meta({ description: 'Seconds to wait when there is no event; of JSON answers only.' }),
  limit: limitOf(500, 100),
  ticket: z.string().max(256).optional().meta({ description: 'In place of the key, where no header can be sent.' }),
});
type Query = z.output<typeof query>;

const page = done.extend({ events: linesEvent.array(), next_cursor: z.string(), has_more: z.boolean() });
const ticket = done.extend({ ticket: z.string(), expires_at: z.string() });

function asked({ query: of, request }: Pick<Visit<undefined, Query, undefined>, 'query' | 'request'>): FollowInput {
  const header = request.headers['last-event-id'];
  const last = typeof header === 'string' && header !== '' ? cursorSchema.safeParse(header) : undefined;
  if (last && !last.success) throw invalid('Last-Event-ID', CURSOR_WORDS);
  return {
    after: last?.data ?? of.after ?? 'now',
    line: of.line_id === undefined ? undefined : { id: of.line_id },
    events: of.events,
  };
}

const endBody = (error: AppError) => errorAnswer(error).body;

/** The bodies are passed on as they were rendered: the same bytes that webhooks get. */
const pageOf = ({ events, cursor, hasMore }: Batch) =>
  `{"ok":true,"events":[${events.map(({ body }) => body).join(',')}],"next_cursor":"${cursor}","has_more":${hasMore}}`;

type Caller = Parameters<Execute['run']>[2];
function callerOf({ caller }: { caller: Caller | undefined }): Caller {
  if (!caller) throw new AppError('unauthorized');
  return caller;
}

const common = { tag: 'Events', auth: 'key', limit: 'events' } as const;

/** Live streams of the events that webhooks get, for those who cannot receive webhooks. */
export const eventRoutes: Route[] = [
  handlerRoute({
    ...common,
    method: 'GET',
    path: '/v1/events',
    operation: 'followEvents',
    contentExpires: true,
    scope: 'events:read',
    summary: 'Events as they happen, and those since a cursor',
    description:
      'Three ways to the same events, with the bodies of webhooks: JSON pages (with wait: long polling), server-sent events with Accept: text/event-stream, and a WebSocket with Upgrade: websocket. Every event comes after the one before it, none twice and none left out, across reconnects too: go on with after or Last-Event-ID.',
    takesTickets: true,
    query,
    answers: {
      200: {
        description: 'The next events; or a stream that ends with an event named end.',
        schema: page,
        contentTypes: ['text/event-stream'],
        example: {
          ok: true,
          events: [
            {
              event: 'chat.archived',
              line_id: 'line_xxx',
              data: {
                chat_id: '15550002222@s.whatsapp.net',
                phone: '+15550002222',
                archived: true,
                timestamp: 1777180605,
              },
              id: 'evt_xxx',
              created_at: '2026-04-26T00:00:00.000Z',
            },
          ],
          next_cursor: '4711',
          has_more: false,
        },
      },
    },
    handle: async (visit) => {
      const { request, execute, query: of } = visit;
      const caller = callerOf(visit);
      const input = asked(visit);
      if (request.headers.accept?.includes('text/event-stream')) {
        // Fastify runs GET rows for HEAD too, whose body is not sent.
        if (request.method === 'HEAD') return { status: 200, headers: { 'content-type': 'text/event-stream' } };
        const stream = await execute.run('events.follow', { ...input, via: 'sse' }, caller);
        return eventSource(stream, { clock: visit.clock, endBody });
      }
      const batch = await execute.run(
        'events.pull',
        { ...input, waitMs: of.wait * 1_000, limit: of.limit, hangUp: visit.hangUp },
        caller,
      );
      const bytes = { contentType: 'application/json; charset=utf-8', data: pageOf(batch) };
      return { status: 200, bytes, headers: { 'cache-control': 'no-store' } };
    },
    openSocket: async (visit) => {
      const stream = await visit.execute.run('events.follow', { ...asked(visit), via: 'websocket' }, callerOf(visit));
      return (socket) => void pumpSocket(socket, stream, { clock: visit.clock, endBody });
    },
  }),
  route({
    ...common,
    method: 'POST',
    path: '/v1/events/tickets',
    operation: 'makeEventTicket',
    summary: 'A ticket that opens one’s event streams for a minute, for browsers',
    description:
      'EventSource and WebSocket of browsers send no headers: a server of yours asks for a ticket and gives it to the page, which opens /v1/events?ticket=… with it. It is worth the streams of this key and nothing else. A stream that is open goes on when its ticket is over.',
    answers: { 200: { description: 'The ticket.', schema: ticket } },
    command: 'events.ticket',
    in: () => ({}),
    out: ({ ticket: text, expiresAt }) =>
      json(
        200,
        { ok: true, ticket: text, expires_at: new Date(expiresAt).toISOString() },
        { 'cache-control': 'no-store' },
      ),
  }),
];
