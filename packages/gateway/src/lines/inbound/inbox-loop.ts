import { type Engine, EngineError, type EngineEvent, type HistoryPart, isGroup, type Jid } from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import { backoffMs } from '../../core/retry.ts';
import { type SealedBox, UnreadableError } from '../../crypto/sealed-box.ts';
import { type Accepted, acceptFacts, type LineRef } from '../../journal/accept.ts';
import { type Fact, fromEngine, mappingOf } from '../../journal/from-engine.ts';
import type { LineMetrics } from '../../observe/line-metrics.ts';
import type { Log } from '../../observe/logger.ts';
import type { Span } from '../../observe/spans.ts';
import { proveWritable } from '../../store/db/prove-writable.ts';
import type { Store, Tx } from '../../store/db/store.ts';
import { keepParts } from '../../store/engine/history-parts.ts';
import { type ClosedRow, closeInbox, type PendingInboxRow, pendingInbox } from '../../store/engine/inbox.ts';
import { setAside } from '../../store/engine/set-aside.ts';
import { type AddressMapping, applyMappings } from '../../store/messages/address-mappings.ts';
import { markSettingsStale } from '../../store/messages/archive.ts';
import { type ChatExpiration, noteExpiration } from '../../store/messages/chat-expirations.ts';
import type { MessageTraces } from '../message-traces.ts';
import type { KeptRows } from './kept-rows.ts';
import { RowsAlong } from './rows-along.ts';

export interface InboxLoopOptions {
  line: LineRef;
  store: Store;
  box: SealedBox;
  engine: Pick<Engine, 'decode'>;
  clock: Clock;
  log: Log;
  metrics: LineMetrics;
  /** Rows that need not be read again; absent: all are. */
  kept?: KeptRows;
  /** Absent: traces are off. */
  traces?: MessageTraces;
  /** New events were committed, and deliveries with them unless said otherwise. */
  nudge(hasDeliveries?: boolean): void;
  /** Something new happened in these groups. */
  onGroups(groups: Jid[]): void;
  /** Parts of history are to be read. */
  onHistory(): void;
  /** The phone's settings are to be fetched. */
  onSettings(): void;
}

/** What some rows are. */
interface Contents {
  facts: Fact[];
  mappings: AddressMapping[];
  parts: HistoryPart[];
  isSettings: boolean;
  expirations: ChatExpiration[];
  /** When the first of them was made durable; Unix milliseconds. */
  since?: number;
  /** Steps of traces that end with the commit. */
  steps?: Span[];
}
const nothing = (): Contents => ({ facts: [], mappings: [], parts: [], isSettings: false, expirations: [] });

const NO_NEWS: Accepted = { events: [], deliveries: 0 };

/** Rows taken together in one transaction when they wait. */
const BATCH = 64;
/** Failures after which a row is set aside: kept, named in the log, but no longer in the way. */
const MAX_TRIES = 3;
const RETRY_PAUSE_MS = 200;

/**
 * Turns a line's inbox into its journal, in order. Each batch is one transaction: events,
 * projections, deliveries and the closing of the rows; after a crash the same rows yield the same
 * facts, which the journal knows by their keys. A store that fails is asked again for as long as
 * the line lives (the inbox is durable, nothing is lost meanwhile). Needs no connection.
 */
export class InboxLoop {
  readonly #options: InboxLoopOptions;
  readonly #stopping = new AbortController();
  /** Failed tries by row. */
  readonly #failed = new Map<number, number>();
  #isAwake = true;
  #emptyWaiters: (() => void)[] = [];
  #wakeUp: (() => void) | undefined;
  #done: Promise<void> | undefined;
  #isDraining = false;

