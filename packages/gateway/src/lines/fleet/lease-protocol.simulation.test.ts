import { expect, test } from 'vitest';
import { runLeaseWorld, type WorldOptions, type WorldReport } from '../../../test/support/lease-world.ts';
import { LEASE_TIMES } from './lease-protocol.ts';

/** `LEASE_SEEDS=1-500` runs other worlds; a failure names its seed. */
const [from = 1, to = 20] = (process.env.LEASE_SEEDS ?? '1-20').split('-').map(Number);

const SMALL: Omit<WorldOptions, 'seed'> = {
  nodes: 8,
  lines: 400,
  faultsPerSecond: 0.3,
  commitsPerSecond: 100,
  faultsForMs: 240_000,
  forMs: 330_000,
};

function expectTrue(report: WorldReport): void {
  expect(report.violations).toEqual([]);
  expect(report.longestTakeoverMs).toBeLessThanOrEqual(25_000);
  expect(report.longestWakeMs).toBeLessThanOrEqual(1_000);
  expect(report.idleLines).toBe(0);
}

test('whatever breaks: never two running owners, never a stale commit, every line owned within 25 s', () => {
  const sum = { takeovers: 0, refused: 0, commits: 0 };
  for (let seed = from; seed <= to; seed++) {
    const report = runLeaseWorld({ ...SMALL, seed });
    expectTrue(report);
    sum.takeovers += report.takeovers;
    sum.refused += report.refusedCommits;
    sum.commits += report.commits;
  }
  // The worlds were as bad as they were meant to be.
  expect(sum.takeovers).toBeGreaterThan(100 * (to - from + 1));
  expect(sum.refused).toBeGreaterThan(0);
  expect(sum.commits).toBeGreaterThan(1_000 * (to - from + 1));
});

test('a hundred nodes with a hundred thousand lines', { timeout: 120_000 }, () => {
  const report = runLeaseWorld({
    ...{ seed: 19, nodes: 100, lines: 100_000 },
    ...{ faultsPerSecond: 0.5, commitsPerSecond: 200, faultsForMs: 65_000, forMs: 135_000 },
  });
  expectTrue(report);
  expect(report.takeovers).toBeGreaterThan(1_000);
});

test('without a fault nothing moves: every line starts once, and the shares are even', () => {
  const report = runLeaseWorld({
    ...{ seed: 3, nodes: 5, lines: 1_000 },
    ...{ faultsPerSecond: 0, commitsPerSecond: 50, faultsForMs: 0, forMs: 120_000 },
  });
  expectTrue(report);
  expect(report.refusedCommits).toBe(0);
  expect(report.starts).toBe(1_000);
  expect(Math.max(...report.shares) - Math.min(...report.shares)).toBeLessThanOrEqual(1);
});

test('the world sees what is wrong: a node that cuts too late, one that takes too rarely', () => {
  const late = runLeaseWorld({ ...SMALL, seed: 1, times: { ...LEASE_TIMES, cutMs: 30_000 } });
  expect(late.violations.length).toBeGreaterThan(0);
  const lazy = runLeaseWorld({ ...SMALL, seed: 1, times: { ...LEASE_TIMES, takeMs: 30_000 } });
  expect(lazy.longestTakeoverMs).toBeGreaterThan(25_000);
});
