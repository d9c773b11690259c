import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openTestPostgres, type TestStore } from '../../test/store-harness.ts';
import { insertLine } from '../../test/support/rows.ts';
import { makeLeases, takeLeases } from '../store/fleet/leases.ts';
import { joinFleet, leaveFleet } from '../store/fleet/nodes.ts';
import { runProgram } from './program.ts';

const TTL_MS = 15_000;
let folder: string;
let printed: string[] = [];
let said: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ponte-nodes-'));
  vi.stubEnv('DATA_DIR', join(folder, 'data'));
  printed = [];
  said = [];
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const ponte = (...argv: string[]) =>
  runProgram(
    argv,
    { version: '1.2.3', consoleFolder: folder, start: async () => {} },
    { result: (text) => void printed.push(text), say: (text) => void said.push(text) },
  );

test('without a fleet there are no nodes, and the way to some is named', async () => {
  expect(await ponte('nodes', 'list')).toBe(1);
  expect(said.join()).toContain('NATS_URL');
});

describe.runIf(process.env.TEST_DATABASE_URL)('of a fleet', () => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await openTestPostgres();
    vi.stubEnv('DATABASE_URL', opened.url);
    for (const name of ['one', 'two', 'old']) {
      await joinFleet(opened.store, { id: `node_${name}`, name, version: '1', weight: 100, masterKeyId: null }, TTL_MS);
    }
    await leaveFleet(opened.store, 'node_old');
  });
  afterEach(() => opened.close());
  const listed = async () => {
    expect(await ponte('nodes', 'list', '--json')).toBe(0);
    const { nodes } = JSON.parse(printed.splice(0).join('')) as { nodes: Record<string, unknown>[] };
    return nodes;
  };

  test('nodes are listed with what they hold, and those that ended last', async () => {
    await insertLine(opened.store, 'test');
    await makeLeases(opened.store);
    await takeLeases(opened.store, 'node_two', { most: 5, freeForMs: 0, ttlMs: TTL_MS });
    expect(await listed()).toMatchObject([
      { id: 'node_one', name: 'one', state: 'up', lines: 0, version: '1', weight: 100 },
      { id: 'node_two', name: 'two', state: 'up', lines: 1 },
      { id: 'node_old', state: 'gone', lines: 0 },
    ]);
    expect(await ponte('nodes', 'list')).toBe(0);
    expect(printed.join()).toMatch(/node_two +two +up +1 /);
  });

  test('a node is drained and undrained by its name, and not one that is gone', async () => {
    expect(await ponte('nodes', 'drain', 'two')).toBe(0);
    printed.splice(0);
    expect(await listed()).toMatchObject([{ state: 'up' }, { state: 'draining' }, { state: 'gone' }]);
    expect(await ponte('nodes', 'undrain', 'node_two')).toBe(0);
    printed.splice(0);
    expect(await listed()).toMatchObject([{ state: 'up' }, { state: 'up' }, { state: 'gone' }]);
    expect(await ponte('nodes', 'drain', 'old')).toBe(1);
    expect(said.join()).toContain('there is no node old');
  });
});
