import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { type ApiKeys, createApiKeys } from '../../src/access/api-keys.ts';
import { openKeyRing } from '../../src/access/open-key-ring.ts';
import type { LimitClass, LimitRule } from '../../src/access/rate-limit.ts';
import { createApp } from '../../src/app.ts';
import type { Approvals } from '../../src/commands/approvals/approvals.ts';
import type { Services } from '../../src/commands/context.ts';
import type { Front } from '../../src/compose-front.ts';
import { readConfig } from '../../src/config/config.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { LineStatus, Mode } from '../../src/core/lines.ts';
import type { Plans } from '../../src/core/quota.ts';
import type { SimulatorControl } from '../../src/dialects/sandbox/sandbox-proxy.ts';
import type { Dialect, Route } from '../../src/http/route.ts';
import type { HttpServices } from '../../src/http/server.ts';
import type { EventFeed } from '../../src/journal/event-feed.ts';
import { createLiveHub, type LiveHub } from '../../src/journal/live.ts';
import type { News } from '../../src/journal/news.ts';
import { FetchError } from '../../src/net/fetch-error.ts';
import type { Guard } from '../../src/net/guarded-fetch.ts';
import { type Log, silentLog } from '../../src/observe/logger.ts';
import type { StreamMetrics } from '../../src/observe/stream-metrics.ts';
import { putPlan } from '../../src/store/access/plans.ts';
import { type OpenTestStore, openTestSqlite, type TestStore } from '../store-harness.ts';
import { ScriptedRouter } from './scripted-router.ts';

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | number | undefined>;
  text: string;
  bytes: Buffer;
  body: Record<string, unknown>;
}

