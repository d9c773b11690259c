// Holds the OpenAPI document against the recommended rules of Redocly and Spectral: any warning
// fails. The document is the golden one (packages/gateway/test/golden/openapi.json), which a test
// keeps equal to what the server answers.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installApart } from './install-apart.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const here = join(root, 'scripts', 'openapi-lint');
const document = process.argv[2] ?? join(root, 'packages/gateway/test/golden/openapi.json');
if (!existsSync(document)) throw new Error(`there is no ${document}`);
const modules = join(installApart(here, 'openapi-lint'), 'node_modules');

const CHECKS = [
  {
    name: 'Redocly',
    args: [join(modules, '@redocly/cli/bin/cli.js'), 'lint', document, `--config=${join(here, 'redocly.yaml')}`],
    finds: /You have \d+ (?:warning|error)|Validation failed/,
  },
  {
    name: 'Spectral',
    args: [
      join(modules, '@stoplight/spectral-cli/dist/index.js'),
      'lint',
      document,
      `--ruleset=${join(here, 'spectral.yaml')}`,
      '--fail-severity=hint',
    ],
    finds: /\d+ problems?/,
  },
];
const LIMIT_MS = 180_000;

let failed = 0;
for (const { name, args, finds } of CHECKS) {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env, timeout: LIMIT_MS });
  const output = `${stdout}${stderr}`;
  const isClean = status === 0 && !finds.test(output);
  process.stdout.write(`${name}: ${isClean ? '0 warnings' : `not clean\n${output}`}\n`);
  if (!isClean) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);
