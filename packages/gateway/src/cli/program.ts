import { once } from 'node:events';
import { Command, CommanderError } from 'commander';
import type { Config } from '../config/config.ts';
import { processConfig } from '../config/environment.ts';
import { ConfigError } from '../config/reader.ts';
import { AppError } from '../core/app-error.ts';
import { MasterKeyError } from '../crypto/key-ring.ts';
import { type Installation, openInstallation } from '../installation.ts';
import { SchemaError } from '../store/db/migrate.ts';
import { LockedError } from '../store/db/process-lock.ts';
import { addAccounts } from './account-commands.ts';
import { verifyAudit } from './audit.ts';
import { addData } from './data-commands.ts';
import { doctor } from './doctor.ts';
import { explainFailure } from './explain-failure.ts';
import { createKey, listKeys, revokeKey, rotateKey } from './keys.ts';
import { addLines } from './line-commands.ts';
import { listen } from './listen.ts';
import { createEmergencyKey, dropEmergencyKeys, rotateMaster } from './master-key.ts';
import { addNodes } from './nodes.ts';
import { CommandFailed, type Output, standardOutput, UsageError } from './output.ts';
import { addPeople } from './people.ts';
import { QUICK_START_RECEIVER_PORT } from './quick-start.ts';
import { startReceiver } from './receiver.ts';
import type { SandboxGiven } from './sandbox.ts';
import { addWhatsappVersion } from './whatsapp-version.ts';

export interface ProgramOptions {
  version: string;
  consoleFolder: string;
  /** Runs the server until it is told to stop. */
  start(): Promise<void>;
}

const OK = 0;
const FAILED = 1;
const USAGE = 2;

/**
 * Errors whose message is all that a user needs; everything else is a fault of ours and shows its
 * stack.
 */
const isForUsers = (error: unknown): error is Error =>
  [AppError, CommandFailed, MasterKeyError, SchemaError, LockedError].some((kind) => error instanceof kind);

async function withInstallation(work: (at: Installation) => Promise<void>): Promise<void> {
  const at = await openInstallation();
  try {
    await work(at);
  } finally {
    await at.close();
  }
}

function knownConfig(): Config | undefined {
  try {
    return processConfig();
  } catch {
    return undefined;
  }
}

/** The `ponte` command. Resolves with the exit code: 0, 1 (failed) or 2 (usage or settings). */
export async function runProgram(
  argv: string[],
  options: ProgramOptions,
  out: Output = standardOutput,
): Promise<number> {
  let code = OK;
  const program = new Command('ponte')
    .description('Ponte: a self-hosted WhatsApp gateway')
    .version(options.version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => out.result(text.trimEnd()), writeErr: (text) => out.say(text.trimEnd()) });
  program
    .command('start')
    .description('run the server')
    .action(() => options.start());
  addKeys(program, out);
  addAudit(program, out);
  addAccounts(program, out, withInstallation);
  addPeople(program, out, withInstallation);
  addLines(program, out, withInstallation);
  addData(program, out);
  addNodes(program, out, withInstallation);
  addWhatsappVersion(program, out, withInstallation);
  program
    .command('doctor')
    .description('check the installation and say how to mend what is wrong')
    .option('--json', 'one JSON document')
    .action(async ({ json }: { json?: boolean }) => {
      if (!(await doctor({ json, consoleFolder: options.consoleFolder }, out))) code = FAILED;
    });
  addReceiver(program, out);
  addSandbox(program, out);
  addListen(program, out);
  // Sub-commands inherit exitOverride and output only when they are told to.
  for (const command of allCommands(program)) command.copyInheritedSettings(program);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? OK : USAGE;
    if (error instanceof UsageError) {
      out.say(`error: ${error.message}`);
      return USAGE;
    }
    if (error instanceof ConfigError) {
      out.say(`ponte: ${error.message}`);
      return USAGE;
    }
    const fault = error instanceof Error ? error.stack : String(error);
    out.say(`ponte: ${isForUsers(error) ? error.message : (explainFailure(error, knownConfig()) ?? fault)}`);
    return FAILED;
  }
}

const allCommands = (command: Command): Command[] => command.commands.flatMap((one) => [one, ...allCommands(one)]);

function addAudit(program: Command, out: Output): void {
  program
    .command('audit')
    .description('the audit log of the console')
    .command('verify')
    .description('prove that no entry was changed, put in or taken out')
    .option('--expect <seal>', 'the newest seal, as it was noted earlier')
    .option('--json', 'one JSON document')
    .action((given: { expect?: string; json?: boolean }) => withInstallation((at) => verifyAudit(at, given, out)));
}

