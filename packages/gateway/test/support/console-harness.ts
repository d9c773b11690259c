import type { FastifyInstance } from 'fastify';
import type { ApiKeys } from '../../src/access/api-keys.ts';
import type { ConsoleAccess } from '../../src/access/console-access.ts';
import { DEFAULT_LIMITS } from '../../src/access/rate-limit.ts';
import type { LiveLine, LiveStreams } from '../../src/dialects/console/live-stream.ts';
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
  /** Adds a user and signs them in. */
  join(
    role: 'owner' | 'developer' | 'viewer',
    email: string,
  ): Promise<{ id: string; cookie: string; password: string }>;
  close(): Promise<void>;
}

export const OWNER = { name: 'Olga', email: 'olga@example.com', password: 'correct horse battery' };

/** The console's API over a real database, with a clock that the test moves. */
export async function openConsole(
  options: { open?: OpenTestStore; publicUrl?: string; allowInsecure?: boolean } = {},
): Promise<ConsoleHarness> {
  const clock = new ManualClock();
  const http = await openHttp({ ...options, clock, limits: DEFAULT_LIMITS });
  const { app, front, apiKeys: keys } = http;
  const { access, live } = front;

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
    publish: (line) => http.liveLines.publish(line),
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
    close: () => http.close(),
  };
}
