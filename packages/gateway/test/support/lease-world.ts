import {
  LEASE_TIMES,
  type LeaseAnswer,
  type LeaseCall,
  type LeaseEffect,
  LeaseProtocol,
  type LeaseTimes,
} from '../../src/lines/fleet/lease-protocol.ts';

/*
 * A fleet in one thread and no time: nodes run the real rules against a model of the table, over a
 * network that loses, delays and repeats nothing on its own but what the seed says. The same seed
 * is the same run.
 */

export interface WorldOptions {
  seed: number;
  nodes: number;
  lines: number;
  /** Nodes that are killed, stopped for a while, cut from the database, or started, per second. */
  faultsPerSecond: number;
  /** Commits that lines try, per second. */
  commitsPerSecond: number;
  /** After it nothing new breaks, and all must come to rest. */
  faultsForMs: number;
  forMs: number;
  /** Other times than the real ones: what is wrong about them must show. */
  times?: LeaseTimes;
}

export interface WorldReport {
  /** What must never be, in words. */
  violations: string[];
  /** From the death of an owner to the next run of its line: the longest. */
  longestTakeoverMs: number;
  takeovers: number;
  commits: number;
  refusedCommits: number;
  /** The longest time from a node's wake until it ended the lines that others run by then. */
  longestWakeMs: number;
  /** Lines that no node runs at the end, apart from those that are being handed over. */
  idleLines: number;
  starts: number;
  faults: Record<string, number>;
  /** Lines of each node that is alive at the end. */
  shares: number[];
}

/** mulberry32: small, even, and the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class Agenda {
  now = 0;
  readonly #heap: { at: number; order: number; work: () => void }[] = [];
  #order = 0;

  at(when: number, work: () => void): void {
    this.#order += 1;
    const heap = this.#heap;
    heap.push({ at: Math.max(when, this.now), order: this.#order, work });
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.#isBefore(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  runUntil(end: number): void {
    for (let next = this.#heap[0]; next && next.at <= end; next = this.#heap[0]) {
      this.now = next.at;
      this.#pop();
      next.work();
    }
    this.now = end;
  }

  #pop(): void {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    heap.pop();
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let least = i;
      if (left < heap.length && this.#isBefore(left, least)) least = left;
      if (right < heap.length && this.#isBefore(right, least)) least = right;
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, two] = [this.#heap[a], this.#heap[b]];
    if (!one || !two) return false;
    return one.at < two.at || (one.at === two.at && one.order < two.order);
  }

  #swap(a: number, b: number): void {
    const [one, two] = [this.#heap[a], this.#heap[b]];
    if (!one || !two) return;
    this.#heap[a] = two;
    this.#heap[b] = one;
  }
}

interface Row {
  node: string | undefined;
  epoch: number;
  expiresAt: number;
  /** Transactions that hold it FOR KEY SHARE. */
  readers: number;
}

/** The table, as PostgreSQL keeps it: one statement at a time, by the server's clock. */
class ModelTable {
  readonly rows = new Map<string, Row>();
  readonly nodes = new Map<string, { expiresAt: number; lines: number }>();
  readonly #ofNode = new Map<string, Set<string>>();
  /** Lines by the second in which they run out; entries that are not true any more are dropped. */
  readonly #due = new Map<number, string[]>();
  #oldest = 0;
  readonly now: () => number;

  constructor(lines: number, now: () => number) {
    this.now = now;
    for (let i = 0; i < lines; i++) {
      this.rows.set(`line_${i}`, { node: undefined, epoch: 0, expiresAt: 0, readers: 0 });
      this.#enlist(`line_${i}`, 0);
    }
  }

  call(node: string, call: LeaseCall): LeaseAnswer {
    if (call.type === 'renew') return this.#renew(node, call.lines);
    if (call.type === 'take') return { type: 'take', taken: this.#take(node, call.most, call.freeForMs) };
    for (const { lineId, epoch } of call.lines) {
      const row = this.rows.get(lineId);
      if (row?.node !== node || row.epoch !== epoch) continue;
      this.#ofNode.get(node)?.delete(lineId);
      row.node = undefined;
      row.expiresAt = this.now();
      this.#enlist(lineId, row.expiresAt);
    }
    return { type: 'release' };
  }

  #renew(node: string, lines: number): LeaseAnswer {
    const now = this.now();
    this.nodes.set(node, { expiresAt: now + LEASE_TIMES.ttlMs, lines });
    const owned: { lineId: string; epoch: number }[] = [];
    for (const lineId of this.#ofNode.get(node) ?? []) {
      const row = this.rows.get(lineId);
      if (!row || row.expiresAt <= now) continue;
      row.expiresAt = now + LEASE_TIMES.ttlMs;
      this.#enlist(lineId, row.expiresAt);
      owned.push({ lineId, epoch: row.epoch });
    }
    const live = [...this.nodes].filter(([, { expiresAt }]) => expiresAt > now);
    return {
      type: 'renew',
      owned,
      lines: this.rows.size,
      nodes: live.map(([id, { lines }]) => ({ id, name: id, version: '1', weight: 1, isDraining: false, lines })),
    };
  }

