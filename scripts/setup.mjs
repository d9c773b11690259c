// Makes a fresh clone runnable: installs what the lockfile names and builds what changed. No
// dependencies, so that it runs before any exist. Fast when nothing changed: two stamps (lockfile,
// sources) are compared and nothing else happens.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const quiet = process.argv.includes('--quiet');
const FLOOR = [20, 19];

function say(line) {
  if (!quiet) process.stderr.write(`ponte: ${line}\n`);
}

function run(label, command, args) {
  say(`${label} …`);
  const started = Date.now();
  const shell = process.platform === 'win32';
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell });
  if (result.status !== 0) {
    process.stderr.write(`ponte: ${label} failed (${command} ${args.join(' ')}). Its own output is above.\n`);
    process.exit(result.status ?? 1);
  }
  say(`${label} done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > FLOOR[0] || (major === FLOOR[0] && minor >= FLOOR[1])) return;
  process.stderr.write(
    `ponte: this is Node ${process.versions.node}; Node ${FLOOR.join('.')} or newer is needed (https://nodejs.org).\n`,
  );
  process.exit(1);
}

const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const hash = (text) => createHash('sha256').update(text).digest('hex');

/**
 * Names, sizes and times of everything that is compiled: cheap, and different whenever an edit was
 * saved.
 */
function sourceFingerprint() {
  const lines = [];
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.(ts|tsx|json|mjs|css|html|env)$/.test(entry.name)) {
        const { size, mtimeMs } = statSync(path);
        lines.push(`${path}:${size}:${mtimeMs}`);
      }
    }
  };
  for (const name of readdirSync(join(root, 'packages'))) walk(join(root, 'packages', name));
  return hash([...lines.sort(), read(join(root, 'tsconfig.base.json')), process.versions.modules].join('\n'));
}

checkNode();
const modules = join(root, 'node_modules');
const lockStamp = join(modules, '.ponte-lock');
const lock = hash(read(join(root, 'package-lock.json')) + process.versions.modules);
if (read(lockStamp) !== lock) {
  run('installing dependencies (once; compiles SQLite where no ready build can be had)', 'npm', [
    'ci',
    '--no-audit',
    '--no-fund',
  ]);
  writeFileSync(lockStamp, lock);
}
const buildStamp = join(modules, '.ponte-build');
const sources = sourceFingerprint();
const built = existsSync(join(root, 'packages/gateway/dist/main.js'));
if (!built || read(buildStamp) !== sources) {
  run('building', 'npm', ['run', '-s', 'build']);
  writeFileSync(buildStamp, sources);
}
