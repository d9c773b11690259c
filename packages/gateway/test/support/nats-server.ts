import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Undefined where Debian's package is not installed. */
export const NATS_SERVER = ['/usr/sbin/nats-server', '/usr/local/bin/nats-server'].find(existsSync);

/** A server of its own; `more` beside address and port. */
export class NatsServer {
  readonly port: number;
  readonly #more: string[];
  #child: ChildProcess | undefined;

  constructor(port: number, more: string[] = []) {
    this.port = port;
    this.#more = more;
  }

  start(): void {
    const args = ['-a', '127.0.0.1', '-p', String(this.port), ...this.#more];
    this.#child = spawn(NATS_SERVER ?? '', args, { stdio: 'ignore' });
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}
