import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/* The commands of the README on a machine that has an old Node only (PONTE_OLD_NODE names one). */

const OLD = process.env.PONTE_OLD_NODE ?? '';
const root = fileURLToPath(new URL('..', import.meta.url));
const FETCH_MS = 180_000;

describe.runIf(OLD)('on an old Node', () => {
  let dataDir: string;
  let child: ChildProcess | undefined;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'ponte-launch-'));
  });
  afterEach(() => {
    if (child?.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    rmSync(dataDir, { recursive: true });
  });

  const environment = () => {
    const { npm_execpath: _, ...rest } = process.env;
    return { ...rest, PATH: [dirname(OLD), rest.PATH].join(delimiter), DATA_DIR: dataDir, PORT: '0', SANDBOX: 'off' };
  };

  test('main.js says which one it needs, in one sentence, before it loads anything', () => {
    const run = () => execFileSync(OLD, ['packages/gateway/main.js', 'start'], { cwd: root, stdio: 'pipe' });
    expect(run).toThrow(/ponte: this is Node 20\.\S+, and Ponte needs Node 24\.15 or newer: .*\n$/);
  });

  test('a command answers, on a Node that is brought along', { timeout: FETCH_MS }, () => {
    // Whatever it finds wanting in this machine.
    const { stdout } = spawnSync(OLD, ['scripts/launch.mjs', 'ponte', 'doctor', '--json'], {
      cwd: root,
      env: environment(),
      encoding: 'utf8',
    });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; ok: boolean; detail: string }[] };
    expect(checks.find((check) => check.name === 'node')).toMatchObject({
      ok: true,
      detail: expect.stringMatching(/^24\./),
    });
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'the server ends with its launcher: %s',
    { timeout: FETCH_MS },
    async (signal) => {
      child = spawn(OLD, ['scripts/launch.mjs', 'start'], {
        cwd: root,
        env: environment(),
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const { stdout, stderr } = child;
      if (!stdout || !stderr) throw new Error('not piped');
      let output = '';
      stdout.on('data', (chunk) => {
        output += chunk;
      });
      stderr.on('data', (chunk) => {
        output += chunk;
      });
      await expect.poll(() => output, { timeout: FETCH_MS }).toContain('Ponte runs on');
      const server = childrenOf(child.pid ?? 0)[0] ?? 0;
      expect(server).toBeGreaterThan(0);
      // Both ends of its output close when the last process that writes there is gone.
      const closed = once(stdout, 'close');
      child.kill(signal);
      await closed;
      await expect.poll(() => isAlive(server)).toBe(false);
      if (signal === 'SIGTERM') expect(output).toContain('"msg":"stopped"');
    },
  );
});

const childrenOf = (pid: number): number[] =>
  execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    .trim()
    .split(/\s+/)
    .map(Number);

function isAlive(pid: number): boolean {
  try {
    // An orphan that has not been reaped yet no longer runs.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
