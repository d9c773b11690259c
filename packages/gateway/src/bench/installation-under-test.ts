import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
const START_WITHIN_MS = 30_000;
const CALL_WITHIN_MS = 70_000;
/** Of /proc/PID/stat: what Linux calls USER_HZ, 100 everywhere Node runs. */
const TICKS_PER_SECOND = 100;

/** A webhook that came in: when (monotonic ms), and the message it was about. */
export type OnDelivery = (messageId: string, event: string, at: number) => void;

/**
 * A real gateway in processes of its own (main, one worker, simulator), used through its HTTP API
 * only.
 */
export class InstallationUnderTest {
  readonly base: string;
  readonly key: string;
  readonly #gateway: ChildProcess;
  readonly #receiver: Server;
  readonly #folder: string;
  onDelivery: OnDelivery = () => {};

  private constructor(parts: { base: string; key: string; gateway: ChildProcess; receiver: Server; folder: string }) {
    this.base = parts.base;
    this.key = parts.key;
    this.#gateway = parts.gateway;
    this.#receiver = parts.receiver;
    this.#folder = parts.folder;
  }

  static async start(environment: Record<string, string> = {}): Promise<InstallationUnderTest> {
    const folder = mkdtempSync(join(tmpdir(), 'ponte-bench-'));
    let found: InstallationUnderTest | undefined;
    const receiver = createServer((request, response) => {
      const at = performance.now();
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        response.writeHead(200).end();
        const {
          event,
          message_id: flat,
          data,
        } = JSON.parse(body) as { event: string; message_id?: string; data?: { message_id?: string } };
        found?.onDelivery(flat ?? data?.message_id ?? '', event, at);
      });
    });
    const receiverPort = await listen(receiver);
    const port = await listenAndFree();
    const limits = Object.fromEntries(
      ['PROVISION', 'PROXY', 'OTHER', 'IP'].map((name) => [`RATE_LIMIT_${name}`, '1000000']),
    );
    const env = {
      ...process.env,
      ...limits,
      DATA_DIR: folder,
      PORT: String(port),
      WORKERS: '1',
      LOG_LEVEL: 'error',
      ALLOW_PRIVATE_TARGETS: `127.0.0.1:${receiverPort}`,
      ...environment,
    };
    const made = execFileSync(
      process.execPath,
      [MAIN, 'keys', 'create', '--mode', 'test', '--name', 'bench', '--json'],
      { env, encoding: 'utf8' },
    );
    const { key } = JSON.parse(made) as { key: string };
    const gateway = spawn(process.execPath, [MAIN, 'start'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    found = new InstallationUnderTest({ base: `http://127.0.0.1:${port}`, key, gateway, receiver, folder });
    await found.#untilReady();
    return found;
  }

  get receiverUrl(): string {
    return `http://127.0.0.1:${(this.#receiver.address() as AddressInfo).port}`;
  }

  async #untilReady(): Promise<void> {
    const until = performance.now() + START_WITHIN_MS;
    while (performance.now() < until) {
      const answer = await fetch(`${this.base}/readyz`).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error('the gateway was not ready in time');
  }

  async call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(this.base + path, {
      method,
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(CALL_WITHIN_MS),
    });
    const text = await response.text();
    if (response.status === 429) {
      // The sandbox has a budget of its own: a careful client waits as long as it is told.
      await new Promise((resolve) => setTimeout(resolve, Number(response.headers.get('retry-after') ?? 1) * 1_000));
      return this.call(method, path, body);
    }
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /**
   * A connected test line named by `ref`, owned by the phone; its bridge webhook is the bench's
   * receiver unless told otherwise.
   */
  async link(ref: string, phone: string, hasWebhook = true): Promise<string> {
    await this.call('POST', '/api/sandbox/v1/phones', { phone, name: ref });
    await this.call('POST', '/api/instances', {
      customer_ref: ref,
      ...(hasWebhook ? { webhook_url: `${this.receiverUrl}/` } : {}),
    });
    await this.call('POST', `/api/sandbox/v1/phones/${phone}/scan`, { customer_ref: ref });
    return (await this.call<{ line_id: string }>('GET', `/api/instances/${ref}`)).line_id;
  }

  async connectedLines(): Promise<number> {
    const { lines } = await this.call<{ lines: { status: string }[] }>('GET', '/api/bridge/v1/lines');
    return lines.filter((line) => line.status === 'connected').length;
  }

  /** Process id of the worker that hosts the test lines. */
  get worker(): number {
    const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(this.#gateway.pid)], {
      encoding: 'utf8',
    });
    const workers = children.split('\n').filter((line) => line.includes('worker-main'));
    const busy = workers.map((line) => Number(line.trim().split(/\s+/)[0])).sort((a, b) => rssBytes(b) - rssBytes(a));
    if (busy[0] === undefined) throw new Error('no worker runs');
    return busy[0];
  }

  get main(): number {
    return this.#gateway.pid ?? 0;
  }

  async close(): Promise<void> {
    this.#gateway.kill('SIGTERM');
    await once(this.#gateway, 'exit');
    this.#receiver.closeAllConnections();
    this.#receiver.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export function rssBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}

/** User and system time of a process so far. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

async function listenAndFree(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
