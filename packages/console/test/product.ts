import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../gateway/src/bench/processes.ts';
import { gatewayEntry } from '../../gateway/test/support/product-code.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const START_WITHIN_MS = 60_000;
const ADMIN_TOKEN = 'an-admin-token-for-tests-of-32-characters';

/** The product as a user starts it, in an empty data directory. */
export interface Product {
  url: string;
  dataDir: string;
  /** The set-up link that the first start prints. */
  setUpLink: string;
  /** Of the operators' API. */
  adminToken: string;
  /** Ends the worker processes at once, as a crash would. */
  killWorkers(): void;
  /** Stops and resumes the server where it stands, as a machine that hangs. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

/** Starts it, with the built console. `hookPort` is where webhooks may go besides. */
export async function startProduct(hookPort: number): Promise<Product> {
  if (!existsSync(join(ROOT, 'packages/console/dist/index.html'))) {
    throw new Error('the console is not built: run "npm run build" first');
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'ponte-console-'));
  const port = await freePort();
  const child = spawn(process.execPath, [gatewayEntry, 'start'], {
    cwd: ROOT,
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      PORT: String(port),
      WORKERS: '1',
      LOG_LEVEL: 'error',
      ALLOW_PRIVATE_TARGETS: `127.0.0.1:${hookPort}`,
      ADMIN_TOKEN,
      RATE_LIMIT_PROVISION: '100000',
      RATE_LIMIT_OTHER: '100000',
      RATE_LIMIT_IP: '100000',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const killWorkers = () => {
    for (const pid of childrenOf(child.pid ?? 0, /worker-main/)) process.kill(pid, 'SIGKILL');
  };
  const pause = () => void child.kill('SIGSTOP');
  const resume = () => void child.kill('SIGCONT');
  const close = async () => {
    await stop(child);
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const output = await until(child, /set-up#\w{32}\n/);
    // It is told once the server listens.
    const setUpLink = /http:\/\/\S+\/set-up#\w+/.exec(output)?.[0];
    if (setUpLink === undefined) throw new Error(`the first start printed no set-up link:\n${output}`);
    // As the link says: passkeys and cookies belong to the name of the host.
    const url = new URL(setUpLink).origin;
    return { url, dataDir, setUpLink, adminToken: ADMIN_TOKEN, killWorkers, pause, resume, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Processes that a process started, by what their command line says. */
function childrenOf(pid: number, command: RegExp): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.filter((child) => command.test(readFileSync(`/proc/${child}/cmdline`, 'utf8'))).map(Number);
}

async function until(child: ChildProcess, pattern: RegExp): Promise<string> {
  let output = '';
  const { stdout } = child;
  if (!stdout) throw new Error('the process has no output');
  stdout.setEncoding('utf8');
  const timeout = AbortSignal.timeout(START_WITHIN_MS);
  return new Promise((resolve, reject) => {
    timeout.addEventListener('abort', () => reject(new Error(`not started within ${START_WITHIN_MS} ms:\n${output}`)));
    child.once('exit', (code) => reject(new Error(`ended with code ${code}:\n${output}`)));
    stdout.on('data', (text: string) => {
      output += text;
      if (pattern.test(output)) resolve(output);
    });
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** A webhook endpoint that answers as the test says. */
export interface Hook {
  url: string;
  port: number;
  /** Bodies, in order of arrival. */
  received: Record<string, unknown>[];
  /** Of the same requests. */
  headers: IncomingMessage['headers'][];
  status: number;
  close(): Promise<void>;
}

export async function startHook(): Promise<Hook> {
  const received: Record<string, unknown>[] = [];
  const headers: Hook['headers'] = [];
  const hook = { status: 200 };
  const server = createServer(async (request, response) => {
    headers.push(request.headers);
    received.push(JSON.parse(await textOf(request)) as Record<string, unknown>);
    response
      .writeHead(hook.status, { 'content-type': 'text/plain' })
      .end(hook.status < 300 ? 'thanks' : 'broken today');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received,
    headers,
    get status() {
      return hook.status;
    },
    set status(value) {
      hook.status = value;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
