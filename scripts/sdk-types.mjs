// Makes packages/sdk/src/generated from the OpenAPI document: the types by openapi-typescript, and
// a table of the operations (method, path, whether an Idempotency-Key is taken); and
// packages/console/src/generated from the document of what the console calls. `--check` writes
// nothing and fails when what stands there is not what would be written.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installApart } from './install-apart.mjs';

const LIMIT_MS = 120_000;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const document = join(root, 'packages/gateway/test/golden/openapi.json');
const consoleDocument = join(root, 'packages/gateway/test/golden/console.openapi.json');
const folder = join(root, 'packages/sdk/src/generated');
const consoleFolder = join(root, 'packages/console/src/generated');
const isCheck = process.argv.includes('--check');
const HEAD = '// Made by scripts/sdk-types.mjs from the OpenAPI document; not edited by hand.\n';

/** What openapi-typescript makes of a document. */
function types(of) {
  const modules = join(installApart(join(root, 'scripts', 'sdk-types'), 'sdk-types'), 'node_modules');
  const scratch = mkdtempSync(join(tmpdir(), 'ponte-sdk-'));
  const out = join(scratch, 'api.ts');
  const args = [join(modules, 'openapi-typescript/bin/cli.js'), of, '-o', out];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: LIMIT_MS });
  if (status !== 0) throw new Error(`openapi-typescript ended with ${status}\n${stderr}`);
  const text = readFileSync(out, 'utf8');
  rmSync(scratch, { recursive: true });
  return HEAD + text;
}

function table() {
  const { paths } = JSON.parse(readFileSync(document, 'utf8'));
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters }]) => {
      const takesKey = parameters.some(({ name }) => name === 'Idempotency-Key');
      return `  ${operationId}: { method: '${method.toUpperCase()}', path: '${path}', takesKey: ${takesKey} },`;
    }),
  );
  return `${HEAD}export const OPERATIONS = {\n${rows.sort().join('\n')}\n} as const;\n`;
}

let stale = 0;
for (const [file, text] of [
  [join(folder, 'api.ts'), types(document)],
  [join(folder, 'operations.ts'), table()],
  [join(consoleFolder, 'api.ts'), types(consoleDocument)],
]) {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  if (isCheck) {
    process.stderr.write(`${file} is not of this document: run node scripts/sdk-types.mjs\n`);
    stale += 1;
  } else writeFileSync(file, text);
}
process.exit(stale === 0 ? 0 : 1);
