import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulator, type Simulator } from '@ponte/simulator';
import { sql } from 'kysely';
import { freePort } from '../../src/bench/processes.ts';
import { type Installation, openInstallation } from '../../src/installation.ts';
import { type Receiver, startReceiver } from '../receiver.ts';
import { openTestPostgres, type TestStore } from '../store-harness.ts';
import { Api } from './api.ts';
import { type CuttingProxy, databaseServer, startCuttingProxy, throughProxy } from './cutting-proxy.ts';
import { NatsServer } from './nats-server.ts';
import { gatewayEntry } from './product-code.ts';
import { until } from './until.ts';

const CONTROL_TOKEN = 'token-of-the-simulated-network';
const UP_WITHIN_MS = 60_000;
const UNLIMITED = '1000000';

/** What `ponte start` runs, in a process group of its own, behind proxies that can be cut. */
export class FrontNode {
  readonly name: string;
  readonly base: string;
  readonly api: Api;
  readonly database: CuttingProxy;
  readonly bus: CuttingProxy;
  readonly #environment: Record<string, string>;
  #child: ChildProcess | undefined;
  #gone: Promise<number | null> = Promise.resolve(null);
  /** As a load balancer sees it. */
  isReady = false;

  constructor(parts: {
    name: string;
    port: number;
    key: string;
    environment: Record<string, string>;
    database: CuttingProxy;
    bus: CuttingProxy;
  }) {
    this.name = parts.name;
    this.base = `http://127.0.0.1:${parts.port}`;
    this.api = new Api(this.base, parts.key);
    this.#environment = parts.environment;
    this.database = parts.database;
    this.bus = parts.bus;
  }

