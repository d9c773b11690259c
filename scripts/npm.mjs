// Finds npm's own command line, to run it under a Node of our choice. No dependencies.
import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const CLI = /npm-cli\.[cm]?js$/;

/** The command and its first arguments: `[node, npm-cli.js]`, run by `node`. */
export function npmCommand(node = process.execPath) {
  const cli = candidates().find((path) => path && CLI.test(path) && existsSync(path));
  if (cli === undefined) throw new Error('npm was not found: install it beside Node, then try again');
  return [node, cli];
}

function* found() {
  // Set by npm itself for the scripts that it runs.
  yield process.env.npm_execpath;
  for (const folder of [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter)]) {
    yield join(folder, 'node_modules/npm/bin/npm-cli.js');
    yield join(folder, '../lib/node_modules/npm/bin/npm-cli.js');
    const command = join(folder, 'npm');
    if (existsSync(command)) yield realpathSync(command);
  }
}

const candidates = () => [...found()];
