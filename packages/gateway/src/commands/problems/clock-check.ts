import type { Clock } from '../../core/clock.ts';
import { databaseTime } from '../../store/db/database-time.ts';
import type { Store } from '../../store/db/store.ts';

/** Who said what time it is. */
export type TimeSource = 'database' | 'whatsapp';

/** How far this machine's clock is ahead (negative: behind), and by whose word. */
export interface ClockOffset {
  offsetMs: number;
  source: TimeSource;
}

export interface ClockCheck {
  /**
   * The largest known difference; undefined until a source named its time. Asks PostgreSQL once in
   * a while.
   */
  read(): Promise<ClockOffset | undefined>;
  /** Notes the time that a source named just now. */
  heard(source: TimeSource, theirsMs: number): void;
}

/** Signatures and tokens are refused minutes off; a minute is worth a word. */
export const CLOCK_OFF_MS = 60_000;

const ASK_EVERY_MS = 600_000;
/** WhatsApp's page is read once a day. */
const KEEP_MS = 25 * 3_600_000;
/** A clock that was set since: what was heard before says nothing about it. */
const STEP_MS = 2_000;
/** An answer that took longer says too little. */
const MAX_ROUND_TRIP_MS = 5_000;

/** Compares this machine's clock with what others say: PostgreSQL, and WhatsApp's page. */
export function createClockCheck({ store, clock }: { store: Store; clock: Clock }): ClockCheck {
  const known = new Map<TimeSource, { offsetMs: number; at: number; base: number }>();
  let askAt = Number.NEGATIVE_INFINITY;
  const base = () => clock.now() - clock.monotonic();

  const keep = (source: TimeSource, offsetMs: number) =>
    void known.set(source, { offsetMs, at: clock.monotonic(), base: base() });

  const forgetOld = () => {
    for (const [source, { at, base: then }] of known) {
      const isSet = Math.abs(base() - then) > STEP_MS;
      if (isSet && source === 'database') askAt = Number.NEGATIVE_INFINITY;
      if (isSet || clock.monotonic() - at > KEEP_MS) known.delete(source);
    }
  };

  const ask = async () => {
    const from = clock.monotonic();
    if (from < askAt) return;
    askAt = from + ASK_EVERY_MS;
    const theirs = await databaseTime(store);
    const took = clock.monotonic() - from;
    if (theirs === undefined || took > MAX_ROUND_TRIP_MS) return;
    keep('database', Math.round(clock.now() - took / 2 - theirs));
  };

  return {
    heard: (source, theirsMs) => keep(source, clock.now() - theirsMs),
    async read() {
      forgetOld();
      await ask();
      const offsets = [...known].map(([source, { offsetMs }]) => ({ source, offsetMs }));
      return offsets.toSorted((a, b) => Math.abs(b.offsetMs) - Math.abs(a.offsetMs))[0];
    },
  };
}
