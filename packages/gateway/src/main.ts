import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runProgram } from './cli/program.ts';
import { startServer } from './cli/start.ts';

/* The process, once `main.js` beside this folder has seen to the version of Node. */

// An unknown state is worse than a restart: nothing that was acknowledged is only in memory.
process.on('unhandledRejection', (reason) => {
  throw reason;
});

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const built = fileURLToPath(new URL('../../console/dist', import.meta.url));
const consoleFolder = existsSync(built) ? built : fileURLToPath(new URL('../../console/src', import.meta.url));
const options = { version, consoleFolder };

process.exitCode = await runProgram(process.argv.slice(2), { ...options, start: () => startServer(options) });
// Everything was closed in order; a forgotten handle must not keep a stopped server alive.
if (process.argv[2] === 'start') process.exit();
