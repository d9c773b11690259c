import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MODULE = fileURLToPath(new URL('./passing-bytes.ts', import.meta.url));

/** Resident memory that a process grows by while 200 MiB pass through it in pieces, in MiB. */
function growth(tells: boolean): number {
  const program = `
    import { bytesPassed } from ${JSON.stringify(MODULE)};
    const before = process.memoryUsage().rss;
    let most = before;
    for (let i = 0; i < 3200; i++) {
      const piece = Buffer.allocUnsafeSlow(65536).fill(1);
      if (${tells}) bytesPassed(piece.length);
      if (i % 16 !== 0) continue;
      most = Math.max(most, process.memoryUsage().rss);
      await new Promise(setImmediate);
    }
    process.stdout.write(String((most - before) / 1048576));`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }));
}

test('what passes through costs a fraction of what V8 lets gather by itself', () => {
  expect(growth(true)).toBeLessThan(32);
  expect(growth(true)).toBeLessThan(growth(false));
});
