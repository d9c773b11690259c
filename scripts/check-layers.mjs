// Proves the import spine: every import of every source file is looked up in scripts/layers.mjs.
// Exit code 1 names each violation. Usage: node scripts/check-layers.mjs [root folder]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ADAPTERS, FENCED, GATEWAY, HOMES, PACKAGES } from './layers.mjs';

const IMPORT =
  /(?:^|[\s;])(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\brequire\(\s*['"]([^'"]+)['"]\s*\)/g;

function sourcesOf(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((e) => e.isFile() && /\.tsx?$/.test(e.name) && !/\.test\.tsx?$/.test(e.name))
    .map((e) => join(e.parentPath ?? e.path, e.name));
}

const withoutComments = (text) =>
  text.replace(/\/\*[\s\S]*?\*\//g, (m) => m.replace(/[^\n]/g, ' ')).replace(/(^|[^:'"`])\/\/[^\n]*/g, '$1');
const packageOf = (specifier) =>
  specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : (specifier.split('/')[0] ?? specifier);

/** The room of a gateway file: the longest key of the table that its path begins with. */
function roomOf(path) {
  const rooms = Object.keys(GATEWAY).filter((room) => path === room || path.startsWith(`${room}/`));
  return rooms.sort((a, b) => b.length - a.length)[0];
}

/**
 * Files that import each other in a circle; imports of types count, because readers follow them
 * too.
 */
function circlesOf(graph) {
  const order = new Map();
  const lowest = new Map();
  const stack = [];
  const circles = [];
  const visit = (file) => {
    order.set(file, order.size);
    lowest.set(file, order.get(file));
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) lowest.set(file, Math.min(lowest.get(file), lowest.get(next)));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) circles.push(circle);
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles;
}

export function checkLayers(root) {
  const violations = [];
  let imports = 0;
  for (const name of Object.keys(PACKAGES)) {
    const src = join(root, 'packages', name, 'src');
    const graph = new Map();
    for (const file of sourcesOf(src)) {
      const targets = new Set();
      graph.set(file, targets);
      const path = relative(src, file).split(sep).join('/');
      const text = withoutComments(readFileSync(file, 'utf8'));
      const say = (message) => violations.push(`packages/${name}/src/${path}: ${message}`);
      for (const match of text.matchAll(IMPORT)) {
        const specifier = match[1] ?? match[2] ?? match[3] ?? match[4];
        if (!specifier || specifier.startsWith('node:')) continue;
        imports += 1;
        if (specifier.startsWith('.')) targets.add(resolve(dirname(file), specifier));
        checkImport({ name, src, file, path, specifier, say });
      }
      if (name === 'gateway') {
        for (const { what, pattern, homes } of HOMES) {
          if (pattern.test(text) && !homes.some((home) => path.startsWith(home)))
            say(`${what} belongs in ${homes.join(', ')} only`);
        }
      }
    }
    for (const circle of circlesOf(graph)) {
      const files = circle.map((file) => relative(src, file).split(sep).join('/'));
      violations.push(`packages/${name}/src: ${files.join(', ')} import each other in a circle`);
    }
  }
  if (imports === 0) violations.push('no import was found at all: the check is looking in the wrong place');
  return { violations, imports };
}

function checkImport({ name, src, file, path, specifier, say }) {
  if (specifier.startsWith('.')) {
    const target = relative(src, resolve(dirname(file), specifier))
      .split(sep)
      .join('/');
    if (target.startsWith('..')) return say(`"${specifier}" leaves the package`);
    if (name === 'gateway') checkRoom(path, target, specifier, say);
    return undefined;
  }
  const dependency = packageOf(specifier);
  const fence = FENCED[dependency];
  // The conformance suite and vitest helpers live in the engine's own folder and are imported by
  // tests only.
  if (fence && !fence.includes(name)) return say(`only ${fence.join(', ')} may import ${dependency}`);
  if (!dependency.startsWith('@ponte/')) return undefined;
  if (!PACKAGES[name].includes(dependency)) return say(`package ${name} may not import ${dependency}`);
  if (name !== 'gateway') return undefined;
  const homes = ADAPTERS[dependency];
  if (homes && !homes.some((home) => path.startsWith(home)))
    return say(`only ${homes.join(', ')} may name ${dependency}`);
  const room = roomOf(path);
  const allowed = room ? GATEWAY[room] : [];
  if (!homes && !allowed.includes('*') && !allowed.includes(dependency))
    say(`${room ?? path} may not import ${dependency}`);
  return undefined;
}

function checkRoom(path, target, specifier, say) {
  const from = roomOf(path);
  const to = roomOf(target);
  if (!from) return say('is in no room of the table: add its folder to scripts/layers.mjs on purpose, or move it');
  if (!to) return say(`"${specifier}" is in no room of the table`);
  const allowed = GATEWAY[from];
  if (from !== to && !allowed.includes('*') && !allowed.includes(to))
    say(`${from} may not import ${to} ("${specifier}")`);
  return undefined;
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] && resolve(process.argv[1]) === self) {
  const root = resolve(process.argv[2] ?? join(dirname(self), '..'));
  const { violations, imports } = checkLayers(root);
  for (const violation of violations) process.stderr.write(`${violation}\n`);
  process.stdout.write(`layers: ${imports} imports checked, ${violations.length} violations\n`);
  process.exit(violations.length > 0 ? 1 : 0);
}
