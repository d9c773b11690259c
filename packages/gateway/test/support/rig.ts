import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSimulator, type Simulator } from '@ponte/simulator';
import { freePort } from '../../src/bench/processes.ts';
import { openInstallation } from '../../src/installation.ts';
import type { SimulatorAddress } from '../../src/sandbox/simulator-process.ts';
import { type Receiver, startReceiver } from '../receiver.ts';
import { openTestPostgres } from '../store-harness.ts';
import { Api, Sandbox } from './api.ts';
import { gatewayModule } from './product-code.ts';
import { until } from './until.ts';

export interface RigOptions {
  /** Further settings of the gateway. */
  environment?: Record<string, string>;
  /** Ports of this machine that webhooks may go to beside the receiver's. */
  targetPorts?: number[];
  /** Default SQLite. */
  database?: 'sqlite' | 'postgres';
  /** A folder in which every process writes down its statements (count-statements.mjs). */
  statementLog?: string;
  /** The address by which the gateway reaches PostgreSQL. */
  reachDatabase?(url: string): string;
}

export interface LinkedLine {
  ref: string;
  lineId: string;
  /** Number of the phone that owns the line. */
  phone: string;
}

/** What `gateway-main.mjs` is told. */
interface GatewayOrder {
  modules: Record<'app' | 'config' | 'logger', string>;
  environment: Record<string, string>;
  simulator: Omit<SimulatorAddress, 'noiseRoot'> & { noiseRootHex: string };
}

const START_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 15_000;

/**
 * A whole installation under test: simulated network and webhook receiver here, the gateway in a
 * process group of its own.
 */
export class Rig {
  readonly simulator: Simulator;
  readonly receiver: Receiver;
  readonly api: Api;
  readonly sandbox: Sandbox;
  readonly testKey: string;
  /** The account of the installation: the simulated world's name. */
  readonly accountId: string;
  readonly environment: Record<string, string>;
  /** Where the database is: a file's path, or a PostgreSQL address. */
  readonly database: string;
  readonly #statementLog: string | undefined;
  readonly #remove: () => Promise<void>;
  #gateway: ChildProcess | undefined;
  #base: string;

