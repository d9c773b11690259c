// Runs the checks behind the forty goals of reliability, one goal after the other, and writes down
// what came out. What a goal showed is kept, so that a run that was cut off goes on where it was;
// `--again` begins anew.
//
//   node scripts/verify.mjs --report [--size small|medium|full] [--seed N] [--only 3,9,12]
//                           [--within MINUTES] [--again] [--out FILE]
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { resolve as absolute, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { GOALS, SIZES } from './verify/goals.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const STATE = join(root, 'node_modules/.cache/ponte/verify.json');
const CHECK_WITHIN_MS = 60 * 60_000;

const { values: given } = parseArgs({
  options: {
    report: { type: 'boolean', default: false },
    size: { type: 'string', default: 'small' },
    seed: { type: 'string', default: '20261130' },
    only: { type: 'string' },
    within: { type: 'string' },
    again: { type: 'boolean', default: false },
    out: { type: 'string', default: 'docs/verified.md' },
  },
});
if (!SIZES.includes(given.size)) fail(`--size is ${SIZES.join(', ')}`);
if (!/^\d{1,9}$/.test(given.seed)) fail('--seed is a whole number of nine digits at most');
if (given.within !== undefined && !(Number(given.within) > 0)) fail('--within is a number of minutes');
const only = given.only?.split(',').map(Number);
if (only?.some((number) => !GOALS.some((goal) => goal.number === number))) fail('--only is numbers of goals: 3,9,12');

function fail(why) {
  process.stderr.write(`verify: ${why}\n`);
  process.exit(2);
}

const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
const commit = git('rev-parse', '--short', 'HEAD') || 'unknown';
/** Results count for one state of the sources, one size and one seed. */
const run = `${commit}${git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!docs/verified.md') === '' ? '' : '+'} ${given.size} ${given.seed}`;

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
  state[goal.number] = { [run]: result };
  mkdirSync(dirname(STATE), { recursive: true });
  writeFileSync(STATE, JSON.stringify(state));
}

/** The command of a check as it would be typed. */
function commandOf({ files, tests, sizes = {} }) {
  const index = SIZES.indexOf(given.size);
  const env = { VERIFY_SEED: given.seed, CRASH_SEED: given.seed, VERIFY_TIMING: '1' };
  for (const [name, values] of Object.entries(sizes)) env[name] = String(values[index]);
  const args = ['run', ...files, ...(tests === undefined ? [] : ['-t', tests])];
  return { env, args };
}

/** What one check came to: how many tests passed, failed and were left out, and what they said. */
function runCheck(check) {
  const { env, args } = commandOf(check);
  const folder = mkdtempSync(join(tmpdir(), 'ponte-verify-'));
  const out = join(folder, 'result.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const more = ['--reporter', 'json', '--outputFile', out, '--testTimeout', String(CHECK_WITHIN_MS)];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [vitest, ...args, ...more], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: CHECK_WITHIN_MS,
      killSignal: 'SIGKILL',
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece) => (said = (said + piece).slice(-100_000)));
    child.once('close', () => {
      const result = existsSync(out) ? JSON.parse(readFileSync(out, 'utf8')) : undefined;
      rmSync(folder, { recursive: true, force: true });
      const all = (result?.testResults ?? []).flatMap((file) => file.assertionResults);
      const failed = all.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName);
      const broken = (result?.testResults ?? []).filter(
        (file) => file.status === 'failed' && file.assertionResults.length === 0,
      );
      resolve({
        passed: all.filter(({ status }) => status === 'passed').length,
        failed: [
          ...failed,
          ...broken.map(({ name, message }) => `${name}: ${message}`),
          ...(result ? [] : [said.slice(-300)]),
        ],
        // Figures that tests print: one line each, "subject: what was measured".
        figures: [...said.matchAll(/^(?:keys|media|latency|isolation|webhook crash|hostile): .*$/gm)].map(
          ([line]) => line,
        ),
      });
    });
  });
}

/** Why a goal cannot be shown here; undefined: it can. */
function hindrance(goal) {
  if (goal.needs === 'PostgreSQL' && !process.env.TEST_DATABASE_URL) return 'needs PostgreSQL (TEST_DATABASE_URL)';
  const missing = goal.checks.flatMap(({ files }) => files).filter((file) => !existsSync(join(root, file)));
  if (missing.length === 0) return undefined;
  return goal.needs === undefined || goal.needs === 'PostgreSQL'
    ? `${missing.join(', ')} is not there`
    : `needs ${goal.needs}`;
}

async function showGoal(goal) {
  const why = hindrance(goal);
  if (why) return { verdict: why, seconds: 0, passed: 0, failed: [], figures: [] };
  const began = performance.now();
  const sum = { passed: 0, failed: [], figures: [] };
  for (const check of goal.checks) {
    const { passed, failed, figures } = await runCheck(check);
    sum.passed += passed;
    sum.failed.push(...failed);
    // A name that no test has shows nothing.
    if (passed === 0 && failed.length === 0)
      sum.failed.push(`no test ran: ${check.files.join(' ')} ${check.tests ?? ''}`);
    sum.figures.push(...figures);
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  return { ...sum, verdict: sum.failed.length === 0 ? 'shown' : 'FAILED', seconds };
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
    const verdict = result?.verdict ?? 'not run';
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
${count('shown')} of ${GOALS.length} goals are shown, ${count('FAILED')} failed; the others say what they need.

| | Goal | Verdict | Tests | Seconds | By what |
|---|---|---|---|---|---|
${table(results)}

Where a goal and the published contract differ, the contract is tested; the row says so. Times are those of this machine and of this run; a run that was cut off goes on where
it was (\`--again\` begins anew, \`--only 3,9\` runs some, \`--within 10\` begins nothing new after ten minutes).
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
for (const goal of GOALS) {
  const before = kept(goal);
  const isAsked = only === undefined || only.includes(goal.number);
  if (before && (before.verdict === 'shown' || !isAsked)) results.set(goal.number, before);
  else if (isAsked && performance.now() < deadline) {
    const result = await showGoal(goal);
    keep(goal, result);
    results.set(goal.number, result);
  }
  const result = results.get(goal.number);
  process.stdout.write(
    `${goal.number}. ${goal.goal}: ${result ? `${result.verdict} (${result.passed} tests, ${result.seconds} s)` : 'not run'}\n`,
  );
  for (const name of result?.failed ?? []) process.stdout.write(`     ${name}\n`);
}
if (given.report) {
  writeFileSync(absolute(root, given.out), report(results));
  process.stdout.write(`written to ${given.out}\n`);
}
process.exitCode = [...results.values()].some(({ verdict }) => verdict === 'FAILED') ? 1 : 0;
