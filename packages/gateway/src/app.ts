import { rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rulesPerMinute } from './access/rate-limit.ts';
import { fetchLiveVersion, fetchSandboxVersion } from './client-version/fetch-version.ts';
import { openVersionDesk, type VersionDesk } from './client-version/version-desk.ts';
import type { Services } from './commands/context.ts';
import { type Canary, openCanary } from './commands/lines/canary.ts';
import { finishDeletions } from './commands/lines/delete-line.ts';
import { watchProblems } from './commands/problems/watch-problems.ts';
import { composeFront, type FrontParts } from './compose-front.ts';
import { type Config, type Environment, isBehindProxy } from './config/config.ts';
import { systemClock } from './core/clock.ts';
import { bridgesWebhookFormat } from './dialects/bridges/webhook-format.ts';
import type { LiveStreams } from './dialects/console/live-stream.ts';
import { linesWebhookFormatAt } from './dialects/lines/webhook-format.ts';
import { builtInVersion, createEndpoints } from './endpoints.ts';
import { endMasterKeyRotation, type Installation, openInstallation } from './installation.ts';
import { createEventFeed, type EventFeed } from './journal/event-feed.ts';
import { createNews, type News } from './journal/news.ts';
import { forkWorkers } from './lines/workers/fork-worker.ts';
import { createSupervisor } from './lines/workers/supervisor.ts';
import { createLinkPreviews } from './media/link-previews.ts';
import { createMedia, keepSpoolTidy, type Media } from './media/media.ts';
import type { Guard } from './net/guarded-fetch.ts';
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
import type { WebhookFormats } from './webhooks/format.ts';
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

/** A database that does not answer yet is asked again for so long. */
const DATABASE_WITHIN_MS = 60_000;
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

/** The steps of the composition, in the order in which they stand on each other. */
async function build(
  options: AppOptions,
  onClose: (close: () => unknown) => void,
  closeAll: () => Promise<void>,
): Promise<App> {
  const data = await openData(options, onClose);
  const simulator = await openSimulator(options, onClose);
  const address: Address = { listening: '', ...baseOf(options.config) };
  const delivery = composeDelivery(options, data, address);
  onClose(() => delivery.media.cache.close());
  const { supervisor, versions } = await composeLines(options, data, delivery, simulator);
  onClose(() => versions.close());
  const lineId = options.config.canaryLine;
  const canary = await openCanary({ ...options, store: data.store, router: supervisor, clock: systemClock, lineId });
  watchFigures(data, supervisor, versions, canary);
  const front = composeFront(frontParts(options, data, delivery, { supervisor, versions, simulator, address }));
  delivery.pages.live = front.live;
  const problems = watchProblems({
    ...{ store: data.store, clock: systemClock, log: options.log },
    nudgeDeliveries: front.services.nudgeDeliveries,
    onChange: () => front.live.activity('settings'),
  });
  onClose(() => problems.close());
  onClose(() => supervisor.close());
  onClose(() => delivery.dispatcher.close());
  onClose(() => front.close());
  onClose(() => canary?.close());
  onClose(await keepSpoolTidy(delivery.media, data.store, systemClock, options.log));
  await startAll({ dispatcher: delivery.dispatcher, supervisor, services: front.services, log: options.log });
  front.approvals
    .resume()
    .catch((error: unknown) => options.log.error({ error }, 'going on with approved sends failed'));
  const { host, port } = options.config.http;
  address.listening = await front.http.listen({ host, port });
  return {
    url: address.base(),
    firstStart: () => firstStart(data),
    setUpToken: () => front.access.newSetUpToken(),
    lost: data.lost,
    close: closeAll,
  };
}

/** Where others reach this server: as configured, else where it listens. */
interface Address {
  listening: string;
  base(): string;
}

const baseOf = ({ http }: Config): Pick<Address, 'base'> => ({
  base(this: Address) {
    return http.publicUrl ?? this.listening;
  },
});

interface Data extends Installation {
  metrics: ReturnType<typeof createMetrics>;
  lost: Promise<Error>;
}

/** Database, keys and the lock that makes this the one gateway of its data. */
async function openData(
  { config, environment, log, version }: AppOptions,
  onClose: (close: () => unknown) => void,
): Promise<Data> {
  const metrics = createMetrics(version);
  const installation = await openInstallation(environment, config, {
    onError: (error) => log.error({ error }, 'the store reported a failure'),
    onCommitted: metrics.process.store.committed,
    waitMs: DATABASE_WITHIN_MS,
    onWait: (error) =>
      log.warn({ reason: error.message }, 'the database does not answer; it is asked again for a minute'),
  });
  onClose(() => installation.close());
  const { mendedFiles } = installation;
  if (mendedFiles.length > 0) {
    log.warn({ files: mendedFiles }, 'files of the data directory could be read by other users; now they cannot');
  }
  const lost = Promise.withResolvers<Error>();
  const lock = await takeGatewayLock(config, {
    clock: systemClock,
    onCut: (error) => log.warn({ error }, 'the connection that holds this database was cut; it is taken again'),
    onLost: lost.resolve,
  });
  onClose(() => lock.release());
  await endMasterKeyRotation(installation, log);
  return { ...installation, metrics, lost: lost.promise };
}

