import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { forgetFailures, forgetFailuresBefore, noteTry, writeFailures } from '../store/access/sign-in-failures.ts';
import type { Store } from '../store/db/store.ts';

/** Free tries, then waits that double: 30 s, 1 min, … up to a quarter of an hour. */
interface Rule {
  free: number;
  firstWaitMs: number;
}

/**
 * An address may try 20 times and one e-mail 5 times; from all addresses together an e-mail may be
 * tried 50 times. The last limit bounds guesses from many addresses; it does not apply to known
 * browsers (`browser`), so that a stranger cannot lock a user out.
 */
const RULES = {
  address: { free: 20, firstWaitMs: 30_000 },
  pair: { free: 5, firstWaitMs: 30_000 },
  email: { free: 50, firstWaitMs: 30_000 },
  browser: { free: 5, firstWaitMs: 30_000 },
} as const satisfies Record<string, Rule>;
const LONGEST_WAIT_MS = 15 * 60_000;
/** Failures older than this are forgotten. */
const FORGET_AFTER_MS = 24 * 3_600_000;

/** Who tries. */
export interface Attempt {
  /** By `addressBucket`. */
  address: string;
  /** Left out where no account is named: set-up links and passkeys. */
  email?: string;
  /** A browser in which this very account signed in before; it counts for itself alone. */
  browser?: string;
}

export interface Lockout {
  /**
   * Counts a try before the password is checked, so that parallel tries gain nothing. Refuses with
   * `rate_limited` while a limit applies; the address comes first, and while it has to wait nothing
   * else is counted. Unknown accounts behave like known ones.
   */
  begin(attempt: Attempt): Promise<void>;
  /** The password was right: nothing counts any more. */
  succeeded(attempt: Attempt): Promise<void>;
}

function subjectsOf({ address, email, browser }: Attempt): (readonly [string, Rule])[] {
  if (browser !== undefined) return [[`browser:${browser}`, RULES.browser]];
  const own = [`ip:${address}`, RULES.address] as const;
  if (email === undefined) return [own];
  return [own, [`pair:${address} ${email}`, RULES.pair], [`email:${email}`, RULES.email]];
}

export function createLockout({ store, clock }: { store: Store; clock: Clock }): Lockout {
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
    async begin(attempt) {
      await forgetFailuresBefore(store.db, clock.now() - FORGET_AFTER_MS);
      for (const [subject, rule] of subjectsOf(attempt)) {
        const leftMs = await count(subject, rule);
        if (leftMs === 0) continue;
        const seconds = Math.ceil(leftMs / 1_000);
        throw new AppError(
          'rate_limited',
          { retryAfterSeconds: seconds },
          { message: `Too many failed sign-ins. Try again in ${seconds} seconds, or sign in with a passkey.` },
        );
      }
    },
    async succeeded(attempt) {
      const names = subjectsOf(attempt).map(([subject]) => subject);
      await forgetFailures(store.db, names);
    },
  };
}
