import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { forgetFailures, forgetFailuresBefore, noteTry, writeFailures } from '../store/access/sign-in-failures.ts';
import type { Store } from '../store/db/store.ts';

/** Free tries, then waits that double: 30 s, 1 min, … up to a quarter of an hour. */
interface Rule {
  free: number;
  firstWaitMs: number;
}

const RULES = { email: { free: 5, firstWaitMs: 30_000 }, ip: { free: 20, firstWaitMs: 30_000 } } as const;
const LONGEST_WAIT_MS = 15 * 60_000;
/** Failures older than this are forgotten. */
const FORGET_AFTER_MS = 24 * 3_600_000;

export interface Lockout {
  /**
   * Counts a try against the account and the address before the password is looked at, so that many
   * at once gain nothing. Refuses with `rate_limited` while either has to wait; unknown accounts
   * behave like known ones.
   */
  begin(email: string, address: string): Promise<void>;
  /** The password was right: nothing counts any more. */
  succeeded(email: string, address: string): Promise<void>;
}

export function createLockout({ store, clock }: { store: Store; clock: Clock }): Lockout {
  const subjects = (email: string, address: string) =>
    [
      [`email:${email}`, RULES.email],
      [`ip:${address}`, RULES.ip],
    ] as const;

  async function count(subject: string, rule: Rule): Promise<number> {
    return store.transaction(async ({ db }) => {
      const now = clock.now();
      const known = await noteTry(db, subject, now);
      if (known.blockedUntil > now) return known.blockedUntil - now;
      const failures = known.failures + 1;
      const waitMs =
        failures < rule.free
          ? 0
          : Math.min(rule.firstWaitMs * 2 ** Math.min(failures - rule.free, 10), LONGEST_WAIT_MS);
      await writeFailures(db, subject, { failures, blockedUntil: now + waitMs });
      return 0;
    });
  }

  return {
    async begin(email, address) {
      await forgetFailuresBefore(store.db, clock.now() - FORGET_AFTER_MS);
      for (const [subject, rule] of subjects(email, address)) {
        const leftMs = await count(subject, rule);
        if (leftMs === 0) continue;
        const seconds = Math.ceil(leftMs / 1_000);
        throw new AppError(
          'rate_limited',
          { retryAfterSeconds: seconds },
          { message: `Too many failed sign-ins. Try again in ${seconds} seconds.` },
        );
      }
    },
    async succeeded(email, address) {
      const names = subjects(email, address).map(([subject]) => subject);
      await forgetFailures(store.db, names);
    },
  };
}
