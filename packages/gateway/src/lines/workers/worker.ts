import { EngineError, type EngineFactory } from '@ponte/engine';
import type { AccountFiles } from '../../blobs/account-files.ts';
import { AppError, standingDetails } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { KeyRing } from '../../crypto/key-ring.ts';
import { UnreadableError } from '../../crypto/sealed-box.ts';
import type { Log } from '../../observe/logger.ts';
import type { Spans } from '../../observe/spans.ts';
import type { MetricsSnapshot, ProcessMetrics } from '../../observe/worker-metrics.ts';
import type { Store } from '../../store/db/store.ts';
import { createEngineStore } from '../../store/engine/engine-store.ts';
import { fencedStore } from '../../store/fleet/fenced-store.ts';
import { loadLine } from '../../store/lines/line-row.ts';
import { linesWithUnfinished } from '../../store/sends/outbox.ts';
import { type ConnectGate, createConnectGate } from '../connection/connect-gate.ts';
import { loadTold, saveStatus } from '../connection/save-status.ts';
import { LeaseWatch } from '../fleet/lease-watch.ts';
import { KeptRows } from '../inbound/kept-rows.ts';
import { LineActor } from '../line.ts';
import { MessageTraces } from '../message-traces.ts';
import { toLineError } from '../sends/engine-errors.ts';
import { failWaiting } from '../sends/fail-send.ts';
import { createLineFiles } from '../sends/line-files.ts';
import { AnnouncedVersions } from './announced-versions.ts';
import { Nudges } from './nudges.ts';
import type { Channel, FromWorker, LineSpec, ToWorker, WorkerSetup } from './worker-protocol.ts';
import { ProcessMeter } from './worker-stats.ts';

export interface WorkerOptions {
  setup: WorkerSetup;
  channel: Pick<Channel<ToWorker, FromWorker>, 'send'>;
  store: Store;
  ring: KeyRing;
  factory: EngineFactory;
  /** Absent: lines have no files. */
  files?: AccountFiles | undefined;
  clock: Clock;
  log: Log;
  metrics?: ProcessMetrics;
  /** Absent: traces are off. */
  spans?: Spans;
  /** Of a fleet: this node's leases are over. Everything must end at once. */
  onLeasesOver?(): void;
}

/** How often accepted sends that were never handed over (the command was lost) are looked for. */
const SWEEP_MS = 30_000;
/** In a fleet any node accepts, and the bus that carries its command may be away. */
const FLEET_SWEEP_MS = 5_000;
/** Time for sends on the wire when one line stops. */
const STOP_GRACE_MS = 3_000;
/** Of the time to drain: what is left for closing connections and the store. */
const DRAIN_RESERVE_MS = 2_000;

/** Of a line that this worker does not host (any more). */
const GONE = { status: 'disconnected', reason: null, until: null, whatsappCode: null } as const;

const isUnreadable = (error: unknown): boolean =>
  error instanceof UnreadableError || (error instanceof EngineError && error.code === 'credentials_unreadable');

