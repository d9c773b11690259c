import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { backup, migrateNow, restore } from './backup.ts';
import { move } from './move.ts';
import { CommandFailed, type Output } from './output.ts';

/** `ponte backup|restore|migrate|move|bench`. */
export function addData(program: Command, out: Output): void {
  const json = ['--json', 'one JSON document'] as const;
  program
    .command('backup')
    .description('copy the database into a new file, also while the server runs; the master key is not in it')
    .argument('<file>')
    .option(...json)
    .action((file: string, given: { json?: boolean }) => backup(file, given, out));
  program
    .command('restore')
    .description('put a backup in the place of the database; the server must not run')
    .argument('<file>')
    .option(...json)
    .action((file: string, given: { json?: boolean }) => restore(file, given, out));
  program
    .command('migrate')
    .description('bring the database up to date; every start does so, too')
    .option(...json)
    .action((given: { json?: boolean }) => migrateNow(given, out));
  program
    .command('move')
    .description(
      'copy the SQLite database of DATA_DIR into the PostgreSQL of DATABASE_URL, read every row back, and files to BLOB_URL; no server may run',
    )
    .option('--cancel', 'give the SQLite database back to its server')
    .option(...json)
    .action((given: { cancel?: boolean; json?: boolean }) => move(given, out));
  program
    .command('bench')
    .description('measure this machine: the whole product against the simulated network, in a folder of its own')
    .action(async () => {
      const entry = fileURLToPath(new URL('../bench/main.ts', import.meta.url));
      const child = spawn(process.execPath, [entry], { stdio: 'inherit' });
      const [code] = (await once(child, 'exit')) as [number | null];
      if (code !== 0) throw new CommandFailed('the benchmark did not end well');
    });
}
