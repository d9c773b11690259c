import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Arrivals, type Contestant, Receiver } from './contestant.ts';
import { HttpClient } from './http-client.ts';
import type { Network } from './network.ts';
import { type EngineOrder, type EngineReport, PLAIN_SETTINGS, type PlainSettings } from './peer-settings.ts';
import { endChild, freePort, pause, startChild } from './processes.ts';

const peer = (name: string): string => fileURLToPath(new URL(`../../bench/peers/${name}/server.ts`, import.meta.url));

const NOT_READY = { status_stanzas: false, asked_batches: false, sealed_edits: false };

interface PlainLine {
  id: string;
  qr?: string;
  connected: boolean;
}

/** The server that small teams write: stock Baileys, a few routes, webhooks in memory. */
export async function startPlain(network: Network, folder: string): Promise<Contestant> {
  const world = 'plain';
  const arrivals = new Arrivals();
  const receiver = await Receiver.start((body) => arrivals.arrived(String(body.message_id ?? '')));
  const port = await freePort();
  const key = randomBytes(12).toString('hex');
  const settings: PlainSettings = {
    wsUrl: network.wsUrl(world),
    noiseRootHex: network.noiseRootHex,
    webhookUrl: `http://127.0.0.1:${receiver.port}/`,
    folder: mkdtempSync(join(folder, 'plain-')),
    port,
    key,
    lines: [],
  };
  const start = async (): Promise<ChildProcess> =>
    (await startChild(peer('plain'), { env: { [PLAIN_SETTINGS]: JSON.stringify(settings) } })).child;
  let server = await start();
  const http = new HttpClient(`http://127.0.0.1:${port}`, key);
  // Stock Baileys does not know yet what WhatsApp asks of its clients today.
  await network.control(world, 'PATCH', '/demands', NOT_READY);
  const lines = () => http.call<PlainLine[]>('GET', '/lines');
  return {
    name: 'plain Baileys server',
    world,
    arrivals,
    answerMeans: 'written to the socket',
    processes: async () => ({ server: [server.pid ?? 0] }),
    async newLine(id) {
      await http.call('POST', `/lines/${id}`, {});
      settings.lines.push(id);
      for (;;) {
        const qr = (await lines()).find((line) => line.id === id)?.qr;
        if (qr !== undefined) return { lineId: id, qr };
        await pause(10);
      }
    },
    connectedLines: async () => (await lines()).filter(({ connected }) => connected).length,
    send: (line, to, text) => http.call('POST', `/send/${line}`, { to, text }),
    async restart() {
      await endChild(server);
      server = await start();
    },
    async close() {
      await http.close();
      await endChild(server);
      receiver.close();
    },
  };
}

/** The engine alone, with keys and inbox in memory: what everything else is built on. */
export async function startEngine(network: Network): Promise<Contestant> {
  const world = 'engine';
  const arrivals = new Arrivals();
  const { child } = await startChild(peer('engine'), {}, (started) =>
    started.send({
      do: 'set_up',
      wsUrl: network.wsUrl(world),
      noiseRootHex: network.noiseRootHex,
    } satisfies EngineOrder),
  );
  const shown = new Map<string, (qr: string) => void>();
  const calls = new Map<number, (error: string | undefined) => void>();
  let connected = 0;
  let call = 0;
  child.on('message', (report: EngineReport) => {
    if (report.type === 'message') arrivals.arrived(report.messageId);
    else if (report.type === 'qr') shown.get(report.id)?.(report.data);
    else if (report.type === 'open') connected += 1;
    else if (report.type === 'sent') {
      calls.get(report.call)?.(report.error);
      calls.delete(report.call);
    }
  });
  const order = (what: EngineOrder): void => void child.send(what);
  return {
    name: 'bare engine',
    world,
    arrivals,
    answerMeans: "WhatsApp's acknowledgement",
    processes: async () => ({ server: [child.pid ?? 0] }),
    async newLine(id) {
      const qr = new Promise<string>((resolve) => shown.set(id, resolve));
      order({ do: 'pair', id });
      return { lineId: id, qr: await qr };
    },
    connectedLines: async () => connected,
    send(id, to, text) {
      const mine = ++call;
      const sent = new Promise<void>((resolve, reject) => {
        calls.set(mine, (error) => (error === undefined ? resolve() : reject(new Error(error))));
      });
      order({ do: 'send', call: mine, id, to, text });
      return sent;
    },
    close: () => endChild(child),
  };
}
