import { setImmediate as loopTurn } from 'node:timers/promises';
import { afterAwake, stayAwake, systemClock } from '../../core/clock.ts';
import type { Durability, Tx } from './store.ts';

/** A connection that is ours alone, as a group uses it. */
export interface GroupConnection {
  /** Begins with the write lock held. */
  begin(durability: Durability): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  savepoint(): Promise<void>;
  release(): Promise<void>;
  /** Takes back what came since the savepoint. */
  rollbackToSavepoint(): Promise<void>;
  /** False once the database ended the transaction by itself: a full disk, a cut connection. */
  isOpen(): boolean;
  /** What a transaction is given; `end` makes it refuse every later query. */
  transaction(onCommit: (work: () => void) => void): { tx: Omit<Tx, 'attempt'>; end(): void };
}

/** A piece of work that wants to be committed. */
export interface Member {
  durability: Durability;
  /** Nothing is written: needs no transaction of its own. */
  isReadOnly: boolean;
  /** Waits so long for a commit to go along with, before it makes one of its own; absent: not. */
  patienceMs?: number;
  /** Runs inside the transaction; what it answers comes out after the commit. */
  run(connection: GroupConnection): Promise<unknown>;
  /** After the commit. */
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface GroupCommitOptions {
  /** Gives a connection to one holder at a time; rejects when there is none. */
  alone(work: (connection: GroupConnection) => Promise<void>): Promise<void>;
  /** A group is committed; from its begin to the end of its commit. */
  onCommitted?: (durability: Durability, durationMs: number) => void;
  /** Milliseconds that never go backwards; default the system's. */
  monotonic?: () => number;
}

/** Longest group: bounds how long its first member waits for its last. */
const MAX_GROUP = 64;
/** A group that has run for this long takes in no further member. */
const MAX_GROUP_MS = 8;
/**
 * When work comes this thick (members within the window), the next group waits for the window to
 * end, so that what comes meanwhile shares its commit. A caller who is alone never waits.
 */
const BUSY_MEMBERS = 8;
const WINDOW_MS = 2;

/**
 * Group commit: everything that is ready within one turn of the event loop (or, under load, within
 * two milliseconds) runs one after the other in the order of the calls inside one transaction, and
 * shares its one durable commit; each caller gets its own outcome after that commit.
 *
 * - A patient member begins no group for as long; it goes with the first one that another begins.
 * - A member that throws rolls back its own changes only (a savepoint), and gets its own error.
 * - The group is as durable as its most demanding member.
 * - When the database ends the whole transaction under a member (full disk, cut connection), that
 *   member is told of it; the others, of which nothing was committed, run again one by one.
 * - When the commit itself fails, all hear of it: whether it happened may be unknown.
 */
export function createGroupCommit(options: GroupCommitOptions): { add(member: Member): void; isIdle(): boolean } {
  let waiting: Member[] = [];
  /** Lost with another one's failure: each runs by itself now. */
  let solo: Member[] = [];
  let isRunning = false;
  /** Of those that wait: they begin no group. Each with what ends its patience's timer. */
  const patient = new Map<Member, () => void>();
  const arrivals: number[] = [];
  const { monotonic = systemClock.monotonic } = options;

  async function gather(): Promise<void> {
    await loopTurn();
    const since = monotonic() - WINDOW_MS;
    const isBusy = arrivals.length === BUSY_MEMBERS && (arrivals[0] ?? 0) > since;
    if (isBusy && waiting.length < MAX_GROUP) await stayAwake(WINDOW_MS);
  }

  const isDue = () => solo.length > 0 || waiting.some((member) => !patient.has(member));

  async function drain(): Promise<void> {
    isRunning = true;
    while (isDue()) {
      if (solo.length === 0) await gather();
      let taken: Member[] = [];
      try {
        await options.alone(async (connection) => {
          // Taken once the connection is ours: work that arrived while waiting joins this group.
          taken = solo.length > 0 ? solo.splice(0, 1) : waiting.splice(0, MAX_GROUP);
          for (const member of taken) endPatience(member);
          const left = await runGroup(connection, taken, options);
          solo = [...solo, ...left.solo];
          waiting = [...left.rest, ...waiting];
        });
      } catch (error) {
        // No connection (the store is closed, the server away): nothing of it was written.
        const lost = taken.length > 0 ? taken : [...solo.splice(0), ...waiting.splice(0)];
        for (const member of lost) {
          endPatience(member);
          member.reject(error);
        }
      }
    }
    isRunning = false;
  }

  function endPatience(member: Member): void {
    patient.get(member)?.();
    patient.delete(member);
  }

  return {
    add(member) {
      waiting.push(member);
      if (member.patienceMs !== undefined) {
        const wait = afterAwake(member.patienceMs, () => {
          patient.delete(member);
          if (!isRunning) void drain();
        });
        patient.set(member, wait);
        return;
      }
      arrivals.push(monotonic());
      if (arrivals.length > BUSY_MEMBERS) arrivals.shift();
      if (!isRunning) void drain();
    },
    isIdle: () => !isRunning,
  };
}

/** `rest`: had no turn; `solo`: ran, and was lost with another one's failure. */
interface Left {
  rest: Member[];
  solo: Member[];
}
const NOTHING_LEFT: Left = { rest: [], solo: [] };

/** Never rejects: every member gets its outcome, or is among what is left. */
export async function runGroup(
  connection: GroupConnection,
  members: Member[],
  { onCommitted, monotonic = systemClock.monotonic }: Pick<GroupCommitOptions, 'onCommitted' | 'monotonic'>,
): Promise<Left> {
  if (members.every(({ isReadOnly }) => isReadOnly)) return readAll(connection, members);
  const durability: Durability = members.some((member) => member.durability === 'full') ? 'full' : 'normal';
  const from = monotonic();
  try {
    await connection.begin(durability);
  } catch (error) {
    for (const member of members) member.reject(error);
    return NOTHING_LEFT;
  }
  const settled: (() => void)[] = [];
  const done: Member[] = [];
  for (const [at, member] of members.entries()) {
    if (at > 0 && monotonic() - from > MAX_GROUP_MS) break;
    const end = members.length === 1 ? await runOnly(connection, member) : await runOne(connection, member);
    if (end === 'lost') return { rest: members.slice(at + 1), solo: done };
    if (end === 'failed') return NOTHING_LEFT;
    done.push(member);
    settled.push(end);
  }
  try {
    await connection.commit();
  } catch (error) {
    if (connection.isOpen()) await connection.rollback().catch(() => {});
    for (const member of done) member.reject(error);
    return { rest: members.slice(done.length), solo: [] };
  }
  onCommitted?.(durability, monotonic() - from);
  for (const settle of settled) settle();
  return { rest: members.slice(done.length), solo: [] };
}

async function readAll(connection: GroupConnection, members: Member[]): Promise<Left> {
  for (const member of members) {
    await member.run(connection).then(
      (value) => member.resolve(value),
      (error: unknown) => member.reject(error),
    );
  }
  return NOTHING_LEFT;
}

/** A member among others. */
async function runOne(connection: GroupConnection, member: Member): Promise<(() => void) | 'lost'> {
  try {
    await connection.savepoint();
    const value = await member.run(connection);
    await connection.release();
    return () => member.resolve(value);
  } catch (error) {
    if (connection.isOpen()) {
      const isBack = await connection.rollbackToSavepoint().then(
        () => true,
        () => false,
      );
      if (isBack) return () => member.reject(error);
      await connection.rollback().catch(() => {});
    }
    member.reject(error);
    return 'lost';
  }
}

/** A member by itself needs no savepoint: its failure is the transaction's. */
async function runOnly(connection: GroupConnection, member: Member): Promise<(() => void) | 'failed'> {
  try {
    const value = await member.run(connection);
    return () => member.resolve(value);
  } catch (error) {
    if (connection.isOpen()) await connection.rollback().catch(() => {});
    member.reject(error);
    return 'failed';
  }
}
