// Runs a program as if it were this process: it gets the signals that this one gets, and this one
// ends as it ended. No dependencies.
import { spawn } from 'node:child_process';

const FORWARDED = process.platform === 'win32' ? ['SIGINT'] : ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** Resolves with how it ended. Rejects when it cannot be started. */
export function runChild(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  const forwards = FORWARDED.map((signal) => [signal, () => child.kill(signal)]);
  for (const [signal, forward] of forwards) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  }).finally(() => {
    for (const [signal, forward] of forwards) process.off(signal, forward);
  });
}

/** Ends this process as a child of its ended. */
export function endAs({ code, signal }) {
  if (signal === null) process.exit(code ?? 1);
  process.kill(process.pid, signal);
  // A signal that does not end this process.
  setTimeout(() => process.exit(1), 1_000);
}
