import type { ApiKeys, ListedKey, MadeKey } from '../../access/api-keys.ts';
import { AppError, invalid } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import { newAccountId } from '../../core/ids.ts';
import type { Mode } from '../../core/lines.ts';
import { METRICS, type Metric, type Period, type PlanLimits, periodOf } from '../../core/quota.ts';
import { insertAccount, listAccountIds, updateAccount } from '../../store/access/accounts.ts';
import { changeContents } from '../../store/access/contents-rows.ts';
import { deletePlan, listPlans, type Plan, putPlan } from '../../store/access/plans.ts';
import type { Store } from '../../store/db/store.ts';
import { countUsed } from '../../store/sends/usage.ts';
import { type Account, SCOPES } from '../context.ts';
import { findAccount } from './find-account.ts';

/**
 * States of a subscription. Everything but `active` answers calls with `subscription_required`; an
 * account may still read what it is and used.
 */
export const SUBSCRIPTIONS = ['active', 'past_due', 'paused', 'cancelled'] as const;
export type Subscription = (typeof SUBSCRIPTIONS)[number];

/** The plan of accounts without limits; it is never in the table. */
export const UNLIMITED_PLAN = 'unlimited';

const WAYS = {
  sealed: { from: ['plain', 'opening'], to: 'sealing' },
  plain: { from: ['sealed', 'sealing'], to: 'opening' },
} as const;

const PLAN_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const MAX_NAME = 100;

export interface AccountChange {
  name?: string;
  plan?: string;
  subscription?: Subscription;
  /**
   * Start of a billing cycle (Unix milliseconds); null = the calendar month, UTC. Cycles follow it
   * from here on, and the present one begins anew.
   */
  cycleAnchor?: number | null;
  /**
   * `sealed`: what people say is encrypted under a key of the account, and cannot be searched.
   * What is there already follows within minutes.
   */
  contents?: 'plain' | 'sealed';
}

export type Used = Record<Metric, { used: number; limit: number | null }>;

/**
 * The operator's work on accounts, plans and keys, for the CLI and the admin API. It checks no
 * permissions: its holder may do everything.
 */
export interface Operator {
  accounts(): Promise<Account[]>;
  /** `account_not_found`. */
  account(id: string): Promise<Account>;
  createAccount(account: { name: string } & AccountChange): Promise<Account>;
  /** `account_not_found`, `plan_not_found`. */
  changeAccount(id: string, change: AccountChange): Promise<Account>;
  usage(id: string, mode: Mode): Promise<{ period: Period; plan: string; metrics: Used }>;
  plans(): Promise<Plan[]>;
  /** Makes or changes a plan; counts at once for every account that has it. */
  putPlan(plan: Plan): Promise<Plan>;
  /** `plan_not_found`, `plan_in_use`. */
  deletePlan(name: string): Promise<void>;
  keys(accountId?: string): Promise<ListedKey[]>;
  /** The answer holds the only copy of the key. */
  createKey(key: {
    accountId: string;
    mode: Mode;
    name: string;
    scopes?: string[];
    expiresAt?: number | null;
    needsApproval?: boolean;
    lines?: readonly string[];
    networks?: readonly string[];
  }): Promise<MadeKey>;
  /** `key_not_found`. */
  revokeKey(id: string): Promise<void>;
  /** A successor with the same rights; the old key stays valid for `graceMs`. `key_not_found`. */
  rotateKey(id: string, graceMs: number): Promise<MadeKey>;
}

