// Starts `npm start` in an empty data directory on a free port, waits for its first answers, stops
// it with SIGTERM and expects exit code 0.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 60_000;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dataDir = mkdtempSync(join(tmpdir(), 'ponte-start-'));

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

function fail(message, output) {
  process.stderr.write(`${output}\nstart-up check failed: ${message}\n`);
  process.exitCode = 1;
}

const port = await freePort();
const started = Date.now();
// Its own process group, so that whatever npm starts can be ended with it.
const child = spawn('npm', ['start'], {
  cwd: root,
  env: { ...process.env, PORT: String(port), DATA_DIR: dataDir },
  stdio: ['ignore', 'pipe', 'pipe'],
  detached: true,
});
let output = '';
for (const stream of [child.stdout, child.stderr]) {
  stream.on('data', (chunk) => {
    output += chunk;
  });
}
const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
const base = `http://127.0.0.1:${port}`;

async function answersWithin() {
  while (Date.now() - started < LIMIT_MS) {
    const answer = await fetch(`${base}/readyz`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok) return true;
    if (child.exitCode !== null) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

try {
  if (!(await answersWithin())) fail(`no answer at ${base}/readyz`, output);
  else {
    const readyMs = Date.now() - started;
    for (const path of ['/', '/healthz', '/api/openapi.json']) {
      const answer = await fetch(base + path, { signal: AbortSignal.timeout(5_000) });
      if (!answer.ok) fail(`GET ${path} answered ${answer.status}`, output);
    }
    if (!/wzb_test_[A-Za-z0-9]{38}/.test(output)) fail('the first start printed no test key', output);
    process.stdout.write(`start-up check: first answer after ${readyMs} ms\n`);
  }
} finally {
  if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
  const limit = setTimeout(() => {
    fail('did not stop within 15 s of SIGTERM', output);
    process.kill(-child.pid, 'SIGKILL');
  }, 15_000);
  const { code, signal } = await exited;
  clearTimeout(limit);
  if (code !== 0 && signal !== 'SIGTERM' && code !== 143) fail(`ended with code ${code} (${signal})`, output);
  rmSync(dataDir, { recursive: true, force: true });
}
