import type { Clock } from '../../core/clock.ts';
import { within } from '../../core/within.ts';
import { writeSetting } from '../access/settings.ts';
import type { Store } from './store.ts';

const PROBE = 'write_probe';
const WITHIN_MS = 2_000;
/** Callers within this time share one answer: asking needs no key, and each proof is a write. */
const GOOD_FOR_MS = 1_000;

/**
 * Whether the store takes writes: proved by one, so that a full disk or a database that became
 * read-only is seen (both answer reads as if nothing were wrong). Answers within two seconds.
 */
export function createReadiness(store: Store, clock: Clock): () => Promise<boolean> {
  let proof: { at: number; isReady: Promise<boolean> } | undefined;
  /** A write that hangs is not asked again beside itself. */
  let running: Promise<boolean> | undefined;

  async function write(): Promise<boolean> {
    const value = String(clock.now());
    try {
      await store.transaction(async ({ db }) => {
        await writeSetting(db, PROBE, value);
      }, 'normal');
      return true;
    } catch {
      return false;
    }
  }

  async function prove(): Promise<boolean> {
    running ??= write().finally(() => {
      running = undefined;
    });
    return (await within(clock, running, WITHIN_MS)) ?? false;
  }

  return () => {
    const now = clock.monotonic();
    if (!proof || now - proof.at >= GOOD_FOR_MS) proof = { at: now, isReady: prove() };
    return proof.isReady;
  };
}
