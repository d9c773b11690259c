// The Node that Ponte brings along: fetched through npm on Linux with glibc, only when the Node
// that runs this is too old. Its folder and lockfile (scripts/node) stand outside the workspaces,
// so that it is on no PATH. No dependencies.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMusl, NODE_FLOOR_SHORT, nodeAdvice } from '../packages/gateway/src/config/node-floor.js';
import { runChild } from './child.mjs';
import { npmCommand } from './npm.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'node');
const wanted = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).optionalDependencies;

/** Whether there is a ready Node for this machine. */
const packageName = () => {
  const name = `node-${process.platform}-${process.arch}`;
  return name in wanted && !isMusl() ? name : undefined;
};

/**
 * Path of the Node that is brought along. Ends the process with one sentence when there is none.
 */
export async function ownNode({ quiet }) {
  const name = packageName();
  if (name === undefined) fail(nodeAdvice());
  const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
  const home = join(folder, 'node_modules');
  const node = join(home, name, 'bin', 'node');
  const stamp = join(home, '.ponte-lock');
  const key = createHash('sha256').update(lock).digest('hex');
  const version = wanted[name];
  if (existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) {
    if (!quiet) say(`runs on a Node ${version} of its own; this one is ${process.versions.node}`);
    return node;
  }
  say(
    `this is Node ${process.versions.node}, and Ponte needs ${NODE_FLOOR_SHORT} or newer: fetching Node ${version} for its own use (once) …`,
  );
  await install({ lock, home, key });
  return node;
}

/** Installs beside the final place and renames, so that a partial install is never found. */
async function install({ lock, home, key }) {
  const draft = join(folder, `.draft-${process.pid}`);
  try {
    mkdirSync(draft, { recursive: true });
    writeFileSync(join(draft, 'package-lock.json'), lock);
    writeFileSync(join(draft, 'package.json'), readFileSync(join(folder, 'package.json')));
    const [npm, ...first] = npmCommand();
    const args = [
      ...first,
      'ci',
      '--prefix',
      draft,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel',
      'error',
    ];
    const { code } = await runChild(npm, args, { cwd: draft, stdio: ['ignore', 2, 2] });
    if (code !== 0) fail(`npm could not fetch Node (its own output is above); ${nodeAdvice()}`);
    writeFileSync(join(draft, 'node_modules', '.ponte-lock'), key);
    rmSync(home, { recursive: true, force: true });
    renameSync(join(draft, 'node_modules'), home);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function say(line) {
  process.stderr.write(`ponte: ${line}\n`);
}

function fail(line) {
  say(line);
  process.exit(1);
}
