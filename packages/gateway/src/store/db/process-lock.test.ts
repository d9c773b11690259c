import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LockedError, takeProcessLock } from './process-lock.ts';

let folder: string;
let file: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ponte-lock-'));
  file = join(folder, 'x.lock');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  }
  rmSync(folder, { recursive: true });
});

/** A process that holds the lock until it is killed. */
async function holder(kind: 'exclusive' | 'shared'): Promise<ChildProcess> {
  const module = new URL('./process-lock.ts', import.meta.url).href;
  const script = `const { takeProcessLock } = await import('${module}'); takeProcessLock(${JSON.stringify(file)}, '${kind}', 0); gc(); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  children.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

test('an exclusive lock excludes everybody until its holder is killed', async () => {
  const child = await holder('exclusive');
  expect(() => takeProcessLock(file, 'exclusive', 0)).toThrow(LockedError);
  expect(() => takeProcessLock(file, 'shared', 0)).toThrow(LockedError);
  child.kill('SIGKILL');
  await once(child, 'exit');
  takeProcessLock(file, 'exclusive', 0).release();
});

test('shared holders share, and keep an exclusive one out until the last is gone', async () => {
  const child = await holder('shared');
  const mine = takeProcessLock(file, 'shared', 0);
  expect(() => takeProcessLock(file, 'exclusive', 0)).toThrow(LockedError);
  mine.release();
  expect(() => takeProcessLock(file, 'exclusive', 0)).toThrow(LockedError);
  child.kill('SIGKILL');
  await once(child, 'exit');
  takeProcessLock(file, 'exclusive', 0).release();
});
