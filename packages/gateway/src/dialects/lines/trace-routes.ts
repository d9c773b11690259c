import { z } from 'zod';
import { TRACE_MINUTES_MAX, type TracePage } from '../../core/line-commands.ts';
import { json, type Route, route } from '../../http/route.ts';
import { lineParams } from './schemas.ts';

const minutes = z
  .int('Use a whole number of minutes.')
  .min(1, 'At least 1 minute.')
  .max(TRACE_MINUTES_MAX, `At most ${TRACE_MINUTES_MAX} minutes.`)
  .default(60)
  .meta({ description: 'After so long it ends by itself.' });
const traceBody = z.object({ minutes }).default({ minutes: 60 });
const traceQuery = z.object({
  after: z.coerce
    .number()
    .int('Use the cursor of an earlier answer.')
    .min(0, 'Use the cursor of an earlier answer.')
    .max(Number.MAX_SAFE_INTEGER, 'Use the cursor of an earlier answer.')
    .default(0)
    .meta({ description: 'The cursor of the answer before.' }),
});

const stanza = z.object({
  number: z.int().meta({ description: 'Grows by one with every stanza.' }),
  time: z.string().meta({ description: 'When it was seen (RFC 3339).' }),
  direction: z.enum(['in', 'out', 'note']).meta({ description: 'note: what became of the connection.' }),
  stanza: z.string().meta({ description: 'Tags, ids, types, codes and times; of the rest the length.' }),
});
const trace = z.object({
  ok: z.literal(true),
  line_id: z.string(),
  tracing: z.boolean().meta({ description: 'True while stanzas are looked at.' }),
  ends_at: z.string().nullable().meta({ description: 'When it ends, or ended; null: it never began.' }),
  cursor: z.int().meta({ description: 'For ?after= of the next call.' }),
  lost: z.int().meta({ description: 'Stanzas since then that were too many to be kept.' }),
  stanzas: z.array(stanza).meta({ description: 'What was seen since then, oldest first.' }),
});

const rfc3339 = (ms: number): string => new Date(ms).toISOString();
const shown = (page: TracePage, { params }: { params: { line_id: string } }) =>
  json(
    200,
    {
      ok: true,
      line_id: params.line_id,
      tracing: page.isOn,
      ends_at: page.endsAt === null ? null : rfc3339(page.endsAt),
      cursor: page.cursor,
      lost: page.lost,
      stanzas: page.entries.map(({ number, at, direction, stanza }) => ({
        ...{ number, time: rfc3339(at), direction, stanza },
      })),
    },
    { 'cache-control': 'no-store' },
  );

const facts = { tag: 'Lines', auth: 'key', limit: 'api', params: lineParams } as const;
const path = '/v1/lines/:line_id/trace';

/** The log of a line's stanzas, for reports of what broke (docs/live.md). */
export const traceRoutes: Route[] = [
  route({
    ...facts,
    ...{ method: 'POST', path, operation: 'startTrace', summary: 'Begin a log of a line’s stanzas' },
    description:
      'For a report of what broke. Tags, ids, types, codes and times only: addresses become pn-1, lid-2 or group-1, and of texts, names and keys the length is left. Kept in memory, the newest ones, until its time is over.',
    body: traceBody,
    requestExample: { minutes: 60 },
    answers: { 200: { description: 'It began.', schema: trace } },
    command: 'lines.startTrace',
    in: ({ params, body }) => ({ line: { id: params.line_id }, minutes: body.minutes }),
    out: shown,
  }),
  route({
    ...facts,
    ...{ method: 'GET', path, operation: 'readTrace', summary: 'Stanzas of a line that is traced' },
    description: 'At most 200 a call. What was seen stays for a minute after the end.',
    query: traceQuery,
    answers: { 200: { description: 'What was seen after the cursor, oldest first.', schema: trace } },
    command: 'lines.readTrace',
    in: ({ params, query }) => ({ line: { id: params.line_id }, after: query.after }),
    out: shown,
  }),
  route({
    ...facts,
    ...{ method: 'DELETE', path, operation: 'stopTrace', summary: 'End the log of a line’s stanzas' },
    answers: { 200: { description: 'It is off.', schema: trace } },
    command: 'lines.stopTrace',
    in: ({ params }) => ({ line: { id: params.line_id } }),
    out: shown,
  }),
];
