import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkLayers } from './check-layers.mjs';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'layers-'));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const fine = { 'packages/gateway/src/store/lines.ts': "import { newLineId } from '../core/ids.ts';\n" };
const violationsOf = (files: Record<string, string>) => checkLayers(tree({ ...fine, ...files })).violations;

test('a clean tree passes', () => {
  expect(violationsOf({})).toEqual([]);
});

test.each([
  [
    'an import up the spine',
    'packages/gateway/src/core/ids.ts',
    "import { open } from '../store/open.ts';",
    'core may not import store',
  ],
  [
    'a type-only import up the spine',
    'packages/gateway/src/store/a.ts',
    "import type { X } from '../http/x.ts';",
    'store may not import http',
  ],
  [
    'a dynamic import up the spine',
    'packages/gateway/src/core/b.ts',
    "const m = await import('../http/x.ts');",
    'core may not import http',
  ],
  [
    'a multi-line import up the spine',
    'packages/gateway/src/core/c.ts',
    "import {\n  a,\n  b,\n} from '../lines/line.ts';",
    'core may not import lines',
  ],
  [
    'one dialect importing the other',
    'packages/gateway/src/dialects/lines/r.ts',
    "import { x } from '../bridges/r.ts';",
    'may not import dialects/bridges',
  ],
  [
    'Baileys outside its adapter',
    'packages/gateway/src/lines/l.ts',
    "import { proto } from 'baileys';",
    'only engine-baileys may import baileys',
  ],
  [
    'an adapter named outside the composition root',
    'packages/gateway/src/lines/l.ts',
    "import { x } from '@ponte/engine-baileys';",
    'may name @ponte/engine-baileys',
  ],
  [
    'the simulator borrowing from the engine adapter',
    'packages/simulator/src/a.ts',
    "import { x } from '@ponte/engine-baileys';",
    'may not import @ponte/engine-baileys',
  ],
  [
    'the environment read outside config',
    'packages/gateway/src/core/e.ts',
    'export const p = process.env.PORT;',
    'process.env belongs in',
  ],
  [
    'a query outside store',
    'packages/gateway/src/commands/q.ts',
    "export const q = (db: { selectFrom(t: string): unknown }) => db.selectFrom('lines');",
    'a query',
  ],
  [
    'raw SQL outside store',
    'packages/gateway/src/lines/s.ts',
    'export const q = sql<{ n: number }>`select 1 as n`;',
    'a query',
  ],
  [
    'a file in an unknown folder',
    'packages/gateway/src/helpers/h.ts',
    "import { a } from '../core/ids.ts';",
    'is in no room of the table',
  ],
])('%s is caught', (_name, path, text, message) => {
  const violations = violationsOf({ [path]: `${text}\n` });
  expect(violations).toHaveLength(1);
  expect(violations[0]).toContain(message);
});

test('files that import each other in a circle are caught, imports of types too', () => {
  const violations = violationsOf({
    'packages/gateway/src/core/one.ts': "import type { Two } from './two.ts';\nexport type One = { two: Two };\n",
    'packages/gateway/src/core/two.ts': "import type { One } from './one.ts';\nexport type Two = { one: One };\n",
  });
  expect(violations).toHaveLength(1);
  expect(violations[0]).toContain('import each other in a circle');
});

test('a tree without imports is reported instead of passing', () => {
  const root = tree({ 'packages/gateway/src/core/empty.ts': 'export const a = 1;\n' });
  expect(checkLayers(root).violations).toEqual(['no import was found at all: the check is looking in the wrong place']);
});
