import type { FleetView, OwnedLine } from '../../store/fleet/leases.ts';
import type { PeerNode } from '../../store/fleet/nodes.ts';

/*
 * The rules by which a node runs lines, without a clock, a database or a line in them: what happens
 * comes in, what is to be done goes out. `lease-keeper.ts` drives them; the simulation in the test
 * drives a hundred nodes of them.
 *
 * Why no two nodes run a line at once: a lease lasts `ttlMs` from a moment after its renewal was
 * sent, by the server's clock; its holder stops `cutMs` after it sent that renewal, by its own
 * clock. What the two clocks may differ over that time is the margin between the two.
 */

export const LEASE_TIMES = {
  /** Duration of a lease, by the database's clock. */
  ttlMs: 15_000,
  /** Between two renewals. */
  renewMs: 5_000,
  /** A node without a renewal for this long, by its own clock, ends its lines at once. */
  cutMs: 10_000,
  /** Interval between two searches for lines without an owner. */
  takeMs: 2_000,
  /** Delay before a failed call is retried. */
  retryMs: 1_000,
  /** A line without an owner for this long is taken whatever a node's share is. */
  orphanMs: 5_000,
} as const;

export type LeaseTimes = { readonly [K in keyof typeof LEASE_TIMES]: number };

/** Lines of one taking: more come with the next one. */
export const TAKE_MOST = 200;
/** Handed over in a second so that the shares become even. */
const BALANCE_PER_SECOND = 5;
/** Handed over in a second to each peer by a node that drains. */
const DRAIN_PER_SECOND = 20;
/** A node that holds so much more than its share gives some away. Below it nothing moves. */
const TOLERANCE = 0.1;

/** One call of the database. The node makes one at a time. */
export type LeaseCall =
  | { type: 'renew'; lines: number }
  | { type: 'take'; most: number; freeForMs: number }
  | { type: 'release'; lines: OwnedLine[] };

export type LeaseAnswer =
  | ({ type: 'renew' } & FleetView)
  | { type: 'take'; taken: OwnedLine[] }
  | { type: 'release' }
  /** No answer in time: it was done, will be, or never. */
  | { type: 'failed' };

/** What becomes of a line. */
export type LeaseEffect =
  | ({ type: 'start' } & OwnedLine)
  /** In order: what is under way ends. Then `ended`. */
  | ({ type: 'close' } & OwnedLine)
  /** Stop at once: another node owns the line. Then `ended`. */
  | ({ type: 'cut' } & OwnedLine)
  /** Every line, at once. Then `allEnded`. */
  | { type: 'cut_all' };

interface Held {
  readonly epoch: number;
  /** `ended`: it does not run any more and is given back. `lost`: it must not run any more. */
  readonly state: 'running' | 'closing' | 'ended' | 'lost';
  /** Taken anew while the former run had not ended yet. */
  next?: number;
}

export class LeaseProtocol {
  readonly #nodeId: string;
  readonly #times: LeaseTimes;
  readonly #held = new Map<string, Held>();
  /** Of those, the ones that run. */
  #count = 0;
  /** Lines that ended in order and are to be given back. */
  readonly #ended = new Map<string, number>();
  /** What this node holds by the database, and does not run. */
  #strays: OwnedLine[] = [];
  #nodes: readonly PeerNode[] = [];
  #lines = 0;
  /** When the last renewal that succeeded was sent. */
  #renewedAt: number | undefined;
  #renewAt = 0;
  #takeAt = 0;
  #isCalling = false;
  /** All lines were cut, and are not known to have ended yet. */
  #isCutting = false;
  #isLeaving = false;
  #isSettled = false;
  #handedOverAt = 0;
  #credit = 0;
  readonly #isBusy: (lineId: string) => boolean;
  /** Once begun it goes on until the shares are even. */
  #isBalancing = false;

