import { AppError } from '../../core/app-error.ts';
import { findApproval, listApprovals } from '../../store/sends/approvals.ts';
import { accountCommand } from '../command.ts';
import { mayUseLine } from '../line-limits.ts';
import { type Approval, viewOf } from './approval-view.ts';

const LOOK_AT_LEAST_MS = 5_000;
const OPEN: readonly Approval['state'][] = ['pending', 'approved'];

/** Approvals of the account and mode, newest first. */
export const allApprovals = accountCommand(
  { scope: 'messages:read', forLineKeys: 'own' },
  async ({ store, caller, clock }, input: { limit: number }): Promise<Approval[]> =>
    (await listApprovals(store.db, caller, input.limit))
      .filter(({ lineId }) => mayUseLine(caller, lineId))
      .map((one) => viewOf(one, clock.now())),
);

/**
 * One approval, as soon as it is decided and ended, at the latest after `waitMs`.
 * `approval_not_found`; `rate_limited` when too many wait.
 */
export const oneApproval = accountCommand(
  { scope: 'messages:send', forLineKeys: 'own' },
  async ({ store, caller, clock, news }, input: { id: string; waitMs: number }): Promise<Approval> => {
    const leave = news.enter(caller.keyId);
    if (news.isClosed) throw new AppError('unavailable', { retryAfterSeconds: 5 });
    if (!leave) throw new AppError('rate_limited', { retryAfterSeconds: 5 });
    const over = new AbortController();
    try {
      const until = clock.monotonic() + input.waitMs;
      for (;;) {
        const leftMs = until - clock.monotonic();
        const told = news.next(Math.max(0, Math.min(LOOK_AT_LEAST_MS, leftMs)), over.signal);
        const found = await findApproval(store.db, caller, input.id);
        if (!found || !mayUseLine(caller, found.lineId)) throw new AppError('approval_not_found');
        const approval = viewOf(found, clock.now());
        if (!OPEN.includes(approval.state) || leftMs <= 0 || news.isClosed) return approval;
        await told;
      }
    } finally {
      over.abort();
      leave();
    }
  },
);
