import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSimulator, type Simulator } from '@ponte/simulator';
import { freePort } from '../../src/bench/processes.ts';
import { systemClock } from '../../src/core/clock.ts';
import { newAccountId } from '../../src/core/ids.ts';
import type { LineCommandName, LineCommands } from '../../src/core/line-commands.ts';
import type { LineRef } from '../../src/journal/accept.ts';
import { makeLeases } from '../../src/store/fleet/leases.ts';
import { openTestPostgres, type TestStore } from '../store-harness.ts';
import type { FromNode, NodeSetup, ToNode } from './fleet-node-main.ts';
import { NatsServer } from './nats-server.ts';
import { insertLine, insertSend, readJournal } from './rows.ts';

const NODE = new URL('./fleet-node-main.ts', import.meta.url).pathname;
type Ask = ToNode extends infer Message ? (Message extends unknown ? Omit<Message, 'id'> : never) : never;

/** A node in a process group of its own: what is done to it is done to its workers, too. */
export class NodeProcess {
  readonly name: string;
  nodeId = '';
  isAlive = true;
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #asked = 0;

  constructor(name: string) {
    this.name = name;
    this.#child = fork(NODE, [], { detached: true, serialization: 'advanced' });
    this.#child.on('message', (raw) => {
      const message = raw as FromNode;
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.ok) waiting?.resolve(message.value);
      else waiting?.reject(new Error(message.message));
    });
    this.#gone = new Promise((resolve) =>
      this.#child.once('exit', () => {
        this.isAlive = false;
        for (const { reject } of this.#waiting.values()) reject(new Error(`${name} is gone`));
        resolve();
      }),
    );
  }

  async ask(ask: Ask): Promise<unknown> {
    this.#asked += 1;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#asked, answer);
    this.#child.send({ ...ask, id: this.#asked });
    return answer.promise;
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    if (this.isAlive && this.#child.pid) process.kill(-this.#child.pid, signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#gone;
  }
}

/** Several nodes on one PostgreSQL, one NATS and one simulated network. No front door. */
export class FleetRig {
  readonly test: TestStore;
  readonly simulator: Simulator;
  readonly nats: NatsServer;
  readonly accountId = newAccountId();
  readonly nodes: NodeProcess[] = [];
  readonly #masterKey = randomBytes(32);

  private constructor(test: TestStore, simulator: Simulator, nats: NatsServer) {
    this.test = test;
    this.simulator = simulator;
    this.nats = nats;
  }

  static async start(): Promise<FleetRig> {
    const nats = new NatsServer(await freePort());
    nats.start();
    return new FleetRig(await openTestPostgres(), await createSimulator(), nats);
  }

  /** `databaseUrl`: another way to the same database. */
  async addNode(name: string, databaseUrl = this.test.url): Promise<NodeProcess> {
    const node = new NodeProcess(name);
    this.nodes.push(node);
    const { simulator } = this;
    const setup: NodeSetup = {
      name,
      databaseUrl,
      masterKey: this.#masterKey,
      logLevel: process.env.RIG_LOG === 'debug' ? 'debug' : 'silent',
      wsUrl: simulator.wsUrl('ACCOUNT', 'LINE'),
      noiseRoot: simulator.noiseRootPublicKey,
      mediaCa: simulator.mediaCaPem,
      mediaAddress: `127.0.0.1:${simulator.mediaPort}`,
      natsUrl: `nats://127.0.0.1:${this.nats.port}`,
    };
    node.nodeId = String(await node.ask({ ask: 'start', setup }));
    return node;
  }

  async newLine(): Promise<LineRef> {
    const line = await insertLine(this.test.store, 'test', this.accountId);
    await makeLeases(this.test.store, line.id);
    return line;
  }

  /** Who holds each line at this moment, by the database. */
  async owners(): Promise<Map<string, { nodeId: string | null; epoch: number; expiresAt: number }>> {
    const rows = await this.test.store.db.selectFrom('line_leases').selectAll().execute();
    return new Map(
      rows.map((row) => [
        row.line_id,
        { nodeId: row.node_id, epoch: Number(row.epoch), expiresAt: Number(row.expires_at) },
      ]),
    );
  }

  /** Asks a node that does not hold the line, if there is one. */
  async run<N extends LineCommandName>(
    line: LineRef,
    name: N,
    input: LineCommands[N]['in'],
  ): Promise<LineCommands[N]['out']> {
    const nodeId = (await this.owners()).get(line.id)?.nodeId;
    const live = this.nodes.filter((one) => one.isAlive);
    const node = live.find((one) => one.nodeId !== nodeId) ?? live[0];
    if (!node) throw new Error('there is no node');
    return (await node.ask({ ask: 'run', lineId: line.id, name, input })) as LineCommands[N]['out'];
  }

  async world<T>(method: string, path: string, body?: unknown): Promise<T> {
    const [pathname = '', search = ''] = path.split('?');
    const query = Object.fromEntries(new URLSearchParams(search));
    const answer = await this.simulator.control.handle({ tenant: this.accountId, method, path: pathname, query, body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  async pair(line: LineRef, phone: string): Promise<void> {
    await this.world('POST', '/phones', { phone, name: `Phone ${phone}` });
    const qr = await this.run(line, 'pairing.qr', { waitMs: 15_000 });
    await this.world('POST', `/phones/${phone}/scan`, { line_id: line.id, qr: qr.data });
  }

  async inbox(phone: string): Promise<{ message_id: string }[]> {
    type Inbox = { message_id: string }[];
    const answer = await this.world<{ messages?: Inbox } | Inbox>('GET', `/phones/${phone}/inbox`);
    return Array.isArray(answer) ? answer : (answer.messages ?? []);
  }

  async statuses(): Promise<string[]> {
    const rows = await this.test.store.db.selectFrom('lines').select('status').execute();
    return rows.map(({ status }) => status);
  }

  /** A send that any node accepted; the node that runs the line sends it. */
  async accept(line: LineRef, to: string, body: string): Promise<string> {
    const send = { to: `${to}@s.whatsapp.net`, body, acceptedAt: systemClock.now() };
    return (await insertSend(this.test.store, line, send)).messageId;
  }

  /** Ids of the messages that were told of, as often as they were. */
  async received(line: LineRef): Promise<string[]> {
    const events = await readJournal(this.test.store, line.id);
    return events.flatMap(({ type, payload }) => (type === 'message.received' ? [String(payload.messageId)] : []));
  }

  async close(): Promise<void> {
    // Who was stopped hears nothing before it goes on.
    for (const node of this.nodes) node.signal('SIGCONT');
    await Promise.all(this.nodes.map((node) => node.kill()));
    await this.nats.stop();
    await this.simulator.close();
    await this.test.close();
  }
}
