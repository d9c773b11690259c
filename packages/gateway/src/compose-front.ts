import { setMaxListeners } from 'node:events';
import type { FastifyInstance } from 'fastify';
import type { ApiKeys } from './access/api-keys.ts';
import { type ConsoleAccess, createConsoleAccess } from './access/console-access.ts';
import { createRateLimiter, type LimitClass, type LimitRule, type RateLimiter } from './access/rate-limit.ts';
import { readTicket } from './access/stream-tickets.ts';
import { createOperator } from './commands/account/operator.ts';
import { type Approvals, createApprovals } from './commands/approvals/approvals.ts';
import type { Services } from './commands/context.ts';
import { createEventStreams, type EventStreamsDeps } from './commands/events/event-streams.ts';
import { createExecute, type Execute } from './commands/execute.ts';
import { createConnectDesk } from './commands/lines/connect-link.ts';
import { type Alerts, createAlerts } from './commands/problems/alerts.ts';
import type { SendMail } from './commands/problems/mailer.ts';
import { createFileFetcher } from './commands/sends/file-fetcher.ts';
import { createFileIntake } from './commands/sends/receive-file.ts';
import { type Change, tellChanges } from './commands/tell-changes.ts';
import { createAdminDialect } from './dialects/admin/dialect.ts';
import { bridgesDialect } from './dialects/bridges/dialect.ts';
import { PUBLISHED_EVENTS } from './dialects/bridges/webhook-format.ts';
import { createConnectDialect } from './dialects/connect/dialect.ts';
import { CONSOLE_SANDBOX_PREFIX, createConsoleDialect, forConsole } from './dialects/console/dialect.ts';
import { createLiveStreams, type LiveStreamServices, type LiveStreams } from './dialects/console/live-stream.ts';
import { linesDialect } from './dialects/lines/dialect.ts';
import { createMcpDialect, type MakeServer } from './dialects/lines/mcp/dialect.ts';
import { createSandboxDialect, type SimulatorControl } from './dialects/sandbox/sandbox-proxy.ts';
import { consoleSignIn } from './http/console-sign-in.ts';
import { createRebindingGuard } from './http/rebinding-guard.ts';
import { createRequestLog, type RequestLog } from './http/request-log.ts';
import type { Dialect } from './http/route.ts';
import { createHttpServer, type HttpServices } from './http/server.ts';
import type { EventFeed } from './journal/event-feed.ts';
import type { News } from './journal/news.ts';

/** What the configuration says about the front door. */
export interface FrontSettings
  extends Pick<
    HttpServices,
    | 'version'
    | 'publicUrl'
    | 'consoleFolder'
    | 'trustProxy'
    | 'isBehindProxy'
    | 'metricsToken'
    | 'ready'
    | 'degraded'
    | 'clientVersion'
  > {
  adminToken?: string;
  allowInsecureCookies: boolean;
  isSandboxOn: boolean;
  /** Budgets that differ from the default ones. */
  limits: Partial<Record<LimitClass, LimitRule>>;
  /** Names the MCP server may be reached by. */
  mcpHosts: Parameters<typeof createRebindingGuard>[0];
  maxWaitingSends?: number;
  /** Undefined where no SMTP server is set. */
  sendMail?: SendMail;
}

/**
 * What stands behind the front door: the data, the router of the lines, and what moves between
 * them.
 */
export interface FrontParts
  extends Omit<Services, 'ending' | 'streams' | 'news' | 'nudgeDeliveries' | 'maxWaitingSends'>,
    Pick<HttpServices, 'metrics' | 'onRequestDone' | 'spans'> {
  keys: ApiKeys;
  /** The account that people who sign in to the console work for. */
  accountId: string;
  news: News;
  feed: EventFeed;
  /** What lines look like at this moment. */
  liveLines: Pick<LiveStreamServices, 'latest' | 'subscribe'>;
  /** Tells the dispatcher that deliveries may be due. */
  nudgeDispatcher(): void;
  /** Where the simulated network is; undefined when there is none. */
  simulator(): SimulatorControl | undefined;
  streams?: Pick<EventStreamsDeps, 'metrics' | 'maxPerKey'>;
  /** Something changed through this node: pages of other nodes show it, too. */
  onChange?(change?: Change): void;
  /** Of a fleet: whether this node does what one node does. */
  isOurs?(): boolean;
  /** Of a fleet: budgets that all nodes share. */
  makeRateLimiter?(limits: FrontSettings['limits']): RateLimiter;
  /** In place of the product's MCP server. */
  mcpServer?: MakeServer;
  settings: FrontSettings;
}

/** Everything a request can reach. Not listening yet. */
export interface Front {
  http: FastifyInstance;
  dialects: readonly Dialect[];
  services: Services;
  execute: Execute;
  approvals: Approvals;
  alerts: Alerts;
  access: ConsoleAccess;
  live: LiveStreams;
  /** Ends streams and what waits, then the server; the feed and the news go with it. */
  close(): Promise<void>;
}

/**
 * Builds the front door: the commands, every dialect over them, and the HTTP server. The product,
 * the tests and the benchmarks build it here; they differ in what stands behind it.
 */
