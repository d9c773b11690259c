import { randomBytes } from 'node:crypto';
import { createSimulator, type Simulator } from '@ponte/simulator';
import { systemClock } from '../../src/core/clock.ts';
import { newAccountId } from '../../src/core/ids.ts';
import type { SendOutcome } from '../../src/core/line-commands.ts';
import type { LineRef } from '../../src/journal/accept.ts';
import { forkWorkers } from '../../src/lines/workers/fork-worker.ts';
import { createSupervisor, type Supervisor } from '../../src/lines/workers/supervisor.ts';
import { createLogger, type LogLevel } from '../../src/observe/logger.ts';
import { openTestPostgres, openTestSqlite, type TestStore } from '../store-harness.ts';
import { gatewayModule } from './product-code.ts';
import { insertLine, insertSend, readJournal } from './rows.ts';
import { until } from './until.ts';

const WORKER = gatewayModule('worker-main');
const logLevel: LogLevel = process.env.RIG_LOG === 'debug' ? 'debug' : 'silent';
const log = createLogger({ level: logLevel, process: 'supervisor' });

/**
 * The living part alone: a supervisor with real worker processes, the real engine, and a simulated
 * network. No HTTP, no webhooks sent.
 */
export class LineRig {
  readonly test: TestStore;
  readonly simulator: Simulator;
  readonly accountId = newAccountId();
  readonly #masterKey = randomBytes(32);
  supervisor: Supervisor;

  private constructor(test: TestStore, simulator: Simulator) {
    this.test = test;
    this.simulator = simulator;
    this.supervisor = this.#supervise();
  }

  static async start(database: 'sqlite' | 'postgres' = 'sqlite'): Promise<LineRig> {
    const test = database === 'postgres' ? await openTestPostgres() : await openTestSqlite();
    return new LineRig(test, await createSimulator());
  }

  #supervise(): Supervisor {
    return createSupervisor({
      config: {
        workers: 1,
        isolation: 'shared',
        setup: {
          databaseUrl: this.test.url,
          lockFile: null,
          masterKey: this.#masterKey,
          logLevel,
          heartbeatMs: 1_000,
          connectsPerSecond: 0,
          mailboxCapacity: 1_000,
          blobs: { kind: 'folder', folder: '/nowhere', isShared: false },
        },
      },
      store: this.test.store,
      spawnWorker: forkWorkers(WORKER),
      endpointFor: (line) => ({
        wsUrl: this.simulator.wsUrl(line.accountId, line.id),
        noiseRoot: this.simulator.noiseRootPublicKey,
        mediaCa: this.simulator.mediaCaPem,
        mediaAddress: `127.0.0.1:${this.simulator.mediaPort}`,
      }),
      clock: systemClock,
      log,
      onNudge: () => {},
    });
  }

  /** As after the death of the main process: other workers, the same data. */
  async restart(): Promise<void> {
    await this.supervisor.close();
    this.supervisor = this.#supervise();
    await this.supervisor.start();
  }

  async world<T>(method: string, path: string, body?: unknown): Promise<T> {
    const [pathname = '', search = ''] = path.split('?');
    const query = Object.fromEntries(new URLSearchParams(search));
    const answer = await this.simulator.control.handle({ tenant: this.accountId, method, path: pathname, query, body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  phone(phone: string): Promise<{ jid: string; lid: string }> {
    return this.world('POST', '/phones', { phone, name: `Phone ${phone}` });
  }

  /** A line of the account, hosted, not paired. */
  async newLine(): Promise<LineRef> {
    const line = await insertLine(this.test.store, 'test', this.accountId);
    await this.supervisor.start(line.id);
    return line;
  }

  /** Lets the phone scan the line's QR. Resolves when the line is connected. */
  async pair(line: LineRef, phone: string): Promise<void> {
    const qr = await this.supervisor.run(line.id, 'pairing.qr', { waitMs: 15_000 }, { timeoutMs: 20_000 });
    await this.world('POST', `/phones/${phone}/scan`, { line_id: line.id, qr: qr.data });
    await this.reaches(line, 'connected');
  }

  async reaches(line: LineRef, status: string): Promise<void> {
    await until(`the line is ${status}`, async () => (await this.row(line)).status === status);
  }

  row(line: LineRef) {
    return this.test.store.db.selectFrom('lines').selectAll().where('id', '=', line.id).executeTakeFirstOrThrow();
  }

  /** Accepts a text and sends it. */
  async send(line: LineRef, to: string, body: string): Promise<{ messageId: string; outcome: Promise<SendOutcome> }> {
    const { id, messageId } = await insertSend(this.test.store, line, {
      to: `${to}@s.whatsapp.net`,
      body,
      acceptedAt: systemClock.now(),
    });
    return { messageId, outcome: this.supervisor.run(line.id, 'send', { outboxId: id }, { timeoutMs: 30_000 }) };
  }

  say(from: string, to: string, body: string): Promise<{ message_id: string }> {
    return this.world('POST', `/phones/${from}/messages`, { to, type: 'text', body });
  }

  async inbox(phone: string): Promise<{ message_id: string; type: string; body: string; copies: number }[]> {
    const answer = await this.world<{ messages?: never[] } | never[]>('GET', `/phones/${phone}/inbox`);
    return Array.isArray(answer) ? answer : (answer.messages ?? []);
  }

  async journal(line: LineRef, type: string): Promise<Record<string, unknown>[]> {
    const events = await readJournal(this.test.store, line.id);
    return events.filter((event) => event.type === type).map((event) => event.payload);
  }

  async close(): Promise<void> {
    await this.supervisor.close();
    await this.simulator.close();
    await this.test.close();
  }
}
