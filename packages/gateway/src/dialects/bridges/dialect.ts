import { readRecorded } from '../../http/openapi/recorded.ts';
import type { Dialect } from '../../http/route.ts';
import { errorAnswer, errorSchema } from './errors.ts';
import { BRIDGES_EVENTS, bridgesEvent } from './event-schemas.ts';
import { routes } from './routes.ts';

/** The Bridges API: one bridge per phone number, named by the caller's own reference. */
export const bridgesDialect: Dialect = {
  name: 'bridges',
  prefix: '/api/instances',
  title: 'Bridges API',
  description:
    'One bridge per phone number, named by your own customer_ref; events go to the webhook_url of the bridge. Callable from browsers: every answer carries Access-Control-Allow-Origin: *.',
  cors: true,
  unknownMembers: 'near',
  ipLimit: 'ip',
  event: bridgesEvent,
  events: BRIDGES_EVENTS,
  recorded: () => readRecorded('bridges'),
  routes,
  errorAnswer,
  errorSchema,
};