export function composeFront(parts: FrontParts): Front {
  const { store, clock, log, keys, news, feed, settings } = parts;
  const format = parts.formats.lines;
  const streams = createEventStreams({ store, feed, format, clock, log, ...parts.streams });
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const services: Services = {
    store,
    ending: ending.signal,
    ring: parts.ring,
    router: parts.router,
    clock,
    log,
    guard: parts.guard,
    formats: parts.formats,
    news,
    media: parts.media,
    previews: parts.previews,
    testWebhook: parts.testWebhook,
    nudgeDeliveries: () => {
      parts.nudgeDispatcher();
      feed.nudge();
    },
    streams,
    publicUrl: parts.publicUrl,
    freeDiskBytes: parts.freeDiskBytes,
    clockCheck: parts.clockCheck,
    maxWaitingSends: settings.maxWaitingSends,
  };
  const changed = (change?: Change) => {
    live.activity(change);
    parts.onChange?.(change);
  };
  const execute = tellChanges(createExecute(services), changed);
  const access = createConsoleAccess({ store, ring: parts.ring, clock, accountId: parts.accountId });
  const live = createLiveStreams({ ...parts.liveLines, execute, sessions: access.sessions, clock });
  // Pages that show approvals look again.
  const told = watchedNews(news, () => changed());
  const { nudgeDeliveries } = services;
  const approvals = createApprovals({ store, clock, log, news: told, keys, execute, nudgeDeliveries });
  const { guard, ring, accountId, publicUrl } = parts;
  const { sendMail } = settings;
  const { isOurs } = parts;
  const alerts = createAlerts({ store, clock, log, guard, ring, accountId, publicUrl, sendMail, isOurs });
  const limiter = parts.makeRateLimiter?.(settings.limits) ?? createRateLimiter({ clock, limits: settings.limits });
  const mcp = createMcpDialect({
    execute,
    approvals,
    version: settings.version,
    makeServer: parts.mcpServer,
    guard: createRebindingGuard(settings.mcpHosts),
    takeBudget: ({ keyId }, places) => limiter.take('api', keyId, places),
    onFault: (error, tool) => log.error({ error: error.cause, tool }, 'a tool failed'),
    onRefused: (error) => log.debug({ error }, 'an MCP request was refused'),
  });
  const requestLog = createRequestLog(clock);
  const behind = { services, execute, approvals, alerts, access, live, requestLog, changed };
  const dialects = composeDialects(parts, behind, mcp.dialect);
  const http = createHttpServer({ ...httpServices(parts, behind, limiter), requestLog }, dialects);
  return {
    ...{ http, dialects, services, execute, approvals, alerts, access, live },
    async close() {
      ending.abort();
      await alerts.close();
      news.close();
      await mcp.close();
      streams.close();
      feed.close();
      live.close();
      await http.close();
    },
  };
}

/** In the order in which their prefixes are looked at. */
function composeDialects(
  { keys, clock, log, store, simulator, guard, settings }: FrontParts,
  {
    services,
    execute,
    approvals,
    alerts,
    access,
    live,
    requestLog,
  }: Omit<Front, 'http' | 'dialects' | 'close'> & {
    requestLog: RequestLog;
  },
  mcp: Dialect,
): Dialect[] {
  const sandbox = { execute, clock, log, simulator, fetchFile: createFileFetcher(guard) };
  return [
    bridgesDialect,
    // Before the Lines API, whose prefix it shares.
    mcp,
    linesDialect,
    createConnectDialect({ desk: createConnectDesk(services), clock }),
    createAdminDialect({ operator: createOperator({ store, keys, clock }), token: settings.adminToken }),
    createSandboxDialect(sandbox),
    forConsole(createSandboxDialect(sandbox, CONSOLE_SANDBOX_PREFIX)),
    createConsoleDialect({
      access,
      keys,
      clock,
      live,
      approvals,
      alerts,
      requestLog,
      publicUrl: settings.publicUrl,
      version: settings.version,
      clientVersion: settings.clientVersion,
      allowInsecure: settings.allowInsecureCookies,
      isSandboxOn: settings.isSandboxOn,
      published: linesDialect.routes,
      bridgeEvents: PUBLISHED_EVENTS,
    }),
  ];
}

function httpServices(
  { ring, keys, clock, log, media, metrics, onRequestDone, spans, settings }: FrontParts,
  { execute, access, changed }: Pick<Front, 'execute' | 'access'> & { changed(change?: Change): void },
  rateLimiter: RateLimiter,
): HttpServices {
  return {
    execute,
    authenticate: (presented) => keys.authenticate(presented),
    authenticateTicket: async (ticket) => {
      const keyId = readTicket(ring, clock, ticket);
      return keyId === undefined ? undefined : keys.holderOf(keyId);
    },
    ...telling(consoleSignIn(access, settings.publicUrl), () => changed('settings')),
    rateLimiter,
    intake: createFileIntake(media),
    clock,
    log,
    version: settings.version,
    publicUrl: settings.publicUrl,
    consoleFolder: settings.consoleFolder,
    trustProxy: settings.trustProxy,
    ready: settings.ready,
    degraded: settings.degraded,
    clientVersion: settings.clientVersion,
    metrics,
    onRequestDone,
    spans,
    metricsToken: settings.metricsToken,
    isBehindProxy: settings.isBehindProxy,
  };
}

/** News with a second listener. */
const watchedNews = (news: News, onTell: () => void): Pick<News, 'tell' | 'isClosed'> => ({
  tell() {
    news.tell();
    onTell();
  },
  get isClosed() {
    return news.isClosed;
  },
});

/** The console's front door, which also tells open pages of changes made through it. */
const telling = (signIn: ReturnType<typeof consoleSignIn>, onChange: () => void): typeof signIn => ({
  ...signIn,
  async auditSession(call) {
    await signIn.auditSession?.(call);
    onChange();
  },
});