  /** Of its main process. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const output = process.env.RIG_LOG ? 'inherit' : 'ignore';
    const child = spawn(process.execPath, [gatewayEntry, 'start'], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...this.#environment },
      stdio: ['ignore', 'ignore', output],
      detached: true,
    });
    this.#child = child;
    this.#gone = new Promise((resolve) =>
      child.once('exit', (code) => {
        this.#child = undefined;
        this.isReady = false;
        resolve(code);
      }),
    );
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    if (this.#child?.pid) process.kill(-this.#child.pid, signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#gone;
  }

  /** As its operator stops it: answers the exit code. */
  async stop(): Promise<number | null> {
    if (this.#child?.pid) process.kill(this.#child.pid, 'SIGTERM');
    return this.#gone;
  }

  /** One look of a load balancer. */
  async look(): Promise<boolean> {
    const answer = await fetch(`${this.base}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    this.isReady = answer?.ok === true;
    return this.isReady;
  }

  untilReady(): Promise<boolean> {
    return until(`${this.name} is ready`, () => this.look(), UP_WITHIN_MS);
  }

  async close(): Promise<void> {
    this.signal('SIGCONT');
    await this.kill();
    await this.database.stop();
    await this.bus.stop();
  }
}

export interface FrontLine {
  id: string;
  phone: string;
}

/** Several nodes behind one PostgreSQL, one NATS and one simulated network, through their HTTP. */
export class FrontFleet {
  readonly test: TestStore;
  readonly simulator: Simulator;
  readonly nats: NatsServer;
  readonly receiver: Receiver;
  readonly nodes: FrontNode[] = [];
  readonly lines: FrontLine[] = [];
  readonly accountId: string;
  readonly key: string;
  readonly #folder: string;
  readonly #shared: Record<string, string>;
  #isOver = false;
  /** Lines that are being made, or are there. */
  #made = 0;

  private constructor(parts: {
    test: TestStore;
    simulator: Simulator;
    nats: NatsServer;
    receiver: Receiver;
    accountId: string;
    key: string;
    folder: string;
    shared: Record<string, string>;
  }) {
    this.test = parts.test;
    this.simulator = parts.simulator;
    this.nats = parts.nats;
    this.receiver = parts.receiver;
    this.accountId = parts.accountId;
    this.key = parts.key;
    this.#folder = parts.folder;
    this.#shared = parts.shared;
  }

  static async start(more: Record<string, string> = {}): Promise<FrontFleet> {
    const folder = mkdtempSync(join(tmpdir(), 'ponte-fleet-'));
    const test = await openTestPostgres({ migrated: false });
    const nats = new NatsServer(await freePort());
    nats.start();
    const simulator = await createSimulator({ controlToken: CONTROL_TOKEN });
    const receiver = await startReceiver();
    const shared = {
      MASTER_KEY: randomBytes(32).toString('hex'),
      BLOB_URL: `file://${join(folder, 'files')}`,
      SANDBOX_URL: `http://127.0.0.1:${simulator.port}`,
      SANDBOX_TOKEN: CONTROL_TOKEN,
      ALLOW_PRIVATE_TARGETS: `127.0.0.1:${receiver.port}`,
      WORKERS: '1',
      LOG_LEVEL: process.env.RIG_LOG ?? 'silent',
      RATE_LIMIT_PROVISION: UNLIMITED,
      RATE_LIMIT_PROXY: UNLIMITED,
      RATE_LIMIT_OTHER: UNLIMITED,
      RATE_LIMIT_IP: UNLIMITED,
      RATE_LIMIT_SANDBOX: UNLIMITED,
      ...more,
    };
    const at = await openInstallation({ ...shared, DATA_DIR: join(folder, 'setup'), DATABASE_URL: test.url });
    const { key } = await at.keys.create({ accountId: at.defaultAccountId, mode: 'test', name: 'fleet' });
    const accountId = at.defaultAccountId;
    await at.close();
    const fleet = new FrontFleet({ test, simulator, nats, receiver, accountId, key, folder, shared });
    void fleet.#balance();
    return fleet;
  }

  /** Looks at `/readyz` of each node, as a load balancer does. */
  async #balance(): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(this.nodes.map((node) => node.look()));
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** `more`: settings of this node alone. */
  async addNode(more: Record<string, string> = {}): Promise<FrontNode> {
    const name = `n${this.nodes.length + 1}`;
    const port = await freePort();
    const database = await startCuttingProxy(databaseServer(this.test.url));
    const bus = await startCuttingProxy({ host: '127.0.0.1', port: this.nats.port });
    const dataDir = join(this.#folder, name);
    mkdirSync(dataDir, { mode: 0o700 });
    const environment = {
      ...this.#shared,
      DATA_DIR: dataDir,
      PORT: String(port),
      NODE_NAME: name,
      DATABASE_URL: throughProxy(this.test.url, database),
      NATS_URL: `nats://127.0.0.1:${bus.port}`,
      ...more,
    };
    const node = new FrontNode({ name, port, key: this.key, environment, database, bus });
    this.nodes.push(node);
    node.start();
    return node;
  }

  /** A node that a load balancer would send a request to; `random` in [0, 1). */
  pick(random: number): FrontNode | undefined {
    const ready = this.nodes.filter((node) => node.isReady);
    return ready[Math.floor(random * ready.length)];
  }

  /** Makes and pairs a line, by whichever nodes. */
  async addLine(): Promise<FrontLine> {
    const i = this.#made;
    this.#made += 1;
    const [one, other] = [this.nodes[i % this.nodes.length], this.nodes[(i + 1) % this.nodes.length]];
    if (!one || !other) throw new Error('there is no node');
    const phone = `1555${String(1_000_000 + i)}`;
    await this.world('POST', '/phones', { phone, name: `Owner ${i}` });
    const { line_id: id } = await one.api.expect<{ line_id: string }>(200, 'POST', '/api/bridge/v1/lines', {});
    await other.api.expect(200, 'POST', `/api/sandbox/v1/phones/${phone}/scan`, { line_id: id });
    const line = { id, phone };
    this.lines.push(line);
    return line;
  }

  /** Works on the fleet's data as a command of the operator does. */
  async withInstallation<T>(work: (at: Installation) => Promise<T>): Promise<T> {
    const at = await openInstallation({
      ...this.#shared,
      DATA_DIR: join(this.#folder, 'setup'),
      DATABASE_URL: this.test.url,
    });
    try {
      return await work(at);
    } finally {
      await at.close();
    }
  }

  /** What a node with other settings says when it does not start. */
  async refusal(environment: Record<string, string>): Promise<string> {
    const child = spawn(process.execPath, [gatewayEntry, 'start'], {
      env: {
        ...{ PATH: process.env.PATH, ...this.#shared, PORT: '0', DATA_DIR: join(this.#folder, 'refused') },
        ...{ DATABASE_URL: this.test.url, NATS_URL: `nats://127.0.0.1:${this.nats.port}`, ...environment },
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said: Buffer[] = [];
    for await (const chunk of child.stderr) said.push(chunk as Buffer);
    return Buffer.concat(said).toString('utf8');
  }

  /** Process ids of the nodes that hold the duties of the fleet. */
  async dutyHolders(): Promise<number[]> {
    const { rows } = await sql<{ name: string }>`
      select a.application_name as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
       where l.locktype = 'advisory' and l.granted and l.classid = 7305817
         and l.objid::bigint = hashtext(current_schema())::bigint & 4294967295`.execute(this.test.store.db);
    return rows.map(({ name }) => Number(/process (\d+)$/.exec(name)?.[1]));
  }

  async world<T>(method: string, path: string, body?: unknown): Promise<T> {
    const [pathname = '', search = ''] = path.split('?');
    const query = Object.fromEntries(new URLSearchParams(search));
    const answer = await this.simulator.control.handle({ tenant: this.accountId, method, path: pathname, query, body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  /**
   * Names of nodes with their lines, by the database; lines of no node that is alive under `free`.
   */
  async shares(): Promise<Record<string, number>> {
    const { rows } = await this.test.store.db
      .selectFrom('line_leases')
      .leftJoin('nodes', (join) =>
        join.onRef('nodes.id', '=', 'line_leases.node_id').onRef('nodes.expires_at', '>', 'nodes.started_at'),
      )
      .select(['nodes.name', 'line_leases.expires_at'])
      .execute()
      .then((found) => ({ rows: found }));
    const shares: Record<string, number> = {};
    for (const { name, expires_at } of rows) {
      const holder = name === null || Number(expires_at) <= Date.now() ? 'free' : name;
      shares[holder] = (shares[holder] ?? 0) + 1;
    }
    return shares;
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.nodes.map((node) => node.close()));
    await this.nats.stop();
    await this.receiver.close();
    await this.simulator.close();
    await this.test.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
