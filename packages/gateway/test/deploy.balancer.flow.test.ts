import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../src/bench/processes.ts';
import { openTestPostgres, type TestStore } from './store-harness.ts';
import { NATS_SERVER, NatsServer } from './support/nats-server.ts';
import { gatewayEntry } from './support/product-code.ts';
import { until } from './support/until.ts';

/* The load balancers of deploy/balancer as they stand there, in front of a fleet of two nodes. */

const NAME = 'wa.example.com';
const METRICS_TOKEN = 'metrics-of-the-tests';
const TLS = fileURLToPath(new URL('./tls/', import.meta.url));
const given = (name: string) => readFileSync(new URL(`../../../deploy/balancer/${name}`, import.meta.url), 'utf8');

interface Balancer {
  name: string;
  program: string;
  /** Writes the configuration; answers the arguments and whom to trust. */
  prepare(folder: string, port: number, nodes: string[]): { args: string[]; ca(): Buffer | undefined };
}

const BALANCERS: Balancer[] = [
  {
    name: 'Caddy',
    program: '/usr/bin/caddy',
    prepare(folder, port, nodes) {
      const options = `{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n\thttps_port ${port}\n}\n`;
      const text = given('Caddyfile');
      expect(text).toContain('ponte-1:8080 ponte-2:8080 ponte-3:8080');
      const site = text.replace('ponte-1:8080 ponte-2:8080 ponte-3:8080', nodes.join(' '));
      writeFileSync(join(folder, 'Caddyfile'), options + site);
      const authority = join(folder, 'caddy/pki/authorities/local/root.crt');
      return {
        args: ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')],
        ca: () => (existsSync(authority) ? readFileSync(authority) : undefined),
      };
    },
  },
  {
    name: 'nginx',
    program: '/usr/sbin/nginx',
    prepare(folder, port, nodes) {
      let http = given('nginx.conf')
        .replace('listen 443', `listen 127.0.0.1:${port}`)
        .replace('/etc/letsencrypt/live/wa.example.com/fullchain.pem', join(TLS, 'receiver.pem'))
        .replace('/etc/letsencrypt/live/wa.example.com/privkey.pem', join(TLS, 'receiver.key'))
        .replace(/^ *server ponte-3:8080.*\n/m, '');
      nodes.forEach((node, at) => {
        expect(http).toContain(`ponte-${at + 1}:8080`);
        http = http.replace(`ponte-${at + 1}:8080`, node);
      });
      const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((one) => `${one}_temp_path ${folder}/${one};`)
        .join('\n');
      const whole = `daemon off;\npid ${folder}/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${places}\n${http}\n}\n`;
      writeFileSync(join(folder, 'nginx.conf'), whole);
      return {
        args: ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')],
        ca: () => readFileSync(join(TLS, 'ca.pem')),
      };
    },
  },
];

const isThere = process.env.TEST_DATABASE_URL !== undefined && NATS_SERVER !== undefined;

