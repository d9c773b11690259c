// Runs the test suites, and says which ones were left out for want of a service and how to get it.
// With CI=true a missing service is a failure, never a skip. Arguments are handed to vitest.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endAs, runChild } from './child.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function reachable(url, fallbackPort) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port || fallbackPort) });
    const end = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(3_000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

const runs = (command, args) => spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;

const services = [
  {
    name: 'PostgreSQL',
    suites: 'every store test on PostgreSQL (they ran on SQLite only)',
    get: 'start PostgreSQL 15 or newer and set TEST_DATABASE_URL=postgres://user@127.0.0.1:5432/test',
    present: async () => !!process.env.TEST_DATABASE_URL && (await reachable(process.env.TEST_DATABASE_URL, 5432)),
  },
  {
    name: 'PHP with curl',
    suites: 'the published PHP examples and verifier',
    get: 'install php-cli and php-curl',
    present: async () => runs('php', ['-r', 'exit(function_exists("curl_init") ? 0 : 1);']),
  },
  {
    name: 'Python with requests',
    suites: 'the published Python example',
    get: 'install python3 and python3-requests',
    present: async () => runs('/usr/bin/python3', ['-c', 'import requests']),
  },
  {
    name: 'Prometheus',
    suites: 'the alert rules and the dashboard against a real scrape',
    get: 'install prometheus (/usr/bin/prometheus, /usr/bin/promtool)',
    present: async () => existsSync('/usr/bin/prometheus') && existsSync('/usr/bin/promtool'),
  },
  {
    name: 'Caddy and nginx',
    suites: 'the printed reverse proxies',
    get: 'install caddy and nginx-light (/usr/bin/caddy, /usr/sbin/nginx)',
    present: async () => existsSync('/usr/bin/caddy') && existsSync('/usr/sbin/nginx'),
  },
  {
    name: 'Chromium',
    suites: 'the console in a browser',
    get: 'install chromium (/usr/bin/chromium)',
    present: async () => existsSync('/usr/bin/chromium'),
  },
  {
    name: 'an old Node',
    suites: 'the commands on a machine that has Node 20 only',
    get: 'set PONTE_OLD_NODE to the path of a Node 20 (.ci/node20 has one for npm to fetch)',
    present: async () => !!process.env.PONTE_OLD_NODE && existsSync(process.env.PONTE_OLD_NODE),
  },
];

const missing = [];
for (const service of services) if (!(await service.present())) missing.push(service);
const tell = () => {
  for (const { name, suites, get } of missing)
    process.stderr.write(`ponte: left out without ${name}: ${suites}. To run them: ${get}\n`);
};
tell();
if (missing.length > 0 && process.env.CI === 'true') {
  process.stderr.write('ponte: CI=true, so a missing service is a failure.\n');
  process.exit(1);
}
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
if (!existsSync(vitest)) {
  process.stderr.write('ponte: vitest is not installed; run "npm ci".\n');
  process.exit(1);
}
const end = await runChild(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { cwd: root });
if (missing.length > 0) tell();
endAs(end);
