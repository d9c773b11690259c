import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createConsoleAccess } from './access/console-access.ts';
import { createRateLimiter, rulesPerMinute } from './access/rate-limit.ts';
import { readTicket } from './access/stream-tickets.ts';
import { fetchLiveVersion, fetchSandboxVersion } from './client-version/fetch-version.ts';
import { openVersionDesk } from './client-version/version-desk.ts';
import { createOperator } from './commands/account/operator.ts';
import { createApprovals } from './commands/approvals/approvals.ts';
import type { Services } from './commands/context.ts';
import { createEventStreams } from './commands/events/event-streams.ts';
import { createExecute } from './commands/execute.ts';
import { createConnectDesk } from './commands/lines/connect-link.ts';
import { finishDeletions } from './commands/lines/delete-line.ts';
import { createFileFetcher } from './commands/sends/file-fetcher.ts';
import { createFileIntake } from './commands/sends/receive-file.ts';
import { tellChanges } from './commands/tell-changes.ts';
import { type Config, type Environment, isBehindProxy } from './config/config.ts';
import { systemClock } from './core/clock.ts';
import { createAdminDialect } from './dialects/admin/dialect.ts';
import { bridgesDialect } from './dialects/bridges/dialect.ts';
import { bridgesWebhookFormat, PUBLISHED_EVENTS } from './dialects/bridges/webhook-format.ts';
import { createConnectDialect } from './dialects/connect/dialect.ts';
import { CONSOLE_SANDBOX_PREFIX, createConsoleDialect, forConsole } from './dialects/console/dialect.ts';
import { createLiveStreams } from './dialects/console/live-stream.ts';
import { linesDialect } from './dialects/lines/dialect.ts';
import { createMcpDialect } from './dialects/lines/mcp/dialect.ts';
import { linesWebhookFormatAt } from './dialects/lines/webhook-format.ts';
import { createSandboxDialect } from './dialects/sandbox/sandbox-proxy.ts';
import { builtInVersion, createEndpoints } from './endpoints.ts';
import { consoleSignIn } from './http/console-sign-in.ts';
import { createRebindingGuard } from './http/rebinding-guard.ts';
import { createHttpServer } from './http/server.ts';
import { endMasterKeyRotation, type Installation, openInstallation } from './installation.ts';
import { createEventFeed } from './journal/event-feed.ts';
import { createNews, type News } from './journal/news.ts';
import { forkWorkers } from './lines/workers/fork-worker.ts';
import { createSupervisor } from './lines/workers/supervisor.ts';
import { createMedia, keepSpoolTidy } from './media/media.ts';
import type { Log } from './observe/logger.ts';
import { createMetrics, type DeliveryMetrics } from './observe/metrics.ts';
import { createOutboundGuard } from './outbound-guard.ts';
import { type SimulatorAddress, startSimulatorProcess } from './sandbox/simulator-process.ts';
import { claimSetting } from './store/access/settings.ts';
import { databaseSize } from './store/db/database-size.ts';
import { takeGatewayLock, workersLockFile } from './store/db/gateway-lock.ts';
import { createReadiness } from './store/db/readiness.ts';
import { inboxBacklog } from './store/engine/inbox.ts';
import { sendBacklog } from './store/sends/outbox.ts';
import { createDispatcher } from './webhooks/dispatcher.ts';
import { createWebhookTester } from './webhooks/test-webhook.ts';

export interface AppOptions {
  config: Config;
  environment: Environment;
  log: Log;
  version: string;
  consoleFolder: string;
  /**
   * A simulated network that runs elsewhere; by default the app starts its own when the sandbox is
   * on.
   */
  simulator?: SimulatorAddress;
}

