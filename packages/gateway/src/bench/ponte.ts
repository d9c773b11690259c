import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { Arrivals, type Contestant, Receiver } from './contestant.ts';
import { fillDatabase } from './fill.ts';
import { HttpClient } from './http-client.ts';
import type { Network } from './network.ts';
import { NETWORK_ADDRESS } from './network-address.ts';
import { childrenOf, endChild, freePort, type Processes, startChild } from './processes.ts';

const MAIN = fileURLToPath(new URL('../../main.js', import.meta.url));
const SERVER = fileURLToPath(new URL('./ponte-server.ts', import.meta.url));

const COMPILED = fileURLToPath(new URL('../../../../node_modules/.cache/ponte', import.meta.url));

export interface PonteOptions {
  network: Network;
  /** A folder that is deleted afterwards. */
  folder: string;
  name: string;
  /** `postgres://…` of a server on which a database of the bench's own is made; absent: SQLite. */
  postgres?: string | undefined;
}

/** A real gateway in processes of its own (main, one worker), used through its HTTP API only. */
export async function startPonte({ network, folder, name, postgres }: PonteOptions): Promise<Contestant> {
  const arrivals = new Arrivals();
  const receiver = await Receiver.start(({ event, message_id: flat, data }) => {
    if (event !== 'message') return;
    arrivals.arrived(String(flat ?? (data as { message_id?: string } | undefined)?.message_id ?? ''));
  });
  const port = await freePort();
  const database = postgres === undefined ? undefined : await ownDatabase(postgres);
  const limits = ['PROVISION', 'PROXY', 'OTHER', 'IP'].map((limit) => [`RATE_LIMIT_${limit}`, '1000000']);
  const environment: Record<string, string> = {
    ...Object.fromEntries(limits),
    DATA_DIR: mkdtempSync(join(folder, 'ponte-')),
    PORT: String(port),
    WORKERS: '1',
    LOG_LEVEL: 'error',
    // As main.js has it: without what Node keeps of the sources, every process holds the compiler.
    NODE_COMPILE_CACHE: COMPILED,
    ALLOW_PRIVATE_TARGETS: `127.0.0.1:${receiver.port}`,
    ...(database ? { DATABASE_URL: database.url } : {}),
    [NETWORK_ADDRESS]: JSON.stringify({
      ...network.address,
      noiseRoot: network.noiseRootHex,
    }),
  };
  const made = execFileSync(process.execPath, [MAIN, 'keys', 'create', '--mode', 'test', '--name', 'bench', '--json'], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  });
  const { key, account } = JSON.parse(made) as { key: string; account: string };
  const http = new HttpClient(`http://127.0.0.1:${port}`, key);
  let gateway = await startServer(environment);
  return {
    name,
    world: account,
    arrivals,
    answerMeans: "WhatsApp's acknowledgement",
    processes: async () => processesOf(gateway, await database?.backends()),
    async newLine(ref) {
      const webhook = { webhook_url: `http://127.0.0.1:${receiver.port}/` };
      await http.call('POST', '/api/instances', { customer_ref: ref, ...webhook });
      const { qr } = await http.call<{ qr: string }>('GET', `/api/instances/${ref}/proxy/qr?format=json`);
      const { line_id: lineId } = await http.call<{ line_id: string }>('GET', `/api/instances/${ref}`);
      return { lineId, qr };
    },
    async connectedLines() {
      const { lines } = await http.call<{ lines: { status: string }[] }>('GET', '/api/bridge/v1/lines');
      return lines.filter(({ status }) => status === 'connected').length;
    },
    send: (ref, chat, body) => http.call('POST', `/api/instances/${ref}/proxy/send/text`, { chat, body }),
    fill: (rows) => fillDatabase(database?.url ?? join(environment.DATA_DIR ?? '', 'ponte.db'), rows),
    async restart() {
      await endChild(gateway);
      gateway = await startServer(environment);
    },
    async close() {
      await http.close();
      await endChild(gateway);
      receiver.close();
      await database?.drop();
    },
  };
}

async function startServer(env: Record<string, string>): Promise<ChildProcess> {
  return (await startChild(SERVER, { env })).child;
}

function processesOf(gateway: ChildProcess, backends: number[] | undefined): Processes {
  const main = gateway.pid ?? 0;
  const workers = childrenOf(main).filter(({ command }) => command.includes('worker-main'));
  return {
    main: [main],
    worker: workers.map(({ pid }) => pid),
    ...(backends ? { database: backends } : {}),
  };
}

/** A database of its own on a server that others may use, too; its server processes are counted. */
async function ownDatabase(server: string) {
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  const name = `ponte_bench_${process.pid}_${Date.now()}`;
  await admin.query(`create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async backends(): Promise<number[]> {
      const { rows } = await admin.query<{ pid: number }>('select pid from pg_stat_activity where datname = $1', [
        name,
      ]);
      return rows.map(({ pid }) => pid);
    },
    async drop(): Promise<void> {
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
