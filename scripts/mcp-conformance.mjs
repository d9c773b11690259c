// Runs the official MCP conformance suite against the product's own MCP door
// (packages/gateway/test/mcp-conformance/server.ts): every scenario that a revision of the
// specification requires. What cannot apply is listed, with its reason, in
// scripts/mcp-conformance/expected-*.yml; a listed scenario that passes fails the run as much as an
// unlisted one that does not.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installApart } from './install-apart.mjs';

const REVISIONS = ['2025-11-25', '2026-07-28'];
const SERVER_WITHIN_MS = 60_000;
const SUITE_WITHIN_MS = 180_000;

const here = join(dirname(fileURLToPath(import.meta.url)), 'mcp-conformance');
const root = join(here, '..', '..');

/** The suite needs Node 22 (fs.globSync); the product does not. */
function nodeFor(folder) {
  if (Number(process.versions.node.split('.', 1)[0]) >= 22) return process.execPath;
  const node = join(folder, 'node_modules', 'node22', 'bin', 'node');
  if (existsSync(node)) return node;
  throw new Error('the conformance suite needs Node 22: run this with it');
}

async function startServer() {
  const entry = join(root, 'packages/gateway/test/mcp-conformance/server.ts');
  const child = spawn(process.execPath, [entry], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [message] = await once(child, 'message', { signal: AbortSignal.timeout(SERVER_WITHIN_MS) });
  return { url: message.url, stop: () => child.disconnect() };
}

function runSuite(folder, url, revision) {
  const suite = join(folder, 'node_modules/@modelcontextprotocol/conformance/dist/index.js');
  const args = [suite, 'server', '--url', url, '--requirements', revision];
  args.push('--expected-failures', join(here, `expected-${revision}.yml`), ...process.argv.slice(2));
  process.stdout.write(`\n== MCP ${revision}\n`);
  const { status, signal } = spawnSync(nodeFor(folder), args, { stdio: 'inherit', timeout: SUITE_WITHIN_MS });
  if (signal !== null) throw new Error(`the suite for ${revision} was ended by ${signal}`);
  return status === 0;
}

const folder = installApart(here, 'mcp-conformance');
const server = await startServer();
try {
  // Both are run, whatever the first comes to.
  const failed = REVISIONS.filter((revision) => !runSuite(folder, server.url, revision));
  if (failed.length > 0) {
    process.stderr.write(`\nMCP conformance failed: ${failed.join(', ')}\n`);
    process.exitCode = 1;
  }
} finally {
  server.stop();
}