describe.runIf(isThere)('a fleet of two behind', () => {
  let folder: string;
  let database: TestStore;
  let nats: NatsServer;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ponte-balancer-'));
    spawnSync('chmod', ['0755', folder]);
    database = await openTestPostgres({ migrated: false });
    nats = new NatsServer(await freePort());
    nats.start();
  });
  afterAll(async () => {
    // nginx ends its workers when it is asked to, and leaves them behind when it is killed.
    for (const child of children) child.kill(child.spawnfile.endsWith('nginx') ? 'SIGTERM' : 'SIGKILL');
    await nats?.stop();
    await database?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startNode(name: string, port: number) {
    const environment = {
      PATH: process.env.PATH ?? '',
      DATA_DIR: join(folder, name),
      DATABASE_URL: database.url,
      NATS_URL: `nats://127.0.0.1:${nats.port}`,
      BLOB_URL: `file://${join(folder, 'files')}`,
      MASTER_KEY: '07'.repeat(32),
      NODE_NAME: name,
      PORT: String(port),
      WORKERS: '1',
      LOG_LEVEL: 'error',
      PUBLIC_URL: `https://${NAME}`,
      TRUST_PROXY: '127.0.0.1',
      DRAIN_SECONDS: '10',
      RATE_LIMIT_IP: '1000000',
      METRICS_TOKEN,
    };
    mkdirSync(environment.DATA_DIR, { recursive: true, mode: 0o700 });
    const child = spawn(process.execPath, [gatewayEntry, 'start'], {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    let said = '';
    child.stderr.on('data', (text) => (said += text));
    await until(
      `${name} is ready; it said ${said}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
        const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
        return answer?.status === 200;
      },
      60_000,
    );
    return child;
  }

  /** The node at this port has answered what the test asks for since it was started. */
  async function hasAnswered(port: number): Promise<boolean> {
    const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text();
    return /^ponte_http_requests_total\{[^}]*openapi[^}]*\} [1-9]/m.test(metrics);
  }

  describe.each(BALANCERS)('$name', ({ name, program, prepare }) => {
    test.runIf(existsSync(program) || process.env.CI === 'true')(
      'a node that is stopped costs no request, one that is killed at most those on their way',
      {
        timeout: 180_000,
      },
      async () => {
        const place = join(folder, name);
        mkdirSync(join(place, 'logs'), { recursive: true });
        spawnSync('chmod', ['-R', '0755', place]);
        const ports = [await freePort(), await freePort(), await freePort()] as const;
        const start = (at: 0 | 1) => startNode(`${name}-${at + 1}`, ports[at]);
        const [first, second] = [await start(0), await start(1)];
        const { args, ca } = prepare(place, ports[2], [`127.0.0.1:${ports[0]}`, `127.0.0.1:${ports[1]}`]);
        let said = '';
        const balancer = spawn(program, args, {
          env: { ...process.env, HOME: place, XDG_DATA_HOME: place, XDG_CONFIG_HOME: place },
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        children.push(balancer);
        for (const stream of [balancer.stdout, balancer.stderr]) stream?.on('data', (text) => (said += text));
        const ask = (path: string) =>
          new Promise<number>((resolve, reject) => {
            const options: RequestOptions = {
              ...{ host: '127.0.0.1', port: ports[2], servername: NAME, path, agent: false, ca: ca() },
              headers: { host: NAME },
              signal: AbortSignal.timeout(20_000),
              // The certificate of the tests is of another name.
              ...(name === 'nginx' ? { checkServerIdentity: () => undefined } : {}),
            };
            request(options, (answer) => {
              answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
            })
              .once('error', reject)
              .end();
          });
        await until(
          `the balancer answers; it said ${said}`,
          async () => {
            if (balancer.exitCode !== null) throw new Error(`the balancer ended: ${said}`);
            return (await ask('/healthz').catch(() => 0)) === 200;
          },
          30_000,
        );

        // Requests one after the other, until told to end.
        const answers: (number | string)[] = [];
        let isOver = false;
        const stream = (async () => {
          while (!isOver) answers.push(await ask('/api/openapi.json').catch((error: Error) => error.message));
        })();
        const some = async (more: number) => {
          const from = answers.length;
          await until('requests to be answered', () => answers.length >= from + more, 60_000);
        };
        await some(10);
        first.kill('SIGTERM');
        const [code] = (await once(first, 'exit')) as [number | null];
        expect(code).toBe(0);
        await some(20);
        expect(answers.filter((answer) => answer !== 200)).toEqual([]);
        // It comes back, and the other one is killed.
        const again = await start(0);
        await until('the balancer sends requests to it again', () => hasAnswered(ports[0]), 60_000);
        second.kill('SIGKILL');
        await once(second, 'exit');
        await some(20);
        const lost = answers.filter((answer) => answer !== 200);
        expect(lost.slice(1)).toEqual([]);
        expect(answers.slice(-10)).toEqual(Array.from({ length: 10 }, () => 200));
        isOver = true;
        await stream;
        for (const child of [again, balancer]) {
          child.kill('SIGTERM');
          await once(child, 'exit');
        }
      },
    );
  });
});
