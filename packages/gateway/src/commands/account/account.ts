import { type Metric, type Period, type PlanLimits, periodOf } from '../../core/quota.ts';
import { countUsed } from '../../store/sends/usage.ts';
import { accountCommand } from '../command.ts';
import type { Account, Caller, Context } from '../context.ts';

export interface Me {
  account: Account;
  limits: PlanLimits;
  period: Period;
  key: Caller;
}

/** Who the key is, and what the account may use. */
export const me = accountCommand(
  { scope: 'account:read', whenInactive: true, forLineKeys: 'account' },
  async (context: Context, _: object) =>
    ({
      account: context.account,
      limits: context.account.limits,
      period: periodOf(context.clock.now(), context.account.cycleAnchor),
      key: context.caller,
    }) satisfies Me,
);

export interface Usage {
  period: Period;
  plan: string;
  metrics: Record<Metric, { used: number; limit: number | null }>;
}

/** What the account used in this period, counted now. */
export const usage = accountCommand(
  { scope: 'account:read', whenInactive: true, forLineKeys: 'account' },
  async (context: Context, _: object): Promise<Usage> => {
    const { account, caller } = context;
    const period = periodOf(context.clock.now(), account.cycleAnchor);
    const { limits } = account;
    const of = { accountId: account.id, mode: caller.mode, period };
    const count = async (metric: Metric) => ({
      used: await countUsed(context.store.db, metric, of),
      limit: limits[metric],
    });
    return {
      period,
      plan: account.plan,
      metrics: {
        sent_messages: await count('sent_messages'),
        webhook_events: await count('webhook_events'),
        lines: await count('lines'),
      },
    };
  },
);
