import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/*
 * Files pass through in pieces, and every piece is garbage right after it. Their bytes lie outside
 * V8's heap, and V8 lets 64 MiB of such bytes gather before it looks for dead ones
 * (kExternalAllocationSoftLimit): one large file would cost 64 MiB of resident memory, whatever the
 * size of its pieces.
 */

/** So many bytes may lie about. A look at the young generation takes about a millisecond. */
const LOOK_EVERY_BYTES = 8 * 1024 * 1024;

type Collect = (options: { type: 'minor' }) => void;

let collect: Collect | undefined;
let passed = 0;

/** Tells that a piece of a file has passed through this process. */
export function bytesPassed(count: number): void {
  passed += count;
  if (passed < LOOK_EVERY_BYTES) return;
  passed = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

/**
 * V8's own collector; it is handed out only to code that was made after its flag was set. A runtime
 * that hands out none keeps to its own pace.
 */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? (found as Collect) : () => {};
}