  #take(node: string, most: number, freeForMs: number): { lineId: string; epoch: number }[] {
    const now = this.now();
    const taken: { lineId: string; epoch: number }[] = [];
    const until = Math.floor((now - freeForMs) / 1_000);
    for (let second = this.#oldest; second <= until && taken.length < most; second++) {
      const kept: string[] = [];
      for (const lineId of this.#due.get(second) ?? []) {
        const row = this.rows.get(lineId);
        if (!row || Math.floor(row.expiresAt / 1_000) !== second) continue;
        if (taken.length >= most || row.expiresAt > now - freeForMs || row.readers > 0) {
          kept.push(lineId);
          continue;
        }
        if (row.node) this.#ofNode.get(row.node)?.delete(lineId);
        Object.assign(row, { node, epoch: row.epoch + 1, expiresAt: now + LEASE_TIMES.ttlMs });
        const own = this.#ofNode.get(node) ?? new Set();
        this.#ofNode.set(node, own.add(lineId));
        this.#enlist(lineId, row.expiresAt);
        taken.push({ lineId, epoch: row.epoch });
      }
      if (kept.length > 0) this.#due.set(second, kept);
      else this.#due.delete(second);
      if (kept.length === 0 && second === this.#oldest) this.#oldest += 1;
    }
    return taken;
  }

  #enlist(lineId: string, expiresAt: number): void {
    const second = Math.floor(expiresAt / 1_000);
    this.#oldest = Math.min(this.#oldest, second);
    const list = this.#due.get(second);
    if (list) list.push(lineId);
    else this.#due.set(second, [lineId]);
  }
}

/** How long the server waits for a session that is idle inside a transaction. */
const IDLE_IN_TRANSACTION_MS = 5_000;
const ANSWER_WITHIN_MS = 3_500;
const HAND_OVER_MS = 10_000;

interface SimNode {
  readonly id: string;
  readonly protocol: LeaseProtocol;
  /** Its clock runs faster or slower than ours. */
  readonly rate: number;
  readonly offset: number;
  readonly running: Map<string, number>;
  isAlive: boolean;
  /** It stands still until then. */
  stoppedUntil: number;
  /** Its calls get lost until then. */
  cutUntil: number;
  /** When it woke last. */
  wokeAt: number;
  /** What happens to it while it stands still, in order. */
  held: (() => void)[];
}

export function runLeaseWorld(options: WorldOptions): WorldReport {
  return new LeaseWorld(options).run();
}

