import type { Clock } from '../../core/clock.ts';
import type { Pacer } from './pacing.ts';

/** What a step of a job came to. `again`: try it later, as the same job. */
export type StepResult = { type: 'ready' } | { type: 'ended' } | { type: 'again'; afterMs: number };

/**
 * One send, from its acceptance to its end. Its steps answer by value; a rejection is a defect,
 * logged by the mailbox and tried again.
 */
export interface MailboxJob {
  readonly id: string;
  /** Lower leaves first; 0 may use the places kept free for it. */
  readonly rank: number;
  /** Order of acceptance within a rank; lower leaves first. */
  readonly order: number;
  /** A job that must wait holds back later ones of its own chat only. */
  readonly chat: string;
  /** Makes the message ready to leave. One job at a time; may run again after `again`. */
  prepare(): Promise<StepResult>;
  /**
   * Puts it on the wire and waits for its end. Calls `release` as soon as the next message of its
   * chat may leave without overtaking it (WhatsApp has it, or it will not have it); its end counts
   * as that too.
   */
  transmit(release: () => void): Promise<Exclude<StepResult, { type: 'ready' }>>;
}

export interface MailboxOptions {
  clock: Clock;
  pacer: Pacer;
  /** Jobs that may wait; further ones are refused. An extra 10 % is reserved for rank 0. */
  capacity: number;
  /** Jobs that may wait for WhatsApp's acknowledgement at the same time. */
  maxInFlight: number;
  onFault(error: unknown, jobId: string): void;
}

interface Waiting {
  job: MailboxJob;
  notBefore: number;
}

const leavesLater = (a: MailboxJob, b: MailboxJob): boolean =>
  a.rank > b.rank || (a.rank === b.rank && a.order > b.order);

/** Delay after a step that rejected, which is a defect of ours: prevents a hot loop. */
const FAULT_PAUSE_MS = 5_000;

/**
 * A line's outgoing queue. Guarantees: jobs are made ready by rank, and within a rank in the order
 * of acceptance (`order`), those of one chat leave one after the other in that order, all of them
 * spaced by the pacer and only while the mailbox is open; never more than `capacity` wait. With
 * `maxInFlight` 1 the whole line is one such chat. Not guaranteed: the order between chats on the
 * wire (the engine may have to ask WhatsApp for one recipient's devices first), and the place of a
 * job that had to be repeated.
 */
export class Mailbox {
  #options: MailboxOptions;
  readonly #waiting: Waiting[] = [];
  readonly #known = new Map<string, MailboxJob>();
  /** Jobs made ready: on the wire, or waiting for their chat's turn. */
  #inFlight = 0;
  /** Chats with a job on the wire, and the ready jobs behind it. */
  readonly #lanes = new Map<string, MailboxJob[]>();
  #isOpen = false;
  #isPumping = false;
  /** Something changed while the pump was running, perhaps after it had looked. */
  #isStale = false;
  #cancelTimer: (() => void) | undefined;
  #idleWaiters: (() => void)[] = [];

  constructor(options: MailboxOptions) {
    this.#options = options;
  }