function addKeys(program: Command, out: Output): void {
  const keys = program.command('keys').description('API keys');
  keys
    .command('create')
    .description('make a key; it is shown once')
    .requiredOption('--mode <mode>', 'test or live')
    .requiredOption('--name <name>', 'what it is for')
    .option('--account <id>', 'default: the account of this installation')
    .option('--scopes <scope...>', 'default: all')
    .option('--approval', 'what it sends waits for a person’s yes in the console')
    .option('--lines <ids...>', 'only these lines, such as line_abc line_def; default: every line')
    .option('--networks <networks...>', 'only from these addresses or networks, such as 203.0.113.7 10.1.0.0/16')
    .option('--expires-in-days <days>', 'default: never')
    .option('--json', 'one JSON document')
    .action((given: Parameters<typeof createKey>[1]) => withInstallation((at) => createKey(at, given, out)));
  keys
    .command('list')
    .option('--account <id>', 'default: every account')
    .option('--json', 'one JSON document')
    .action((given: { account?: string; json?: boolean }) => withInstallation((at) => listKeys(at, given, out)));
  keys
    .command('revoke')
    .argument('<id>', 'key_…')
    .option('--json', 'one JSON document')
    .action((id: string, given: { json?: boolean }) => withInstallation((at) => revokeKey(at, id, given, out)));
  keys
    .command('rotate-master')
    .description('give the installation another master key, while the server runs')
    .option('--new-key-file <file>', 'the new key, when the environment gives the present one')
    .option('--json', 'one JSON document')
    .action((given: { newKeyFile?: string; json?: boolean }) => withInstallation((at) => rotateMaster(at, given, out)));
  keys
    .command('emergency-master')
    .description('make a second master key, to be kept offline; it is shown once')
    .option('--remove', 'make every emergency key worthless')
    .option('--json', 'one JSON document')
    .action((given: { remove?: boolean; json?: boolean }) =>
      withInstallation((at) => (given.remove ? dropEmergencyKeys : createEmergencyKey)(at, given, out)),
    );
  keys
    .command('rotate')
    .argument('<id>', 'key_…')
    .option('--grace-hours <hours>', 'how long the old key stays valid', '24')
    .option('--json', 'one JSON document')
    .action((id: string, given: { graceHours: string; json?: boolean }) =>
      withInstallation((at) => rotateKey(at, id, given, out)),
    );
}

function addReceiver(program: Command, out: Output): void {
  program
    .command('receiver')
    .description('a webhook receiver for trying things out: prints what arrives, until Ctrl-C')
    .option('--port <port>', 'on 127.0.0.1', String(QUICK_START_RECEIVER_PORT))
    .option('--secret <secret>', 'wzb_whsec_… : check signatures with it')
    .action(async ({ port, secret }: { port: string; secret?: string }) => {
      const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
      if (!(number > 0 && number < 65_536)) throw new UsageError('--port takes a number from 1 to 65535');
      const server = await startReceiver({ port: number, secret, print: (line) => out.result(line) }).catch(
        (cause: Error) => {
          throw new CommandFailed(`port ${number} cannot be used: ${cause.message}`);
        },
      );
      out.say(`waiting for webhooks on http://127.0.0.1:${number}/ …`);
      await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
      server.closeAllConnections();
      server.close();
    });
}

function addSandbox(program: Command, out: Output): void {
  program
    .command('sandbox')
    .description('the simulated WhatsApp network alone, for other clients, until Ctrl-C ("start" brings its own)')
    .option('--host <host>', 'where it listens', '127.0.0.1')
    .option('--port <port>', '0: any free one', '8098')
    .option('--data-file <file>', 'keeps the world in this SQLite file; default: memory')
    .option('--seed <seed>', 'the same ids and keys in every run: for tests only')
    .option('--ca-file <file>', 'writes the authority of the media host there (PEM)')
    .option('--json', 'one JSON document')
    .action(async (given: SandboxGiven) => {
      const { runSandbox } = await import('./sandbox.ts');
      await runSandbox(given, out);
    });
}

function addListen(program: Command, out: Output): void {
  program
    .command('listen')
    .description('prints events as they happen, and posts them to a local program')
    .option('--forward <url>', 'where to post each event')
    .option('--url <url>', 'a server elsewhere; needs --key. Default: the one of this data directory')
    .option('--key <key>', 'an API key with the scope events:read')
    .option('--mode <mode>', 'without --key: events of test or of live lines', 'test')
    .option('--events <names>', 'names with commas between them; default: all that need not be named')
    .option('--line <id>', 'line_…: only of this line')
    .option('--after <cursor>', 'where to begin: a cursor that was printed, oldest, or now', 'now')
    .option('--json', 'one JSON document per event')
    .action(async (given: Parameters<typeof listen>[0]) => {
      const stop = new AbortController();
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
      await listen(given, out, stop.signal);
    });
}
