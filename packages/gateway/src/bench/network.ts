import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimulatorAddress } from '../sandbox/simulator-process.ts';
import { HttpClient, type Method } from './http-client.ts';
import { endChild, startChild } from './processes.ts';

interface Up {
  port: number;
  noiseRootPublicKeyHex: string;
  mediaCaPem: string;
  mediaPort: number;
  controlToken: string;
}

/** The simulated network that all contestants are measured on, in a process of its own. */
export class Network {
  readonly #child: ChildProcess;
  readonly #up: Up;
  readonly #client: HttpClient;

  private constructor(child: ChildProcess, up: Up) {
    this.#child = child;
    this.#up = up;
    this.#client = new HttpClient(`http://127.0.0.1:${up.port}`, up.controlToken);
  }

  static async start(folder: string): Promise<Network> {
    const entry = fileURLToPath(import.meta.resolve('@ponte/simulator/main'));
    const { child, first } = await startChild<Up>(entry, { args: ['--data-file', join(folder, 'network.db')] });
    return new Network(child, first);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get noiseRootHex(): string {
    return this.#up.noiseRootPublicKeyHex;
  }

  /** As the gateway wants to be told it. */
  get address(): SimulatorAddress {
    const { port, mediaPort, mediaCaPem: mediaCa, controlToken } = this.#up;
    const at = { baseUrl: `http://127.0.0.1:${port}`, mediaAddress: `127.0.0.1:${mediaPort}` };
    return { ...at, mediaCa, controlToken, noiseRoot: Buffer.from(this.noiseRootHex, 'hex') };
  }

  /** Where lines of a world connect. */
  wsUrl(world: string): string {
    return `ws://127.0.0.1:${this.#up.port}/t/${world}/ws/chat`;
  }

  /** One call of the Sandbox API, past every gateway. */
  control<T = Record<string, unknown>>(world: string, method: Method, path: string, body?: unknown): Promise<T> {
    return this.#client.call<T>(method, `/control/${world}${path}`, body);
  }

  async close(): Promise<void> {
    await this.#client.close();
    await endChild(this.#child);
  }
}
