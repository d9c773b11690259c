import type { Command } from 'commander';
import type { Installation } from '../installation.ts';
import {
  type AccountOptions,
  changeAccount,
  createAccount,
  listAllAccounts,
  listAllPlans,
  type PlanOptions,
  removePlan,
  setPlan,
  showAccount,
} from './accounts.ts';
import type { Output } from './output.ts';

const JSON_OPTION = ['--json', 'one JSON document'] as const;

/** `ponte accounts …` and `ponte plans …`. */
export function addAccounts(
  program: Command,
  out: Output,
  withInstallation: (work: (at: Installation) => Promise<void>) => Promise<void>,
): void {
  const accounts = program.command('accounts').description('accounts, their plans and billing cycles');
  const settings = (command: Command) =>
    command
      .option('--plan <name>', 'a plan of "ponte plans list", or unlimited')
      .option('--subscription <state>', 'active, past_due, paused or cancelled')
      .option('--cycle-from <date>', 'the start of a billing cycle (2026-01-15), or month')
      .option('--contents <how>', 'sealed: texts of messages are encrypted and cannot be searched; or plain')
      .option(...JSON_OPTION);
  accounts
    .command('list')
    .option(...JSON_OPTION)
    .action((given: { json?: boolean }) => withInstallation((at) => listAllAccounts(at, given, out)));
  settings(accounts.command('create').requiredOption('--name <name>', 'whose it is')).action(
    (given: AccountOptions & { name: string }) => withInstallation((at) => createAccount(at, given, out)),
  );
  settings(accounts.command('change').argument('<id>', 'acc_…').option('--name <name>', 'whose it is')).action(
    (id: string, given: AccountOptions) => withInstallation((at) => changeAccount(at, id, given, out)),
  );
  accounts
    .command('show')
    .description('an account with what it used')
    .argument('<id>', 'acc_…')
    .option(...JSON_OPTION)
    .action((id: string, given: { json?: boolean }) => withInstallation((at) => showAccount(at, id, given, out)));

  const plans = program.command('plans').description('plans: what an account may use in a billing cycle');
  plans
    .command('list')
    .option(...JSON_OPTION)
    .action((given: { json?: boolean }) => withInstallation((at) => listAllPlans(at, given, out)));
  plans
    .command('set')
    .description('make a plan or change it; it counts at once')
    .argument('<name>', 'for example pro')
    .option('--sent-messages <number>', 'in a billing cycle', 'unlimited')
    .option('--webhook-events <number>', 'in a billing cycle, one for each event and endpoint', 'unlimited')
    .option('--lines <number>', 'at the same time', 'unlimited')
    .option(...JSON_OPTION)
    .action((name: string, given: PlanOptions) => withInstallation((at) => setPlan(at, name, given, out)));
  plans
    .command('delete')
    .argument('<name>', 'a plan that no account has')
    .option(...JSON_OPTION)
    .action((name: string, given: { json?: boolean }) => withInstallation((at) => removePlan(at, name, given, out)));
}
