import { setMaxListeners } from 'node:events';
import { type ClientVersion, type CloseReason, type Engine, type EngineChange, phoneOf } from '@ponte/engine';
import { AppError, standingDetails } from '../core/app-error.ts';
import type { NetworkName } from '../core/client-version.ts';
import type { LineCommandName, LineCommands, SendOutcome } from '../core/line-commands.ts';
import { within } from '../core/within.ts';
import type { LiveView } from '../journal/live.ts';
import { type LineMetrics, noLineMetrics } from '../observe/line-metrics.ts';
import type { Log } from '../observe/logger.ts';
import { proveWritable } from '../store/db/prove-writable.ts';
import { keepKeys } from '../store/lines/kept-keys.ts';
import { createMessageLookup } from '../store/messages/message-lookup.ts';
import { Connector } from './connection/connector.ts';
import {
  initialModel,
  isHopeless,
  type LineModel,
  type LineSignal,
  type LineStep,
  nextState,
  standingOf,
} from './connection/line-state.ts';
import { Linking } from './connection/linking.ts';
import { LiveFacts } from './connection/live-facts.ts';
import { PairingDesk } from './connection/pairing-desk.ts';
import { RestartWait } from './connection/restart-wait.ts';
import { StatusWriter } from './connection/status-writer.ts';
import { HistoryLoop } from './inbound/history-loop.ts';
import { InboxLoop } from './inbound/inbox-loop.ts';
import type { LineOptions } from './line-options.ts';
import { accountCommands } from './phone/account-commands.ts';
import { groupCommands } from './phone/group-commands.ts';
import { PhoneSide } from './phone/phone-side.ts';
import { toLineError } from './sends/engine-errors.ts';
import { Outgoing } from './sends/outgoing.ts';
import { receiptOf } from './trace/receipt-of.ts';
import { StanzaLooks } from './trace/stanza-looks.ts';
import { StanzaTrace } from './trace/stanza-trace.ts';
import { isNewer } from './workers/announced-versions.ts';

/** Commands of one line. */
export type LineCommand = Exclude<LineCommandName, 'stats'>;

/** An engine that does not come to its end is left behind; its process goes soon. */
const CLOSE_WITHIN_MS = 5_000;
const FLUSH_WITHIN_MS = 2_000;
/**
 * What WhatsApp may answer to a version that it does not take any more, at login or while linking.
 */
const REFUSALS: readonly CloseReason[] = ['client_outdated', 'pairing_failed', 'pairing_expired'];

/**
 * One line, alive: owns its engine and decides when it connects, keeps the inbox flowing into the
 * journal and the outbox onto the wire. Everything it promised is in the store; a new actor on the
 * same rows goes on where this one was cut off.
 */
export class LineActor {
  readonly id: string;
  readonly #options: LineOptions;
  readonly #log: Log;
  readonly #metrics: LineMetrics;
  readonly #stopping = new AbortController();
  readonly #engine: Engine;
  readonly #connector: Connector;
  readonly #desk: PairingDesk;
  readonly #linking: Linking;
  readonly #status: StatusWriter;
  readonly #restart: RestartWait;
  readonly #inbox: InboxLoop;
  readonly #history: HistoryLoop;
  readonly #live: LiveFacts;
  readonly #looks: StanzaLooks;
  readonly #trace: StanzaTrace;
  readonly #phone: PhoneSide;
  readonly #outgoing: Outgoing;
  #model: LineModel;
  #hasStarted = false;
  /** For good. */
  #isStopping = false;
  /** Grows with every login. */
  #connection = 0;
  /** As which version it last connected. */
  #announced: ClientVersion | undefined;
  #cancelStep: (() => void) | undefined;

