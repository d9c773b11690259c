import { timingSafeEqual } from 'node:crypto';
import { randomBase62 } from '../core/ids.ts';
import type { KeyRing } from '../crypto/key-ring.ts';

const KNOWN = /^(usr_[A-Za-z0-9]{1,64})\.([0-9A-Za-z]{22})\.([A-Za-z0-9_-]{43})$/;

/**
 * A mark that a browser gets when a user signs in, valid for a year: with it that user is not
 * locked out by other people's failed tries for the same e-mail address. It grants no access, and
 * nothing is stored.
 */
export function markBrowser(ring: KeyRing, userId: string): string {
  const nonce = randomBase62(22);
  return `${userId}.${nonce}.${seal(ring, userId, nonce)}`;
}

/** What a mark is counted by, when it was given to this user. */
export function browserOf(ring: KeyRing, mark: string | undefined, userId: string | undefined): string | undefined {
  const [, owner, nonce, given] = KNOWN.exec(mark ?? '') ?? [];
  if (owner === undefined || nonce === undefined || given === undefined || owner !== userId) return undefined;
  return timingSafeEqual(Buffer.from(given), Buffer.from(seal(ring, owner, nonce))) ? nonce : undefined;
}

const seal = (ring: KeyRing, userId: string, nonce: string): string =>
  ring.fingerprint('known-browser', `${userId}.${nonce}`).toString('base64url');
