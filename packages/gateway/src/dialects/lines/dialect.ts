import { readRecorded } from '../../http/openapi/recorded.ts';
import type { Dialect } from '../../http/route.ts';
import { errorAnswer, errorSchema } from './errors.ts';
import { LINES_EVENTS, linesEvent } from './event-schemas.ts';
import { routes } from './routes.ts';

/**
 * The Lines API: lines named by line_id, signed webhooks, idempotent sends; callable from browsers.
 */
export const linesDialect: Dialect = {
  name: 'lines',
  prefix: '/api/bridge',
  title: 'Lines API',
  description: 'Lines named by line_id; sends take an Idempotency-Key; events go to signed webhooks.',
  cors: true,
  unknownMembers: 'refuse',
  ipLimit: 'ip',
  event: linesEvent,
  events: LINES_EVENTS,
  recorded: () => readRecorded('lines'),
  routes,
  errorAnswer,
  errorSchema,
};