  /** Jobs that have not ended. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * Puts a job in its place. `full`: refused. `known`: a job of this id has not ended yet; nothing
   * was added.
   */
  offer(job: MailboxJob): 'queued' | 'known' | 'full' {
    if (this.#known.has(job.id)) return 'known';
    const { capacity } = this.#options;
    const places = job.rank === 0 ? capacity + Math.ceil(capacity / 10) : capacity;
    if (this.#waiting.length >= places) return 'full';
    this.#known.set(job.id, job);
    this.#insert({ job, notBefore: Number.NEGATIVE_INFINITY });
    this.#wake();
    return 'queued';
  }

  /** Changes the pace from here on; what is on the wire goes on. */
  repace(pace: Pick<MailboxOptions, 'pacer' | 'maxInFlight'>): void {
    this.#options = { ...this.#options, ...pace };
    this.#wake();
  }

  /** Ids of jobs that wait; none of them is in a step. */
  waitingIds(): string[] {
    return this.#waiting.map(({ job }) => job.id);
  }

  /** Takes one job out that waits. False when there is none, or it is in a step. */
  remove(id: string): boolean {
    const at = this.#waiting.findIndex(({ job }) => job.id === id);
    if (at < 0) return false;
    this.#waiting.splice(at, 1);
    this.#known.delete(id);
    this.#wake();
    return true;
  }

  /** Milliseconds until the next job may leave; null: none waits, or none may. */
  nextInMs(): number | null {
    if (!this.#isOpen || this.#waiting.length === 0) return null;
    const next = this.#next();
    const inMs = 'index' in next ? 0 : next.inMs;
    return inMs === undefined ? null : Math.max(inMs, this.#options.pacer.waitMs());
  }

  /** Jobs made ready: on the wire, or behind one of their chat. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Lets jobs leave. Waits laid down while the connection was gone end here. */
  open(): void {
    this.#isOpen = true;
    for (const entry of this.#waiting) entry.notBefore = Number.NEGATIVE_INFINITY;
    this.#wake();
  }

  /** Holds jobs back; those on the wire go on. */
  shut(): void {
    this.#isOpen = false;
    for (const lane of this.#lanes.values()) {
      for (const job of lane.splice(0)) this.#finish(job, { type: 'again', afterMs: 0 });
    }
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** Takes every job out that is not in a step right now. */
  clear(): MailboxJob[] {
    const jobs = this.#waiting.splice(0).map((entry) => entry.job);
    for (const job of jobs) this.#known.delete(job.id);
    return jobs;
  }

  /** Resolves when no job is in a step. Says nothing about waiting ones. */
  async settled(): Promise<void> {
    while (this.#isPumping || this.#inFlight > 0) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  #insert(entry: Waiting): void {
    let at = this.#waiting.length;
    for (
      let before = this.#waiting[at - 1];
      before && leavesLater(before.job, entry.job);
      before = this.#waiting[at - 1]
    )
      at -= 1;
    this.#waiting.splice(at, 0, entry);
  }

  #wake(): void {
    this.#isStale = true;
    if (this.#isPumping || !this.#isOpen) return;
    this.#isPumping = true;
    void this.#pump().finally(() => {
      this.#isPumping = false;
      this.#notifyIdle();
      if (this.#isStale) this.#wake();
    });
  }

  /**
   * The oldest job that is due and has no older one of its chat waiting; or how long until there
   * may be one.
   */
  #next(): { index: number } | { inMs: number | undefined } {
    const now = this.#options.clock.monotonic();
    const blocked = new Set<string>();
    let inMs: number | undefined;
    for (const [index, { job, notBefore }] of this.#waiting.entries()) {
      if (blocked.has(job.chat)) continue;
      if (notBefore <= now) return { index };
      blocked.add(job.chat);
      inMs = Math.min(inMs ?? Number.POSITIVE_INFINITY, notBefore - now);
    }
    return { inMs };
  }

  async #pump(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (;;) {
      // Before every reason to stop: what changes from here on wakes the pump again, and nothing
      // else does (a full wire must not spin).
      this.#isStale = false;
      if (!this.#isOpen || this.#inFlight >= this.#options.maxInFlight) return;
      const next = this.#next();
      const waitMs = 'index' in next ? this.#options.pacer.waitMs() : next.inMs;
      if (waitMs === undefined) return;
      if (!('index' in next) || waitMs > 0) {
        this.#cancelTimer = this.#options.clock.after(waitMs, () => this.#wake());
        return;
      }
      const [entry] = this.#waiting.splice(next.index, 1);
      if (entry) await this.#begin(entry.job);
    }
  }

  async #begin(job: MailboxJob): Promise<void> {
    const result = await this.#guarded(job, () => job.prepare());
    if (result.type !== 'ready') return this.#putBack(job, result);
    // The connection went while it was made ready: it keeps its place.
    if (!this.#isOpen) return this.#putBack(job, { type: 'again', afterMs: 0 });
    this.#inFlight += 1;
    const lane = this.#lanes.get(job.chat);
    if (lane) lane.push(job);
    else this.#transmit(job);
  }

  #transmit(job: MailboxJob): void {
    this.#options.pacer.spend();
    const lane: MailboxJob[] = this.#lanes.get(job.chat) ?? [];
    this.#lanes.set(job.chat, lane);
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      const next = lane.shift();
      if (next) this.#transmit(next);
      else this.#lanes.delete(job.chat);
    };
    void this.#guarded(job, () => job.transmit(release)).then((end) => {
      this.#finish(job, end.type === 'ready' ? { type: 'ended' } : end);
      release();
    });
  }

  /** A job leaves the wire, or its lane. */
  #finish(job: MailboxJob, result: Exclude<StepResult, { type: 'ready' }>): void {
    this.#inFlight -= 1;
    this.#putBack(job, result);
    this.#notifyIdle();
    this.#wake();
  }

  #putBack(job: MailboxJob, result: Exclude<StepResult, { type: 'ready' }>): void {
    if (result.type === 'ended') this.#known.delete(job.id);
    else this.#insert({ job, notBefore: this.#options.clock.monotonic() + result.afterMs });
  }

  async #guarded(job: MailboxJob, step: () => Promise<StepResult>): Promise<StepResult> {
    try {
      return await step();
    } catch (error) {
      this.#options.onFault(error, job.id);
      return { type: 'again', afterMs: FAULT_PAUSE_MS };
    }
  }

  #notifyIdle(): void {
    if (this.#isPumping || this.#inFlight > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }
}
