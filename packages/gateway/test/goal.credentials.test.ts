import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../src/core/clock.ts';
import { createSealedBox } from '../src/crypto/sealed-box.ts';
import { createEngineStore } from '../src/store/engine/engine-store.ts';
import { pendingInbox } from '../src/store/engine/inbox.ts';
import { openTestSqlite, type TestStore } from './store-harness.ts';
import { SEED, seeded, sized } from './support/seeded.ts';

const CHILD = fileURLToPath(new URL('support/sealing-child.ts', import.meta.url));
const LINES = ['line_0', 'line_1', 'line_2'];
const KILLS = sized('KILLS', 5);
const FAULTS = sized('EIO', 3);
const hasStrace = spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0;
const isLeftOut = process.env.CI !== 'true' && !hasStrace;

let opened: TestStore;
const box = createSealedBox(Buffer.alloc(32, 1));
beforeEach(async () => {
  opened = await openTestSqlite();
  const { db } = opened.store;
  await db
    .insertInto('accounts')
    .values({ id: 'acc_1', name: 'a', plan: 'p', subscription: 'active', created_at: 1 })
    .execute();
  const lines = LINES.map(
    (id) => ({ id, account_id: 'acc_1', mode: 'test', status: 'unpaired', created_at: 1 }) as const,
  );
  await db.insertInto('lines').values(lines).execute();
});
afterEach(() => opened.close());

interface Sealed {
  line: string;
  hash: string;
}

/** Runs a child that seals until it dies; `onCommit` may kill it. Answers what it had reported. */
async function sealUntilDead(
  command: string,
  args: string[],
  onCommit: (count: number, kill: () => void) => void,
): Promise<Sealed[]> {
  // A process group of its own: killing strace must also kill the process it traces.
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const kill = () => void (child.pid && process.kill(-child.pid, 'SIGKILL'));
  const exited = once(child, 'exit');
  const reported: Sealed[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    const [line, , hash] = text.split(' ');
    if (line && hash?.length === 64) reported.push({ line, hash });
    if (child.exitCode === null && child.signalCode === null) onCommit(reported.length, kill);
  }
  await exited;
  return reported;
}

/** Everything that was reported is there, and each ratchet stands where its newest mail does. */
async function expectWhole(reported: Sealed[]): Promise<void> {
  for (const lineId of LINES) {
    const rows = await pendingInbox(opened.store, box, lineId, 0, 100_000);
    const hashes = new Set(rows.map(({ entry }) => (entry.kind === 'sealed' ? entry.hash : '')));
    expect(reported.filter(({ line, hash }) => line === lineId && !hashes.has(hash))).toEqual([]);
    const engineStore = createEngineStore({ store: opened.store, box, lineId, clock: systemClock });
    const ratchet = (await engineStore.get('session', ['peer'])).get('peer');
    const last = rows.at(-1)?.entry;
    expect(ratchet).toEqual(last?.kind === 'sealed' ? last.plaintext : undefined);
  }
  // The next round begins with nothing, so that its reading does not grow with the rounds.
  await opened.store.db.deleteFrom('inbox').execute();
  await opened.store.db.deleteFrom('line_keys').execute();
}

test(`${KILLS} kill -9 at random commits of ratchets: none is lost, none is ahead of its mail`, {
  timeout: 60_000 + KILLS * 5_000,
}, async () => {
  const random = seeded(SEED);
  for (let round = 0; round < KILLS; round += 1) {
    const at = 1 + Math.floor(random() * 60);
    const reported = await sealUntilDead(process.execPath, [CHILD, opened.url, String(round)], (count, kill) => {
      if (count >= at) kill();
    });
    expect(reported.length).toBeGreaterThanOrEqual(at);
    await expectWhole(reported);
  }
});

test.skipIf(isLeftOut)(
  `${FAULTS} times the disk answers EIO in the middle of a commit: nothing that was reported is lost (needs strace)`,
  { timeout: 60_000 + FAULTS * 30_000 },
  async () => {
    const random = seeded(SEED);
    let total = 0;
    for (let round = 0; round < FAULTS; round += 1) {
      const [call, from] = round % 2 === 0 ? ['fsync', 10 + random() * 40] : ['pwrite64', 200 + random() * 2_000];
      const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:error=EIO:when=${Math.floor(from)}+`];
      const strace = ['-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, CHILD, opened.url, String(round)];
      // It ends by itself: a commit that failed is not reported, and its process does not go on.
      const reported = await sealUntilDead('strace', strace, (count, kill) => {
        if (count > 20_000) kill();
      });
      total += reported.length;
      expect(reported.length).toBeLessThanOrEqual(20_000);
      await expectWhole(reported);
    }
    expect(total).toBeGreaterThan(0);
  },
);
