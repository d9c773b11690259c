import { statfs } from 'node:fs/promises';
import type { SealFiles } from './access/contents-vault.ts';
import { rulesPerMinute } from './access/rate-limit.ts';
import { openBlobs } from './blobs/open-blobs.ts';
import { proveShared } from './blobs/prove-shared.ts';
import { finishCutOff } from './commands/finish-cut-off.ts';
import { type Canary, openCanary } from './commands/lines/canary.ts';
import { type ClockCheck, createClockCheck } from './commands/problems/clock-check.ts';
import { createMailer } from './commands/problems/mailer.ts';
import { watchProblems } from './commands/problems/watch-problems.ts';
import { type Fleet, openFleet, sharedBudgets } from './compose-fleet.ts';
import { composeFront, type Front, type FrontParts } from './compose-front.ts';
import { composeLines, type Lines, linesOf } from './compose-lines.ts';
import { openSimulator } from './compose-simulator.ts';
import { type Config, isBehindProxy } from './config/config.ts';
import { processEnvironment } from './config/environment.ts';
import type { Environment } from './config/reader.ts';
import { type Clock, systemClock } from './core/clock.ts';
import { bridgesWebhookFormat } from './dialects/bridges/webhook-format.ts';
import type { LiveStreams } from './dialects/console/live-stream.ts';
import { linesWebhookFormatAt } from './dialects/lines/webhook-format.ts';
import { endMasterKeyRotation, openInstallation } from './installation.ts';
import { createEventFeed, type EventFeed } from './journal/event-feed.ts';
import { createNews, type News } from './journal/news.ts';
import type { FleetNews } from './lines/fleet/shared-news.ts';
import { createLinkPreviews } from './media/link-previews.ts';
import { createMedia, keepSpoolTidy, type Media, sealFilesOf } from './media/media.ts';
import type { Guard } from './net/guarded-fetch.ts';
import { createLogger, type Log } from './observe/logger.ts';
import { createMetrics, watchedDeliveries } from './observe/metrics.ts';
import { openSpans } from './observe/open-spans.ts';
import type { Spans } from './observe/spans.ts';
import { createOutboundGuard } from './outbound-guard.ts';
import type { OpenData, Overrides } from './overrides.ts';
import type { SimulatorAddress } from './sandbox/simulator-process.ts';
import { claimSetting } from './store/access/settings.ts';
import { databaseSize } from './store/db/database-size.ts';
import { ALL_DUTIES, type Duties, keepDuties } from './store/db/duties.ts';
import { takeGatewayLock } from './store/db/gateway-lock.ts';
import { createReadiness } from './store/db/readiness.ts';
import { inboxBacklog } from './store/engine/inbox.ts';
import { keepIndexing } from './store/messages/search-index.ts';
import { sendBacklog } from './store/sends/outbox.ts';
import { createDispatcher, type Dispatcher } from './webhooks/dispatcher.ts';
import type { WebhookFormats } from './webhooks/format.ts';
import { createWebhookTester } from './webhooks/test-webhook.ts';

export interface App {
  /** Where it listens. */
  url: string;
  /** The test key of this installation's first start; undefined ever after. */
  firstStart(): Promise<{ testKey: string } | undefined>;
  /**
   * A one-time token that opens the console's first run; undefined once a user has an account
   * there.
   */
  setUpToken(): Promise<string | undefined>;
  /**
   * Resolves when another gateway took the database while the connection that held it was cut (on
   * PostgreSQL). This process must end then, at once: the other one runs the same lines.
   */
  lost: Promise<Error>;
  /** What requests reach. */
  front: Front;
  news: News;
  feed: EventFeed;
  /**
   * The first half of an orderly end: `/readyz` says no from now on, while requests are still
   * answered, and in a fleet the lines go to the other nodes, as many as they take within the time.
   */
  handOver(withinMs: number): Promise<void>;
  /** Drains: no new requests, lines close, what is under way ends. Nothing runs afterwards. */
  close(): Promise<void>;
}

/** How long a start retries a database that does not answer yet. */
const DATABASE_WITHIN_MS = 60_000;
const FIRST_START = 'first_start';
/** In a fleet a load balancer has this long to see that `/readyz` says no. */
const NOTICE_MS = 5_000;