class LeaseWorld {
  readonly #options: WorldOptions;
  readonly #random: () => number;
  readonly #agenda = new Agenda();
  readonly #table: ModelTable;
  readonly #nodes: SimNode[] = [];
  /** Who runs a line, by our own eyes; a node that stands still runs what it ran. */
  readonly #runners = new Map<string, Set<SimNode>>();
  /** Lines whose owner died, and when. */
  readonly #orphans = new Map<string, number>();
  readonly #endedAt = new Map<string, number>();
  #databaseAwayUntil = 0;
  #born = 0;
  readonly #report: WorldReport = {
    violations: [],
    longestTakeoverMs: 0,
    takeovers: 0,
    commits: 0,
    refusedCommits: 0,
    longestWakeMs: 0,
    idleLines: 0,
    starts: 0,
    faults: {},
    shares: [],
  };

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
    const databaseRate = 1 + (this.#random() - 0.5) / 100;
    this.#table = new ModelTable(options.lines, () => Math.round(this.#agenda.now * databaseRate));
    for (let i = 0; i < options.nodes; i++) this.#addNode();
  }

  run(): WorldReport {
    const { forMs, faultsForMs, faultsPerSecond, commitsPerSecond } = this.#options;
    this.#repeat(faultsPerSecond, faultsForMs, () => this.#fault());
    this.#repeat(commitsPerSecond, forMs, () => this.#commit());
    this.#agenda.runUntil(forMs);
    for (const lineId of this.#table.rows.keys()) {
      const isRun = [...(this.#runners.get(lineId) ?? [])].some((node) => node.isAlive);
      if (!isRun && forMs - (this.#endedAt.get(lineId) ?? 0) > HAND_OVER_MS) this.#report.idleLines += 1;
    }
    for (const since of this.#orphans.values()) {
      this.#report.longestTakeoverMs = Math.max(this.#report.longestTakeoverMs, forMs - since);
    }
    this.#report.shares = this.#nodes.filter((node) => node.isAlive).map((node) => node.running.size);
    return this.#report;
  }

  #repeat(perSecond: number, untilMs: number, work: () => void): void {
    if (perSecond === 0) return;
    const again = () => {
      if (this.#agenda.now >= untilMs) return;
      work();
      this.#agenda.at(this.#agenda.now + (-Math.log(1 - this.#random()) / perSecond) * 1_000, again);
    };
    this.#agenda.at(30_000, again);
  }

  #addNode(): void {
    this.#born += 1;
    const id = `node_${this.#born}`;
    const node: SimNode = {
      id,
      protocol: new LeaseProtocol(id, this.#options.times ?? LEASE_TIMES),
      rate: 1 + (this.#random() - 0.5) / 50,
      offset: this.#random() * 1e9,
      running: new Map(),
      isAlive: true,
      stoppedUntil: 0,
      cutUntil: 0,
      wokeAt: Number.NEGATIVE_INFINITY,
      held: [],
    };
    this.#nodes.push(node);
    const tick = () => {
      if (!node.isAlive) return;
      this.#do(node, node.protocol.tick(this.#clockOf(node)));
      this.#call(node);
      this.#later(node, 250 / node.rate, tick);
    };
    this.#later(node, this.#random() * 250, tick);
  }

  #clockOf = (node: SimNode): number => node.offset + this.#agenda.now * node.rate;

  /** Work of a node: while it stands still it waits, and comes as soon as it wakes. */
  #later(node: SimNode, delayMs: number, work: () => void): void {
    const due = () => {
      if (!node.isAlive) return;
      if (this.#agenda.now < node.stoppedUntil) node.held.push(work);
      else work();
    };
    this.#agenda.at(this.#agenda.now + delayMs, due);
  }

  #call(node: SimNode): void {
    const sentAt = this.#clockOf(node);
    const call = node.protocol.nextCall(sentAt);
    if (!call) return;
    let isAnswered = false;
    const answer = (given: LeaseAnswer) => {
      if (isAnswered) return;
      isAnswered = true;
      this.#do(node, node.protocol.answered(call, given, sentAt, this.#clockOf(node)));
      this.#call(node);
    };
    this.#later(node, ANSWER_WITHIN_MS / node.rate, () => answer({ type: 'failed' }));
    const isCalm = this.#options.faultsPerSecond === 0;
    const way = () => 1 + this.#random() * 20 + (!isCalm && this.#random() < 0.01 ? this.#random() * 3_000 : 0);
    this.#agenda.at(this.#agenda.now + way(), () => {
      if (this.#isCutOff(node)) return;
      // Also from a node that died meanwhile: what was sent is on its way.
      const given = this.#table.call(node.id, call);
      if (!node.isAlive || this.#agenda.now < node.stoppedUntil) this.#struck(node);
      const backMs = way();
      const isLost = !isCalm && this.#random() < 0.002;
      if (isLost || backMs > 1_000) this.#struck(node);
      if (!isLost) this.#later(node, backMs, () => answer(given));
    });
  }

  #isCutOff = (node: SimNode): boolean =>
    this.#agenda.now < node.cutUntil || this.#agenda.now < this.#databaseAwayUntil;

  #do(node: SimNode, effects: readonly LeaseEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'start') this.#start(node, effect.lineId, effect.epoch);
      else if (effect.type === 'cut_all') this.#cutAll(node);
      else {
        const { lineId, epoch } = effect;
        const takesMs = effect.type === 'cut' ? this.#random() * 100 : this.#random() * 2_000;
        this.#later(node, takesMs, () => {
          this.#end(node, lineId, epoch);
          this.#do(node, node.protocol.ended({ lineId, epoch }));
          this.#call(node);
        });
      }
    }
  }

  #cutAll(node: SimNode): void {
    this.#later(node, this.#random() * 200, () => {
      for (const [lineId, epoch] of [...node.running]) this.#end(node, lineId, epoch);
      node.protocol.allEnded();
      this.#call(node);
    });
  }

  #start(node: SimNode, lineId: string, epoch: number): void {
    const runners = this.#runners.get(lineId) ?? new Set();
    this.#runners.set(lineId, runners);
    for (const other of runners) {
      const canAct = other.isAlive && this.#agenda.now >= other.stoppedUntil && this.#agenda.now - other.wokeAt > 1_000;
      if (canAct) this.#violation(`${lineId} starts on ${node.id} while ${other.id} runs it`);
    }
    runners.add(node);
    node.running.set(lineId, epoch);
    this.#report.starts += 1;
    const since = this.#orphans.get(lineId);
    if (since === undefined) return;
    this.#orphans.delete(lineId);
    this.#report.takeovers += 1;
    this.#report.longestTakeoverMs = Math.max(this.#report.longestTakeoverMs, this.#agenda.now - since);
  }

  #end(node: SimNode, lineId: string, epoch: number): void {
    if (node.running.get(lineId) !== epoch) return;
    node.running.delete(lineId);
    const runners = this.#runners.get(lineId);
    runners?.delete(node);
    this.#endedAt.set(lineId, this.#agenda.now);
    if ([...(runners ?? [])].some((other) => other.isAlive && (other.running.get(lineId) ?? 0) > epoch)) {
      this.#report.longestWakeMs = Math.max(this.#report.longestWakeMs, this.#agenda.now - node.wokeAt);
    }
  }

  /** A line writes: the fence is looked at first, and holds until the end of the transaction. */
  #commit(): void {
    const lineId = `line_${Math.floor(this.#random() * this.#table.rows.size)}`;
    const row = this.#table.rows.get(lineId);
    // Any node that believes it runs the line, the present owner as well as an earlier one.
    const runners = [...(this.#runners.get(lineId) ?? [])];
    const node = runners[Math.floor(this.#random() * runners.length)];
    const epoch = node?.running.get(lineId);
    if (!node || !row || epoch === undefined || this.#isCutOff(node)) return;
    this.#agenda.at(this.#agenda.now + this.#random() * 20, () => {
      if (row.epoch !== epoch || row.node !== node.id) {
        this.#report.refusedCommits += 1;
        return;
      }
      row.readers += 1;
      const end = (isCommitted: boolean) => {
        row.readers -= 1;
        if (!isCommitted) return;
        this.#report.commits += 1;
        if (row.epoch !== epoch) this.#violation(`${node.id} committed to ${lineId} under a stale number`);
      };
      const takesMs = this.#random() * 50;
      this.#agenda.at(this.#agenda.now + takesMs, () => {
        const isStopped = !node.isAlive || this.#agenda.now < node.stoppedUntil;
        if (!isStopped) end(true);
        else this.#agenda.at(this.#agenda.now + (node.isAlive ? IDLE_IN_TRANSACTION_MS : 0), () => end(false));
      });
    });
  }

  #pick(): SimNode | undefined {
    const live = this.#nodes.filter((node) => node.isAlive);
    return live[Math.floor(this.#random() * live.length)];
  }

  #fault(): void {
    const node = this.#pick();
    if (!node) return;
    const dice = this.#random();
    const kind = dice < 0.3 ? 'kill' : dice < 0.6 ? 'stop' : dice < 0.9 ? 'cut' : dice < 0.97 ? 'join' : 'database';
    this.#report.faults[kind] = (this.#report.faults[kind] ?? 0) + 1;
    const forMs = this.#random() * 40_000;
    if (kind === 'kill') this.#kill(node);
    else if (kind === 'stop') this.#stop(node, forMs);
    else if (kind === 'cut') this.#cut(node, forMs);
    else if (kind === 'join') this.#addNode();
    else this.#databaseAway(this.#random() * 20_000);
  }

  /** It holds lines by the table that it has not heard of yet: their time counts anew. */
  #struck(node: SimNode): void {
    for (const lineId of this.#orphans.keys()) {
      if (this.#table.rows.get(lineId)?.node === node.id) this.#orphans.set(lineId, this.#agenda.now);
    }
  }

  #kill(node: SimNode): void {
    node.isAlive = false;
    this.#struck(node);
    for (const lineId of node.running.keys()) {
      const runners = this.#runners.get(lineId);
      runners?.delete(node);
      if (![...(runners ?? [])].some((other) => other.isAlive)) this.#orphans.set(lineId, this.#agenda.now);
    }
    // The node is started again later.
    this.#agenda.at(this.#agenda.now + this.#random() * 30_000, () => this.#addNode());
  }

  #cut(node: SimNode, forMs: number): void {
    node.cutUntil = this.#agenda.now + forMs;
    this.#struck(node);
  }

  #stop(node: SimNode, forMs: number): void {
    if (this.#agenda.now < node.stoppedUntil) return;
    this.#struck(node);
    node.stoppedUntil = this.#agenda.now + forMs;
    this.#agenda.at(node.stoppedUntil, () => {
      node.wokeAt = this.#agenda.now;
      // What is ready when a process wakes comes in no particular order.
      const held = node.held.splice(0).sort(() => this.#random() - 0.5);
      for (const work of held) if (node.isAlive) work();
    });
  }

  #databaseAway(forMs: number): void {
    this.#databaseAwayUntil = this.#agenda.now + forMs;
    // No node can take a line meanwhile: the time counts from the database's return.
    for (const lineId of this.#orphans.keys()) this.#orphans.set(lineId, this.#databaseAwayUntil);
  }

  #violation(what: string): void {
    if (this.#report.violations.length < 20) {
      this.#report.violations.push(`seed ${this.#options.seed}, ${Math.round(this.#agenda.now)} ms: ${what}`);
    }
  }
}