  /**
   * Loads the line and begins: journals what waits, connects when paired. Rejects when the line
   * cannot be opened (unreadable credentials); then nothing of it runs.
   */
  static async open(options: LineOptions): Promise<LineActor> {
    const { row, store, factory, clock } = options;
    const looks = new StanzaLooks();
    // An engine has news only once it is connected, and only its line connects it.
    let line: LineActor | undefined;
    const engine = await factory.open({
      session: row.id,
      store: options.engineStore,
      lookup: createMessageLookup(store, row.id),
      endpoint: options.endpoint,
      files: options.files,
      clock,
      log: options.log.child({ lineId: row.id }),
      watch: looks.watch,
      onChange: (change) => {
        if (line) line.#onChange(change);
      },
    });
    line = new LineActor(options, engine, looks);
    try {
      await line.#begin();
    } catch (error) {
      await line.stop(0);
      throw error;
    }
    return line;
  }

  private constructor(options: LineOptions, engine: Engine, looks: StanzaLooks) {
    const { row, store, box, clock, nudge } = options;
    this.id = row.id;
    this.#options = options;
    this.#engine = engine;
    this.#looks = looks;
    this.#metrics = options.metrics ?? noLineMetrics;
    // Every send on the wire and every pause listens.
    setMaxListeners(64, this.#stopping.signal);
    const log = options.log.child({ lineId: row.id });
    this.#log = log;
    this.#model = initialModel(row.status, row.reason);
    this.#restart = new RestartWait(clock, () => this.#model);
    this.#desk = new PairingDesk(clock);
    this.#trace = new StanzaTrace(looks, clock);
    const stopping = this.#stopping.signal;
    const of = { line: row, store, clock, log, nudge, traces: options.traces };
    this.#live = new LiveFacts(of);
    this.#status = new StatusWriter(of);
    this.#phone = new PhoneSide({
      ...{ ...of, stopping },
      engine: () => (this.#model.status === 'connected' ? engine : undefined),
      caughtUp: () => this.#inbox.drained(stopping),
    });
    this.#history = new HistoryLoop({ line: row, store, box, engine, clock, log });
    this.#inbox = new InboxLoop({
      ...{ ...of, box, engine, metrics: this.#metrics, kept: options.kept },
      onGroups: (groups) => this.#phone.groupsSeen(groups),
      onHistory: () => this.#history.wake(),
      onSettings: () => this.#phone.settingsChanged(),
    });
    this.#connector = new Connector({ engine, log, onLost: (end) => this.#onLost(end) });
    this.#linking = new Linking({
      ...{ connector: this.#connector, desk: this.#desk, inbox: this.#inbox, clock, log },
      isPaired: () => this.#model.isPaired,
      isStopping: () => this.#isStopping,
      keep: async () => {
        // A "connected" that is still to be written would destroy what is kept.
        await this.#status.flushed();
        await store.transaction((tx) => keepKeys(tx, row.id, clock.now()));
      },
      onBegin: () => {
        this.#announced = options.client?.current();
        this.#apply({ type: 'pairing_requested' });
      },
    });
    this.#outgoing = new Outgoing({
      ...{ ...of, engine, stopping, metrics: this.#metrics },
      discardFile: (name) => options.files?.discard(name),
      onSent: (archives) => archives && this.#phone.sent(),
      standing: () => standingOf(this.#model),
      connection: () => this.#connection,
      // Before the start the row may say less than the credentials do.
      isHopeless: () => this.#hasStarted && isHopeless(this.#model),
      pacing: options.pacing,
      capacity: options.mailboxCapacity,
      expiresMs: options.sendExpiresMs ?? 0,
    });
  }

  get view(): LiveView {
    const self = this.#engine.self();
    const qr = this.#desk.current('qr');
    return {
      lineId: this.id,
      ...standingOf(this.#model),
      phone: phoneOf(self?.pn) ?? null,
      name: self?.name || null,
      qr: qr ? { data: qr.data, expiresAt: qr.expiresAt } : null,
    };
  }

  async #begin(): Promise<void> {
    const { clock } = this.#options;
    await this.#outgoing.refresh();
    this.#inbox.start();
    this.#history.wake();
    this.#hasStarted = true;
    this.#apply({ type: 'started', isPaired: this.#engine.self() !== undefined });
    this.#publish();
    this.#write();
    // Until then the row says how the line stood in another process.
    await within(clock, this.#status.flushed(), FLUSH_WITHIN_MS);
  }

  /** Runs one command. Rejects with an AppError. */
  async run<N extends LineCommand>(name: N, input: LineCommands[N]['in']): Promise<LineCommands[N]['out']> {
    const commands: { [C in LineCommand]: (input: LineCommands[C]['in']) => Promise<LineCommands[C]['out']> } = {
      'pairing.qr': ({ waitMs }) => this.#linking.byQr(waitMs),
      'pairing.code': ({ phone, waitMs }) => this.#linking.byCode(phone, waitMs),
      logout: ({ timeoutMs }) => this.#logout(timeoutMs),
      send: async (input) => {
        const outcome = await this.#send(input);
        // The answer to the sender names the number under which the recipient is known now.
        await this.#phone.settled();
        return outcome;
      },
      'messages.read': async ({ chat, ids, sender, played }) => {
        await this.#connected().markRead(chat, ids, sender, played);
        return {};
      },
      'queue.look': async () => this.#outgoing.look(),
      'queue.refresh': () => this.#outgoing.refresh().then(() => ({})),
      trace: async (input) => this.#trace.run(input),
      'receipt.wait': (input) => receiptOf(input, this.#looks, this.#options.clock, this.#stopping.signal),
      'media.fetch': (input) => this.#engine.media.fetch(input),
      'numbers.check': ({ phones }) => this.#connected().lookupNumbers(phones),
      ...accountCommands(() => this.#connected()),
      ...groupCommands(() => this.#connected()),
    };
    try {
      await this.#restart.over(name);
      return await commands[name](input);
    } catch (error) {
      throw toLineError(error, this.#restart.standing());
    }
  }

  /**
   * Takes up accepted sends that were never handed over (the command that should have was lost).
   */
  async sweep(): Promise<void> {
    await this.#outgoing.resume();
  }

  /**
   * Ends the line here. Sends on the wire get `graceMs` to be acknowledged; what is not goes again
   * later, as the same message.
   */
  async stop(graceMs: number): Promise<void> {
    const { clock } = this.#options;
    this.#isStopping = true;
    this.#cancelStep?.();
    this.#desk.end('closed');
    this.#trace.end();
    this.#outgoing.shut();
    await within(clock, this.#outgoing.settled(), graceMs);
    this.#stopping.abort();
    await within(clock, this.#connector.close(), CLOSE_WITHIN_MS);
    await within(clock, Promise.all([this.#inbox.stop(), this.#history.stop()]), CLOSE_WITHIN_MS);
    const written = [this.#status.flushed(), this.#live.settled(), this.#phone.settled()];
    await within(clock, Promise.all(written), FLUSH_WITHIN_MS);
    this.#status.stop();
  }

  /** Another version may be announced: what was refused as outdated is tried once more. */
  clientChanged(network: NetworkName | undefined): void {
    const { client, clock } = this.#options;
    if (!client || client.network !== network || this.#isStopping) return;
    if (this.#model.reason !== 'client_outdated' || !isNewer(client.current(), this.#announced)) return;
    this.#apply({ type: 'client_changed', random: clock.random() });
  }

  #onChange(change: EngineChange): void {
    this.#trace.heard(change);
    switch (change.type) {
      case 'inbox':
        this.#inbox.wake();
        break;
      case 'live':
        this.#live.take(change.event);
        break;
      case 'qr':
      case 'code':
        this.#desk.show(change);
        this.#publish();
        break;
      case 'paired':
        this.#desk.end('paired');
        this.#apply({ type: 'paired' });
        this.#inbox.wake();
        this.#history.wake();
        break;
      case 'open':
        this.#connection += 1;
        this.#metrics.connected(this.#connection === 1 ? 'first' : 'again');
        this.#apply({ type: 'opened', atMs: this.#options.clock.monotonic() });
        this.#outgoing.open();
        this.#phone.opened();
        break;
      case 'archived':
      case 'named':
      case 'settings_readable':
      case 'addresses':
      case 'aliases':
        this.#phone.told(change);
        break;
      case 'self':
        this.#publish();
        this.#write();
        break;
      case 'client_expires':
        this.#options.client?.expires(this.#announced, change.at);
        break;
      case 'closed':
        this.#outgoing.shut();
        this.#connector.ended(change);
        break;
    }
  }

  #onLost(change: Extract<EngineChange, { type: 'closed' }>): void {
    const { clock } = this.#options;
    if (this.#isStopping) return;
    const { reason, serverCode, detail } = change;
    this.#log.info({ reason, serverCode, detail }, 'connection ended');
    this.#metrics.disconnected(reason);
    if (!this.#model.isPaired) this.#desk.end(reason);
    if (reason === 'logged_out') void this.#linking.forgetCredentials();
    const retryInMs = change.retryAt === undefined ? undefined : change.retryAt - clock.now();
    const told = { retryInMs, until: change.retryAt, whatsappCode: serverCode };
    this.#apply({ type: 'closed', reason, atMs: clock.monotonic(), random: clock.random(), ...told });
    if (!REFUSALS.includes(reason)) return;
    this.#options.client?.refused(this.#announced);
    this.clientChanged(this.#options.client?.network);
  }

  #apply(signal: LineSignal): void {
    const before = this.#model;
    const { model, step } = nextState(before, signal);
    this.#model = model;
    this.#restart.changed();
    if (model.status !== before.status || model.reason !== before.reason) {
      this.#log.info({ status: model.status, previous: before.status, reason: model.reason }, 'line status changed');
      this.#publish();
      this.#write();
    }
    if (isHopeless(model)) this.#outgoing.giveUp();
    this.#follow(step);
  }

  #follow(step: LineStep): void {
    this.#cancelStep?.();
    this.#cancelStep = undefined;
    if (step.type === 'stay') return;
    const work = step.type === 'connect' ? () => this.#connect() : () => this.#probeStore();
    if (step.delayMs === 0) void work();
    else this.#cancelStep = this.#options.clock.after(step.delayMs, () => void work());
  }

  async #connect(): Promise<void> {
    const { gate } = this.#options;
    // A 515 is answered at once; everything else waits for its turn among the lines of this
    // process.
    if (this.#model.restarts === 0) await gate.turn(this.#stopping.signal);
    this.#announced = this.#options.client?.current();
    await this.#connector.login(() => !this.#isStopping && this.#model.isPaired);
  }

  async #probeStore(): Promise<void> {
    const { store, clock } = this.#options;
    try {
      await proveWritable(store, this.id);
    } catch (error) {
      this.#log.warn({ error }, 'the store does not answer yet');
      if (this.#isStopping) return;
      const signal = { type: 'closed', reason: 'store_failed' } as const;
      return this.#apply({ ...signal, atMs: clock.monotonic(), random: clock.random() });
    }
    await this.#connect();
  }

  async #logout(timeoutMs: number): Promise<{ unlinked: boolean }> {
    if (this.#isStopping) throw new AppError('line_failed');
    this.#outgoing.shut();
    try {
      const result = await this.#linking.unlink(timeoutMs);
      this.#desk.end('logged_out');
      this.#apply({ type: 'unlinked' });
      return result;
    } catch (error) {
      if (this.#model.status === 'connected') this.#outgoing.open();
      throw error;
    }
  }

  async #send({ outboxId, accepted }: LineCommands['send']['in']): Promise<SendOutcome> {
    if (this.#stopping.signal.aborted) throw new AppError('line_failed');
    return this.#outgoing.send(outboxId, accepted);
  }

  #connected(): Engine {
    const standing = this.#restart.standing();
    if (standing.status === 'connected') return this.#engine;
    throw new AppError('line_not_connected', standingDetails(standing));
  }

  #publish(): void {
    this.#options.publish(this.view);
  }

  #write(): void {
    this.#status.write({ ...standingOf(this.#model), self: this.#engine.self(), atMs: this.#options.clock.now() });
  }
}
