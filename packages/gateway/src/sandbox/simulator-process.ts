import { type ChildProcess, fork } from 'node:child_process';
import type { Clock } from '../core/clock.ts';
import { compileCacheEnvironment } from '../core/compile-cache.ts';
import { backoffMs } from '../core/retry.ts';
import type { Log } from '../observe/logger.ts';

/** Where the simulated network listens. */
export interface SimulatorAddress {
  /** `http://127.0.0.1:4711`: of the lines' WebSocket and of the control API. */
  baseUrl: string;
  noiseRoot: Uint8Array;
  /** PEM of the authority of its media host. */
  mediaCa: string;
  /** `127.0.0.1:4712`. */
  mediaAddress: string;
  controlToken: string;
}

export interface SimulatorProcess {
  /** Undefined while it is not up. */
  address(): SimulatorAddress | undefined;
  /** Ends the process; resolves when it is gone. */
  close(): Promise<void>;
}

const READY_WITHIN_MS = 20_000;
const CLOSE_WITHIN_MS = 5_000;

interface Ready {
  ready: true;
  port: number;
  noiseRootPublicKeyHex: string;
  mediaCaPem: string;
  mediaPort: number;
  controlToken: string;
}

const isReady = (message: unknown): message is Ready =>
  typeof message === 'object' && message !== null && 'ready' in message && message.ready === true;

/**
 * Runs the simulator in a process of its own. Resolves when it is up for the first time; rejects
 * when it does not come up. When it dies later it is started again on the same port with back-off,
 * so that its lines find it again.
 */
export async function startSimulatorProcess(options: {
  /** File path of the simulator's main module. */
  entry: string;
  /** SQLite file of the virtual phones. */
  dataFile: string;
  clock: Clock;
  log: Log;
}): Promise<SimulatorProcess> {
  const { entry, dataFile, clock, log } = options;
  let child: ChildProcess | undefined;
  let address: SimulatorAddress | undefined;
  let isClosing = false;
  let failures = 0;
  let cancelRestart = () => {};

  function spawn(port: number): Promise<SimulatorAddress> {
    const started = fork(entry, ['--data-file', dataFile, '--port', String(port)], {
      execArgv: [],
      // Every process of this user can read a process's environment: it holds no secret of ours.
      env: compileCacheEnvironment(),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child = started;
    return new Promise((resolve, reject) => {
      const giveUp = clock.after(READY_WITHIN_MS, () => {
        started.kill('SIGKILL');
        reject(new Error(`the simulator was not up within ${READY_WITHIN_MS} ms`));
      });
      started.once('message', (message) => {
        giveUp();
        if (!isReady(message)) {
          reject(new Error(`the simulator did not start: ${JSON.stringify(message)}`));
          return;
        }
        address = {
          baseUrl: `http://127.0.0.1:${message.port}`,
          noiseRoot: Buffer.from(message.noiseRootPublicKeyHex, 'hex'),
          mediaCa: message.mediaCaPem,
          mediaAddress: `127.0.0.1:${message.mediaPort}`,
          controlToken: message.controlToken,
        };
        resolve(address);
      });
      started.once('exit', (code, signal) => {
        giveUp();
        const last = address;
        address = undefined;
        reject(new Error(`the simulator ended with ${signal ?? code}`));
        if (last && !isClosing) restart(Number(new URL(last.baseUrl).port), { code, signal });
      });
    });
  }

  function restart(port: number, ended: Record<string, unknown>): void {
    const delayMs = backoffMs(failures, clock.random());
    failures += 1;
    log.warn({ ...ended, delayMs }, 'the simulator ended; it is started again');
    cancelRestart = clock.after(delayMs, () => {
      spawn(port).then(
        () => {
          failures = 0;
        },
        (error: unknown) => {
          log.error({ error }, 'the simulator did not come up again');
          if (!isClosing) restart(port, {});
        },
      );
    });
  }

  await spawn(0);
  return {
    address: () => address,
    async close() {
      isClosing = true;
      cancelRestart();
      const running = child;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const gone = new Promise<void>((resolve) => running.once('exit', () => resolve()));
      const cancelKill = clock.after(CLOSE_WITHIN_MS, () => running.kill('SIGKILL'));
      if (running.connected) running.disconnect();
      await gone;
      cancelKill();
    },
  };
}
