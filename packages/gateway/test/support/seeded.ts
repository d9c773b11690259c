/** Of this run of the goals: with the same one it can be run again. */
export const SEED = Number(process.env.VERIFY_SEED ?? 20261130);

/**
 * How much of something a test does: `VERIFY_NAME` when the report of the goals asks for more than
 * the short form.
 */
export const sized = (name: string, short: number): number => Number(process.env[`VERIFY_${name}`] ?? short);

/** A small generator of numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