/** What every step of the composition is told. */
interface Given extends Overrides {
  config: Config;
  environment: Environment;
  log: Log;
  version: string;
  clock: Clock;
  onClose(close: () => unknown): void;
  /** Absent: traces are off. */
  spans?: Spans;
}

/**
 * Builds the whole product and starts it; the only composition there is. Tests and benchmarks give
 * their own parts as `overrides`. What was begun is taken back when a later step fails.
 */
export async function createApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const closers: (() => unknown)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  const given: Given = {
    ...overrides,
    config,
    environment: overrides.environment ?? processEnvironment(),
    log: overrides.log ?? createLogger({ level: config.logLevel, process: 'main' }),
    version: overrides.version ?? 'unknown',
    clock: overrides.clock ?? systemClock,
    onClose: (close) => void closers.push(close),
  };
  try {
    return { ...(await build(given)), close: closeAll };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** The steps of the composition, in the order in which they stand on each other. */
async function build(told: Given): Promise<Omit<App, 'close'>> {
  const spans = await openSpans(told.config.tracing, { process: 'main', ...told });
  told.onClose(() => spans?.close());
  const given = { ...told, spans };
  const data = await openData(given);
  const simulator = await openSimulator(given);
  const address: Address = { listening: '', ...baseOf(given.config) };
  const delivery = await composeDelivery(given, data, address);
  const fleet = await openFleet({ ...given, store: data.store, masterKey: data.masterKey, onNews: delivery.wake });
  given.onClose(() => fleet?.close());
  const lines = await openLines(given, data, delivery, { simulator, fleet });
  const state = { isDraining: false };
  const canary = await watchFigures(given, data, lines);
  const front = composeFront(frontParts(given, data, delivery, { lines, simulator, address, fleet, state }));
  delivery.pages.live = front.live;
  given.onClose(() => lines.close());
  given.onClose(() => delivery.dispatcher.close());
  given.onClose(() => front.close());
  given.onClose(() => canary?.close());
  if (given.isStarted !== false) {
    await startAll(given, data, delivery, { lines, front });
    const { host, port } = given.config.http;
    address.listening = await front.http.listen({ host, port });
  }
  return {
    url: address.base(),
    firstStart: () => firstStart(data),
    setUpToken: () => front.access.newSetUpToken(),
    lost: data.lost,
    async handOver(withinMs) {
      state.isDraining = true;
      const notice = fleet ? given.clock.sleep(Math.min(NOTICE_MS, withinMs)) : undefined;
      await Promise.all([lines.handOver(withinMs), notice]);
    },
    front,
    news: delivery.news,
    feed: delivery.feed,
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

interface Data extends OpenData {
  duties: Duties;
  /** Seals the contents of accounts that ask for it, from now on. */
  startSealing(sealFiles: SealFiles): void;
  metrics: ReturnType<typeof createMetrics>;
  lost: Promise<Error>;
}

/** Database, keys and the lock that makes this the one gateway of its data. */
async function openData({ config, environment, log, version, data, onClose }: Given): Promise<Data> {
  const metrics = createMetrics(version);
  const lost = Promise.withResolvers<Error>();
  if (data) return { ...data, metrics, duties: ALL_DUTIES, lost: lost.promise, startSealing: () => {} };
  const installation = await openInstallation(environment, config, {
    onError: (error) => log.error({ error }, 'the store reported a failure'),
    onCommitted: metrics.process.store.committed,
    isOfFleet: config.fleet !== undefined,
    waitMs: DATABASE_WITHIN_MS,
    onWait: (error) =>
      log.warn({ reason: error.message }, 'the database does not answer; it is asked again for a minute'),
  });
  onClose(() => installation.close());
  const { mendedFiles } = installation;
  if (mendedFiles.length > 0) {
    log.warn({ files: mendedFiles }, 'files of the data directory could be read by other users; now they cannot');
  }
  const lock = await takeGatewayLock(config, {
    clock: systemClock,
    onCut: (error) => log.warn({ error }, 'the connection that holds this database was cut; it is taken again'),
    onLost: lost.resolve,
  });
  onClose(() => lock.release());
  await endMasterKeyRotation(installation, log);
  const duties = config.fleet ? keepDuties({ url: config.database.url, clock: systemClock, log }) : ALL_DUTIES;
  onClose(() => duties.close());
  const startSealing = (sealFiles: SealFiles) =>
    installation.contents.start({ log, changes: duties.isOurs, sealFiles });
  return { ...installation, metrics, duties, lost: lost.promise, startSealing };
}

/** What leaves this server by itself: webhooks, live streams, files. */
interface Delivery {
  guard: Guard;
  media: Media;
  formats: WebhookFormats;
  dispatcher: Dispatcher;
  news: News;
  feed: EventFeed;
  clockCheck: ClockCheck;
  /** The console's open pages; none before the front door is built. */
  pages: { live?: LiveStreams };
  /** There is something to look at, in this process. */
  wake(news: FleetNews): void;
}

async function composeDelivery(given: Given, data: Data, address: Address): Promise<Delivery> {
  const { store, ring, metrics, duties } = data;
  const { config, clock, log, spans, onClose } = given;
  const guard = given.guard ?? createOutboundGuard(config);
  const formats = { bridges: bridgesWebhookFormat, lines: linesWebhookFormatAt(() => address.base()) };
  const pages: Delivery['pages'] = {};
  const told = watchedDeliveries(metrics.deliveries, () => pages.live?.activity());
  const { blobs: settings } = config.media;
  const blobs = openBlobs(settings, clock);
  onClose(() => blobs.close());
  if (config.fleet) await proveShared(store.db, blobs);
  const media = await createMedia({ ...config.media, blobs, settings, store, ring, clock, log });
  onClose(() => media.cache.close());
  const { isOurs } = duties;
  const dispatcher = createDispatcher({ store, ring, formats, clock, guard, log, metrics: told, isOurs, spans });
  const news = createNews(clock);
  const feed = createEventFeed({ store, clock, log });
  data.startSealing((accountId) => sealFilesOf(accountId, media, store, clock));
  return {
    ...{ guard, formats, pages, media, dispatcher, news, feed },
    clockCheck: createClockCheck({ store, clock }),
    wake({ events, deliveries, settings }) {
      if (deliveries) dispatcher.nudge();
      if (events) {
        feed.nudge();
        news.tell();
      }
      pages.live?.activity(settings ? 'settings' : undefined);
    },
  };
}

/** Who runs the lines: workers of this process unless given, whose nudges wake the rest. */
async function openLines(
  { config, clock, log, lines, version }: Given,
  data: Data,
  { clockCheck, guard, wake }: Delivery,
  { simulator, fleet }: { simulator: () => SimulatorAddress | undefined; fleet: Fleet | undefined },
): Promise<Lines> {
  if (lines) return linesOf(lines);
  return composeLines({
    ...{ config, data, clock, log, guard, simulator, fleet, version, metrics: data.metrics.workers },
    onWhatsappTime: (ms) => clockCheck.heard('whatsapp', ms),
    onNudge(deliveries) {
      const news = { events: true, deliveries };
      wake(news);
      fleet?.tell(news);
    },
  });
}

/** The line that writes to itself, and every figure of the metrics. */
async function watchFigures(
  { config, clock, log }: Given,
  { store, metrics, duties }: Data,
  { router, figures }: Lines,
): Promise<Canary | undefined> {
  const canary = await openCanary({ store, router, clock, log, lineId: config.canaryLine, isOurs: duties.isOurs });
  metrics.watch({
    ...figures,
    sendsWaiting: async () => backlogAt(await sendBacklog(store.db, clock.now()), clock.now()),
    inboxWaiting: async () => backlogAt(await inboxBacklog(store), clock.now()),
    databaseBytes: () => databaseSize(store),
    canary: () => canary?.figures(),
  });
  return canary;
}

/** What the front door is built on. */
function frontParts(
  given: Given,
  data: Data,
  { guard, media, formats, dispatcher, news, feed, clockCheck }: Delivery,
  outside: {
    lines: Lines;
    simulator: () => SimulatorAddress | undefined;
    address: Address;
    fleet: Fleet | undefined;
    state: { isDraining: boolean };
  },
): FrontParts {
  const { config, clock, log, version, consoleFolder } = given;
  const { store, ring, keys, metrics } = data;
  const { lines, simulator, address, fleet, state } = outside;
  const isWritable = createReadiness(store, clock);
  return {
    ...{ store, ring, keys, clock, log },
    accountId: data.defaultAccountId,
    guard,
    media,
    previews: createLinkPreviews({ guard, clock }),
    formats,
    news,
    feed,
    router: lines.router,
    liveLines: lines.live,
    testWebhook: createWebhookTester({ store, ring, formats, clock, guard }),
    nudgeDispatcher() {
      dispatcher.nudge();
      fleet?.tell({ events: true, deliveries: true });
    },
    onChange: (change) => fleet?.tell({ events: true, settings: change === 'settings' }),
    isOurs: data.duties.isOurs,
    makeRateLimiter: fleet && ((limits) => sharedBudgets(fleet, { limits, clock, log })),
    simulator: () => {
      const at = simulator();
      return at && { baseUrl: at.baseUrl, token: at.controlToken };
    },
    streams: { metrics: metrics.streams },
    publicUrl: () => address.base(),
    freeDiskBytes: () => freeBytesIn(config.dataDir),
    clockCheck,
    metrics,
    onRequestDone: metrics.http.answered,
    spans: given.spans,
    ...given.front,
    settings: {
      version,
      consoleFolder,
      publicUrl: config.http.publicUrl ?? '/',
      trustProxy: config.http.trustProxy,
      isBehindProxy: isBehindProxy(config),
      metricsToken: config.http.metricsToken,
      adminToken: config.http.adminToken,
      allowInsecureCookies: config.http.allowInsecureCookies,
      isSandboxOn: given.simulator !== undefined || config.sandbox.isOn,
      limits: rulesPerMinute(config.rateLimits),
      mcpHosts: { ...config.http, allowedHosts: config.http.mcpAllowedHosts },
      ready: async () => !state.isDraining && (await isWritable()),
      degraded: () => (fleet && !fleet.bus.isUp ? ['bus'] : []),
      sendMail: config.mail && createMailer(config.mail),
      clientVersion: lines.clientVersion,
      ...given.settings,
    },
  };
}

const backlogAt = ({ count, oldestAt }: { count: number; oldestAt: number | null }, nowMs: number) => ({
  count,
  oldestAgeSeconds: oldestAt === null ? 0 : Math.max(0, nowMs - oldestAt) / 1_000,
});

/** What runs by itself begins. */
async function startAll(
  { config, clock, log, onClose }: Given,
  { store, defaultAccountId, duties }: Data,
  delivery: Delivery,
  { lines, front }: { lines: Lines; front: Front },
): Promise<void> {
  const problems = watchProblems({
    ...{ store, clock, log },
    nudgeDeliveries: front.services.nudgeDeliveries,
    onChange: () => front.live.activity('settings'),
    machine: front.services,
    accountId: defaultAccountId,
    nudgeAlerts: front.alerts.nudge,
    isOurs: duties.isOurs,
  });
  front.alerts.start();
  onClose(() => problems.close());
  onClose(await keepSpoolTidy(delivery.media, store, clock, log));
  const indexing = keepIndexing({ store, clock, log });
  onClose(() => indexing.close());
  await delivery.dispatcher.start();
  await lines.start();
  const { services, approvals } = front;
  onClose(finishCutOff({ services, approvals, clock, log, isOurs: config.fleet && duties.isOurs }));
}

/** Undefined where the file system does not say. */
async function freeBytesIn(folder: string): Promise<number | undefined> {
  const of = await statfs(folder).catch(() => undefined);
  return of && of.bavail * of.bsize;
}

async function firstStart({ store, keys, defaultAccountId }: Data): Promise<{ testKey: string } | undefined> {
  if (!(await claimSetting(store.db, FIRST_START, String(systemClock.now())))) return undefined;
  const { key } = await keys.create({ accountId: defaultAccountId, mode: 'test', name: 'quick start' });
  return { testKey: key };
}