/** What leaves this server by itself: webhooks, live streams, files. */
interface Delivery {
  guard: Guard;
  media: Media;
  formats: WebhookFormats;
  dispatcher: ReturnType<typeof createDispatcher>;
  news: News;
  feed: EventFeed;
  /** The console's open pages; nobody looks before the front door is built. */
  pages: { live?: LiveStreams };
}

function composeDelivery({ config, log }: AppOptions, { store, ring, metrics }: Data, address: Address): Delivery {
  const clock = systemClock;
  const guard = createOutboundGuard(config);
  const formats = { bridges: bridgesWebhookFormat, lines: linesWebhookFormatAt(() => address.base()) };
  const pages: Delivery['pages'] = {};
  const told = watched(metrics.deliveries, () => pages.live?.activity());
  return {
    guard,
    formats,
    pages,
    media: createMedia({ ...config.media, clock, log }),
    dispatcher: createDispatcher({ store, ring, formats, clock, guard, log, metrics: told }),
    news: createNews(clock),
    feed: createEventFeed({ store, clock, log }),
  };
}

/** The workers that host the lines, and what their nudges wake. */
async function composeLines(
  { config, log }: AppOptions,
  { store, masterKey, metrics }: Data,
  { dispatcher, feed, guard, media, news, pages }: Delivery,
  simulator: () => SimulatorAddress | undefined,
): Promise<{ supervisor: ReturnType<typeof createSupervisor>; versions: VersionDesk }> {
  const clock = systemClock;
  const supervisor = createSupervisor({
    config: {
      workers: config.workers.count,
      isolation: config.workers.isolation,
      setup: {
        databaseUrl: config.database.url,
        masterKey,
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
      pages.live?.activity();
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
  return { supervisor, versions };
}

function watchFigures(
  { store, metrics }: Data,
  supervisor: ReturnType<typeof createSupervisor>,
  versions: VersionDesk,
  canary: Canary | undefined,
): void {
  const now = () => systemClock.now();
  metrics.watch({
    lines: () => supervisor.lineCounts(),
    workers: () => supervisor.workerFigures(),
    workerCrashes: () => supervisor.workerCrashes(),
    sendsWaiting: async () => backlogAt(await sendBacklog(store.db, now()), now()),
    inboxWaiting: async () => backlogAt(await inboxBacklog(store), now()),
    databaseBytes: () => databaseSize(store),
    clientVersion: () => versions.known(),
    canary: () => canary?.figures(),
  });
}

/** What the front door is built on. */
function frontParts(
  { config, log, version, consoleFolder, simulator: given }: AppOptions,
  data: Data,
  { guard, media, formats, dispatcher, news, feed }: Delivery,
  outside: {
    supervisor: ReturnType<typeof createSupervisor>;
    versions: VersionDesk;
    simulator: () => SimulatorAddress | undefined;
    address: Address;
  },
): FrontParts {
  const { store, ring, keys, metrics } = data;
  const { supervisor, versions, simulator, address } = outside;
  const clock = systemClock;
  return {
    ...{ store, ring, keys, clock, log },
    accountId: data.defaultAccountId,
    guard,
    media,
    previews: createLinkPreviews({ guard, clock }),
    formats,
    news,
    feed,
    router: supervisor,
    liveLines: supervisor.live,
    testWebhook: createWebhookTester({ store, ring, formats, clock, guard }),
    nudgeDispatcher: () => dispatcher.nudge(),
    simulator: () => {
      const at = simulator();
      return at && { baseUrl: `http://127.0.0.1:${at.port}`, token: at.controlToken };
    },
    streams: { metrics: metrics.streams },
    publicUrl: () => address.base(),
    freeDiskBytes: () => freeBytesIn(config.dataDir),
    metrics,
    onRequestDone: metrics.http.answered,
    settings: {
      version,
      consoleFolder,
      publicUrl: config.http.publicUrl ?? '/',
      trustProxy: config.http.trustProxy,
      isBehindProxy: isBehindProxy(config),
      metricsToken: config.http.metricsToken,
      adminToken: config.http.adminToken,
      allowInsecureCookies: config.http.allowInsecureCookies,
      isSandboxOn: given !== undefined || config.sandbox.isOn,
      limits: rulesPerMinute(config.rateLimits),
      mcpHosts: { ...config.http, allowedHosts: config.http.mcpAllowedHosts },
      ready: createReadiness(store, clock),
      clientVersion: () => versions.known(),
    },
  };
}

const backlogAt = ({ count, oldestAt }: { count: number; oldestAt: number | null }, nowMs: number) => ({
  count,
  oldestAgeSeconds: oldestAt === null ? 0 : Math.max(0, nowMs - oldestAt) / 1_000,
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

/** Undefined where the file system does not say. */
async function freeBytesIn(folder: string): Promise<number | undefined> {
  const of = await statfs(folder).catch(() => undefined);
  return of && of.bavail * of.bsize;
}

async function firstStart({ store, keys, defaultAccountId }: Installation): Promise<{ testKey: string } | undefined> {
  if (!(await claimSetting(store.db, FIRST_START, String(systemClock.now())))) return undefined;
  const { key } = await keys.create({ accountId: defaultAccountId, mode: 'test', name: 'quick start' });
  return { testKey: key };
}
