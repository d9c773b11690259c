import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createApiKeys } from '../access/api-keys.ts';
import { type App, createApp } from '../app.ts';
import { readConfig } from '../config/config.ts';
import { systemClock } from '../core/clock.ts';
import { createLiveHub } from '../journal/live.ts';
import { noLines } from '../lines/workers/no-lines.ts';
import { silentLog } from '../observe/logger.ts';
import { openWebhookOutbox, type WebhookOutbox } from './webhook-outbox.ts';

/*
 * The webhook engine alone, on this machine: this process runs the dispatcher, a second one
 * receives, a third one commits events as a worker does and nudges over IPC. SQLite in a temporary
 * folder, loopback, the real guard, signatures of both kinds, the attempt log.
 *
 *   npm run bench -- webhooks [sustained] [latency] [isolation]
 *
 * Environment: BENCH_DELIVERIES (20 000), BENCH_SECONDS of one round (20, isolation 6),
 * BENCH_ROUNDS of isolation (6), BENCH_DATABASE_URL.
 */

const SELF = fileURLToPath(import.meta.url);
const DELIVERIES = Number(process.env.BENCH_DELIVERIES ?? 20_000);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 20);
const ROUND_SECONDS = Number(process.env.BENCH_SECONDS ?? 6);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 6);
const DATABASE = process.env.BENCH_DATABASE_URL;

const wall = (): number => performance.timeOrigin + performance.now();
const round = (value: number): number => Number(value.toFixed(2));

function note(name: string, value: unknown): void {
  process.stdout.write(`${name}: ${JSON.stringify(value)}\n`);
}

function percentiles(values: number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0);
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/**
 * Child: receives, and tells now and then what came. Paths beginning with /hang get no answer,
 * /slowNN one after NN ms.
 */
function receive(): void {
  let seen: [path: string, text: string, at: number][] = [];
  const server = createServer((request, response) => {
    const at = wall();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { url = '' } = request;
      const { data } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { data: { body?: string } };
      seen.push([url, data.body ?? '', at]);
      if (url.startsWith('/hang')) return;
      response.writeHead(200).end();
    });
  });
  server.keepAliveTimeout = 30_000;
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
  setInterval(() => {
    if (seen.length > 0) process.send?.({ seen });
    seen = [];
  }, 50);
}

/**
 * Child: commits one event per tick, each in a transaction of its own at full durability, and
 * nudges.
 */
async function produce(url: string, ids: { accountId: string; lineId: string }, perSecond: number, count: number) {
  const outbox = await openWebhookOutbox(url, ids);
  const started = performance.now();
  for (let index = 0; index < count; index += 1) {
    const wait = started + (index * 1_000) / perSecond - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    await outbox.emit(1, () => ({ chat: `${15550000000 + (index % 50)}@s.whatsapp.net`, text: String(index) }));
    process.send?.({ committed: index, at: wall() });
  }
  await outbox.close();
  process.disconnect?.();
}

class Farm {
  readonly port: number;
  readonly seen: [path: string, text: string, at: number][] = [];
  readonly #child: ChildProcess;
  #onSeen = () => {};

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.on('message', (message: { seen?: [string, string, number][] }) => {
      this.seen.push(...(message.seen ?? []));
      this.#onSeen();
    });
  }

  static async start(): Promise<Farm> {
    const child = fork(SELF, ['receiver'], { serialization: 'advanced' });
    const [first] = (await once(child, 'message')) as [{ port: number }];
    return new Farm(child, first.port);
  }

  async until(count: number, ofPath: (path: string) => boolean = () => true): Promise<void> {
    let looked = 0;
    let matching = 0;
    await new Promise<void>((resolve) => {
      this.#onSeen = () => {
        for (; looked < this.seen.length; looked += 1) if (ofPath(this.seen[looked]?.[0] ?? '')) matching += 1;
        if (matching >= count) resolve();
      };
      this.#onSeen();
    });
  }

  async close(): Promise<void> {
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}

