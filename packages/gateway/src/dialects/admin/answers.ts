import type { Operator } from '../../commands/account/operator.ts';
import type { Account } from '../../commands/context.ts';

const rfc3339 = (ms: number): string => new Date(ms).toISOString();
const rfc3339OrNull = (ms: number | null): string | null => (ms === null ? null : rfc3339(ms));

export const account = (of: Account) => ({
  id: of.id,
  name: of.name,
  plan: of.plan,
  limits: of.limits,
  subscription: { status: of.subscription },
  cycle_anchor: rfc3339OrNull(of.cycleAnchor),
  contents: of.contents,
  created_at: rfc3339(of.createdAt),
});

export const usage = (of: Awaited<ReturnType<Operator['usage']>>) => ({
  period: { start: rfc3339(of.period.startMs), end: rfc3339(of.period.endMs) },
  plan: of.plan,
  metrics: of.metrics,
});

export const key = (of: Awaited<ReturnType<Operator['keys']>>[number]) => ({
  id: of.keyId,
  name: of.keyName,
  prefix: of.keyPrefix,
  mode: of.mode,
  account_id: of.accountId,
  scopes: of.scopes,
  created_at: rfc3339(of.createdAt),
  expires_at: rfc3339OrNull(of.expiresAt),
  revoked_at: rfc3339OrNull(of.revokedAt),
  last_used_at: rfc3339OrNull(of.lastUsedAt),
  approval: of.needsApproval ? 'required' : 'none',
  line_ids: of.lines ?? null,
  networks: of.networks ?? null,
});
