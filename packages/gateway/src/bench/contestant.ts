import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Network } from './network.ts';
import { type Processes, pause } from './processes.ts';

/** Messages that arrived at a contestant's webhook: id and time (monotonic milliseconds). */
export class Arrivals {
  readonly at = new Map<string, number>();
  #onArrival = () => {};

  arrived(messageId: string): void {
    if (messageId === '' || this.at.has(messageId)) return;
    this.at.set(messageId, performance.now());
    this.#onArrival();
  }

  forget(): void {
    this.at.clear();
  }

  /** Resolves when so many came in since the last `forget`; rejects after two minutes. */
  async until(count: number): Promise<void> {
    if (this.at.size >= count) return;
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`${this.at.size} of ${count} messages came in within two minutes`)),
        120_000,
      );
      this.#onArrival = () => {
        if (this.at.size < count) return;
        clearTimeout(late);
        resolve();
      };
    });
    this.#onArrival = () => {};
  }
}

/** Who is measured: something that sends and receives for lines on the network. */
export interface Contestant {
  readonly name: string;
  /** Its world on the network. */
  readonly world: string;
  readonly arrivals: Arrivals;
  /** What its sends wait for before they answer. */
  readonly answerMeans: string;
  processes(): Promise<Processes>;
  /** A new line that shows a QR: its id on the network, and the text of the QR. */
  newLine(name: string): Promise<{ lineId: string; qr: string }>;
  connectedLines(): Promise<number>;
  send(line: string, to: string, text: string): Promise<void>;
  /** Puts so many messages, events and deliveries into its database; answers the seconds. */
  fill?(rows: number): Promise<number>;
  /** Ends every process as an operator does and starts it again. */
  restart?(): Promise<void>;
  close(): Promise<void>;
}

/** Pairs a line with a phone of its own, waits until it is connected, answers its network id. */
export async function pairLine(network: Network, of: Contestant, line: string, phone: string): Promise<string> {
  const before = await of.connectedLines();
  await network.control(of.world, 'POST', '/phones', { phone, name: line });
  const { lineId, qr } = await of.newLine(line);
  await network.control(of.world, 'POST', `/phones/${phone}/scan`, { qr });
  await untilConnected(of, before + 1);
  return lineId;
}

/** Seconds until so many lines are connected; rejects after three minutes. */
export async function untilConnected(of: Contestant, count: number): Promise<number> {
  const started = performance.now();
  for (;;) {
    const connected = await of.connectedLines().catch(() => 0);
    if (connected >= count) return (performance.now() - started) / 1_000;
    if (performance.now() - started > 180_000)
      throw new Error(`${of.name}: ${connected} of ${count} lines are connected`);
    await pause(25);
  }
}

/** Where webhooks go; what is in them is the contestant's matter. */
export class Receiver {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(onWebhook: (body: Record<string, unknown>) => void): Promise<Receiver> {
    const server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => {
        text += chunk;
      });
      request.on('end', () => {
        response.writeHead(200).end();
        onWebhook(JSON.parse(text) as Record<string, unknown>);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Receiver(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
