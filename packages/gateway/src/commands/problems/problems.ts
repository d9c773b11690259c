import type { KnownProblem } from '../../core/problems.ts';
import { knownProblems } from '../../store/problems/problems.ts';
import { pendingApprovals } from '../../store/sends/approvals.ts';
import { accountCommand } from '../command.ts';
import type { Context } from '../context.ts';

/** An undecided approval counts as expiring when this little of its time is left. */
const EXPIRING_MS = 3 * 60_000;
const MEBIBYTE = 1_048_576;
/** Below this much the database may soon take nothing. */
const LOW_DISK_BYTES = 1_024 * MEBIBYTE;
const EMPTY_DISK_BYTES = 256 * MEBIBYTE;

export interface ProblemReport {
  problems: KnownProblem[];
  /** Requests for a person's yes that are undecided, and when the first of them expires. */
  approvals: { waiting: number; expiring: number; firstEndsAt: number | null };
  /** Free bytes where the data is, when they run low. */
  disk: { freeBytes: number; isEmpty: boolean } | null;
}

/** What is wrong in the account and mode of the caller, and with the machine. */
export const allProblems = accountCommand(
  { scope: 'lines:read', forLineKeys: 'never' },
  async (context: Context, _: object): Promise<ProblemReport> => {
    const { store, clock, caller } = context;
    const now = clock.now();
    const owner = { accountId: caller.accountId, mode: caller.mode };
    const [problems, ends, freeBytes] = await Promise.all([
      knownProblems(store.db, owner),
      pendingApprovals(store.db, owner, now),
      context.freeDiskBytes?.(),
    ]);
    return {
      problems: problems.filter(({ toldAt }) => toldAt !== null),
      approvals: {
        waiting: ends.length,
        expiring: ends.filter((at) => at - now < EXPIRING_MS).length,
        firstEndsAt: ends[0] ?? null,
      },
      disk:
        freeBytes === undefined || freeBytes >= LOW_DISK_BYTES
          ? null
          : { freeBytes, isEmpty: freeBytes < EMPTY_DISK_BYTES },
    };
  },
);
