// Makes a fresh clone runnable: installs what the lockfile names, builds the console and the
// manual. No dependencies, so that it runs before any exist. Fast when nothing changed: a stamp is
// compared and nothing else happens.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.mjs';
import { npmCommand } from './npm.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.ponte-setup.json');
/** Loads what is compiled for one kind of machine. */
const LOADS = `for (const name of ['better-sqlite3']) { const Sqlite = require(name); new Sqlite(':memory:').close(); }`;

/**
 * Installs and builds what is missing or has changed. Ends the process when that fails.
 * `manualBehind`: the start does not wait for the manual, which is built while the server starts.
 */
export async function setUp({ quiet = false, manualBehind = false } = {}) {
  const stamp = readStamp();
  const lock = hash(read(join(root, 'package-lock.json')));
  const machine = `${process.platform}-${process.arch}`;
  if (stamp.lock !== lock || stamp.machine !== machine || !fits(stamp)) {
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    await run('installing dependencies (once)', [...npmCommand(), ...args], quiet);
    writeStamp(
      Object.assign(stamp, { lock, machine, abis: [process.versions.modules], console: undefined, manual: undefined }),
    );
  }
  const sources = consoleFingerprint();
  if (stamp.console !== sources || !existsSync(join(root, 'packages/console/dist/index.html'))) {
    const build = [process.execPath, join(root, 'packages/console/build.mjs'), '--without-manual'];
    await run('building the console', build, quiet);
    writeStamp(Object.assign(stamp, { console: sources }));
  }
  await setUpManual(stamp, { quiet, manualBehind });
}

async function setUpManual(stamp, { quiet, manualBehind }) {
  const manual = manualFingerprint();
  if (stamp.manual === manual && existsSync(join(root, 'packages/console/dist/docs/index.html'))) return;
  const build = [process.execPath, join(root, 'packages/console/manual/build.mjs')];
  const done = () => writeStamp(Object.assign(stamp, { manual }));
  if (!manualBehind) {
    await run('building the manual', build, quiet);
    done();
    return;
  }
  const [command, ...args] = build;
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'ignore', 2] });
  // The pages of before are served until then; a failure is tried again at the next start.
  child.on('exit', (code) => code === 0 && done());
  child.on('error', (error) => process.stderr.write(`ponte: the manual could not be built: ${error.message}\n`));
  child.unref();
}

/**
 * Whether what is installed runs on this Node. Native parts that fit every version of Node are not
 * installed anew because another one asks: a server may be running on them.
 */
function fits(stamp) {
  const abi = process.versions.modules;
  if (stamp.abis?.includes(abi)) return true;
  if (!stamp.abis || spawnSync(process.execPath, ['-e', LOADS], { cwd: root, stdio: 'ignore' }).status !== 0)
    return false;
  stamp.abis.push(abi);
  writeStamp(stamp);
  return true;
}

async function run(label, [command, ...args], quiet) {
  const say = (line) => quiet || process.stderr.write(`ponte: ${line}\n`);
  say(`${label} …`);
  const started = Date.now();
  const { code, signal } = await runChild(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (code !== 0) {
    process.stderr.write(`ponte: ${label} failed (${args.join(' ')}). Its own output is above.\n`);
    process.exit(signal === null ? (code ?? 1) : 1);
  }
  say(`${label} done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function hash(text) {
  return createHash('sha256').update(text).digest('hex');
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
}

function writeStamp(stamp) {
  mkdirSync(modules, { recursive: true });
  writeFileSync(stampFile, JSON.stringify(stamp));
}

/**
 * Names, sizes and times of everything that the console is built of: cheap, and different whenever
 * an edit was saved.
 */
const consoleFingerprint = () => fingerprint(join(root, 'packages/console'));

/** The same of the manual: its pages and what renders them. */
const manualFingerprint = () =>
  fingerprint(
    ...['docs', 'packages/console/manual', 'CHANGELOG.md', 'SECURITY.md', 'ARCHITECTURE.md'].map((name) =>
      join(root, name),
    ),
  );

function fingerprint(...places) {
  const lines = [];
  const note = (path) => {
    const { size, mtimeMs } = statSync(path);
    lines.push(`${path}:${size}:${mtimeMs}`);
  };
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (['node_modules', 'dist', 'test'].includes(entry.name) || entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        walk(path);
      } else {
        note(path);
      }
    }
  };
  for (const place of places)
    if (statSync(place).isDirectory()) walk(place);
    else note(place);
  return hash(lines.sort().join('\n'));
}
