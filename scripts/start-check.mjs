// Starts `npm start` (or the command given) in an empty data directory on a free port, waits for
// its first answers, sends one test message through each API, stops it with SIGTERM and expects
// exit code 0. Says how long the start took.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const LIMIT_MS = 180_000;
const STOP_WITHIN_MS = 15_000;
const ANSWER_WITHIN_MS = 30_000;
const OWNER = '15550001111';
const ALICE = '15550002222';
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

function fail(message) {
  process.stderr.write(`${output}\nstart-up check failed: ${message}\n`);
  process.exitCode = 1;
}

const port = await freePort();
const [command, ...args] = process.argv.length > 2 ? process.argv.slice(2) : ['npm', 'start'];
const started = Date.now();
// Its own process group, so that whatever it starts can be ended with it.
const child = spawn(command, args, {
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

async function call(key, method, path, body) {
  const answer = await fetch(base + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** What the quick start does: a line is linked, and a text goes out through each API. */
async function sendThroughBoth(key) {
  const sandbox = '/api/sandbox/v1';
  for (const number of [OWNER, ALICE]) await call(key, 'POST', `${sandbox}/phones`, { phone: number, name: number });
  await call(key, 'POST', '/api/instances', { customer_ref: 'check' });
  await call(key, 'POST', `${sandbox}/phones/${OWNER}/scan`, { customer_ref: 'check' });
  const { line_id } = await call(key, 'GET', '/api/instances/check');
  await call(key, 'POST', '/api/instances/check/proxy/send/text', { chat: ALICE, body: 'through Bridges' });
  await call(key, 'POST', '/api/bridge/v1/messages/send', { line_id, to: `+${ALICE}`, message: 'through Lines' });
  const inbox = await call(key, 'GET', `${sandbox}/phones/${ALICE}/inbox`);
  const bodies = inbox.map((item) => item.body);
  for (const text of ['through Bridges', 'through Lines']) {
    if (!bodies.includes(text)) throw new Error(`the phone did not get "${text}" but ${JSON.stringify(bodies)}`);
  }
}

try {
  if (!(await answersWithin())) fail(`no answer at ${base}/readyz`);
  else {
    const readyMs = Date.now() - started;
    for (const path of ['/', '/healthz', '/api/openapi.json']) {
      const answer = await fetch(base + path, { signal: AbortSignal.timeout(5_000) });
      if (!answer.ok) fail(`GET ${path} answered ${answer.status}`);
    }
    const key = /wzb_test_[A-Za-z0-9]{38}/.exec(output)?.[0];
    if (key === undefined) fail('the first start printed no test key');
    else await sendThroughBoth(key);
    process.stdout.write(`start-up check: first answer after ${readyMs} ms\n`);
  }
} catch (error) {
  fail(error.message);
} finally {
  if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
  const limit = setTimeout(() => {
    fail(`did not stop within ${STOP_WITHIN_MS / 1_000} s of SIGTERM`);
    process.kill(-child.pid, 'SIGKILL');
  }, STOP_WITHIN_MS);
  const { code, signal } = await exited;
  clearTimeout(limit);
  if (code !== 0 && signal !== 'SIGTERM' && code !== 143) fail(`ended with code ${code} (${signal})`);
  rmSync(dataDir, { recursive: true, force: true });
}
