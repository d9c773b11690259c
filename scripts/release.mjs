// Makes a release: one version in every package, its section in the changelog, the checks, a commit
// and a tag. Nothing is pushed or published.
//
//   npm run release -- 0.2.0             write, check, commit, tag v0.2.0
//   npm run release -- 0.2.0 --prepare   write the version and the section, and stop there
//   npm run release -- 0.2.0 --dry-run   say what would be written, and write nothing
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const CHECKS = ['npm run -s check', 'npm run -s modules', 'npm run -s supply', 'npm test'];
const DOCUMENT = 'packages/gateway/test/golden/openapi.json';
const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;
const UNRELEASED = '## Unreleased';
const NOT_YET = 'not released';

export class ReleaseError extends Error {
  name = 'ReleaseError';
}

const isAbove = (a, b) => {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  const at = left.findIndex((part, index) => part !== right[index]);
  return at >= 0 && left[at] > right[at];
};

/**
 * The changelog with the section of `version`: what was unreleased, or what was prepared. `dated`
 * is a date, or "not released" while it is only prepared.
 */
export function changelogOf(text, version, dated) {
  const [head, rest] = text.split(`${UNRELEASED}\n`);
  if (rest === undefined) throw new ReleaseError(`CHANGELOG.md has no section "${UNRELEASED}"`);
  const end = rest.search(/^## /m);
  const news = (end < 0 ? rest : rest.slice(0, end)).trim();
  const older = end < 0 ? '' : rest.slice(end);
  const known = older.match(new RegExp(`^## ${version.replaceAll('.', '\\.')} – (.*)\n`));
  if (known && known[1] !== NOT_YET) throw new ReleaseError(`CHANGELOG.md says that ${version} is out (${known[1]})`);
  if (!known && news === '') throw new ReleaseError('CHANGELOG.md says nothing under "Unreleased"');
  const prepared = known ? older.slice(known[0].length).trimStart() : '';
  const section = [news, known ? prepared : older].filter((part) => part !== '');
  const gap = known ? '\n' : '\n\n';
  return `${head}${UNRELEASED}\n\n## ${version} – ${dated}\n\n${section.join(gap).trimEnd()}\n`;
}

/** The manifest with the version, and with it in what it needs of this project. */
function manifestOf(text, version) {
  const manifest = JSON.parse(text);
  manifest.version = version;
  setPins(manifest, version);
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function lockOf(text, version) {
  const lock = JSON.parse(text);
  lock.version = version;
  for (const [path, facts] of Object.entries(lock.packages)) {
    if (path !== '' && !/^packages\/[^/]+$/.test(path)) continue;
    if (facts.version !== undefined) facts.version = version;
    setPins(facts, version);
  }
  return `${JSON.stringify(lock, null, 2)}\n`;
}

function setPins(manifest, version) {
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']) {
    for (const name of Object.keys(manifest[kind] ?? {})) {
      if (name.startsWith('@ponte/')) manifest[kind][name] = version;
    }
  }
}

/** Every file that changes, with its new text. Throws ReleaseError when this is no next version. */
export function planRelease(root, version, dated) {
  const read = (file) => readFileSync(join(root, file), 'utf8');
  if (!VERSION.test(version)) throw new ReleaseError(`"${version}" is no version such as 0.2.0`);
  const current = JSON.parse(read('package.json')).version;
  if (version !== current && !isAbove(version, current)) {
    throw new ReleaseError(`${version} is not above ${current}, which package.json says`);
  }
  const manifests = readdirSync(join(root, 'packages'))
    .map((name) => `packages/${name}/package.json`)
    .filter((file) => existsSync(join(root, file)));
  const plan = new Map(['package.json', ...manifests].map((file) => [file, manifestOf(read(file), version)]));
  plan.set('package-lock.json', lockOf(read('package-lock.json'), version));
  plan.set('CHANGELOG.md', changelogOf(read('CHANGELOG.md'), version, dated));
  if (existsSync(join(root, DOCUMENT))) {
    const document = JSON.parse(read(DOCUMENT));
    document.info.version = version;
    plan.set(DOCUMENT, `${JSON.stringify(document, null, 2)}\n`);
  }
  return new Map([...plan].filter(([file, text]) => text !== read(file)));
}

/**
 * Makes the release of the project in `root`. Throws ReleaseError, and leaves what it wrote, when a
 * check fails: `git diff` shows it, `git checkout .` takes it back.
 */
export function release(root, version, { mode = 'release', today, checks = CHECKS, say = () => {} }) {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const tag = `v${version}`;
  const plan = planRelease(root, version, mode === 'prepare' ? NOT_YET : today);
  if (git('tag', '--list', tag) !== '') throw new ReleaseError(`there is a tag ${tag} already`);
  if (mode === 'dry-run') {
    for (const file of plan.keys()) say(`would write ${file}`);
    for (const check of checks) say(`would run ${check}`);
    return say(`would commit "release ${version}" and tag it ${tag}`);
  }
  if (git('status', '--porcelain', '--untracked-files=no') !== '') {
    throw new ReleaseError('there are changes that are not committed: commit or stash them first');
  }
  for (const [file, text] of plan) writeFileSync(join(root, file), text);
  if (mode === 'prepare') return say(`${version} is prepared in ${plan.size} files; commit them when they are right`);
  for (const check of checks) {
    say(check);
    const { status } = spawnSync(check, { cwd: root, shell: true, stdio: 'inherit' });
    if (status !== 0) throw new ReleaseError(`"${check}" ended with ${status}: nothing is committed`);
  }
  git('commit', '--all', '--message', `release ${version}`);
  git('tag', '--annotate', tag, '--message', `Ponte ${version}`);
  return say(`${tag} is made; "git push --follow-tags" publishes it`);
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] && resolve(process.argv[1]) === self) {
  const given = process.argv.slice(2);
  const mode = given.includes('--dry-run') ? 'dry-run' : given.includes('--prepare') ? 'prepare' : 'release';
  const [version = '', ...more] = given.filter((one) => !one.startsWith('--'));
  const say = (line) => process.stdout.write(`${line}\n`);
  try {
    const known = ['--dry-run', '--prepare'];
    const unknown = [...more, ...given.filter((one) => one.startsWith('--') && !known.includes(one))];
    if (unknown.length > 0) throw new ReleaseError(`unknown: ${unknown.join(' ')}`);
    release(join(dirname(self), '..'), version, { mode, today: new Date().toISOString().slice(0, 10), say });
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    process.stderr.write(`release: ${error.message}\n`);
    process.exitCode = 1;
  }
}
