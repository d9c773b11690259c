import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../src/bench/processes.ts';
import { Rig } from './support/rig.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs', 'sandbox.md'), 'utf8');
const RUN_WITHIN_MS = 60_000;

/** Fenced blocks of one language, as printed. */
const blocks = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text]) => text ?? '');

const file = (name: string): string => {
  const found = blocks('js').find((text) => text.startsWith(`// ${name}\n`));
  if (!found) throw new Error(`docs/sandbox.md has no block ${name}`);
  return found;
};

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

function run(command: string, args: string[], environment: Record<string, string>): Promise<Run> {
  // A test runner below must not take this one for its parent.
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _context, ...inherited } = process.env;
  const env = { ...inherited, ...environment };
  return new Promise((resolve) => {
    execFile(command, args, { env, cwd: folder, timeout: RUN_WITHIN_MS }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
    });
  });
}

let rig: Rig;
let folder: string;
let appPort: number;

beforeAll(async () => {
  // Below the repository, so that the packages it names are found.
  const cache = join(ROOT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, 'docs-'));
  appPort = await freePort();
  rig = await Rig.start({ targetPorts: [appPort] });
}, 60_000);
afterAll(async () => {
  await rig?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('the calls of the page run as they stand, one after the other', { timeout: RUN_WITHIN_MS }, async () => {
  const script = ['set -euo pipefail', ...blocks('sh')].join('\n');
  const { code, stdout, stderr } = await run('bash', ['-c', script], { KEY: rig.testKey, PONTE: rig.base });
  expect([code, stderr], stdout).toEqual([0, '']);
  const inbox = await rig.sandbox.inbox('15550002222');
  expect(inbox.map(({ body }) => body)).toContain('Your order is on its way');
  expect(stdout).toContain('"kind":"reject_sends"');
});

test('the test suite of the page passes as it stands', { timeout: RUN_WITHIN_MS }, async () => {
  writeFileSync(join(folder, 'shop.test.mjs'), file('shop.test.mjs'));
  const environment = { KEY: rig.testKey, PONTE: rig.base, APP_PORT: String(appPort) };
  const { code, stdout, stderr } = await run(process.execPath, ['--test', 'shop.test.mjs'], environment);
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toMatch(/pass 4/);
});

test('the client of the page is linked as it stands', { timeout: RUN_WITHIN_MS }, async () => {
  writeFileSync(join(folder, 'client.mjs'), file('client.mjs'));
  const { code, stdout, stderr } = await run(process.execPath, ['client.mjs'], {});
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toContain('linked as 15550001111:1@s.whatsapp.net');
});

test('every fault and call that the page names is there', async () => {
  const named = [...PAGE.matchAll(/^\| ((?:`[a-z_]+` ?)+)\|/gm)].flatMap(
    ([, cell]) => (cell ?? '').match(/[a-z_]+/g) ?? [],
  );
  const refusal = await rig.api.call<{ message: string }>('POST', '/api/sandbox/v1/lines/line_x/faults', { kind: '?' });
  const kinds = refusal.body.message.replace(/^.*one of /, '').split(', ');
  expect(named.toSorted()).toEqual(kinds.toSorted());
});
