import type { ApiKeys } from '../../access/api-keys.ts';
import type { Approvals } from '../../commands/approvals/approvals.ts';
import type { Alerts } from '../../commands/problems/alerts.ts';
import type { Clock } from '../../core/clock.ts';
import { flatErrorAnswer, flatErrorSchema } from '../../http/flat-errors.ts';
import type { RequestLog } from '../../http/request-log.ts';
import { type Dialect, handlerRoute, type Route } from '../../http/route.ts';
import { alertRoutes } from './alert-routes.ts';
import { approvalRoutes } from './approval-routes.ts';
import { keyRoutes } from './key-routes.ts';
import { lineRoutes } from './line-routes.ts';
import type { LiveStreams } from './live-stream.ts';
import { logRoutes } from './log-routes.ts';
import { passkeyRoutes } from './passkey-routes.ts';
import { peopleRoutes } from './people-routes.ts';
import { problemRoutes } from './problem-routes.ts';
import { type SessionServices, sessionRoutes } from './session-routes.ts';
import { webhookRoutes } from './webhook-routes.ts';

export interface ConsoleServices extends SessionServices {
  keys: ApiKeys;
  clock: Clock;
  live: LiveStreams;
  approvals: Approvals;
  alerts: Alerts;
  requestLog: RequestLog;
  /**
   * Rows of a published API: the console calls them as a key would, with the session in its place.
   */
  published: readonly Route[];
  /** Events of a webhook that is set on a line's page. */
  bridgeEvents: readonly string[];
}

const PREFIX = '/api/console';
export const CONSOLE_SANDBOX_PREFIX = `${PREFIX}/v1/sandbox`;

/**
 * The same rows for signed-in users. Every user may read, unless the command's own scope says
 * otherwise.
 */
export const forSessions = (rows: readonly Route[], audited = true): Route[] =>
  rows
    .filter(({ auth }) => auth === 'key')
    .map((row) => ({
      ...row,
      auth: 'session',
      limit: 'console',
      role: row.method === 'GET' ? 'viewer' : 'developer',
      audited,
    }));

/**
 * The console's API. It has no private door: lines, messages and webhooks are the rows of the
 * published API; its own rows are people, sessions, keys, a line's history and the live stream.
 */
export function createConsoleDialect(services: ConsoleServices): Dialect {
  const stream: Route = handlerRoute({
    method: 'GET',
    path: '/v1/stream',
    operation: 'consoleStream',
    summary: 'What changes, as it changes, in both modes (server-sent events)',
    tag: 'Live',
    auth: 'session',
    role: 'viewer',
    limit: 'console',
    answers: { 200: { description: 'Events.', contentTypes: ['text/event-stream'] } },
    handle: async ({ session, caller }) => {
      if (!session || !caller) return { status: 401 };
      return services.live.open(session, caller);
    },
  });
  return {
    name: 'console',
    prefix: PREFIX,
    title: 'Console',
    description: 'What the web console calls.',
    cors: false,
    sameOrigin: true,
    published: false,
    ipLimit: 'console_ip',
    routes: [
      ...sessionRoutes(services),
      ...passkeyRoutes(services),
      ...peopleRoutes(services.access),
      ...keyRoutes(services),
      ...approvalRoutes(services.approvals),
      ...lineRoutes(services.bridgeEvents),
      ...webhookRoutes,
      ...problemRoutes,
      ...alertRoutes(services.alerts),
      ...logRoutes(services.requestLog),
      stream,
      ...forSessions(services.published),
    ],
    errorAnswer: flatErrorAnswer,
    errorSchema: flatErrorSchema,
  };
}

/**
 * The sandbox for the console: the same calls below the console's own prefix. Not audited: it is a
 * toy world.
 */
export const forConsole = (sandbox: Dialect): Dialect => ({
  ...sandbox,
  name: 'console-sandbox',
  sameOrigin: true,
  published: false,
  ipLimit: 'console_ip',
  routes: forSessions(sandbox.routes, false),
  fallback: sandbox.fallback && { ...sandbox.fallback, auth: 'session', limit: 'console' },
});