export interface CallOptions {
  key?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface HttpHarness {
  app: FastifyInstance;
  front: Front;
  /** Live views, as workers would send them. */
  liveLines: LiveHub;
  services: Services;
  news: News;
  apiKeys: ApiKeys;
  feed: EventFeed;
  approvals: Approvals;
  dialects: readonly Dialect[];
  db: TestStore;
  router: ScriptedRouter;
  /** Keys of two accounts. */
  keys: { test: string; live: string; stranger: string };
  logged: { fields: Record<string, unknown>; message: string }[];
  /**
   * Calls the server, with the test key unless said, and checks the answer against the row's
   * published schema.
   */
  call(method: string, url: string, options?: CallOptions): Promise<Reply>;
  /** A key of the first account with these scopes. */
  keyWith(scopes: string[], mode?: Mode): Promise<string>;
  /** A test key of the first account whose sends wait for a person. */
  keyWithApproval(): Promise<{ id: string; key: string }>;
  revoke(id: string): Promise<unknown>;
  /** The successor of a key, which stays valid for an hour. */
  rotate(id: string): Promise<string>;
  /** Makes the line look as its worker would say it is. */
  setLine(lineId: string, facts: { status: LineStatus; phone?: string; jid?: string; name?: string }): Promise<void>;
  close(): Promise<void>;
}

export interface HarnessOptions {
  open?: OpenTestStore;
  limits?: Partial<Record<LimitClass, LimitRule>>;
  plans?: Plans;
  adminToken?: string;
  simulator?: () => SimulatorControl | undefined;
  consoleFolder?: string;
  maxWaitingSends?: number;
  ready?: () => Promise<boolean>;
  degraded?: () => string[];
  metrics?: HttpServices['metrics'];
  metricsToken?: string;
  publicUrl?: string;
  isBehindProxy?: boolean;
  allowInsecure?: boolean;
  clock?: Clock;
  testWebhook?: Services['testWebhook'];
  guard?: Services['guard'];
  streams?: { maxPerKey?: number; metrics?: StreamMetrics };
}

const UNLIMITED: LimitRule = { max: 0, windowMs: 1 };
const NO_LIMITS: Record<LimitClass, LimitRule> = {
  provision: UNLIMITED,
  proxy: UNLIMITED,
  api: UNLIMITED,
  events: UNLIMITED,
  sandbox: UNLIMITED,
  ip: UNLIMITED,
  sandbox_ip: UNLIMITED,
  console: UNLIMITED,
  console_ip: UNLIMITED,
  assets_ip: UNLIMITED,
};

const PUBLIC_URL = 'http://127.0.0.1:8080';
const { version: VERSION } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Judges addresses by their scheme, and reaches none. */
const NO_NETWORK: Guard = {
  checkTarget: async (url) => (url.startsWith('https://') ? { ok: true } : { ok: false, problem: 'not_https' }),
  fetch: async () => {
    throw new FetchError('dns');
  },
  openPool() {
    throw new FetchError('dns');
  },
};

/** Deliveries stay as a test made them, and no test reads what requests count. */
const NOT_PRODUCT = { nudgeDispatcher: () => {}, onRequestDone: undefined };

/** The real front door over a real database, with a scripted router in place of workers. */
export async function openHttp(options: HarnessOptions = {}): Promise<HttpHarness> {
  const db = await (options.open ?? openTestSqlite)();
  const clock = options.clock ?? systemClock;
  const logged: HttpHarness['logged'] = [];
  const log = recordingLog(logged);
  const masterKey = Buffer.alloc(32, 7);
  const ring = await openKeyRing({ masterKey, store: db.store, clock });
  const router = new ScriptedRouter(() => db.store);
  for (const id of ['acc_one', 'acc_two']) {
    await db.store.db
      .insertInto('accounts')
      .values({ id, name: id, plan: 'default', subscription: 'active', created_at: clock.now() })
      .execute();
  }
  for (const [name, limits] of Object.entries(options.plans ?? {})) {
    await putPlan(db.store.db, { name, limits }, clock.now());
  }
  const apiKeys = createApiKeys({ store: db.store, ring, clock, log });
  const make = async (accountId: string, mode: Mode, scopes = ['*']) =>
    (await apiKeys.create({ accountId, mode, name: 'a key', scopes })).key;
  const keys = {
    test: await make('acc_one', 'test'),
    live: await make('acc_one', 'live'),
    stranger: await make('acc_two', 'test'),
  };
  const folder = mkdtempSync(join(tmpdir(), 'ponte-http-'));
  const environment = {
    DATA_DIR: folder,
    PUBLIC_URL: options.publicUrl ?? PUBLIC_URL,
    SANDBOX: 'off',
    MEDIA_CACHE_MB: '1',
    MEDIA_MAX_DOCUMENT_MB: '128',
    ADMIN_TOKEN: options.adminToken,
    METRICS_TOKEN: options.metricsToken,
    INSECURE_COOKIES: options.allowInsecure ? 'on' : 'off',
    PATH: '/usr/bin:/bin',
  };
  const liveLines = createLiveHub(() => {});
  const { simulator, streams, metrics, testWebhook = async () => undefined } = options;
  const running = await createApp(readConfig(environment, { cores: 1, cwd: folder }), {
    ...{ environment, clock, log, version: VERSION, consoleFolder: options.consoleFolder },
    data: { store: db.store, ring, keys: apiKeys, masterKey, defaultAccountId: 'acc_one' },
    lines: { router, live: liveLines },
    guard: { ...NO_NETWORK, ...options.guard },
    front: { ...NOT_PRODUCT, streams, metrics, testWebhook, ...(simulator && { simulator }) },
    settings: {
      ready: options.ready ?? (async () => true),
      degraded: options.degraded,
      limits: { ...NO_LIMITS, ...options.limits },
      isBehindProxy: options.isBehindProxy,
      maxWaitingSends: options.maxWaitingSends,
      mcpHosts: { publicUrl: 'https://wa.example.com', host: '0.0.0.0', allowedHosts: ['ponte'] },
    },
    isStarted: false,
  });
  const { front, news, feed } = running;
  const { http: app, services, approvals, dialects } = front;
  await app.ready();
  return {
    app,
    front,
    liveLines,
    services,
    news,
    apiKeys,
    feed,
    approvals,
    dialects,
    db,
    router,
    keys,
    logged,
    keyWith: (scopes, mode = 'test') => make('acc_one', mode, scopes),
    keyWithApproval: () => apiKeys.create({ accountId: 'acc_one', mode: 'test', name: 'careful', needsApproval: true }),
    revoke: (id) => apiKeys.revoke(id),
    rotate: async (id) => (await apiKeys.rotate(id, 3_600_000))?.key ?? '',
    async call(method, url, { key = keys.test, body, headers = {} } = {}) {
      const response = await app.inject({
        method: method as 'GET',
        url,
        headers: {
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const isJson = String(response.headers['content-type']).includes('json') && response.body !== '';
      const reply: Reply = {
        status: response.statusCode,
        headers: response.headers,
        text: response.body,
        bytes: response.rawPayload,
        body: isJson ? (JSON.parse(response.body) as Record<string, unknown>) : {},
      };
      if (isJson) checkAnswer(dialects, method, url, reply);
      return reply;
    },
    async setLine(lineId, facts) {
      await db.store.db
        .updateTable('lines')
        .set({ ...facts, connected_at: facts.status === 'connected' ? clock.now() : null })
        .where('id', '=', lineId)
        .execute();
    },
    async close() {
      await running.close();
      rmSync(folder, { recursive: true, force: true });
      await db.close();
    },
  };
}

/** Every JSON answer has to be one of those its row publishes, or its dialect's error form. */
function checkAnswer(dialects: readonly Dialect[], method: string, url: string, reply: Reply): void {
  const path = url.split('?')[0] ?? '';
  const dialect = dialects.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
  if (!dialect) return;
  const row = dialect.routes.find((one) => one.method === method && patternOf(dialect, one).test(path));
  const schema = reply.status >= 400 ? dialect.errorSchema : row?.answers[reply.status]?.schema;
  if (!schema) {
    if (reply.status < 400 && row && !row.answers[reply.status]) {
      throw new Error(`${method} ${url} answered ${reply.status}, which its row does not publish`);
    }
    return;
  }
  const result = schema.safeParse(reply.body);
  if (!result.success) throw new Error(`${method} ${url}: ${reply.text} is not as published: ${result.error.message}`);
}

const patternOf = (dialect: Dialect, row: Route): RegExp =>
  new RegExp(`^${(dialect.prefix + row.path).replace(/:[a-z_]+/g, '[^/]+')}$`);

function recordingLog(logged: HttpHarness['logged']): Log {
  const note = (fields: Record<string, unknown>, message: string) => void logged.push({ fields, message });
  const log: Log = { ...silentLog, warn: note, error: note, child: () => log };
  return log;
}
