import { AppError, standingDetails } from '../../core/app-error.ts';
import { type Clock, MAX_TIMER_MS } from '../../core/clock.ts';
import { createInTurn } from '../../core/in-turn.ts';
import type { AcceptedSend, SendOutcome } from '../../core/line-commands.ts';
import type { Pacing } from '../../core/pacing.ts';
import { createPlaces } from '../../core/places.ts';
import { backoffMs } from '../../core/retry.ts';
import { readPacing } from '../../store/lines/lines.ts';
import {
  confirmedByReceipt,
  entryOf,
  loadEnded,
  loadOutbox,
  nextScheduled,
  type OutboxEntry,
  overdue,
  unfinished,
} from '../../store/sends/outbox.ts';
import type { MessageTraces } from '../message-traces.ts';
import { Mailbox } from './mailbox.ts';
import { createPacer, isPaced } from './pacing.ts';
import { Send, type SendContext } from './send.ts';
import { TracedSend } from './traced-send.ts';

export interface OutgoingOptions extends Omit<SendContext, 'onEnd' | 'uploads' | 'isAlone' | 'hasCompany'> {
  /** Of lines that have no pacing of their own; null: not paced. */
  pacing: Pacing | null;
  capacity: number;
  /**
   * After so long what has not left fails; 0 = never. Counted from the acceptance, or from the time
   * it was scheduled for.
   */
  expiresMs: number;
  /** A message has left; `archives`: its chat goes to the archive for it. */
  onSent(archives: boolean): void;
  /** No connection will come: what waits fails. */
  isHopeless(): boolean;
  /** Absent: traces are off. */
  traces?: MessageTraces;
}

/**
 * Unpaced sends that may wait for their acknowledgement at once; paced ones leave one at a time.
 */
const MAX_IN_FLIGHT = 16;
/** Files that one line uploads at once. */
const MAX_UPLOADS = 4;
const PAGE = 500;

const paceOf = (pacing: Pacing | null, clock: Clock) => ({
  pacer: createPacer(pacing, clock),
  maxInFlight: isPaced(pacing) ? 1 : MAX_IN_FLIGHT,
});

/**
 * A line's accepted sends: takes them up, keeps them in order, and tells the waiting callers how
 * they ended.
 */
