import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Receiver } from '../receiver.ts';
import type { CrashPlan } from './webhook-crash-child.ts';

const CHILD = fileURLToPath(new URL('./webhook-crash-child.ts', import.meta.url));

/** A gateway in a process of its own, reduced to what commits and delivers events. */
export class KillableGateway {
  #child: ChildProcess | undefined;
  readonly #plan: CrashPlan;
  /**
   * When the running one was killed, and when the receiver had read the last of what it had sent
   * (monotonic ms of this process).
   */
  readonly kills: { from: number; until: number }[] = [];
  readonly #receiver: Receiver;

  constructor(plan: CrashPlan, receiver: Receiver) {
    this.#plan = plan;
    this.#receiver = receiver;
  }

  start(): void {
    const args = [CHILD, JSON.stringify(this.#plan)];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const gone = once(child, 'exit');
    const from = performance.now();
    child.kill('SIGKILL');
    await gone;
    // Connections of the dead end after everything that came over them.
    while (this.#receiver.open() > 0) await new Promise((resolve) => setImmediate(resolve));
    this.kills.push({ from, until: performance.now() });
    this.#child = undefined;
  }
}
