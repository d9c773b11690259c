import type { ErrorCode, ErrorDetails } from '../../core/app-error.ts';
import type { StoredApproval } from '../../store/sends/approvals.ts';
import type { Sent } from '../sends/sends.ts';

/** How an approval stands. `approved`: yes was said, and it is being sent. */
export type ApprovalState = 'pending' | 'denied' | 'expired' | 'approved' | 'sent' | 'queued' | 'failed';

export interface Approval extends Omit<StoredApproval, 'state' | 'outcome' | 'input' | 'command' | 'fingerprint'> {
  state: ApprovalState;
  outcome:
    | { state: 'sent' | 'queued'; sent: Sent }
    | { state: 'failed'; error: { code: ErrorCode; message: string; details: ErrorDetails } }
    | null;
}

export function viewOf(of: StoredApproval, nowMs: number): Approval {
  const { input: _, command: __, fingerprint: ___, outcome, state, ...rest } = of;
  const known = outcome as Approval['outcome'];
  const isLate = state === 'pending' && of.expiresAt <= nowMs;
  return { ...rest, state: known?.state ?? (isLate ? 'expired' : state), outcome: known };
}