export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #mailbox: Mailbox;
  readonly #sends = new Map<string, Send>();
  readonly #waiters = new Map<string, PromiseWithResolvers<SendOutcome>>();
  #isGivingUp = false;
  readonly #inTurn = createInTurn();
  readonly #ends = new RecentEnds();
  readonly #uploads = createPlaces(MAX_UPLOADS);
  /** As JSON. */
  #pacing: string;
  #isPaced: boolean;
  #cancelAlarm: (() => void) | undefined;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#pacing = JSON.stringify(options.pacing);
    this.#isPaced = isPaced(options.pacing);
    this.#mailbox = new Mailbox({
      clock: options.clock,
      ...paceOf(options.pacing, options.clock),
      capacity: options.capacity,
      onFault: (error, outboxId) => options.log.error({ error, outboxId }, 'a step of a send failed'),
    });
  }

  /**
   * Takes up every accepted row that is not taken up yet, in order, as far as there is room; the
   * rest waits in the store for the next time.
   */
  async resume(): Promise<void> {
    const { store, line, clock } = this.#options;
    await this.#expire();
    await this.#confirm();
    for (let after = 0; ; ) {
      const page = await this.#ends.during(async (isStale) => {
        const entries = await unfinished(store.db, line.id, { after, limit: PAGE, nowMs: clock.now() });
        const isFull = entries.some((entry) => !isStale(entry.id) && this.#offer(entry) === 'full');
        return { isLast: isFull || entries.length < PAGE, lastSeq: entries.at(-1)?.seq ?? after };
      });
      if (page.isLast) break;
      after = page.lastSeq;
    }
    await this.#setAlarm();
    if (this.#options.isHopeless()) this.giveUp();
  }

  /** Ends what waited too long. What is in a step at this moment may be arriving: it goes on. */
  async #expire(): Promise<void> {
    const { store, line, clock, expiresMs } = this.#options;
    if (expiresMs === 0) return;
    for (const entry of await overdue(store.db, line.id, clock.now() - expiresMs, PAGE)) {
      const known = this.#sends.get(entry.id);
      if (known && !this.#mailbox.remove(entry.id)) continue;
      const send = known ?? this.#create(entry);
      const end = await send.expire();
      // The store did not take it: the next look does it.
      if (end.type === 'again') this.#sends.delete(entry.id);
    }
  }

  /** Ends unconfirmed sends of which receipts say that they arrived. */
  async #confirm(): Promise<void> {
    const { store, line } = this.#options;
    for (const entry of await confirmedByReceipt(store.db, line.id, PAGE)) {
      const end = await this.#create(entry).confirm();
      if (end.type === 'again') this.#sends.delete(entry.id);
    }
  }

  /**
   * Looks at what changed in the store beside the line: its pacing, sends that were cancelled,
   * sends for later.
   */
  async refresh(): Promise<void> {
    const { store, line, clock } = this.#options;
    const pacing = (await readPacing(store.db, line.id)) ?? this.#options.pacing;
    if (JSON.stringify(pacing) !== this.#pacing) {
      this.#pacing = JSON.stringify(pacing);
      this.#isPaced = isPaced(pacing);
      this.#mailbox.repace(paceOf(pacing, clock));
    }
    for (const { id, outcome } of await loadEnded(store.db, line.id, this.#mailbox.waitingIds())) {
      if (this.#mailbox.remove(id)) this.#end(id, outcome);
    }
    await this.resume();
  }

  /** What happens next. */
  look(): { nextAt: number | null; inFlight: number } {
    const inMs = this.#mailbox.nextInMs();
    return { nextAt: inMs === null ? null : this.#options.clock.now() + inMs, inFlight: this.#mailbox.inFlight };
  }

  /**
   * Wakes up when the next scheduled send is due. The schedule is in the store: an alarm that is
   * lost costs time only.
   */
  async #setAlarm(): Promise<void> {
    const { store, line, clock, stopping, log } = this.#options;
    const dueAt = await nextScheduled(store.db, line.id, clock.now());
    this.#cancelAlarm?.();
    this.#cancelAlarm = undefined;
    if (dueAt === undefined || stopping.aborted) return;
    const ring = () => {
      if (stopping.aborted) return;
      this.resume().catch((error: unknown) => {
        log.warn({ lineId: line.id, error }, 'taking up scheduled sends failed; the next sweep does it');
      });
    };
    this.#cancelAlarm = clock.after(Math.min(dueAt - clock.now(), MAX_TIMER_MS), ring);
    stopping.addEventListener('abort', this.#cancelAlarm, { once: true });
  }

  /**
   * Hands a row to the mailbox and resolves with its end; asking again waits for the same end. A
   * row that comes with the question is not read again: `Send` finds out before anything leaves
   * whether it has moved on.
   */
  send(outboxId: string, accepted?: AcceptedSend): Promise<SendOutcome> {
    const known = this.#waiters.get(outboxId);
    if (known) return known.promise;
    const waiter = Promise.withResolvers<SendOutcome>();
    this.#waiters.set(outboxId, waiter);
    // One after the other: two reads at once could come back in the wrong order.
    const begun = this.#inTurn(() => this.#ends.during((isStale) => this.#begin(outboxId, isStale, accepted)));
    begun.catch((error: unknown) => {
      this.#waiters.delete(outboxId);
      waiter.reject(error instanceof AppError ? error : new AppError('unavailable', {}, { cause: error }));
    });
    return waiter.promise;
  }

  open(): void {
    this.#mailbox.open();
  }

  shut(): void {
    this.#mailbox.shut();
  }

  settled(): Promise<void> {
    return this.#mailbox.settled();
  }

  /** Fails what waits, for as long as there is no hope for it. */
  giveUp(): void {
    if (this.#isGivingUp || this.#sends.size === 0) return;
    this.#isGivingUp = true;
    void this.#failAll().finally(() => {
      this.#isGivingUp = false;
    });
  }

  async #begin(outboxId: string, isStale: (id: string) => boolean, accepted?: AcceptedSend): Promise<void> {
    const { store, line, standing, clock } = this.#options;
    const entry = accepted ? entryOf(accepted) : await loadOutbox(store.db, line.id, outboxId);
    if (!entry) throw new AppError('server_error', {}, { cause: new Error(`no outbox row ${outboxId}`) });
    if (entry.outcome) return this.#end(outboxId, entry.outcome);
    if (entry.isUnconfirmed) return this.#end(outboxId, { state: 'unconfirmed' });
    // Its time has not come; the alarm takes it up.
    if (entry.sendAt !== null && entry.sendAt > clock.now()) return this.#setAlarm();
    if (isStale(outboxId) || this.#sends.has(outboxId)) return;
    if (this.#options.isHopeless()) {
      const end = await this.#create(entry).abandon('line_not_connected', standingDetails(standing()));
      this.#sends.delete(outboxId);
      if (end.type !== 'ended') throw new AppError('unavailable');
    } else if (this.#offer(entry) === 'full') {
      throw new AppError('queue_full', { retryAfterSeconds: 10 });
    }
  }

  #offer(entry: OutboxEntry): 'queued' | 'known' | 'full' {
    if (this.#sends.has(entry.id)) return 'known';
    const result = this.#mailbox.offer(this.#create(entry));
    if (result !== 'queued') this.#sends.delete(entry.id);
    return result;
  }

  #create(entry: OutboxEntry): Send {
    const { traces, ...options } = this.#options;
    const context: SendContext = {
      ...options,
      uploads: this.#uploads,
      isAlone: () => !this.#isPaced && this.#mailbox.inFlight === 0,
      hasCompany: () => this.#mailbox.inFlight > 1,
      onEnd: (id, outcome) => this.#end(id, outcome),
    };
    const send = traces ? new TracedSend(entry, context, traces) : new Send(entry, context);
    this.#sends.set(entry.id, send);
    return send;
  }

  #end(outboxId: string, outcome: SendOutcome): void {
    if (outcome.state === 'sent') this.#options.onSent(this.#sends.get(outboxId)?.archives ?? true);
    this.#sends.delete(outboxId);
    this.#ends.add(outboxId);
    this.#waiters.get(outboxId)?.resolve(outcome);
    this.#waiters.delete(outboxId);
  }

  async #failAll(): Promise<void> {
    const { clock, standing, stopping, isHopeless } = this.#options;
    for (let failures = 0; isHopeless() && !stopping.aborted && this.#sends.size > 0; failures++) {
      // What is on the wire ends first: it may have arrived.
      await this.#mailbox.settled();
      if (!isHopeless()) return;
      for (const job of this.#mailbox.clear()) {
        const send = this.#sends.get(job.id);
        const end = await send?.abandon('line_not_connected', standingDetails(standing()));
        if (send && end?.type === 'again') this.#mailbox.offer(send);
      }
      if (this.#sends.size > 0) await clock.sleep(backoffMs(failures, clock.random()), stopping);
    }
  }
}

/**
 * What ended while the store was being read: such a row is stale, and taking it up again would send
 * it twice.
 */
class RecentEnds {
  #moment = 0;
  readonly #reads = new Set<number>();
  /**
   * Ids by the moment of their end, oldest first; kept as long as a read that began before may
   * bring them back.
   */
  readonly #ended = new Map<string, number>();

  add(id: string): void {
    if (this.#reads.size === 0) return;
    this.#ended.delete(id);
    this.#ended.set(id, ++this.#moment);
  }

  async during<T>(read: (isStale: (id: string) => boolean) => Promise<T>): Promise<T> {
    const began = ++this.#moment;
    this.#reads.add(began);
    try {
      return await read((id) => (this.#ended.get(id) ?? 0) > began);
    } finally {
      this.#reads.delete(began);
      const oldest = Math.min(...this.#reads, Number.POSITIVE_INFINITY);
      for (const [id, moment] of this.#ended) {
        if (moment > oldest) break;
        this.#ended.delete(id);
      }
    }
  }
}
