import type { FastifyInstance } from 'fastify';
import { type ApiKeys, createApiKeys } from '../../src/access/api-keys.ts';
import { type ConsoleAccess, createConsoleAccess } from '../../src/access/console-access.ts';
import { createRateLimiter } from '../../src/access/rate-limit.ts';
import { createApprovals } from '../../src/commands/approvals/approvals.ts';
import { createExecute } from '../../src/commands/execute.ts';
import { PUBLISHED_EVENTS } from '../../src/dialects/bridges/webhook-format.ts';
import { createConsoleDialect } from '../../src/dialects/console/dialect.ts';
import { createLiveStreams, type LiveLine, type LiveStreams } from '../../src/dialects/console/live-stream.ts';
import { linesDialect } from '../../src/dialects/lines/dialect.ts';
import { consoleSignIn } from '../../src/http/console-sign-in.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { silentLog } from '../../src/observe/logger.ts';
import type { OpenTestStore } from '../store-harness.ts';
import { type HttpHarness, openHttp } from './http-harness.ts';
import { ManualClock } from './manual-clock.ts';

export interface ConsoleReply {
  status: number;
  body: Record<string, unknown>;
  headers: Record<string, string | string[] | number | undefined>;
  /** The session's cookie, when the answer set one; empty when it took it away. */
  cookie: string | undefined;
}

export interface ConsoleHarness {
  app: FastifyInstance;
  http: HttpHarness;
  clock: ManualClock;
  access: ConsoleAccess;
  keys: ApiKeys;
  live: LiveStreams;
  /** Publishes a live view, as a worker's would come. */
  publish(line: LiveLine): void;
  /** A call as the console's pages make it. `path` is below /api/console/v1. */
  call(
    method: string,
    path: string,
    options?: { cookie?: string; body?: unknown; headers?: Record<string, string | undefined>; mode?: string },
  ): Promise<ConsoleReply>;
  /** The first run, done: the owner's cookie. */
  setUp(): Promise<string>;
  /** Adds somebody and signs them in. */
  join(
    role: 'owner' | 'developer' | 'viewer',
    email: string,
  ): Promise<{ id: string; cookie: string; password: string }>;
  close(): Promise<void>;
}

export const OWNER = { name: 'Olga', email: 'olga@example.com', password: 'correct horse battery' };
const PUBLIC_URL = 'http://127.0.0.1:8080';

/** The console's API over a real database, with a clock that the test moves. */
export async function openConsole(
  options: { open?: OpenTestStore; publicUrl?: string; allowInsecure?: boolean } = {},
): Promise<ConsoleHarness> {
  const clock = new ManualClock();
  const http = await openHttp({ open: options.open, clock });
  const { store, ring } = http.services;
  const publicUrl = options.publicUrl ?? PUBLIC_URL;
  const access = createConsoleAccess({ store, ring, clock, accountId: 'acc_one' });
  const keys = createApiKeys({ store, ring, clock, log: silentLog });
  const execute = createExecute(http.services);
  const listeners = new Set<(line: LiveLine) => void>();
  const latest = new Map<string, LiveLine>();
  const live = createLiveStreams({
    execute,
    sessions: access.sessions,
    clock,
    latest: (lineId) => latest.get(lineId),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  const app = createHttpServer(
    {
      execute,
      authenticate: (presented) => keys.authenticate(presented),
      ...consoleSignIn(access, publicUrl),
      rateLimiter: createRateLimiter({ clock }),
      clock,
      log: silentLog,
      version: '0.1.0',
      publicUrl,
      ready: async () => true,
    },
    [
      linesDialect,
      createConsoleDialect({
        access,
        keys,
        clock,
        live,
        approvals: createApprovals({ store, clock, log: silentLog, news: http.news, keys, execute }),
        publicUrl,
        version: '0.1.0',
        allowInsecure: options.allowInsecure ?? false,
        isSandboxOn: false,
        published: linesDialect.routes,
        bridgeEvents: PUBLISHED_EVENTS,
      }),
    ],
  );
  await app.ready();

  const call: ConsoleHarness['call'] = async (method, path, { cookie, body, headers = {}, mode } = {}) => {
    const all: Record<string, string | undefined> = {
      host: '127.0.0.1:8080',
      'x-ponte-console': '1',
      ...(cookie === undefined ? {} : { cookie }),
      ...(mode === undefined ? {} : { 'x-ponte-mode': mode }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    };
    for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
    const response = await app.inject({
      method: method as 'GET',
      url: `/api/console/v1${path}`,
      headers: all as Record<string, string>,
      ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
    });
    const set = response.headers['set-cookie'];
    const isJson = String(response.headers['content-type']).includes('json') && response.body !== '';
    return {
      status: response.statusCode,
      headers: response.headers,
      body: isJson ? (JSON.parse(response.body) as Record<string, unknown>) : {},
      cookie: set === undefined ? undefined : String(set).split(';')[0],
    };
  };
  const signIn = async (email: string, password: string) => {
    const { status, cookie } = await call('POST', '/session', { body: { email, password } });
    if (status !== 200 || !cookie) throw new Error(`signing in as ${email} answered ${status}`);
    return cookie;
  };
  return {
    app,
    http,
    clock,
    access,
    keys,
    live,
    call,
    publish(line) {
      latest.set(line.lineId, line);
      for (const listener of listeners) listener(line);
    },
    async setUp() {
      const token = await access.newSetUpToken();
      const { status, cookie } = await call('POST', '/set-up', { body: { token, ...OWNER } });
      if (status !== 200 || !cookie) throw new Error(`the set-up answered ${status}`);
      return cookie;
    },
    async join(role, email) {
      const { user, password } = await access.addUser({ email, name: email, role });
      return { id: user.id, password, cookie: await signIn(email, password) };
    },
    async close() {
      live.close();
      await app.close();
      await http.close();
    },
  };
}
