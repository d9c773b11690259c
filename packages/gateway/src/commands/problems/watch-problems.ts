import type { AlertFacts } from '../../core/alerts.ts';
import type { Clock } from '../../core/clock.ts';
import { problemEventKey } from '../../core/event-keys.ts';
import type { JournalEvent } from '../../core/events.ts';
import { newEventId } from '../../core/ids.ts';
import { LINE_REASONS, toReason } from '../../core/line-reasons.ts';
import { isOfMachine, type KnownProblem, type Problem, problemKey } from '../../core/problems.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store, Tx } from '../../store/db/store.ts';
import { insertEvent } from '../../store/journal/events.ts';
import { findLineUnowned } from '../../store/lines/lines.ts';
import { queueAlert } from '../../store/problems/alerts.ts';
import { findProblems, forgetProblem, keepProblem, knownProblems } from '../../store/problems/problems.ts';
import { hasUnalerted, takeUnalerted } from '../../store/sends/approvals.ts';
import { fanOut } from '../../webhooks/fan-out.ts';
import { lookAtMachine, type Machine, machineProblems } from './machine-problems.ts';

export interface ProblemWatch {
  /** One look, now. */
  look(): Promise<void>;
  close(): void;
}

const LOOK_EVERY_MS = 15_000;
/** What mends itself within this time is not worth a word. */
const GRACE_MS: Record<Problem['kind'], number> = {
  line_down: 60_000,
  webhook_failing: 60_000,
  queue_stuck: 0,
  disk_low: 60_000,
  clock_off: 60_000,
};

/**
 * Looks every few seconds what is wrong with lines and webhooks, keeps it, and tells each problem
 * once, at its begin and at its end: by an event for those that concern a line, and by `onChange`.
 * What is kept outlives a restart, so nothing is told twice.
 */
export function watchProblems(services: {
  store: Store;
  clock: Clock;
  log: Log;
  nudgeDeliveries(): void;
  onChange(): void;
  /** What is wrong with the machine, and whose people hear of it. */
  machine?: Machine;
  accountId?: string;
  /** Alerts were put on their way. */
  nudgeAlerts?(): void;
  /** Of a fleet: whether this node is the one that looks. */
  isOurs?(): boolean;
}): ProblemWatch {
  const { store, clock, log } = services;
  const owner = services.accountId === undefined ? undefined : { accountId: services.accountId, mode: 'live' as const };
  let cancel = () => {};
  let isClosed = false;

  let looking: Promise<void> | undefined;
  /** One look at a time: two would tell the same thing twice. */
  const look = (): Promise<void> => {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  async function lookOnce(): Promise<void> {
    const now = clock.now();
    const ofMachine = owner && services.machine ? machineProblems(await lookAtMachine(services.machine)) : [];
    const all = [
      ...(await findProblems(store.db, now)),
      ...(owner ? ofMachine.map((one) => ({ ...owner, ...one, subject: 'machine', lineId: null })) : []),
    ];
    const found = new Map(all.map((one) => [idOf(one), one]));
    const known = new Map((await knownProblems(store.db)).map((one) => [idOf(one), one]));
    const changes: { problem: KnownProblem; isOver: boolean; isTold: boolean }[] = [];
    for (const [id, problem] of found) {
      const before = known.get(id);
      const since = before?.since ?? now;
      const isDue = isFinal(problem) || now - since >= GRACE_MS[problem.kind];
      const isTold = isDue && (before?.toldAt ?? null) === null;
      if (before && !isTold && before.reason === problem.reason) continue;
      const toldAt = isTold ? now : (before?.toldAt ?? null);
      changes.push({ problem: { ...problem, since, toldAt }, isOver: false, isTold });
    }
    for (const [id, problem] of known) {
      if (!found.has(id)) changes.push({ problem, isOver: true, isTold: problem.toldAt !== null });
    }
    const isAsked = owner !== undefined && (await hasUnalerted(store.db, owner, now));
    if ((changes.length === 0 && !isAsked) || isClosed) return;
    let dropped = 0;
    await store.transaction(async (tx) => {
      for (const { problem, isOver, isTold } of changes) {
        await (isOver ? forgetProblem(tx.db, problem) : keepProblem(tx.db, problem));
        if (!isTold) continue;
        await tell(tx, problem, isOver, now);
        if (owner && isOf(owner, problem)) dropped += await queueAlert(tx.db, alertOf(problem, isOver), now);
      }
      const asked = owner && isAsked ? await takeUnalerted(tx.db, owner, now) : [];
      for (const one of asked) dropped += await queueAlert(tx.db, alertOfApproval(one, now), now);
    });
    if (dropped > 0) log.warn({ dropped }, 'too many alerts wait; these are not sent');
    services.nudgeAlerts?.();
    if (!changes.some(({ isTold }) => isTold)) return;
    services.nudgeDeliveries();
    services.onChange();
  }

  const again = (): void => {
    if (isClosed) return;
    cancel = clock.after(LOOK_EVERY_MS, () => {
      if (services.isOurs?.() === false) return again();
      return look()
        .catch((error: unknown) => log.warn({ error }, 'looking for problems failed'))
        .finally(again);
    });
  };
  again();
  return {
    look,
    close() {
      isClosed = true;
      cancel();
    },
  };
}

/** Nothing is retried until a person acts: there is nothing to wait for. */
function isFinal({ kind, reason }: Problem): boolean {
  const known = kind === 'line_down' ? toReason(reason) : null;
  return known !== null && LINE_REASONS[known].isFinal;
}

const idOf = (of: Problem): string => `${of.accountId} ${problemKey(of)}`;

const isOf = (owner: { accountId: string; mode: string }, of: Problem): boolean =>
  of.accountId === owner.accountId && of.mode === owner.mode;

const alertOf = ({ kind, subject, lineId, reason, since }: KnownProblem, resolved: boolean): AlertFacts => ({
  about: kind,
  ...{ subject, lineId, reason, since, resolved },
});

const alertOfApproval = ({ id, lineId }: { id: string; lineId: string }, since: number): AlertFacts => ({
  about: 'approval',
  ...{ subject: id, lineId, since },
  reason: null,
  resolved: false,
});

/** A webhook that fails has its own event when it is switched off; it is not told to itself. */
async function tell(tx: Tx, problem: KnownProblem, isOver: boolean, now: number): Promise<void> {
  const { lineId, kind, accountId, since } = problem;
  if (lineId === null || kind === 'webhook_failing' || isOfMachine(kind)) return;
  const line = await findLineUnowned(tx.db, lineId);
  // Deleted meanwhile: its problem no longer matters.
  if (!line) return;
  const { status } = line;
  const type = 'line.problem';
  const payload = { problem: kind, status, reason: toReason(problem.reason), since, resolved: isOver };
  const base = { id: newEventId(), accountId, lineId, createdAt: now };
  const seq = await insertEvent(tx.db, {
    id: base.id,
    account_id: accountId,
    line_id: lineId,
    type,
    dedupe_key: problemEventKey(kind, since, isOver),
    chat: null,
    payload: JSON.stringify(payload),
    created_at: now,
  });
  const event: JournalEvent = { ...base, seq, type, payload };
  await fanOut(tx, [event]);
}
