import {
  type AccountChange,
  createOperator,
  type Operator,
  SUBSCRIPTIONS,
  type Subscription,
} from '../commands/account/operator.ts';
import type { Account } from '../commands/context.ts';
import { AppError } from '../core/app-error.ts';
import { systemClock } from '../core/clock.ts';
import { parseDay, parseMoment } from '../core/moment.ts';
import { METRICS, type PlanLimits } from '../core/quota.ts';
import type { Installation } from '../installation.ts';
import { CommandFailed, isoTime, type Output, print, table, UsageError } from './output.ts';

/** Runs work of the operator; its refusals become sentences for the terminal. */
export async function asOperator<T>(at: Installation, work: (operator: Operator) => Promise<T>): Promise<T> {
  try {
    return await work(createOperator({ store: at.store, keys: at.keys, clock: systemClock }));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw error.code === 'validation_error' ? new UsageError(error.message) : new CommandFailed(error.message);
  }
}

interface Json {
  json?: boolean;
}

const facts = (account: Account) => ({
  id: account.id,
  name: account.name,
  plan: account.plan,
  limits: account.limits,
  subscription: account.subscription,
  cycle_anchor: isoTime(account.cycleAnchor),
  contents: account.contents,
  created_at: isoTime(account.createdAt),
});

export async function listAllAccounts(at: Installation, options: Json, out: Output): Promise<void> {
  const accounts = (await asOperator(at, (operator) => operator.accounts())).map(facts);
  const rows = accounts.map((one) => [one.id, one.name, one.plan, one.subscription, one.cycle_anchor, one.created_at]);
  print(out, options.json, { accounts }, () =>
    table(['ACCOUNT', 'NAME', 'PLAN', 'SUBSCRIPTION', 'CYCLE FROM', 'CREATED'], rows),
  );
}

export interface AccountOptions extends Json {
  name?: string;
  plan?: string;
  subscription?: string;
  /** A date or time, or `month`. */
  cycleFrom?: string;
  contents?: string;
}

function changeOf(options: AccountOptions): AccountChange {
  const { name, plan, subscription, cycleFrom, contents } = options;
  if (contents !== undefined && contents !== 'plain' && contents !== 'sealed') {
    throw new UsageError(`--contents is "${contents}", but it takes plain or sealed`);
  }
  if (subscription !== undefined && !SUBSCRIPTIONS.some((known) => known === subscription)) {
    throw new UsageError(`--subscription is "${subscription}", but it takes ${SUBSCRIPTIONS.join(', ')}`);
  }
  const cycleAnchor = cycleFrom === undefined ? undefined : cycleFrom === 'month' ? null : startOf(cycleFrom);
  if (cycleAnchor === 'syntax' || cycleAnchor === 'nowhere')
    throw new UsageError(`--cycle-from is "${cycleFrom}", but it takes 2026-01-15 or month`);
  return { name, plan, subscription: subscription as Subscription | undefined, cycleAnchor, contents };
}

const startOf = (text: string): number | 'syntax' | 'nowhere' => {
  const day = parseDay(text);
  return day === 'syntax' ? parseMoment(text) : day;
};

export async function createAccount(
  at: Installation,
  options: AccountOptions & { name: string },
  out: Output,
): Promise<void> {
  const change = { ...changeOf(options), name: options.name };
  const account = facts(await asOperator(at, (operator) => operator.createAccount(change)));
  print(out, options.json, account, () => account.id);
}

export async function changeAccount(at: Installation, id: string, options: AccountOptions, out: Output): Promise<void> {
  const account = facts(await asOperator(at, (operator) => operator.changeAccount(id, changeOf(options))));
  print(out, options.json, account, () => `${id} is changed`);
}

/** What an account used, of each mode. */
export async function showAccount(at: Installation, id: string, options: Json, out: Output): Promise<void> {
  const shown = await asOperator(at, async (operator) => ({
    account: facts(await operator.account(id)),
    live: await operator.usage(id, 'live'),
    test: await operator.usage(id, 'test'),
  }));
  const { live, test, account } = shown;
  const period = { start: isoTime(live.period.startMs), end: isoTime(live.period.endMs) };
  const usage = { period, live: live.metrics, test: test.metrics };
  const of = (used: { used: number; limit: number | null }) => `${used.used} of ${used.limit ?? 'unlimited'}`;
  print(out, options.json, { ...account, usage }, () =>
    [
      `${account.id}  ${account.name}  plan ${account.plan}, subscription ${account.subscription}`,
      `billing cycle ${period.start} – ${period.end}`,
      table(
        ['METRIC', 'LIVE', 'TEST'],
        METRICS.map((metric) => [metric, of(live.metrics[metric]), of(test.metrics[metric])]),
      ),
    ].join('\n'),
  );
}

export async function listAllPlans(at: Installation, options: Json, out: Output): Promise<void> {
  const plans = await asOperator(at, (operator) => operator.plans());
  const rows = plans.map(({ name, limits }) => [name, ...METRICS.map((metric) => limits[metric] ?? 'unlimited')]);
  print(out, options.json, { plans }, () => table(['PLAN', 'SENT MESSAGES', 'WEBHOOK EVENTS', 'LINES'], rows));
}

export interface PlanOptions extends Json {
  sentMessages: string;
  webhookEvents: string;
  lines: string;
}

function limit(option: string, text: string): number | null {
  if (text === 'unlimited') return null;
  if (!/^\d{1,12}$/.test(text))
    throw new UsageError(`${option} is "${text}", but it takes a whole number or unlimited`);
  return Number(text);
}

export async function setPlan(at: Installation, name: string, options: PlanOptions, out: Output): Promise<void> {
  const limits: PlanLimits = {
    sent_messages: limit('--sent-messages', options.sentMessages),
    webhook_events: limit('--webhook-events', options.webhookEvents),
    lines: limit('--lines', options.lines),
  };
  const plan = await asOperator(at, (operator) => operator.putPlan({ name, limits }));
  print(out, options.json, plan, () => `${name} is set`);
}

export async function removePlan(at: Installation, name: string, options: Json, out: Output): Promise<void> {
  await asOperator(at, (operator) => operator.deletePlan(name));
  print(out, options.json, { name, deleted: true }, () => `${name} is deleted`);
}
