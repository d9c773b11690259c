// Runs the checks behind the forty goals of reliability, one goal after the other, and writes down
// what came out after each. What a goal showed is kept, so that a run that was cut off goes on
// where it was; `--again` begins anew. A check that several goals name runs once. Goals whose
// figures need a quiet machine come first, and are left out on a busy one.
//
//   node scripts/verify.mjs --report [--size small|medium|full] [--seed N] [--only 3,9,12]
//                           [--within MINUTES] [--row-within MINUTES] [--again] [--out FILE]
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { resolve as absolute, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GOALS, SIZES } from './verify/goals.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const STATE = join(root, 'node_modules/.cache/ponte/verify.json');
/** Minutes that a goal may take, by size. */
const ROW_WITHIN = { small: 8, medium: 30, full: 120 };
/** A machine with more to do per core than this is not quiet. */
const QUIET_LOAD = 0.75;
/** How long it is given to become so. */
const QUIET_WITHIN_MS = 3 * 60_000;
/** What of a failure's words is kept. */
const MAX_WHY = 300;

const { values: given } = parseArgs({
  options: {
    report: { type: 'boolean', default: false },
    size: { type: 'string', default: 'small' },
    seed: { type: 'string', default: '20261130' },
    only: { type: 'string' },
    within: { type: 'string' },
    'row-within': { type: 'string' },
    again: { type: 'boolean', default: false },
    out: { type: 'string', default: 'docs/verified.md' },
  },
});
if (!SIZES.includes(given.size)) fail(`--size is ${SIZES.join(', ')}`);
if (!/^\d{1,9}$/.test(given.seed)) fail('--seed is a whole number of nine digits at most');
for (const name of ['within', 'row-within']) {
  if (given[name] !== undefined && !(Number(given[name]) > 0)) fail(`--${name} is a number of minutes`);
}
const rowWithinMs = Number(given['row-within'] ?? ROW_WITHIN[given.size]) * 60_000;
const only = given.only?.split(',').map(Number);
if (only?.some((number) => !GOALS.some((goal) => goal.number === number))) fail('--only is numbers of goals: 3,9,12');

function fail(why) {
  process.stderr.write(`verify: ${why}\n`);
  process.exit(2);
}

const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
const commit = git('rev-parse', '--short', 'HEAD') || 'unknown';
/** What is run, without the documents: their commits take no result away. */
const sources = git('rev-parse', 'HEAD:packages', 'HEAD:scripts', 'HEAD:package-lock.json').replace(
  /(.{8}).*\n?/g,
  '$1',
);
const isChanged = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!docs') !== '';
/** Results count for one state of the sources, one size and one seed. */
const run = `${sources}${isChanged ? '+' : ''} ${given.size} ${given.seed}`;

/** Of earlier runs, by goal. */
function readState() {
  if (!existsSync(STATE)) return {};
  try {
    return JSON.parse(readFileSync(STATE, 'utf8'));
  } catch {
    return {};
  }
}

const state = readState();
const kept = (goal) => (given.again ? undefined : state[goal.number]?.[run]);
function keep(goal, result) {
  // Read again: another run may have kept other goals meanwhile.
  mkdirSync(dirname(STATE), { recursive: true });
  writeFileSync(STATE, JSON.stringify({ ...readState(), [goal.number]: { [run]: result } }));
}

/** The command of a check as it would be typed. */
function commandOf({ files, tests, sizes = {} }) {
  const index = SIZES.indexOf(given.size);
  const env = { VERIFY_SEED: given.seed, CRASH_SEED: given.seed, VERIFY_TIMING: '1' };
  for (const [name, values] of Object.entries(sizes)) env[name] = String(values[index]);
  const args = ['run', ...files, ...(tests === undefined ? [] : ['-t', tests])];
  return { env, args };
}

