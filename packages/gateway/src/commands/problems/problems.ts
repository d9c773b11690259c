import { isOfMachine, type KnownProblem, type MachineProblemKind, type ProblemKind } from '../../core/problems.ts';
import { knownProblems } from '../../store/problems/problems.ts';
import { pendingApprovals } from '../../store/sends/approvals.ts';
import { accountCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { lookAtMachine, type MachineReport } from './machine-problems.ts';

/** An undecided approval counts as expiring when this little of its time is left. */
const EXPIRING_MS = 3 * 60_000;

export interface ProblemReport extends MachineReport {
  problems: (KnownProblem & { kind: Exclude<ProblemKind, MachineProblemKind> })[];
  /** Requests for a person's yes that are undecided, and when the first of them expires. */
  approvals: { waiting: number; expiring: number; firstEndsAt: number | null };
}

/** Told; the machine's are looked at anew, for both modes. */
const isListed = (of: KnownProblem): of is ProblemReport['problems'][number] =>
  of.toldAt !== null && !isOfMachine(of.kind);

/** What is wrong in the account and mode of the caller, and with the machine. */
export const allProblems = accountCommand(
  { scope: 'lines:read', forLineKeys: 'never' },
  async (context: Context, _: object): Promise<ProblemReport> => {
    const { store, clock, caller } = context;
    const now = clock.now();
    const owner = { accountId: caller.accountId, mode: caller.mode };
    const [problems, ends, machine] = await Promise.all([
      knownProblems(store.db, owner),
      pendingApprovals(store.db, owner, now),
      lookAtMachine(context),
    ]);
    return {
      problems: problems.filter(isListed),
      approvals: {
        waiting: ends.length,
        expiring: ends.filter((at) => at - now < EXPIRING_MS).length,
        firstEndsAt: ends[0] ?? null,
      },
      ...machine,
    };
  },
);