export function createOperator(services: { store: Store; keys: ApiKeys; clock: Clock }): Operator {
  const { store, keys, clock } = services;
  const account = async (id: string): Promise<Account> => {
    const known = await findAccount(store.db, id);
    if (!known) throw new AppError('account_not_found');
    return known;
  };
  const checkPlan = async (plan: string | undefined) => {
    if (plan === undefined || plan === UNLIMITED_PLAN) return;
    if ((await listPlans(store.db)).some(({ name }) => name === plan)) return;
    throw new AppError('plan_not_found', {}, { message: `There is no plan "${plan}". Make it first.` });
  };
  const changeContentsTo = (id: string, to: AccountChange['contents']) =>
    to && changeContents(store.db, id, { ...WAYS[to], atMs: clock.now() });
  return {
    async accounts() {
      return Promise.all((await listAccountIds(store.db)).map(account));
    },
    account,
    async createAccount({ name, plan = UNLIMITED_PLAN, subscription = 'active', cycleAnchor = null, contents }) {
      await checkPlan(plan);
      const id = newAccountId();
      await insertAccount(store.db, {
        id,
        name: nameOf(name),
        plan,
        subscription,
        cycle_anchor: cycleAnchor,
        created_at: clock.now(),
      });
      await changeContentsTo(id, contents);
      return account(id);
    },
    async changeAccount(id, change) {
      await account(id);
      await checkPlan(change.plan);
      await changeContentsTo(id, change.contents);
      await updateAccount(store.db, id, {
        name: change.name === undefined ? undefined : nameOf(change.name),
        plan: change.plan,
        subscription: change.subscription,
        cycle_anchor: change.cycleAnchor,
      });
      return account(id);
    },
    async usage(id, mode) {
      const { plan, limits, cycleAnchor } = await account(id);
      const period = periodOf(clock.now(), cycleAnchor);
      const counted = METRICS.map(async (metric) => {
        const used = await countUsed(store.db, metric, { accountId: id, mode, period });
        return [metric, { used, limit: limits[metric] }] as const;
      });
      return { period, plan, metrics: Object.fromEntries(await Promise.all(counted)) as Used };
    },
    plans: () => listPlans(store.db),
    async putPlan({ name, limits }) {
      if (!PLAN_NAME.test(name))
        throw invalid('name', 'Use 1 to 64 characters of a-z 0-9 . _ -, beginning with a-z or 0-9.');
      if (name === UNLIMITED_PLAN)
        throw invalid('name', `The plan "${UNLIMITED_PLAN}" never has limits. Use another name.`);
      await putPlan(store.db, { name, limits: checkedLimits(limits) }, clock.now());
      return { name, limits };
    },
    async deletePlan(name) {
      const outcome = await store.transaction((tx) => deletePlan(tx.db, name));
      if (outcome === 'unknown') throw new AppError('plan_not_found');
      if (outcome === 'in_use') throw new AppError('plan_in_use');
    },
    keys: (accountId) => keys.list(accountId),
    async createKey(key) {
      await account(key.accountId);
      const unknown = key.scopes?.find((scope) => scope !== '*' && !SCOPES.some((known) => known === scope));
      if (unknown !== undefined) throw invalid('scopes', `"${unknown}" is no scope: use *, ${SCOPES.join(', ')}.`);
      if (key.expiresAt != null && key.expiresAt <= clock.now()) throw invalid('expires_at', 'Give a time to come.');
      return keys.create({ ...key, name: nameOf(key.name) });
    },
    async revokeKey(id) {
      if (!(await keys.revoke(id))) throw new AppError('key_not_found');
    },
    async rotateKey(id, graceMs) {
      const next = await keys.rotate(id, graceMs);
      if (!next) throw new AppError('key_not_found', {}, { message: 'There is no valid API key of this id.' });
      return next;
    },
  };
}

function nameOf(name: string): string {
  const trimmed = name.trim();
  if (trimmed === '' || trimmed.length > MAX_NAME) throw invalid('name', `Give a name of 1 to ${MAX_NAME} characters.`);
  return trimmed;
}

function checkedLimits(limits: PlanLimits): PlanLimits {
  for (const metric of METRICS) {
    const limit = limits[metric];
    if (limit === null || (Number.isSafeInteger(limit) && limit >= 0)) continue;
    throw invalid(metric, 'Use a whole number of 0 or more, or null for no limit.');
  }
  return limits;
}