/** What a failed test said, in one line, without colours. */
function reasonOf({ fullName, failureMessages = [] }) {
  const [first = ''] = failureMessages;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of terminals.
  const [why = ''] = first.replace(/\u001b\[[0-9;]*m/g, '').split('\n');
  // What Vitest says of a test whose time was over.
  const said = why.includes('STACK_TRACE_ERROR') ? 'it took longer than its own limit' : why;
  return `${fullName}${said === '' ? '' : `: ${said.slice(0, MAX_WHY)}`}`;
}

/** What one check came to: how many tests passed, what failed and why, and what they measured. */
function runCheck(check, withinMs) {
  const { env, args } = commandOf(check);
  const folder = mkdtempSync(join(tmpdir(), 'ponte-verify-'));
  const out = join(folder, 'result.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const more = ['--reporter', 'json', '--outputFile', out, '--testTimeout', String(withinMs)];
  return new Promise((resolve) => {
    // A group of its own: what its tests start ends with it.
    const child = spawn(process.execPath, [vitest, ...args, ...more], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let isCut = false;
    const limit = setTimeout(() => {
      isCut = true;
      endGroup(child.pid);
    }, withinMs);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece) => (said = (said + piece).slice(-100_000)));
    child.once('exit', () => {
      clearTimeout(limit);
      // What it left running would hold its output open.
      endGroup(child.pid);
      const result = existsSync(out) ? JSON.parse(readFileSync(out, 'utf8')) : undefined;
      rmSync(folder, { recursive: true, force: true });
      const all = (result?.testResults ?? []).flatMap((file) => file.assertionResults);
      const broken = (result?.testResults ?? []).filter(
        (file) => file.status === 'failed' && file.assertionResults.length === 0,
      );
      const cut = `${check.files.join(' ')}: cut off after ${Math.round(withinMs / 60_000)} minutes`;
      resolve({
        passed: all.filter(({ status }) => status === 'passed').length,
        failed: [
          ...all.filter(({ status }) => status === 'failed').map(reasonOf),
          ...broken.map(({ name, message }) => `${name}: ${message.slice(0, MAX_WHY)}`),
          ...(isCut ? [cut] : result ? [] : [said.slice(-MAX_WHY)]),
        ],
        // Figures that tests print: one line each, "subject: what was measured".
        figures: [...said.matchAll(/^(?:keys|media|latency|isolation|webhook crash|hostile): .*$/gm)].map(
          ([line]) => line,
        ),
      });
    });
  });
}

function endGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

/** Checks that ran, by their command: of two goals that name the same one it counts for both. */
const ran = new Map();
async function check(one, withinMs) {
  const name = JSON.stringify(commandOf(one));
  const before = ran.get(name);
  if (before) return before;
  const result = await runCheck(one, withinMs);
  ran.set(name, result);
  return result;
}

const load = () => loadavg()[0] / cpus().length;

/** Lets what ran before die away: the load is an average of the last minute. */
async function untilQuiet(withinMs) {
  const until = performance.now() + withinMs;
  while (load() > QUIET_LOAD && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 2_000));
}

/** Why a goal cannot be shown here; undefined: it can. */
function hindrance(goal) {
  if (goal.isQuiet && load() > QUIET_LOAD) return `needs a quiet machine (load ${load().toFixed(1)} per core)`;
  if (goal.needs === 'PostgreSQL' && !process.env.TEST_DATABASE_URL) return 'needs PostgreSQL (TEST_DATABASE_URL)';
  const missing = goal.checks.flatMap(({ files }) => files).filter((file) => !existsSync(join(root, file)));
  if (missing.length === 0) return undefined;
  return goal.needs === undefined || goal.needs === 'PostgreSQL'
    ? `${missing.join(', ')} is not there`
    : `needs ${goal.needs}`;
}