  constructor(options: InboxLoopOptions) {
    this.#options = options;
    const { engine, kept, metrics, clock, log, line } = options;
    const along = new RowsAlong({
      isFree: () => this.#isIdle(),
      decode: (entry) => engine.decode(entry),
      journal: async (tx, events, source) => {
        const contents = nothing();
        for (const event of events) this.#collect(event, source, contents);
        return { contents, news: await this.#journal(tx, contents) };
      },
      tell: ({ contents, news }, createdAt) => {
        metrics.journaled(clock.now() - createdAt);
        this.#tell(contents, news);
      },
      onRefused: (error) => log.debug({ lineId: line.id, error }, 'a row of the inbox waits for its turn'),
    });
    kept?.listen((entry, place) => along.take(entry, place));
  }

  start(): void {
    this.#done ??= this.#run();
  }

  /** There may be something new. */
  wake(): void {
    this.#isAwake = true;
    this.#wakeUp?.();
  }

  /** Resolves when everything that waits now is journaled, or when `signal` is aborted. */
  async drained(signal: AbortSignal): Promise<void> {
    if (signal.aborted || !this.#done) return;
    this.#options.kept?.forget();
    const empty = new Promise<void>((resolve) => {
      this.#emptyWaiters.push(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    this.wake();
    await empty;
  }

  /** Ends after the transaction under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wakeUp?.();
    await this.#done;
  }

  /** Everything that came is journaled. */
  #isIdle(): boolean {
    const { kept, clock } = this.#options;
    const isBusy = this.#isDraining || this.#failed.size > 0;
    if (isBusy || this.#done === undefined || this.#stopping.signal.aborted) return false;
    return kept?.isEmpty(clock.monotonic()) ?? false;
  }

  async #run(): Promise<void> {
    const { clock, log, line } = this.#options;
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      if (!this.#isAwake) await new Promise<void>((resolve) => (this.#wakeUp = resolve));
      if (this.#stopping.signal.aborted) return;
      this.#isAwake = false;
      try {
        await this.#drain();
        failures = 0;
      } catch (error) {
        this.#options.kept?.forget();
        this.#isAwake = true;
        failures += 1;
        log.warn({ lineId: line.id, error, failures }, 'the inbox could not be journaled; trying again');
        await clock.sleep(backoffMs(failures, clock.random()), this.#stopping.signal);
      }
    }
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    try {
      await this.#drainAll();
    } finally {
      this.#isDraining = false;
    }
  }

  async #drainAll(): Promise<void> {
    for (;;) {
      const rows = await this.#next();
      if (rows.length === 0) break;
      // The owner of the mail is unknown until the line is paired again: it waits, and `wake` comes
      // with the pairing.
      if ((await this.#take(rows)) === 'unpaired') break;
      if (this.#stopping.signal.aborted) return;
    }
    for (const resolve of this.#emptyWaiters.splice(0)) resolve();
  }

  /** Rows that wait, oldest first. */
  async #next(): Promise<PendingInboxRow[]> {
    const { kept, clock } = this.#options;
    const known = kept?.take(BATCH, clock.monotonic());
    if (known) return known;
    kept?.beginReading();
    const rows = await this.#read();
    if (rows.length < BATCH && this.#failed.size === 0) kept?.readAll(rows, clock.monotonic());
    else kept?.forget();
    return rows;
  }

  /**
   * From the database. Always from the start: rows may become visible out of order, and closed ones
   * are gone from here.
   */
  async #read(): Promise<PendingInboxRow[]> {
    const { store, box, line, log, kept } = this.#options;
    const read = (limit: number) => pendingInbox(store, box, line.id, 0, limit);
    try {
      // After a failure one by one, so that the one that fails is known.
      return await read(this.#failed.size > 0 ? 1 : BATCH);
    } catch (error) {
      kept?.forget();
      if (!(error instanceof UnreadableError)) throw error;
      // One row of the batch does not open. Alone, the first one shows whether it is that one.
      try {
        return await read(1);
      } catch (alone) {
        if (!(alone instanceof UnreadableError)) throw alone;
        const seq = await setAside(store, line.id);
        log.error({ lineId: line.id, seq, error: alone }, 'an inbox row cannot be read; it was set aside');
        return this.#read();
      }
    }
  }

  async #take(rows: PendingInboxRow[]): Promise<'unpaired' | undefined> {
    const { line, log, clock } = this.#options;
    const contents = nothing();
    contents.since = rows[0]?.createdAt;
    const taken: ClosedRow[] = [];
    let blocking: { row: PendingInboxRow; error: unknown } | undefined;
    for (const row of rows) {
      try {
        for (const event of await this.#options.engine.decode(row.entry)) {
          this.#collect(event, `inbox ${row.seq}`, contents);
        }
        taken.push({ seq: row.seq, kind: row.entry.kind });
      } catch (error) {
        blocking = { row, error };
        break;
      }
    }
    if (blocking) this.#options.kept?.forget();
    if (taken.length > 0) await this.#commit(taken, contents);
    for (const row of rows.slice(0, taken.length)) this.#options.metrics.journaled(clock.now() - row.createdAt);
    if (!blocking) return undefined;
    if (blocking.error instanceof EngineError && blocking.error.code === 'wrong_state') return 'unpaired';
    if (blocking.error instanceof EngineError && blocking.error.code === 'unknown_message') {
      // It answers a message: perhaps one of those just stored, then it is next. Alone at the
      // front, nothing stored before it is that message.
      if (taken.length > 0) return undefined;
      log.info({ lineId: line.id, seq: blocking.row.seq }, 'a vote or answer to an unknown message was left out');
      await this.#commit([{ seq: blocking.row.seq, kind: blocking.row.entry.kind }], nothing());
      return undefined;
    }
    await this.#failedOn(blocking.row.seq, blocking.error);
    return undefined;
  }

  #collect(event: EngineEvent, source: string, contents: Contents): void {
    const { facts, mappings, parts } = contents;
    if (event.type === 'history.offered') parts.push(event.part);
    if (event.type === 'settings.changed') contents.isSettings = true;
    if (event.type === 'chat.expiration') contents.expirations.push(event);
    const mapping = mappingOf(event);
    if (mapping) mappings.push(mapping);
    facts.push(...fromEngine(event, { source, isLive: false }));
  }

  /** Everything that some rows are, in the caller's transaction. */
  async #journal(tx: Tx, contents: Contents): Promise<Accepted> {
    const { box, line, clock, traces } = this.#options;
    const { facts, mappings, parts, isSettings, expirations } = contents;
    if (traces) contents.steps = traces.received(line.id, facts, contents.since);
    await applyMappings(tx, line.id, mappings);
    for (const expiration of expirations) await noteExpiration(tx, line.id, expiration);
    const accepted = facts.length === 0 ? NO_NEWS : await acceptFacts(tx, line, facts, clock.now());
    await keepParts(tx.db, box, line.id, parts, clock.now());
    if (isSettings) await markSettingsStale(tx.db, line.id, true);
    return accepted;
  }

  async #commit(rows: ClosedRow[], contents: Contents): Promise<void> {
    const { store, line, kept } = this.#options;
    let news: Accepted;
    try {
      // `normal`: at a power cut the events are lost together with the closing of their rows, which
      // then yield them again.
      news = await store.transaction(
        async (tx) => {
          const accepted = await this.#journal(tx, contents);
          await closeInbox(tx, rows);
          return accepted;
        },
        'normal',
        line.id,
      );
    } catch (error) {
      kept?.forget();
      // Is it the store, or what we ask of it? A store that takes another write had something
      // against this one.
      await proveWritable(store, line.id);
      return this.#failedOn(rows[0]?.seq, error);
    }
    for (const { seq } of rows) this.#failed.delete(seq);
    this.#tell(contents, news);
  }

  /** After the commit: wakes what waits for the new rows. */
  #tell({ facts, parts, isSettings, steps }: Contents, { events, deliveries }: Accepted): void {
    for (const step of steps ?? []) step.end();
    if (parts.length > 0) this.#options.onHistory();
    if (isSettings) this.#options.onSettings();
    if (events.length === 0) return;
    for (const { type, payload } of events) {
      if (type === 'message.received' && !payload.fromMe) this.#options.metrics.received(payload.content.kind);
    }
    this.#options.nudge(deliveries > 0);
    const groups = new Set(facts.flatMap(({ chat }) => (chat !== null && isGroup(chat) ? [chat] : [])));
    if (groups.size > 0) this.#options.onGroups([...groups]);
  }

  /**
   * A row that does not become events although the store answers. It gets its tries, then makes
   * way; its bytes are kept.
   */
  async #failedOn(seq: number | undefined, error: unknown): Promise<void> {
    const { store, line, log, clock } = this.#options;
    if (seq === undefined || (error instanceof EngineError && error.code === 'store_failed')) throw error;
    const failures = (this.#failed.get(seq) ?? 0) + 1;
    this.#failed.set(seq, failures);
    if (failures < MAX_TRIES) return clock.sleep(RETRY_PAUSE_MS, this.#stopping.signal);
    await setAside(store, line.id, seq);
    this.#failed.delete(seq);
    log.error({ lineId: line.id, seq, error }, 'an inbox row cannot become events; it was set aside');
  }
}