export interface App {
  /** Where it listens. */
  url: string;
  /** The test key of this installation's first start; undefined ever after. */
  firstStart(): Promise<{ testKey: string } | undefined>;
  /**
   * A one-time token that opens the console's first run; undefined once somebody has an account
   * there.
   */
  setUpToken(): Promise<string | undefined>;
  /**
   * Resolves when another gateway took the database while the connection that held it was cut (on
   * PostgreSQL). This process must end then, at once: the other one runs the same lines.
   */
  lost: Promise<Error>;
  /** Drains: no new requests, lines close, what is under way ends. Nothing runs afterwards. */
  close(): Promise<void>;
}

const FIRST_START = 'first_start';
const HEARTBEAT_MS = 2_000;
/** Logins of one worker; WhatsApp looks askance at hundreds at once from one address. */
const CONNECTS_PER_SECOND = 20;
/** Sends that may wait on one line. */
const MAILBOX_CAPACITY = 1_000;
const WORKER_ENTRY = './worker-main.ts';

/** Builds the whole product and starts it. What was begun is taken back when a later step fails. */
export async function createApp(options: AppOptions): Promise<App> {
  const closers: (() => unknown)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await build(options, (close) => void closers.push(close), closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function build(
  options: AppOptions,
  onClose: (close: () => unknown) => void,
  closeAll: () => Promise<void>,
): Promise<App> {
  const { config, environment, log } = options;
  const clock = systemClock;
  const metrics = createMetrics(options.version);
  const installation = await openInstallation(environment, config, {
    onError: (error) => log.error({ error }, 'the store reported a failure'),
    onCommitted: metrics.process.store.committed,
  });
  onClose(() => installation.close());
  const { store, ring, keys, mendedFiles } = installation;
  if (mendedFiles.length > 0) {
    log.warn({ files: mendedFiles }, 'files of the data directory could be read by other users; now they cannot');
  }
  const lost = Promise.withResolvers<Error>();
  const lock = await takeGatewayLock(config, {
    clock,
    onCut: (error) => log.warn({ error }, 'the connection that holds this database was cut; it is taken again'),
    onLost: lost.resolve,
  });
  onClose(() => lock.release());
  await endMasterKeyRotation(installation, log);

  const simulator = await openSimulator(options, onClose);
  const guard = createOutboundGuard(config);
  const media = createMedia({ ...config.media, clock, log });
  onClose(() => media.cache.close());
  let listeningAt = '';
  const baseUrl = () => config.http.publicUrl ?? listeningAt;
  const formats = { bridges: bridgesWebhookFormat, lines: linesWebhookFormatAt(baseUrl) };
  const dispatcher = createDispatcher({
    store,
    ring,
    formats,
    clock,
    guard,
    log,
    metrics: watched(metrics.deliveries, () => live.activity()),
  });
  const news = createNews(clock);
  const feed = createEventFeed({ store, clock, log });
  const streams = createEventStreams({ store, feed, format: formats.lines, clock, log, metrics: metrics.streams });
  const supervisor = createSupervisor({
    config: {
      workers: config.workers.count,
      isolation: config.workers.isolation,
      setup: {
        databaseUrl: config.database.url,
        masterKey: installation.masterKey,
        logLevel: config.logLevel,
        lockFile: config.database.engine === 'sqlite' ? workersLockFile(config.dataDir) : null,
        heartbeatMs: HEARTBEAT_MS,
        connectsPerSecond: CONNECTS_PER_SECOND,
        mailboxCapacity: MAILBOX_CAPACITY,
        sendExpiresMs: config.sendExpiresMs,
        filesFolder: media.spool.folder,
      },
    },
    store,
    clock,
    log,
    metrics: metrics.workers,
    spawnWorker: forkWorkers(fileURLToPath(new URL(WORKER_ENTRY, import.meta.url))),
    endpointFor: createEndpoints({ versionFor: (line) => versions.versionFor(line), simulator }),
    onClient: (told) =>
      told.type === 'client_refused'
        ? versions.refused(told.network, told.version)
        : versions.expires(told.network, told.version, told.at),
    onNudge: () => {
      dispatcher.nudge();
      feed.nudge();
      live.activity();
      news.tell();
    },
  });
  const versions = await openVersionDesk({
    ...{ store, clock, log, builtIn: builtInVersion, environment: config.whatsappVersion },
    fetchLive: () => fetchLiveVersion(guard),
    fetchSandbox: (accountId) => fetchSandboxVersion(simulator()?.port ?? 0, accountId),
    hasLiveLines: () => supervisor.hasLines('live'),
    onChange: (network, version) => supervisor.announce(network, version),
  });
  onClose(() => versions.close());
  metrics.watch({
    lines: () => supervisor.lineCounts(),
    workers: () => supervisor.workerFigures(),
    workerCrashes: () => supervisor.workerCrashes(),
    sendsWaiting: async () => backlogAt(await sendBacklog(store.db, clock.now()), clock.now()),
    inboxWaiting: async () => backlogAt(await inboxBacklog(store), clock.now()),
    databaseBytes: () => databaseSize(store),
    clientVersion: () => versions.known(),
  });
  const services: Services = {
    store,
    ring,
    router: supervisor,
    clock,
    log,
    guard,
    formats,
    news,
    media,
    testWebhook: createWebhookTester({ store, ring, formats, clock, guard }),
    nudgeDeliveries: () => {
      dispatcher.nudge();
      feed.nudge();
    },
    streams,
    publicUrl: baseUrl,
  };
  const execute = tellChanges(createExecute(services), (change) => live.activity(change));
  const access = createConsoleAccess({ store, ring, clock, accountId: installation.defaultAccountId });
  const live = createLiveStreams({ ...supervisor.live, execute, sessions: access.sessions, clock });
  const control = () => {
    const address = simulator();
    return address && { baseUrl: `http://127.0.0.1:${address.port}`, token: address.controlToken };
  };
  const sandbox = { execute, clock, log, simulator: control, fetchFile: createFileFetcher(guard) };
  const approvals = createApprovals({
    store,
    clock,
    log,
    // Pages that show approvals look again.
    news: watchedNews(news, () => live.activity()),
    keys,
    execute,
  });
  const publicUrl = config.http.publicUrl ?? '/';
  const rateLimiter = createRateLimiter({ clock, limits: rulesPerMinute(config.rateLimits) });
  const mcp = createMcpDialect({
    execute,
    approvals,
    version: options.version,
    guard: createRebindingGuard({ ...config.http, allowedHosts: config.http.mcpAllowedHosts }),
    takeBudget: ({ keyId }, places) => rateLimiter.take('api', keyId, places),
    onFault: (error, tool) => log.error({ error: error.cause, tool }, 'a tool failed'),
    onRefused: (error) => log.debug({ error }, 'an MCP request was refused'),
  });
  const http = createHttpServer(
    {
      execute,
      authenticate: keys.authenticate,
      authenticateTicket: async (ticket) => {
        const keyId = readTicket(ring, clock, ticket);
        return keyId === undefined ? undefined : keys.holderOf(keyId);
      },
      ...telling(consoleSignIn(access, publicUrl), () => live.activity('settings')),
      rateLimiter,
      intake: createFileIntake(media),
      clock,
      log,
      version: options.version,
      publicUrl,
      consoleFolder: options.consoleFolder,
      trustProxy: config.http.trustProxy,
      ready: createReadiness(store, clock),
      clientVersion: () => versions.known(),
      metrics,
      onRequestDone: metrics.http.answered,
      metricsToken: config.http.metricsToken,
      isBehindProxy: isBehindProxy(config),
    },
    [
      bridgesDialect,
      // Before the Lines API, whose prefix it shares.
      mcp.dialect,
      linesDialect,
      createConnectDialect({ desk: createConnectDesk(services), clock }),
      createAdminDialect({ operator: createOperator({ store, keys, clock }), token: config.http.adminToken }),
      createSandboxDialect(sandbox),
      forConsole(createSandboxDialect(sandbox, CONSOLE_SANDBOX_PREFIX)),
      createConsoleDialect({
        access,
        keys,
        clock,
        live,
        approvals,
        publicUrl,
        version: options.version,
        clientVersion: () => versions.known(),
        allowInsecure: config.http.allowInsecureCookies,
        isSandboxOn: options.simulator !== undefined || config.sandbox.isOn,
        published: linesDialect.routes,
        bridgeEvents: PUBLISHED_EVENTS,
      }),
    ],
  );
  onClose(() => supervisor.close());
  onClose(() => dispatcher.close());
  onClose(() => http.close());
  onClose(() => live.close());
  onClose(() => {
    streams.close();
    feed.close();
  });
  onClose(() => mcp.close());
  onClose(() => news.close());
  onClose(await keepSpoolTidy(media, store, clock, log));
  await startAll({ dispatcher, supervisor, services, log });
  approvals.resume().catch((error: unknown) => log.error({ error }, 'going on with approved sends failed'));
  const address = await http.listen({ host: config.http.host, port: config.http.port });
  listeningAt = address;
  return {
    url: config.http.publicUrl ?? address,
    firstStart: () => firstStart(installation),
    setUpToken: () => access.newSetUpToken(),
    lost: lost.promise,
    close: closeAll,
  };
}

const backlogAt = ({ count, oldestAt }: { count: number; oldestAt: number | null }, nowMs: number) => ({
  count,
  oldestAgeSeconds: oldestAt === null ? 0 : Math.max(0, nowMs - oldestAt) / 1_000,
});

/** News that somebody else hears of too. */
const watchedNews = (news: News, onTell: () => void): Pick<News, 'tell' | 'isClosed'> => ({
  tell() {
    news.tell();
    onTell();
  },
  get isClosed() {
    return news.isClosed;
  },
});

/** The console's front door, that also tells its pages of what somebody changed through it. */
const telling = (signIn: ReturnType<typeof consoleSignIn>, onChange: () => void): typeof signIn => ({
  ...signIn,
  async auditSession(call) {
    await signIn.auditSession?.(call);
    onChange();
  },
});

/** Delivery metrics that also tell somebody that there is something new. */
const watched = (metrics: DeliveryMetrics, onAttempt: () => void): DeliveryMetrics => ({
  ...metrics,
  attempted(outcome, durationMs) {
    metrics.attempted(outcome, durationMs);
    onAttempt();
  },
});

/** The simulated network of test lines: somebody else's, our own process, or none. */
async function openSimulator(
  { config, log, simulator }: AppOptions,
  onClose: (close: () => unknown) => void,
): Promise<() => SimulatorAddress | undefined> {
  if (simulator) return () => simulator;
  if (!config.sandbox.isOn) return () => undefined;
  const dataFile = join(config.dataDir, config.sandbox.isEphemeral ? 'sandbox-ephemeral.db' : 'sandbox.db');
  if (config.sandbox.isEphemeral) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(dataFile + suffix, { force: true });
  }
  const entry = fileURLToPath(import.meta.resolve('@ponte/simulator/main'));
  const running = await startSimulatorProcess({ entry, dataFile, clock: systemClock, log });
  onClose(() => running.close());
  return running.address;
}

/**
 * Deletions that were cut off are finished in the background: they wait for workers, and nobody
 * waits for them.
 */
async function startAll(parts: {
  dispatcher: ReturnType<typeof createDispatcher>;
  supervisor: ReturnType<typeof createSupervisor>;
  services: Services;
  log: Log;
}): Promise<void> {
  const { dispatcher, supervisor, services, log } = parts;
  await dispatcher.start();
  await supervisor.start();
  finishDeletions(services).catch((error: unknown) => log.error({ error }, 'finishing cut-off deletions failed'));
}

async function firstStart({ store, keys, defaultAccountId }: Installation): Promise<{ testKey: string } | undefined> {
  if (!(await claimSetting(store.db, FIRST_START, String(systemClock.now())))) return undefined;
  const { key } = await keys.create({ accountId: defaultAccountId, mode: 'test', name: 'quick start' });
  return { testKey: key };
}
