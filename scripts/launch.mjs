// What `npm start`, `npm test`, `npm run ponte` and `npm run bench` run: sees to a Node that is new
// enough, to what has to be installed and built, and then does the task. No dependencies, and
// readable for old versions of Node. On a Node that is new enough the task runs in this very
// process; else in a child that runs on a Node of our own and ends with this process.
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isNewEnough } from '../packages/gateway/src/config/node-floor.js';
import { endWithNpm } from './end-with-npm.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Of the pipe whose other end the launcher on the old Node holds. */
const PIPE = 3;
const END_WITHIN_MS = 15_000;

/** Script and first arguments of each task. `quiet`: what it prints is the answer to a command. */
const TASKS = {
  setup: {},
  // Says which Node the tasks run on.
  node: { quiet: true },
  start: { script: 'packages/gateway/main.js', args: ['start'] },
  ponte: { script: 'packages/gateway/main.js', args: [], quiet: true },
  test: { script: 'scripts/test.mjs', args: [] },
  bench: { script: 'scripts/bench.mjs', args: [] },
  // The long version of the tests that attack the product.
  attack: {
    script: 'node_modules/vitest/vitest.mjs',
    args: ['run', '--testTimeout', '3600000', 'packages/gateway/test/attack'],
    env: { ATTACK_ROUNDS: '2000' },
    quiet: true,
  },
  // Several nodes for half an hour, with faults by chance.
  fleet: { script: 'scripts/fleet.mjs', args: [], quiet: true },
  // The checks behind the goals of reliability; --report writes docs/verified.md.
  verify: { script: 'scripts/verify.mjs', args: [], quiet: true },
  transcript: {
    script: 'node_modules/vitest/vitest.mjs',
    args: ['run', 'bridges.examples.flow', 'lines.transcript.flow', '--update'],
    quiet: true,
  },
};

const [name = '', ...given] = process.argv.slice(2);
const task = TASKS[name];
if (task === undefined) {
  process.stderr.write(`launch: there is no task "${name}"; there are ${Object.keys(TASKS).join(', ')}\n`);
  process.exit(2);
}
// The one on a Node of our own has the launcher for a parent, and its pipe.
if (process.env.PONTE_LAUNCHED === undefined) endWithNpm(name);
if (isNewEnough()) {
  endWithLauncher();
  const { setUp } = await import('./setup.mjs');
  await setUp({ quiet: task.quiet, manualBehind: name === 'start' });
  if (name === 'node') process.stdout.write(`${process.execPath}\n`);
  if (task.script) {
    const script = join(root, task.script);
    Object.assign(process.env, task.env);
    process.argv = [process.execPath, script, ...task.args, ...given];
    await import(pathToFileURL(script).href);
  }
} else {
  const { ownNode } = await import('./own-node.mjs');
  const { endAs, runChild } = await import('./child.mjs');
  const node = await ownNode({ quiet: task.quiet });
  const env = {
    ...process.env,
    PONTE_LAUNCHED: '1',
    // For whatever else says "node": scripts of packages, npm itself.
    PATH: `${dirname(node)}:${process.env.PATH ?? ''}`,
  };
  endAs(
    await runChild(node, [fileURLToPath(import.meta.url), name, ...given], {
      env,
      stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    }),
  );
}

/**
 * A launcher that was killed forwards nothing any more; its pipe ends, and so does this process.
 */
function endWithLauncher() {
  if (process.env.PONTE_LAUNCHED === undefined) return;
  delete process.env.PONTE_LAUNCHED;
  const pipe = new Socket({ fd: PIPE });
  pipe.on('error', () => {});
  pipe.once('close', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_WITHIN_MS).unref();
  });
  pipe.resume();
  pipe.unref();
}
