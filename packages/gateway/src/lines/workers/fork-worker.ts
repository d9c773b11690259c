import { type ChildProcess, fork } from 'node:child_process';
import { compileCacheEnvironment } from '../../core/compile-cache.ts';
import { YOUNG_HEAP_MIB } from '../../core/young-heap.js';
import type { FromWorker, ToWorker } from './worker-protocol.ts';

/** One worker process, as the supervisor sees it. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  /** Never throws; what cannot be delivered any more is lost, and `onExit` follows. */
  send(message: ToWorker): void;
  onMessage(listener: (message: FromWorker) => void): void;
  /** Called once, when the process is gone. */
  onExit(listener: (end: WorkerEnd) => void): void;
  /** Ends it at once (SIGKILL). */
  kill(): void;
}

export interface WorkerEnd {
  code: number | null;
  signal: string | null;
  error?: unknown;
}

/**
 * Starts a worker process. Settings and secrets follow by message; nothing is in argv or the
 * environment.
 */
export type SpawnWorker = (name: string) => WorkerProcess;

/**
 * Workers from a module file. `env` is the whole environment of the child, beside where Node keeps
 * compiled code: by default an empty one, so that no secret of the parent's is inherited.
 */
export function forkWorkers(entry: string, env: Record<string, string> = {}): SpawnWorker {
  return () =>
    toWorkerProcess(
      fork(entry, [], {
        execArgv: [`--max-semi-space-size=${YOUNG_HEAP_MIB}`],
        env: { ...compileCacheEnvironment(), ...env },
        serialization: 'advanced',
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
}

function toWorkerProcess(child: ChildProcess): WorkerProcess {
  let exitListeners: ((end: WorkerEnd) => void)[] = [];
  const ended = (end: WorkerEnd) => {
    const listeners = exitListeners;
    exitListeners = [];
    for (const listener of listeners) listener(end);
  };
  child.once('exit', (code, signal) => ended({ code, signal }));
  // Without a pid the process never came to be, and no `exit` follows. Other errors (an
  // undeliverable message) are followed by one.
  child.on('error', (error) => {
    if (child.pid === undefined) ended({ code: null, signal: null, error });
  });
  return {
    pid: child.pid,
    send(message) {
      if (child.connected) child.send(message, () => {});
    },
    onMessage: (listener) => void child.on('message', (message) => listener(message as FromWorker)),
    onExit: (listener) => void exitListeners.push(listener),
    kill: () => void child.kill('SIGKILL'),
  };
}
