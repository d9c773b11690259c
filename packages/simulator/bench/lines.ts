import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createSimulator } from '../src/simulator.ts';
import { seedLines } from '../test/raw-lines.ts';
import type { ClientOrder, ClientReport } from './line-clients.ts';

/**
 * How much one simulator process carries: `npm run bench -- simulator [--lines 2000] [--messages
 * 10] [--data-file F]`. The simulator runs here; the clients (WebSocket, Noise and stanzas, no
 * Signal) in a process of their own. Prints one JSON object: memory of this process with all lines
 * connected and idle, and how many stanzas it routes per second of its own CPU time, in and out
 * counted, while every line writes to the next one.
 */
const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '2000' },
    messages: { type: 'string', default: '10' },
    'data-file': { type: 'string' },
  },
});
const TENANT = 'bench';
const CLIENTS = fileURLToPath(new URL('./line-clients.ts', import.meta.url));

const simulator = await createSimulator(values['data-file'] === undefined ? {} : { dataFile: values['data-file'] });
const lines = seedLines(simulator, TENANT, Number(values.lines));
const clients = fork(CLIENTS, { execArgv: process.execArgv });
const order = (what: ClientOrder): void => void clients.send(what);
const report = async (): Promise<ClientReport> => (await once(clients, 'message'))[0];
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const rssMb = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().rss / 1024 / 1024;
};
const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits));

const before = { rssMb: rssMb(), cpuMs: cpuMs() };
order({
  do: 'connect',
  lines: lines.map(({ lineId, pn, noiseKey }) => ({
    pn,
    url: simulator.wsUrl(TENANT, lineId),
    publicKey: Buffer.from(noiseKey.publicKey).toString('hex'),
    privateKey: Buffer.from(noiseKey.privateKey).toString('hex'),
  })),
});
const connected = await report();
const connectCpuMs = cpuMs() - before.cpuMs;
const idleRssMb = rssMb();
const idleFromMs = cpuMs();
await new Promise((resolve) => setTimeout(resolve, 5_000));
const idleCpuMs = (cpuMs() - idleFromMs) / 5;

const busyFromMs = cpuMs();
order({ do: 'write', perLine: Number(values.messages) });
const wrote = await report();
const busyCpuMs = cpuMs() - busyFromMs;
const stanzas = wrote.sent + wrote.received;

console.log(
  JSON.stringify({
    node: process.version,
    store: values['data-file'] === undefined ? 'memory' : 'file',
    lines: connected.count,
    connectSeconds: rounded(connected.ms / 1000),
    connectCpuMsPerLine: rounded(connectCpuMs / connected.count, 2),
    rssMbBefore: rounded(before.rssMb),
    rssMbIdle: rounded(idleRssMb),
    kbPerIdleLine: rounded(((idleRssMb - before.rssMb) * 1024) / connected.count),
    idleCpuMsPerSecond: rounded(idleCpuMs),
    messages: wrote.count,
    stanzas,
    wallSeconds: rounded(wrote.ms / 1000, 2),
    stanzasPerWallSecond: Math.round(stanzas / (wrote.ms / 1000)),
    stanzasPerCpuSecond: Math.round(stanzas / (busyCpuMs / 1000)),
    cpuMsPerMessage: rounded(busyCpuMs / wrote.count, 3),
    rssMbAfter: rounded(rssMb()),
    problems: simulator.world.problems.length,
  }),
);
clients.disconnect();
await simulator.close();
