import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { npmWatch, type ProcessFacts } from './end-with-npm.mjs';
import { npmCommand } from './npm.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const START_MS = 60_000;

describe('npm start', () => {
  let dataDir: string;
  let npm: ChildProcess;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'ponte-npm-'));
  });
  afterEach(() => {
    if (npm.exitCode === null && npm.signalCode === null) npm.kill('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'ends in order when npm ends: %s',
    { timeout: START_MS },
    async (signal) => {
      const [command = '', ...args] = npmCommand();
      npm = spawn(command, [...args, 'start'], {
        cwd: root,
        env: { ...process.env, DATA_DIR: dataDir, PORT: '0', SANDBOX: 'off', LOG_LEVEL: 'info' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const { stdout, stderr } = npm;
      if (!stdout || !stderr) throw new Error('not piped');
      let output = '';
      for (const stream of [stdout, stderr]) {
        stream.on('data', (chunk) => {
          output += chunk;
        });
      }
      await expect.poll(() => output, { timeout: START_MS }).toContain('Ponte runs on');
      const server = Number(/"pid":(\d+)/.exec(output)?.[1]);
      expect(isAlive(server)).toBe(true);
      // Its output closes when the last process that writes there is gone.
      const closed = once(stdout, 'close');
      npm.kill(signal);
      await closed;
      expect(output).toContain('"msg":"stopped"');
      await expect.poll(() => isAlive(server)).toBe(false);
    },
  );
});

describe('who is watched', () => {
  const SCRIPT = 'node scripts/launch.mjs start';
  const [INIT, TERMINAL, NPM, SHELL] = [1, 10, 20, 30];
  /** npm in a terminal's shell, with a shell of its own around the script. */
  const family = (): Map<number, ProcessFacts> =>
    new Map([
      [TERMINAL, { args: ['bash'], parent: INIT }],
      [NPM, { args: ['npm start'], parent: TERMINAL }],
      [SHELL, { args: ['sh', '-c', SCRIPT], parent: NPM }],
    ]);
  const watch = (
    processes: Map<number, ProcessFacts>,
    own: { parent: number },
    { script }: { script: string | undefined } = { script: SCRIPT },
  ) => npmWatch({ task: 'start', script, parent: () => own.parent, ofProcess: (pid) => processes.get(pid) });

  test('the shell that npm started, and npm behind it', () => {
    const processes = family();
    const own = { parent: SHELL };
    const isGone = watch(processes, own);
    expect(isGone?.()).toBe(false);
    processes.set(SHELL, { args: ['sh', '-c', SCRIPT], parent: INIT });
    expect(isGone?.()).toBe(true);
    const again = watch(family(), own);
    own.parent = INIT;
    expect(again?.()).toBe(true);
  });

  test('not what npm itself runs in: a shell that is closed ends nothing', () => {
    const processes = family();
    const behind = watch(processes, { parent: SHELL });
    // A shell that became the script leaves npm as the parent.
    const direct = watch(processes, { parent: NPM });
    processes.set(NPM, { args: ['npm start'], parent: INIT });
    processes.delete(TERMINAL);
    expect(behind?.()).toBe(false);
    expect(direct?.()).toBe(false);
  });

  test('nobody when it was started by hand, also by what another script of npm started', () => {
    expect(watch(family(), { parent: TERMINAL }, { script: undefined })).toBeUndefined();
    expect(watch(family(), { parent: TERMINAL }, { script: 'nohup node server.js' })).toBeUndefined();
    expect(watch(family(), { parent: TERMINAL }, { script: 'node scripts/launch.mjs test' })).toBeUndefined();
  });

  test('the parent alone where the system tells nothing of processes', () => {
    const own = { parent: SHELL };
    const isGone = watch(new Map(), own);
    expect(isGone?.()).toBe(false);
    own.parent = INIT;
    expect(isGone?.()).toBe(true);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // An orphan that has not been reaped yet no longer runs.
    return process.platform !== 'linux' || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