async function showGoal(goal) {
  if (goal.isQuiet) await untilQuiet(Math.min(QUIET_WITHIN_MS, deadline - performance.now()));
  const why = hindrance(goal);
  if (why) return { verdict: `not run: ${why}`, seconds: 0, passed: 0, failed: [], figures: [] };
  const began = performance.now();
  const sum = { passed: 0, failed: [], figures: [] };
  for (const one of goal.checks) {
    const leftMs = rowWithinMs - (performance.now() - began);
    if (leftMs <= 1_000) {
      sum.failed.push(`${one.files.join(' ')}: not begun, the ${rowWithinMs / 60_000} minutes of this goal were over`);
      continue;
    }
    const { passed, failed, figures } = await check(one, leftMs);
    sum.passed += passed;
    sum.failed.push(...failed);
    // A name that no test has shows nothing.
    if (passed === 0 && failed.length === 0) sum.failed.push(`no test ran: ${one.files.join(' ')} ${one.tests ?? ''}`);
    sum.figures.push(...figures);
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  return { ...sum, verdict: sum.failed.length === 0 ? 'passed' : 'FAILED', seconds };
}

const quoted = (text) => (/^[\w./=:-]+$/.test(text) ? text : `'${text}'`);
const shell = (check) => {
  const { env, args } = commandOf(check);
  const variables = Object.entries(env).filter(([name]) => check.sizes?.[name] !== undefined);
  return [...variables.map(([name, value]) => `${name}=${value}`), 'npx vitest', ...args.map(quoted)].join(' ');
};
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(results) {
  return GOALS.map((goal) => {
    const result = results.get(goal.number);
    const verdict = result?.verdict ?? 'not run: the time was up, or it was not asked for';
    const figures = result?.figures ?? [];
    const beside = [goal.shows, ...(goal.note ? [goal.note] : []), ...figures].join('; ');
    return `| ${goal.number} | ${cell(goal.goal)} | ${verdict} | ${result?.passed ?? 0} | ${result?.seconds ?? 0} | ${cell(beside)} |`;
  }).join('\n');
}

function report(results) {
  const count = (verdict) => [...results.values()].filter((one) => one.verdict === verdict).length;
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const postgres = process.env.TEST_DATABASE_URL ? 'SQLite and PostgreSQL' : 'SQLite';
  const command = `npm run verify -- --report --size ${given.size} --seed ${given.seed}`;
  return `# What was verified

Made by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, at ${commit}, on Linux ${release()}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'CPU'}, ${memory},
Node ${process.versions.node}, ${postgres}. Every row ran the tests named below it; their sizes are those of \`--size ${given.size}\`.
${count('passed')} of ${GOALS.length} goals passed, ${count('FAILED')} failed; the others say what they need.

| | Goal | Verdict | Tests | Seconds | By what |
|---|---|---|---|---|---|
${table(results)}

Where a goal and the published contract differ, the contract is tested; the row says so. Times are those of this machine and of this run; a run that was cut off goes on where
it was (\`--again\` begins anew, \`--only 3,9\` runs some, \`--within 10\` begins nothing new after ten minutes). A goal that takes longer than ${rowWithinMs / 60_000} minutes is cut off and
has failed. A check that several goals name ran once.
${failures(results)}
## Commands

${GOALS.map((goal) => `${goal.number}. ${goal.checks.map((check) => `\`${shell(check)}\``).join('\n   ')}`).join('\n')}
`;
}

function failures(results) {
  const lines = [...results].flatMap(([number, { failed }]) => failed.map((name) => `- ${number}: ${cell(name)}`));
  return lines.length === 0 ? '' : `\n## Failed\n\n${lines.join('\n')}\n`;
}

const deadline =
  given.within === undefined ? Number.POSITIVE_INFINITY : performance.now() + Number(given.within) * 60_000;
const results = new Map();
const write = () => given.report && writeFileSync(absolute(root, given.out), report(results));
for (const goal of [...GOALS].sort((a, b) => Number(b.isQuiet ?? false) - Number(a.isQuiet ?? false))) {
  const before = kept(goal);
  const isAsked = only === undefined || only.includes(goal.number);
  if (before && (before.verdict === 'passed' || !isAsked)) results.set(goal.number, before);
  else if (isAsked && performance.now() < deadline) {
    const result = await showGoal(goal);
    if (!result.verdict.startsWith('not run')) keep(goal, result);
    results.set(goal.number, result);
    write();
  }
  const result = results.get(goal.number);
  if (!isAsked && !result) continue;
  const told = result ? `${result.verdict} (${result.passed} tests, ${result.seconds} s)` : 'not run: the time was up';
  process.stdout.write(`${goal.number}. ${goal.goal}: ${told}\n`);
  for (const name of result?.failed ?? []) process.stdout.write(`     ${name}\n`);
}
write();
if (given.report) process.stdout.write(`written to ${given.out}\n`);
process.exitCode = [...results.values()].some(({ verdict }) => verdict === 'FAILED') ? 1 : 0;
