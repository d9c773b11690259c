import type { Clock } from './clock.ts';

/**
 * What `work` gives, or undefined when `ms` pass (or `signal` is aborted) before. Rejects as the
 * work does. Late work goes on; its result is dropped and its rejection counts as handled.
 */
export async function within<T>(clock: Clock, work: Promise<T>, ms: number, signal?: AbortSignal) {
  const over = new AbortController();
  const either = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  try {
    return await Promise.race([work, clock.sleep(ms, either).then(() => undefined)]);
  } finally {
    // Without a reason of ours Node would create an exception with a stack that is never read.
    over.abort('over');
  }
}
