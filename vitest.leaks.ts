import { afterAll, beforeAll, expect } from 'vitest';

/**
 * Kinds of handles a test file may not leave behind. Timers that do not keep the process alive are
 * not listed by Node.
 */
const WATCHED = [
  'TCPSocketWrap',
  'TCPServerWrap',
  'PipeServerWrap',
  'ProcessWrap',
  'UDPWrap',
  'FSEventWrap',
  'Timeout',
  'Immediate',
];
const GRACE_MS = 3_000;

function handles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (WATCHED.includes(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

let before = new Map<string, number>();
beforeAll(() => {
  before = handles();
  // The runner's own timer of this moment is gone later; files start without any.
  before.delete('Timeout');
});

// Sockets that were closed need a few turns of the loop to go; what is still there after the grace
// was forgotten.
afterAll(async () => {
  const deadline = performance.now() + GRACE_MS;
  const left = () => [...handles()].filter(([kind, count]) => count > (before.get(kind) ?? 0));
  while (left().length > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(left(), 'handles left running by this file').toEqual([]);
});
