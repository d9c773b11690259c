import type { Command } from 'commander';
import { type ConsoleAccess, createConsoleAccess } from '../access/console-access.ts';
import { ROLES, type Role } from '../access/console-roles.ts';
import { type ConsoleUser, normalEmail } from '../access/console-users.ts';
import { systemClock } from '../core/clock.ts';
import type { Installation } from '../installation.ts';
import { CommandFailed, isoTime, type Output, print, table, UsageError } from './output.ts';

type WithInstallation = (work: (at: Installation) => Promise<void>) => Promise<void>;
interface Given {
  json?: boolean;
}

const JSON_OPTION = ['--json', 'one JSON document'] as const;
/** What the audit log names as having done it. */
const ACTOR = 'command line';
const EMAIL = /^[^\s@]+@[^\s@]+$/;

const facts = (user: ConsoleUser) => ({
  email: user.email,
  name: user.name,
  role: user.role,
  disabled: user.disabledAt !== null,
  created_at: isoTime(user.createdAt),
  signed_in_at: isoTime(user.signedInAt),
});

/** `ponte people …`: who may sign in to the console. The way back when a password is lost. */
export function addPeople(program: Command, out: Output, withInstallation: WithInstallation): void {
  const people = program.command('people').description('who may sign in to the console');
  const withAccess = (work: (access: ConsoleAccess) => Promise<void>) =>
    withInstallation(({ store, ring, defaultAccountId: accountId }) =>
      work(createConsoleAccess({ store, ring, clock: systemClock, accountId })),
    );
  people
    .command('list')
    .option(...JSON_OPTION)
    .action((given: Given) => withAccess((access) => list(access, given, out)));
  people
    .command('add')
    .description('add a person; the password is shown once')
    .argument('<email>', 'what they sign in with')
    .requiredOption('--name <name>', 'shown in the console')
    .option('--role <role>', ROLES.join(', '), 'developer')
    .option(...JSON_OPTION)
    .action((email: string, given: Given & { name: string; role: string }) =>
      withAccess((access) => add(access, email, given, out)),
    );
  people
    .command('reset')
    .description('draw a new password, shown once; their sessions and passkeys end')
    .argument('<email>', 'whose')
    .option(...JSON_OPTION)
    .action((email: string, given: Given) => withAccess((access) => reset(access, email, given, out)));
  for (const disabled of [true, false]) {
    people
      .command(disabled ? 'disable' : 'enable')
      .description(disabled ? 'lock a person out; their sessions end' : 'let a person in again')
      .argument('<email>', 'whom')
      .option(...JSON_OPTION)
      .action((email: string, given: Given) => withAccess((access) => turn(access, email, disabled, given, out)));
  }
}

async function list(access: ConsoleAccess, given: Given, out: Output): Promise<void> {
  const people = (await access.users.list()).map(facts);
  const rows = people.map((one) => [
    one.email,
    one.name,
    one.role,
    one.disabled ? 'locked out' : 'may sign in',
    one.signed_in_at,
  ]);
  print(out, given.json, { people }, () => table(['E-MAIL', 'NAME', 'ROLE', 'STATE', 'LAST SIGN-IN'], rows));
}

async function add(
  access: ConsoleAccess,
  email: string,
  given: Given & { name: string; role: string },
  out: Output,
): Promise<void> {
  if (!EMAIL.test(email)) throw new UsageError(`"${email}" is no e-mail address`);
  const role = ROLES.find((one) => one === given.role);
  if (!role) throw new UsageError(`--role is "${given.role}", but it takes ${ROLES.join(', ')}`);
  if (!(await access.users.exist()) && role !== 'owner') {
    throw new UsageError('the first person has to be the owner: give --role owner');
  }
  if ((await access.users.list()).some((one) => one.email === normalEmail(email))) {
    throw new CommandFailed(`${email} exists already; "ponte people reset ${email}" draws a new password`);
  }
  const { user, password } = await access.addUser({ email, name: given.name, role: role satisfies Role });
  await note(access, 'addUser', user);
  print(out, given.json, { ...facts(user), password }, () => password);
  if (!given.json) out.say(`This is the only time the password of ${user.email} is shown.`);
}

async function reset(access: ConsoleAccess, email: string, given: Given, out: Output): Promise<void> {
  const { id, disabledAt } = await find(access, email);
  const { user, password = '' } = await access.changeUser(id, { resetPassword: true });
  await note(access, 'changeUser', user);
  print(out, given.json, { ...facts(user), password }, () => password);
  if (given.json) return;
  out.say(`This is the only time the password of ${user.email} is shown. Their sessions and passkeys have ended.`);
  if (disabledAt !== null) out.say(`They are locked out still: "ponte people enable ${user.email}" lets them in.`);
}

async function turn(access: ConsoleAccess, email: string, disabled: boolean, given: Given, out: Output): Promise<void> {
  const { id } = await find(access, email);
  const { user } = await access.changeUser(id, { disabled });
  await note(access, 'changeUser', user);
  print(out, given.json, facts(user), () => `${user.email} ${disabled ? 'is locked out' : 'may sign in again'}`);
}

async function find(access: ConsoleAccess, email: string): Promise<ConsoleUser> {
  const found = (await access.users.list()).find((one) => one.email === normalEmail(email));
  if (!found) throw new CommandFailed(`there is no ${email}; "ponte people list" shows who there is`);
  return found;
}

const note = (access: ConsoleAccess, action: string, user: ConsoleUser): Promise<void> =>
  access.audit.append({
    userId: null,
    actor: ACTOR,
    action,
    target: `/api/console/v1/users/${user.id}`,
    mode: null,
    outcome: 'ok',
    address: '',
    requestId: '',
  });
