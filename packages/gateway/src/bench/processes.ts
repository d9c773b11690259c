import { type ChildProcess, fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { rounded } from './figures.ts';

/** Process ids by what they are: `main`, `worker`, `server`, `database`. */
export type Processes = Record<string, number[]>;

export interface Memory {
  mb: number;
  byRole: Record<string, number>;
}

/** Of /proc/PID/stat: what Linux calls USER_HZ, 100 everywhere Node runs. */
const TICKS_PER_SECOND = 100;

/** User and system time of a process so far, in milliseconds; 0 when it is gone. */
export function cpuMs(pid: number): number {
  const fields = contentOf(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ');
  return ((Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 1_000) / TICKS_PER_SECOND;
}

/** Resident memory of a process; 0 when it is gone. */
export function rssBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(contentOf(`/proc/${pid}/status`));
  return Number(match?.[1] ?? 0) * 1024;
}

/** Processes whose parent is this one, with their command lines. */
export function childrenOf(pid: number): { pid: number; command: string }[] {
  return contentOf(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((text) => text !== '')
    .map((text) => ({ pid: Number(text), command: contentOf(`/proc/${text}/cmdline`).replaceAll('\0', ' ') }));
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Milliseconds that each of these has used so far. */
export function cpuByRole(processes: Processes): Record<string, number> {
  const sum = (pids: number[]): number => pids.reduce((total, pid) => total + cpuMs(pid), 0);
  return Object.fromEntries(Object.entries(processes).map(([role, pids]) => [role, sum(pids)]));
}

/**
 * Resident memory of our own processes in MB, all and by role. Without the database's: its
 * processes share most of theirs.
 */
export function memoryOf({ database: _, ...own }: Processes): Memory {
  const mb = (pids: number[]): number => rounded(pids.reduce((total, pid) => total + rssBytes(pid), 0) / 1e6);
  return {
    mb: mb(Object.values(own).flat()),
    byRole: Object.fromEntries(Object.entries(own).map(([role, pids]) => [role, mb(pids)])),
  };
}

/** A child process with a channel, and the first thing it says. Rejects when that is nothing. */
export async function startChild<T>(
  file: string,
  options: { args?: string[]; env?: Record<string, string>; withinMs?: number } = {},
  onStarted: (child: ChildProcess) => void = () => {},
): Promise<{ child: ChildProcess; first: T }> {
  const child = fork(file, options.args ?? [], {
    execArgv: profileOptions(),
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  onStarted(child);
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${file} ended with ${signal ?? code} before it was ready`);
  });
  const late = AbortSignal.timeout(options.withinMs ?? 60_000);
  const first = await Promise.race([once(child, 'message', { signal: late }), ended]);
  ended.catch(() => {});
  return { child, first: (first as [T])[0] };
}

/** BENCH_PROFILE=FOLDER: every process that the bench starts leaves a CPU profile there. */
function profileOptions(): string[] {
  const folder = process.env.BENCH_PROFILE;
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await gone;
  clearTimeout(kill);
}

/**
 * Below what the system gives to outgoing connections (32768 and up on Linux, 49152 elsewhere): a
 * port from there may be taken by any connection before it is listened on.
 */
const FIRST_PORT = 10_240;
const LAST_PORT = 32_767;
const MAX_PORTS_TRIED = 100;

/** A port that nothing listens on, drawn at random: two processes rarely draw the same. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < MAX_PORTS_TRIED; tries += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
  throw new Error(`no free port among ${MAX_PORTS_TRIED}`);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
