import { AppError } from '../core/app-error.ts';
import { createPlaces } from '../core/places.ts';

/** OWASP's minimum for argon2id: 19 MiB, two passes; 16 ms on the machine it was measured on. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Every running hash holds 19 MiB and a thread: sign-ins must not starve the lines. */
const MAX_RUNNING = 2;
const MAX_WAITING = 20;

/** Loaded with the first password: most processes never see one. */
const argon2 = () => import('@node-rs/argon2');
const hash = async (password: string): Promise<string> => (await argon2()).hash(password, COST);

export const MIN_PASSWORD = 10;
export const MAX_PASSWORD = 256;

export interface Passwords {
  hash(password: string): Promise<string>;
  /**
   * False for a wrong password. Without a hash (no such user) it takes as long as with one, and is
   * false.
   */
  matches(password: string, hashed: string | undefined): Promise<boolean>;
}

/** Argon2id, two at once and twenty waiting; further ones are refused with `rate_limited`. */
export function createPasswords(): Passwords {
  const places = createPlaces(MAX_RUNNING);
  let decoy: Promise<string> | undefined;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (places.waiting >= MAX_WAITING) throw new AppError('rate_limited', { retryAfterSeconds: 2 });
    return places.run(work);
  }

  return {
    hash: (password) => inTurn(() => hash(password)),
    async matches(password, hashed) {
      decoy ??= hash('a password that no account has');
      const against = hashed ?? (await decoy);
      const isRight = await inTurn(async () => (await argon2()).verify(against, password));
      return isRight && hashed !== undefined;
    },
  };
}