async function bench(
  work: (parts: { outbox: WebhookOutbox; url: string; farm: Farm; start: () => Promise<App> }) => Promise<void>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'ponte-webhooks-'));
  const url = DATABASE ?? `sqlite:${join(folder, 'ponte.db')}`;
  const outbox = await openWebhookOutbox(url);
  const farm = await Farm.start();
  const config = readConfig(
    { DATA_DIR: folder, PORT: '0', SANDBOX: 'off', ALLOW_PRIVATE_TARGETS: `127.0.0.1:${farm.port}` },
    { cores: 1, cwd: folder },
  );
  let app: App | undefined;
  const start = async () => {
    const { store, ring, accountId, masterKey } = outbox;
    const keys = createApiKeys({ store, ring, clock: systemClock, log: silentLog });
    const data = { store, ring, keys, masterKey, defaultAccountId: accountId };
    const lines = { router: noLines, live: createLiveHub(() => {}) };
    app = await createApp(config, { data, lines, log: silentLog });
    return app;
  };
  try {
    await work({ outbox, url, farm, start });
  } finally {
    await app?.close();
    await farm.close();
    await outbox.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How fast a backlog goes out, and what it costs this process. */
const sustained = (webhooks: number) =>
  bench(async ({ outbox, farm, start }) => {
    for (let i = 0; i < webhooks; i++) await outbox.addWebhook(`http://127.0.0.1:${farm.port}/hook${i}`);
    const events = Math.ceil(DELIVERIES / webhooks);
    for (let done = 0; done < events; done += 200) {
      const text = (i: number) => ({
        chat: `${15550000000 + ((done + i) % 200)}@s.whatsapp.net`,
        text: `message ${done + i}`,
      });
      await outbox.emit(Math.min(200, events - done), text);
    }
    const total = events * webhooks;
    const cpu = process.cpuUsage();
    const started = performance.now();
    await start();
    await farm.until(total);
    const seconds = (performance.now() - started) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    const cpuSeconds = (user + system) / 1e6;
    note(`sustained, ${webhooks} webhooks`, {
      deliveries: total,
      seconds: round(seconds),
      perSecond: Math.round(total / seconds),
      perCpuSecond: Math.round(total / cpuSeconds),
      cpuMicrosPerDelivery: Math.round((cpuSeconds * 1e6) / total),
    });
  });

interface Pace {
  perSecond: number;
  seconds: number;
  webhooks: number;
  hanging: number;
}

/**
 * Committed → first byte of the request at the receiver, at an even pace: every wait in
 * milliseconds, and the CPU time of the dispatcher's process.
 */
async function paced(pace: Pace): Promise<{ waits: number[]; cpuPercent: number }> {
  let waits: number[] = [];
  let cpuPercent = 0;
  await bench(async ({ outbox, url, farm, start }) => {
    for (let i = 0; i < pace.webhooks; i++) await outbox.addWebhook(`http://127.0.0.1:${farm.port}/hook${i}`);
    for (let i = 0; i < pace.hanging; i++) await outbox.addWebhook(`http://127.0.0.1:${farm.port}/hang${i}`);
    const { front } = await start();
    const count = pace.perSecond * pace.seconds;
    const committed = new Map<string, number>();
    const cpu = process.cpuUsage();
    const ids = JSON.stringify({ accountId: outbox.accountId, lineId: outbox.lineId });
    const producer = fork(SELF, ['producer', url, ids, String(pace.perSecond), String(count)]);
    producer.on('message', (message: { committed: number; at: number }) => {
      committed.set(String(message.committed), message.at);
      front.services.nudgeDeliveries();
    });
    const isHealthy = (path: string) => path.startsWith('/hook');
    await farm.until(count * pace.webhooks, isHealthy);
    const { user, system } = process.cpuUsage(cpu);
    // The first second warms code and connections up.
    const late = farm.seen.filter(([path, text]) => isHealthy(path) && Number(text) >= pace.perSecond);
    waits = late.map(([, text, at]) => at - (committed.get(text) ?? Number.NaN));
    cpuPercent = Math.round((user + system) / 10_000 / pace.seconds);
  });
  return { waits, cpuPercent };
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/**
 * Does one endpoint that hangs for 15 seconds per request change what 19 others get? Rounds with
 * the twentieth healthy and hanging, in turn and in changing order, so that what else the machine
 * does shows in both; compared are the medians of the rounds' percentiles, and all waits together.
 */
async function isolation(): Promise<void> {
  const sides = { healthy: [] as number[][], hanging: [] as number[][] };
  for (let round_ = 0; round_ < ROUNDS; round_ += 1) {
    const order = round_ % 2 === 0 ? (['healthy', 'hanging'] as const) : (['hanging', 'healthy'] as const);
    for (const side of order) {
      const hanging = side === 'hanging' ? 1 : 0;
      const { waits } = await paced({ perSecond: 20, seconds: ROUND_SECONDS, webhooks: 20 - hanging, hanging });
      sides[side].push(waits);
      note(`isolation, round ${round_ + 1}, the twentieth ${side}, ms`, percentiles(waits));
    }
  }
  const p99 = (side: number[][]) => median(side.map((waits) => percentiles(waits).p99));
  note('isolation, all rounds, the twentieth healthy, ms', percentiles(sides.healthy.flat()));
  note('isolation, all rounds, the twentieth hanging, ms', percentiles(sides.hanging.flat()));
  note('isolation, p99 hanging / p99 healthy (medians of rounds)', round(p99(sides.hanging) / p99(sides.healthy)));
}

async function main(asked: string[]): Promise<void> {
  const all = asked.length === 0;
  if (all || asked.includes('sustained')) for (const webhooks of [1, 20]) await sustained(webhooks);
  if (all || asked.includes('latency')) {
    const { waits, cpuPercent } = await paced({ perSecond: 100, seconds: SECONDS, webhooks: 1, hanging: 0 });
    note('committed to receiver ms, 100/s, 1 webhook', { ...percentiles(waits), cpuPercent });
  }
  if (all || asked.includes('isolation')) await isolation();
}

const [role, ...rest] = process.argv.slice(2);
if (role === 'receiver') receive();
else if (role === 'producer') {
  const [url = '', ids = '', perSecond, count] = rest;
  await produce(url, JSON.parse(ids) as { accountId: string; lineId: string }, Number(perSecond), Number(count));
} else await main(process.argv.slice(2));
