import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { Clock } from '../../core/clock.ts';
import { silentLog } from '../../observe/logger.ts';
import type { FleetView, OwnedLine } from '../../store/fleet/leases.ts';
import { LeaseKeeper } from './lease-keeper.ts';

const A: OwnedLine = { lineId: 'line_a', epoch: 1 };
const B: OwnedLine = { lineId: 'line_b', epoch: 1 };
const node = (id: string) => ({ id, name: id, version: '1', weight: 1, isDraining: false, lines: 0 });

/** A table that holds what a test says. */
class ScriptedTable {
  owned: OwnedLine[] = [];
  free: OwnedLine[] = [];
  nodes = [node('node_me')];
  lines = 2;
  /** Calls are never answered. */
  isDeaf = false;
  calls: string[] = [];

  async renew(): Promise<FleetView> {
    await this.#called('renew');
    return { owned: [...this.owned], nodes: this.nodes, lines: this.lines };
  }

  async take(most: number): Promise<OwnedLine[]> {
    await this.#called('take');
    const taken = this.free.splice(0, most);
    this.owned.push(...taken);
    return taken;
  }

  async release(lines: readonly OwnedLine[]): Promise<void> {
    await this.#called(`release ${lines.map(({ lineId, epoch }) => `${lineId} ${epoch}`).join()}`);
    this.owned = this.owned.filter(({ lineId }) => !lines.some((line) => line.lineId === lineId));
  }

  async #called(call: string): Promise<void> {
    this.calls.push(call);
    if (this.isDeaf) await new Promise(() => {});
  }
}

describe('the lease keeper', () => {
  let clock: ManualClock;
  let table: ScriptedTable;
  let done: string[];
  let closing: PromiseWithResolvers<void>;
  let released: number;
  const busy = new Set<string>();
  let keeper: LeaseKeeper;
  /** How far the wall clock is ahead of where it was. */
  let wallAheadMs: number;

  beforeEach(() => {
    clock = new ManualClock();
    const walled: Clock = {
      now: () => clock.monotonic() + wallAheadMs,
      monotonic: () => clock.monotonic(),
      after: (delayMs, work) => clock.after(delayMs, work),
      sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
      random: () => clock.random(),
    };
    wallAheadMs = 0;
    table = new ScriptedTable();
    table.free = [A, B];
    done = [];
    released = 0;
    busy.clear();
    closing = Promise.withResolvers();
    keeper = new LeaseKeeper({
      nodeId: 'node_me',
      table,
      clock: walled,
      log: silentLog,
      isBusy: (lineId) => busy.has(lineId),
      onReleased: () => {
        released += 1;
      },
      host: {
        start: ({ lineId, epoch }) => void done.push(`start ${lineId} ${epoch}`),
        close: (lineId) => {
          done.push(`close ${lineId}`);
          return closing.promise;
        },
        cut: async (lineId) => void done.push(`cut ${lineId}`),
        cutAll: async () => void done.push('cut all'),
      },
    });
    keeper.start();
  });
  afterEach(() => keeper.close());

  test('looks who is there, takes its share and renews it', async () => {
    await clock.advance(5_000);
    expect(done).toEqual(['start line_a 1', 'start line_b 1']);
    expect(keeper.epochOf('line_a')).toBe(1);
    await clock.advance(60_000);
    expect(done).toHaveLength(2);
    expect(table.calls.filter((call) => call === 'renew').length).toBeGreaterThanOrEqual(12);
    expect(keeper.validForMs()).toBeGreaterThan(4_000);
  });

  test('a line that is being paired stays where it is until it is through, unless the node ends', async () => {
    table.free.push({ lineId: 'line_c', epoch: 1 });
    table.lines = 3;
    await clock.advance(5_000);
    for (const id of ['line_a', 'line_b', 'line_c']) busy.add(id);
    table.nodes = [node('node_me'), { ...node('node_other'), weight: 5 }];
    await clock.advance(30_000);
    expect(done).toHaveLength(3);
    busy.delete('line_a');
    await clock.advance(10_000);
    expect(done.slice(3)).toEqual(['close line_a']);
    void keeper.leave(1_000);
    await clock.advance(1_000);
    expect(done.slice(4)).toEqual(['close line_c', 'close line_b']);
  });

  test('cuts everything ten seconds after the last renewal was sent, whatever the database does', async () => {
    await clock.advance(5_000);
    const validForMs = keeper.validForMs();
    table.isDeaf = true;
    await clock.advance(validForMs - 1);
    expect(done).toHaveLength(2);
    await clock.advance(251);
    expect(done).toEqual(['start line_a 1', 'start line_b 1', 'cut all']);
    expect(keeper.validForMs()).toBe(0);
    expect(keeper.epochOf('line_a')).toBeUndefined();
  });

  test('what it still holds after a cut it gives back, and runs it under a new number only', async () => {
    await clock.advance(5_000);
    table.isDeaf = true;
    await clock.advance(11_000);
    table.isDeaf = false;
    table.free = [];
    await clock.advance(6_000);
    expect(table.calls).toContain('release line_a 1,line_b 1');
    table.free = [{ ...A, epoch: 2 }];
    await clock.advance(6_000);
    expect(done.slice(3)).toEqual(['start line_a 2']);
  });

  test('one that stood still ends its lines with its first turn', async () => {
    await clock.advance(5_000);
    clock.skip(60_000);
    await clock.advance(0);
    expect(done.slice(2)).toEqual(['cut all']);
  });

  test('a machine whose clock slept with it asks at once', async () => {
    await clock.advance(6_000);
    const before = table.calls.length;
    table.owned = [B];
    wallAheadMs = 60_000;
    await clock.advance(500);
    expect(table.calls.slice(before)).toEqual(['renew']);
    expect(done.slice(2)).toEqual(['cut line_a']);
  });

  test('an answer that comes too late counts for nothing: what was taken all the same is given back', async () => {
    table.free = [];
    await clock.advance(5_000);
    table.owned = [A];
    await clock.advance(6_000);
    expect(done).toEqual([]);
    expect(table.calls).toContain('release line_a 1');
  });

  test('leaving hands every line over in order, and then resolves', async () => {
    await clock.advance(5_000);
    let hasLeft = false;
    void keeper.leave(60_000).then(() => {
      hasLeft = true;
    });
    await clock.advance(1_000);
    expect(done.slice(2).sort()).toEqual(['close line_a', 'close line_b']);
    expect(hasLeft).toBe(false);
    closing.resolve();
    await clock.advance(500);
    expect(hasLeft).toBe(true);
    expect(table.owned).toEqual([]);
    expect(released).toBeGreaterThan(0);
    await clock.advance(30_000);
    expect(done).toHaveLength(4);
  });

  test('leaving ends after its time, also when a line does not', async () => {
    await clock.advance(5_000);
    let hasLeft = false;
    void keeper.leave(10_000).then(() => {
      hasLeft = true;
    });
    await clock.advance(9_999);
    expect(hasLeft).toBe(false);
    await clock.advance(1);
    expect(hasLeft).toBe(true);
  });
});