  private constructor(parts: {
    simulator: Simulator;
    receiver: Receiver;
    testKey: string;
    accountId: string;
    environment: Record<string, string>;
    port: number;
    database: string;
    statementLog: string | undefined;
    remove: () => Promise<void>;
  }) {
    this.simulator = parts.simulator;
    this.receiver = parts.receiver;
    this.testKey = parts.testKey;
    this.accountId = parts.accountId;
    this.environment = parts.environment;
    this.database = parts.database;
    this.#statementLog = parts.statementLog;
    this.#remove = parts.remove;
    this.#base = `http://127.0.0.1:${parts.port}`;
    this.api = new Api(this.#base, parts.testKey);
    this.sandbox = new Sandbox(this.api);
  }

  /** Makes the installation and starts the gateway. */
  static async start(options: RigOptions = {}): Promise<Rig> {
    const folder = mkdtempSync(join(tmpdir(), 'ponte-rig-'));
    const dataDir = join(folder, 'data');
    mkdirSync(dataDir, { mode: 0o700 });
    const postgres = options.database === 'postgres' ? await openTestPostgres({ migrated: false }) : undefined;
    const simulator = await createSimulator({ dataFile: join(folder, 'sandbox.db') });
    const receiver = await startReceiver();
    const port = await freePort();
    const environment = {
      DATA_DIR: dataDir,
      PORT: String(port),
      WORKERS: '1',
      LOG_LEVEL: process.env.RIG_LOG ?? 'silent',
      ALLOW_PRIVATE_TARGETS: [receiver.port, ...(options.targetPorts ?? [])].map((at) => `127.0.0.1:${at}`).join(),
      RATE_LIMIT_PROVISION: '1000000',
      RATE_LIMIT_PROXY: '1000000',
      RATE_LIMIT_OTHER: '1000000',
      RATE_LIMIT_IP: '1000000',
      ...(postgres ? { DATABASE_URL: options.reachDatabase?.(postgres.url) ?? postgres.url } : {}),
      ...options.environment,
    };
    const at = await openInstallation(environment);
    const { key } = await at.keys.create({ accountId: at.defaultAccountId, mode: 'test', name: 'rig' });
    const accountId = at.defaultAccountId;
    await at.close();
    const remove = async () => {
      await postgres?.close();
      rmSync(folder, { recursive: true, force: true });
    };
    const database = postgres?.url ?? join(dataDir, 'ponte.db');
    const { statementLog } = options;
    const parts = { simulator, receiver, testKey: key, accountId, environment, port, database, statementLog, remove };
    const rig = new Rig(parts);
    try {
      await rig.startGateway();
    } catch (error) {
      await rig.close();
      throw error;
    }
    return rig;
  }

  get base(): string {
    return this.#base;
  }

  /** Process id of the gateway's main process. */
  get pid(): number {
    return this.#gateway?.pid ?? 0;
  }

  /**
   * A call of the Sandbox API past the gateway: the other side of WhatsApp lives on while the
   * gateway is dead.
   */
  async world<T>(method: string, path: string, body?: unknown): Promise<T> {
    const [pathname = '', search = ''] = path.split('?');
    const query = Object.fromEntries(new URLSearchParams(search));
    const answer = await this.simulator.control.handle({ tenant: this.accountId, method, path: pathname, query, body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  /** Starts the gateway again on the same data and port. Resolves when it serves. */
  async startGateway(): Promise<void> {
    this.#gateway = this.#fork(this.environment);
    await served(this.#gateway);
  }

  /** Another gateway on the same data; for refusals. It ends with its answer. */
  async startSecond(): Promise<void> {
    const child = this.#fork({ ...this.environment, PORT: '0' });
    await served(child).finally(() => child.kill('SIGKILL'));
  }

  #fork(environment: Record<string, string>): ChildProcess {
    const entry = new URL('./gateway-main.mjs', import.meta.url).pathname;
    const child = fork(entry, [], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      ...(this.#statementLog === undefined ? {} : { env: { ...process.env, PONTE_STATEMENT_LOG: this.#statementLog } }),
    });
    const order: GatewayOrder = {
      modules: {
        app: gatewayModule('app'),
        config: gatewayModule('config/config'),
        logger: gatewayModule('observe/logger'),
      },
      environment,
      simulator: {
        baseUrl: `http://127.0.0.1:${this.simulator.port}`,
        noiseRootHex: Buffer.from(this.simulator.noiseRootPublicKey).toString('hex'),
        mediaCa: this.simulator.mediaCaPem,
        mediaAddress: `127.0.0.1:${this.simulator.mediaPort}`,
        controlToken: this.simulator.controlToken,
      },
    };
    child.send(order);
    return child;
  }

  /** Ids of the worker processes; the compiler that runs beside sources is no worker. */
  workers(): number[] {
    const listed = execFileSync('ps', ['-ww', '-o', 'pid=,args=', '--ppid', String(this.pid)], { encoding: 'utf8' });
    return listed
      .split('\n')
      .filter((line) => line.includes('worker-main'))
      .map((line) => Number.parseInt(line, 10))
      .filter((pid) => pid > 0 && isAlive(pid));
  }

  /**
   * kill -9 of the main process and every worker at the same instant. Resolves when all of them are
   * gone.
   */
  async killGateway(): Promise<void> {
    const child = this.#gateway;
    if (!child?.pid) return;
    const pids = [...this.workers(), child.pid];
    const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve();
    for (const pid of pids) kill(pid);
    await gone;
    await until('every process of the gateway is gone', () => pids.every((pid) => !isAlive(pid)));
  }

  /** kill -9 of one worker; the gateway starts another. */
  killWorker(): void {
    const [pid] = this.workers();
    if (pid !== undefined) kill(pid);
  }

  /** Ends the gateway as an operator would; answers its exit code. */
  async stopGateway(): Promise<number | null> {
    const child = this.#gateway;
    this.#gateway = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit', { signal: AbortSignal.timeout(STOP_WITHIN_MS) }).catch(() => {
      child.kill('SIGKILL');
      throw new Error(`the gateway did not stop within ${STOP_WITHIN_MS} ms of SIGTERM`);
    })) as [number | null];
    return code;
  }

  /**
   * A connected test line with a webhook of each kind: Bridges at `/bridges/REF`, signed Lines at
   * `/lines` (made once).
   */
  async linkLine(ref: string, phone: string): Promise<LinkedLine> {
    await this.sandbox.phone(phone, `Owner of ${ref}`);
    await this.api.expect(200, 'POST', '/api/instances', {
      customer_ref: ref,
      webhook_url: `${this.receiver.url}/bridges/${ref}`,
    });
    await this.sandbox.scan(phone, { customer_ref: ref });
    const { line_id: lineId, status } = await this.api.expect<{ line_id: string; status: string }>(
      200,
      'GET',
      `/api/instances/${ref}`,
    );
    if (status !== 'connected') throw new Error(`the line ${ref} is ${status} after the scan`);
    return { ref, lineId, phone };
  }

  async untilConnected(ref: string): Promise<void> {
    await until(
      `${ref} is connected`,
      async () => {
        const answer = await this.api
          .call<{ status: string }>('GET', `/api/instances/${ref}/proxy/status`)
          .catch(() => undefined);
        return answer?.body?.status === 'connected';
      },
      30_000,
    );
  }

  async close(): Promise<void> {
    try {
      await this.stopGateway();
    } finally {
      await this.receiver.close();
      await this.simulator.close();
      await this.#remove();
    }
  }
}

/** Resolves when the gateway in this process serves. */
async function served(child: ChildProcess): Promise<void> {
  const signal = AbortSignal.timeout(START_WITHIN_MS);
  const [answer] = (await once(child, 'message', { signal })) as [{ url?: string; error?: string }];
  if (answer.error !== undefined) throw new Error(`the gateway did not start: ${answer.error}`);
}

/**
 * A dead process whose parent died too may wait to be reaped for ever: it runs no more, so it does
 * not count as alive.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    // Without /proc (not Linux) the signal's answer is all there is.
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' && process.platform !== 'linux';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}
