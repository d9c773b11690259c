import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../src/core/clock.ts';
import { createSealedBox } from '../src/crypto/sealed-box.ts';
import { createEngineStore } from '../src/store/engine/engine-store.ts';
import { pendingInbox } from '../src/store/engine/inbox.ts';
import { forEachStore, type TestStore } from './store-harness.ts';
import { insertLine } from './support/rows.ts';

const CHILD = fileURLToPath(new URL('support/sealing-child.ts', import.meta.url));
const LINES = ['line_0', 'line_1', 'line_2'];

/**
 * Starts a child that seals, kills it (-9) after so many commits were reported, and answers what it
 * had reported.
 */
async function sealUntilKilled(url: string, round: number, commits: number): Promise<{ line: string; hash: string }[]> {
  const args = [CHILD, url, String(round)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const reported: { line: string; hash: string }[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    const [line, , hash] = text.split(' ');
    if (line && hash?.length === 64) reported.push({ line, hash });
    if (reported.length >= commits) child.kill('SIGKILL');
  }
  await exited;
  return reported;
}

forEachStore((open) => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await open();
    for (const id of LINES) await insertLine(opened.store, 'test', 'acc_1', id);
  });
  afterEach(() => opened.close());

  test('what was sealed before a kill -9 is there afterwards, and no ratchet is ahead of or behind its mail', async () => {
    const box = createSealedBox(Buffer.alloc(32, 1));
    const sealed: { line: string; hash: string }[] = [];
    for (let round = 0; round < 4; round += 1) {
      sealed.push(...(await sealUntilKilled(opened.url, round, 20 + 37 * round)));
      for (const lineId of LINES) {
        const rows = await pendingInbox(opened.store, box, lineId, 0, 100_000);
        const hashes = new Set(rows.map(({ entry }) => (entry.kind === 'sealed' ? entry.hash : '')));
        expect(sealed.filter(({ line, hash }) => line === lineId && !hashes.has(hash))).toEqual([]);
        const engineStore = createEngineStore({ store: opened.store, box, lineId, clock: systemClock });
        const ratchet = (await engineStore.get('session', ['peer'])).get('peer');
        const last = rows.at(-1)?.entry;
        expect(ratchet).toEqual(last?.kind === 'sealed' ? last.plaintext : undefined);
      }
    }
    expect(sealed.length).toBeGreaterThan(200);
  });
});