/**
 * Hosts lines in this process: starts and stops them as told, runs their commands, gives signs of
 * life.
 */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #gate: ConnectGate;
  readonly #meter: ProcessMeter;
  readonly #lines = new Map<string, LineActor>();
  /** Starts and stops of one line follow each other; the last one counts. */
  readonly #turns = new Map<string, Promise<void>>();
  readonly #versions: AnnouncedVersions;
  readonly #leases: LeaseWatch | undefined;
  readonly #traces: MessageTraces | undefined;
  readonly #sweepMs: number;
  readonly #nudges: Nudges;
  #cancelHeartbeat: (() => void) | undefined;
  #cancelSweep: (() => void) | undefined;
  #isClosing = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#traces = options.spans && new MessageTraces(options.spans);
    this.#gate = createConnectGate(options.setup.connectsPerSecond, options.clock);
    this.#versions = new AnnouncedVersions((message) => options.channel.send(message));
    this.#meter = new ProcessMeter(options.setup.worker);
    this.#nudges = new Nudges((deliveries) => options.channel.send({ type: 'nudge', deliveries }));
    this.#sweepMs = options.setup.nodeId === undefined ? SWEEP_MS : FLEET_SWEEP_MS;
    if (options.setup.nodeId !== undefined) {
      this.#leases = new LeaseWatch(options.clock, () => options.onLeasesOver?.());
    }
  }

  /** Begins to give signs of life. */
  start(): void {
    this.#options.channel.send({ type: 'ready' });
    this.#beat();
    this.#scheduleSweep();
    this.#leases?.start(() => this.#lines.size > 0);
  }

  /** Does what a message says; answers over the channel. */
  receive(message: Exclude<ToWorker, { type: 'setup' | 'drain' }>): void {
    switch (message.type) {
      case 'start_line':
        this.#inTurn(message.spec.lineId, () => this.#startLine(message.spec));
        break;
      case 'stop_line':
        this.#inTurn(message.lineId, () => this.#stopLine(message.lineId, message.isAtOnce ? 0 : STOP_GRACE_MS));
        break;
      case 'lease':
        this.#leases?.told(message.askedAtMs, message.forMs);
        break;
      case 'client_version':
        this.#versions.set(message.network, message.version);
        for (const line of this.#lines.values()) line.clientChanged(message.network);
        break;
      case 'run':
        void this.#run(message);
        break;
    }
  }

  /**
   * Stops every line within the time; afterwards nothing of this worker runs. The store stays open.
   */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosing = true;
    this.#cancelHeartbeat?.();
    this.#cancelSweep?.();
    this.#leases?.stop();
    await Promise.allSettled(this.#turns.values());
    const graceMs = Math.max(0, timeoutMs - DRAIN_RESERVE_MS);
    await Promise.allSettled([...this.#lines.values()].map((line) => line.stop(graceMs)));
    this.#lines.clear();
    this.#meter.stop();
  }

  #inTurn(lineId: string, work: () => Promise<void>): void {
    const turn = (this.#turns.get(lineId) ?? Promise.resolve()).then(work).finally(() => {
      if (this.#turns.get(lineId) === turn) this.#turns.delete(lineId);
    });
    this.#turns.set(lineId, turn);
  }

  async #startLine(spec: LineSpec): Promise<void> {
    const { ring, factory, files, clock, channel, setup } = this.#options;
    const { lineId } = spec;
    if (this.#isClosing) return;
    const store = this.#storeOf(spec);
    if (this.#lines.has(lineId)) return channel.send({ type: 'line_started', lineId });
    const log = this.#options.log;
    try {
      const row = await loadLine(store.db, lineId);
      if (!row) return channel.send({ type: 'line_failed', lineId, detail: 'no such line', isGone: true });
      const box = await ring.box(lineId);
      const kept = new KeptRows();
      const line = await LineActor.open({
        row,
        store,
        box,
        engineStore: createEngineStore({
          ...{ store, box, lineId, clock },
          onUnreadable: (kind) => log.error({ lineId, kind }, 'a stored key cannot be read; it is made anew'),
          onKept: (row) => kept.put(row),
          onKeeping: (entry, place) => kept.keeping(entry, place),
        }),
        kept,
        factory,
        ...this.#versions.of(spec),
        clock,
        log,
        gate: this.#gate,
        pacing: spec.pacing,
        mailboxCapacity: setup.mailboxCapacity,
        sendExpiresMs: setup.sendExpiresMs,
        files: files && createLineFiles(files, row.accountId, log),
        metrics: this.#options.metrics?.lines(row.mode),
        traces: this.#traces,
        publish: (view) => channel.send({ type: 'live', view }),
        nudge: (hasDeliveries = true) => this.#nudges.tell(hasDeliveries),
      });
      this.#lines.set(lineId, line);
      channel.send({ type: 'line_started', lineId });
    } catch (error) {
      log.error({ lineId, error }, 'a line could not be started');
      const detail = error instanceof Error ? error.message : 'unknown error';
      const reason = isUnreadable(error) ? 'credentials_unreadable' : undefined;
      if (reason) await this.#tellUnreadable(lineId, store);
      channel.send({ type: 'line_failed', lineId, detail, isGone: false, reason });
    }
  }

  /** The row and the journal say why nothing goes, and what waits fails instead of waiting on. */
  async #tellUnreadable(lineId: string, store: Store): Promise<void> {
    const { clock, log, setup } = this.#options;
    try {
      const row = await loadLine(store.db, lineId);
      if (!row) return;
      const standing = { status: 'disconnected', reason: 'credentials_unreadable', until: null } as const;
      const now = { ...standing, whatsappCode: null, self: undefined, atMs: clock.now() };
      const { isNew } = await saveStatus(store, row, await loadTold(store.db, lineId), now);
      const on = { store, line: row, clock, expiresMs: setup.sendExpiresMs ?? 0 };
      const hasFailed = await failWaiting(on, 'line_not_connected', standingDetails(now));
      if (isNew || hasFailed) this.#nudges.tell(true);
    } catch (error) {
      log.warn({ lineId, error }, 'that a line cannot be read could not be written down; the next try does it');
    }
  }

  /** What the line writes to: in a fleet only as long as it is this node's. */
  #storeOf({ lineId, epoch }: LineSpec): Store {
    const { store, setup, channel, log } = this.#options;
    const { nodeId } = setup;
    if (nodeId === undefined || epoch === undefined) return store;
    let isLost = false;
    return fencedStore(store, { lineId, nodeId, epoch }, () => {
      if (isLost) return;
      isLost = true;
      log.warn({ lineId, epoch }, 'a line is another node’s now; nothing was written, and it stops here');
      channel.send({ type: 'line_lost', lineId });
      this.#inTurn(lineId, () => this.#stopLine(lineId, 0));
    });
  }

  async #stopLine(lineId: string, graceMs: number): Promise<void> {
    const line = this.#lines.get(lineId);
    this.#lines.delete(lineId);
    try {
      await line?.stop(graceMs);
    } catch (error) {
      this.#options.log.error({ lineId, error }, 'stopping a line failed');
    }
    this.#options.channel.send({ type: 'line_stopped', lineId });
  }

  async #run(message: Extract<ToWorker, { type: 'run' }>): Promise<void> {
    const { channel } = this.#options;
    const { id, lineId, name } = message;
    try {
      // A command may overtake the start it depends on.
      await this.#turns.get(lineId);
      const line = this.#lines.get(lineId);
      if (!line) throw new AppError('line_failed');
      const value =
        message.name === 'stats' ? this.#meter.read(this.#lines.size) : await line.run(message.name, message.input);
      channel.send({ type: 'result', id, ok: true, value });
    } catch (error) {
      const { code, message, details, cause } = toLineError(error, GONE);
      if (code === 'server_error') this.#options.log.error({ lineId, command: name, error: cause }, 'a command failed');
      channel.send({ type: 'result', id, ok: false, code, message, details });
    }
  }

  #beat(): void {
    const { channel, clock, setup, metrics } = this.#options;
    const stats = this.#meter.read(this.#lines.size);
    this.#meter.reset();
    const askedAtMs = setup.nodeId === undefined ? undefined : clock.monotonic();
    const send = (snapshot?: MetricsSnapshot) =>
      channel.send({ type: 'heartbeat', stats, metrics: snapshot, askedAtMs });
    // Counts are a courtesy of the sign of life: without them it goes all the same.
    if (metrics) metrics.snapshot().then(send, () => send());
    else send();
    this.#cancelHeartbeat = clock.after(setup.heartbeatMs, () => this.#beat());
  }

  #scheduleSweep(): void {
    this.#cancelSweep = this.#options.clock.after(this.#sweepMs, () => {
      void this.#sweep().finally(() => {
        if (!this.#isClosing) this.#scheduleSweep();
      });
    });
  }

  async #sweep(): Promise<void> {
    const { store, clock, log } = this.#options;
    try {
      for (const lineId of await linesWithUnfinished(store.db, clock.now() - this.#sweepMs, clock.now())) {
        if (!this.#isClosing) await this.#lines.get(lineId)?.sweep();
      }
    } catch (error) {
      log.warn({ error }, 'looking for forgotten sends failed; next time');
    }
  }
}
