// Holds the imports of every package against scripts/module-graph/rules.cjs: no circles (types
// count), no file that nothing uses, and the rooms of each package. dependency-cruiser reads with
// TypeScript 6, since it finds nothing with 7 and says that all is well; so every source file on
// the disk must be among those it read. Usage: node scripts/module-graph.mjs [root folder]
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installApart } from './install-apart.mjs';

const LIMIT_MS = 120_000;
const here = join(dirname(fileURLToPath(import.meta.url)), 'module-graph');

const sourcesOf = (root, folder) =>
  readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));

/** What is wrong with the sources below `root`, one sentence each, and how many files were read. */
export function checkModules(root) {
  const packages = readdirSync(join(root, 'packages'));
  const folders = packages.flatMap((name) =>
    ['src', 'test'].map((part) => `packages/${name}/${part}`).filter((folder) => hasFolder(root, folder)),
  );
  const tool = join(installApart(here, 'module-graph'), 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [tool, '--config', join(here, 'rules.cjs'), '--output-type', 'json', ...folders];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    ...{ cwd: root, encoding: 'utf8', timeout: LIMIT_MS, maxBuffer: 512 * 1_048_576 },
  });
  if (stdout === '') throw new Error(`dependency-cruiser ended with ${status}: ${stderr}`);
  const { modules, summary } = JSON.parse(stdout);
  const read = new Set(modules.map(({ source }) => source));
  const unread = folders.flatMap((folder) => sourcesOf(root, folder)).filter((file) => !read.has(file));
  return {
    modules: [...read].filter((file) => file.startsWith('packages/')).length,
    violations: [
      ...unread.map((file) => `${file}: was not read, so nothing is known of it`),
      ...summary.violations.map(({ rule, from, to, cycle }) =>
        cycle
          ? `${rule.name}: ${[from, ...cycle.map(({ name }) => name)].join(' → ')}`
          : `${rule.name}: ${from} → ${to}`,
      ),
    ],
  };
}

function hasFolder(root, folder) {
  try {
    return readdirSync(join(root, folder)).length > 0;
  } catch {
    return false;
  }
}

/** What stands in `planted`, by the rule that must see it. */
const PLANTED = ['circle', 'room console/words', 'unused'];

/** Throws when the rules do not see what was planted for them. */
function proveThatItSees() {
  const { violations } = checkModules(join(here, 'planted'));
  const unseen = PLANTED.filter((rule) => !violations.some((one) => one.startsWith(`${rule}: `)));
  if (unseen.length > 0) throw new Error(`the rules see nothing of what is planted: ${unseen.join(', ')}`);
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] && resolve(process.argv[1]) === self) {
  proveThatItSees();
  const { modules, violations } = checkModules(resolve(process.argv[2] ?? join(dirname(self), '..')));
  if (modules === 0) violations.push('no module was read at all');
  for (const violation of violations) process.stderr.write(`${violation}\n`);
  process.stdout.write(`modules: ${modules} read, ${violations.length} violations\n`);
  process.exit(violations.length > 0 ? 1 : 0);
}