  /** `isBusy`: a line that is not to be moved for the sake of shares at this moment. */
  constructor(nodeId: string, times: LeaseTimes = LEASE_TIMES, isBusy: (lineId: string) => boolean = () => false) {
    this.#nodeId = nodeId;
    this.#times = times;
    this.#isBusy = isBusy;
  }

  /** Lines that this node runs, or is about to. */
  get count(): number {
    return this.#count;
  }

  /** Lines that are not over here yet. */
  get remaining(): number {
    return this.#held.size;
  }

  /** Other nodes that would take lines, as the last renewal told. */
  get peers(): number {
    return this.#nodes.filter(({ id, isDraining }) => id !== this.#nodeId && !isDraining).length;
  }

  /** Milliseconds for which what this node holds is its own for certain; 0 when nothing is. */
  validForMs(nowMs: number): number {
    if (this.#renewedAt === undefined || this.#isCutting) return 0;
    return Math.max(0, this.#renewedAt + this.#times.cutMs - nowMs);
  }

  /** Under which number a line runs here; undefined when it does not. */
  epochOf(lineId: string): number | undefined {
    const held = this.#held.get(lineId);
    return held && (held.state === 'running' || held.state === 'closing') ? held.epoch : undefined;
  }

  /** The lines that run here. */
  lines(): string[] {
    return [...this.#held].flatMap(([lineId, { state }]) => (state === 'running' ? lineId : []));
  }

  /** Every line is given away, none is taken any more. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Something may have become free: look at once. */
  lookNow(): void {
    this.#takeAt = 0;
  }

  /** This machine may have stood still without its clock noticing: ask at once. */
  renewNow(): void {
    this.#renewAt = 0;
  }

  /** Time passed. What must be done about it comes before any call. */
  tick(nowMs: number): LeaseEffect[] {
    if (this.#held.size > 0 && !this.#isCutting && this.validForMs(nowMs) === 0) return this.#cutAll();
    return this.#handOver(nowMs);
  }

  /** The call that is due, if one is. Its answer must come back before the next one is given. */
  nextCall(nowMs: number): LeaseCall | undefined {
    if (this.#isCalling) return undefined;
    const call = this.#due(nowMs);
    this.#isCalling = call !== undefined;
    return call;
  }

  answered(call: LeaseCall, answer: LeaseAnswer, sentAtMs: number, nowMs: number): LeaseEffect[] {
    this.#isCalling = false;
    // A stopped process may hear an answer before its own timers: first what is over.
    const before = this.tick(nowMs);
    return [...before, ...this.#answer(call, answer, sentAtMs, nowMs)];
  }

  /** What ran here under this number does not any more. */
  ended({ lineId, epoch }: OwnedLine): LeaseEffect[] {
    const held = this.#held.get(lineId);
    if (held?.epoch !== epoch) return [];
    if (held.state === 'running' || held.state === 'closing') {
      this.#put(lineId, { epoch, state: 'ended' });
      return [];
    }
    if (held.state !== 'lost') return [];
    if (held.next === undefined) {
      this.#drop(lineId);
      return [];
    }
    this.#put(lineId, { epoch: held.next, state: 'running' });
    return [{ type: 'start', lineId, epoch: held.next }];
  }

  /** Nothing runs here any more. */
  allEnded(): void {
    this.#held.clear();
    this.#ended.clear();
    this.#count = 0;
    this.#isCutting = false;
    this.#renewAt = 0;
  }

  #put(lineId: string, held: Held): void {
    this.#drop(lineId, this.#held.has(lineId));
    this.#held.set(lineId, held);
    if (held.state === 'running') this.#count += 1;
    if (held.state === 'ended') this.#ended.set(lineId, held.epoch);
  }

  /** `isKept`: only its state changes, not its place among those that have been here longer. */
  #drop(lineId: string, isKept = false): void {
    if (this.#held.get(lineId)?.state === 'running') this.#count -= 1;
    this.#ended.delete(lineId);
    if (!isKept) this.#held.delete(lineId);
  }

  #cutAll(): LeaseEffect[] {
    this.#isCutting = true;
    // All nodes may have been away: the list of nodes is read anew before any line is taken.
    this.#isSettled = false;
    this.#renewedAt = undefined;
    this.#renewAt = 0;
    return [{ type: 'cut_all' }];
  }

  #due(nowMs: number): LeaseCall | undefined {
    if (nowMs >= this.#renewAt) {
      this.#renewAt = nowMs + this.#times.renewMs;
      return { type: 'renew', lines: this.count };
    }
    const over = this.#over();
    if (over.length > 0) return { type: 'release', lines: over };
    if (nowMs < this.#takeAt || !this.#mayTake(nowMs)) return undefined;
    this.#takeAt = nowMs + this.#times.takeMs;
    const room = this.#share() - this.count;
    return room > 0
      ? { type: 'take', most: Math.min(room, TAKE_MOST), freeForMs: 0 }
      : { type: 'take', most: TAKE_MOST, freeForMs: this.#times.orphanMs };
  }

  #mayTake(nowMs: number): boolean {
    const isDraining = this.#isLeaving || this.#nodes.some(({ id, isDraining }) => id === this.#nodeId && isDraining);
    // A node that is about to lose its leases takes no more lines.
    return !isDraining && !this.#isCutting && this.validForMs(nowMs) > this.#times.cutMs - this.#times.renewMs;
  }

  /** What is to be given back: nothing that may still run here. */
  #over(): OwnedLine[] {
    if (this.#isCutting) return [];
    const over = this.#strays.filter(({ lineId }) => !this.#held.has(lineId));
    for (const [lineId, epoch] of this.#ended) over.push({ lineId, epoch });
    return over;
  }

  #share(): number {
    if (this.#isLeaving) return 0;
    const takers = this.#nodes.filter(({ isDraining }) => !isDraining);
    const own = takers.find(({ id }) => id === this.#nodeId);
    const weights = takers.reduce((sum, { weight }) => sum + weight, 0);
    return own && weights > 0 ? Math.ceil((this.#lines * own.weight) / weights) : 0;
  }

  #answer(call: LeaseCall, answer: LeaseAnswer, sentAtMs: number, nowMs: number): LeaseEffect[] {
    switch (answer.type) {
      case 'failed':
        // The lines of a taking that was done all the same come as strays with the next renewal.
        if (call.type === 'renew') this.#renewAt = Math.min(this.#renewAt, nowMs + this.#times.retryMs);
        else this.#renewAt = nowMs;
        return [];
      case 'release':
        if (call.type === 'release') this.#released(call.lines);
        return [];
      case 'take':
        return this.#took(answer.taken, sentAtMs, nowMs);
      case 'renew':
        return this.#renewed(answer, sentAtMs, nowMs);
    }
  }

  #released(lines: readonly OwnedLine[]): void {
    const gone = new Map(lines.map(({ lineId, epoch }) => [lineId, epoch]));
    this.#strays = this.#strays.filter(({ lineId, epoch }) => gone.get(lineId) !== epoch);
    for (const [lineId, epoch] of gone) {
      const held = this.#held.get(lineId);
      if (held?.state === 'ended' && held.epoch === epoch) this.#drop(lineId);
    }
  }

  #took(taken: readonly OwnedLine[], sentAtMs: number, nowMs: number): LeaseEffect[] {
    if (this.#isCutting || nowMs - sentAtMs >= this.#times.cutMs || this.validForMs(nowMs) === 0) {
      this.#strays.push(...taken);
      return [];
    }
    if (taken.length === TAKE_MOST) this.#takeAt = nowMs;
    return taken.flatMap(({ lineId, epoch }): LeaseEffect[] => {
      const held = this.#held.get(lineId);
      if (held && held.state !== 'ended') {
        // It was lost unnoticed: what runs under the old number ends first.
        const isKnown = held.state === 'lost';
        this.#put(lineId, { epoch: held.epoch, state: 'lost', next: epoch });
        return isKnown ? [] : [{ type: 'cut', lineId, epoch: held.epoch }];
      }
      this.#put(lineId, { epoch, state: 'running' });
      return [{ type: 'start', lineId, epoch }];
    });
  }

  #renewed(view: FleetView, sentAtMs: number, nowMs: number): LeaseEffect[] {
    this.#nodes = view.nodes;
    this.#lines = view.lines;
    if (nowMs - sentAtMs >= this.#times.cutMs) {
      this.#renewAt = nowMs;
      return [];
    }
    const owned = new Map(view.owned.map(({ lineId, epoch }) => [lineId, epoch]));
    const effects: LeaseEffect[] = [];
    for (const [lineId, held] of this.#held) {
      const epoch = owned.get(lineId);
      if (epoch === held.epoch || epoch === held.next) owned.delete(lineId);
      if (epoch === held.epoch && held.state !== 'lost') continue;
      if (held.next !== undefined && epoch !== held.next) held.next = undefined;
      if (held.state === 'ended') this.#drop(lineId);
      else if (held.state !== 'lost') {
        this.#put(lineId, { epoch: held.epoch, state: 'lost' });
        effects.push({ type: 'cut', lineId, epoch: held.epoch });
      }
    }
    // Taken by a call whose answer never came, or kept over a cut. Not run under its old number.
    this.#strays = [...owned].map(([lineId, epoch]) => ({ lineId, epoch }));
    // While lines that were cut still end, the deadline of the next ones must not begin.
    if (!this.#isCutting) this.#renewedAt = sentAtMs;
    if (!this.#isSettled) {
      // Nodes that come up together see each other before the first one takes everything.
      this.#isSettled = true;
      this.#renewAt = nowMs + this.#times.takeMs;
      this.#takeAt = this.#renewAt;
    }
    return effects;
  }

  /** Lines that others are to have, in measure. */
  #handOver(nowMs: number): LeaseEffect[] {
    const own = this.#nodes.find(({ id }) => id === this.#nodeId);
    const isDraining = this.#isLeaving || own?.isDraining === true;
    const surplus = isDraining ? this.count : this.#surplus();
    if (surplus <= 0) {
      this.#handedOverAt = nowMs;
      this.#credit = 0;
      return [];
    }
    const perSecond = isDraining ? DRAIN_PER_SECOND * Math.max(1, this.peers) : BALANCE_PER_SECOND;
    this.#credit = Math.min(perSecond, this.#credit + (perSecond * (nowMs - this.#handedOverAt)) / 1_000);
    this.#handedOverAt = nowMs;
    const most = Math.min(surplus, Math.floor(this.#credit));
    this.#credit -= most;
    const effects: LeaseEffect[] = [];
    // The youngest go first: what has been here longest keeps its address.
    for (const [lineId, held] of [...this.#held].reverse()) {
      if (effects.length >= most) break;
      if (held.state !== 'running' || (!isDraining && this.#isBusy(lineId))) continue;
      this.#put(lineId, { epoch: held.epoch, state: 'closing' });
      effects.push({ type: 'close', lineId, epoch: held.epoch });
    }
    return effects;
  }

  /**
   * What this node has above its share, while another one has less than its own.
   */
  #surplus(): number {
    const share = this.#share();
    const surplus = this.count - share;
    const isEven = surplus <= (this.#isBalancing ? 0 : Math.max(1, share * TOLERANCE));
    this.#isBalancing = !isEven;
    if (isEven) return 0;
    const takers = this.#nodes.filter(({ isDraining }) => !isDraining);
    const weights = takers.reduce((sum, { weight }) => sum + weight, 0);
    const missing = takers
      .filter(({ id }) => id !== this.#nodeId)
      .reduce((sum, { weight, lines }) => sum + Math.max(0, Math.floor((this.#lines * weight) / weights) - lines), 0);
    return Math.min(surplus, missing);
  }
}
