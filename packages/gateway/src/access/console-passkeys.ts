import { randomFillSync, timingSafeEqual } from 'node:crypto';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { invalid } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import {
  deletePasskey,
  deletePasskeysOf,
  findPasskey,
  insertPasskey,
  listPasskeys,
  notePasskeyUsed,
  spendChallenge,
} from '../store/access/passkeys.ts';
import type { Store } from '../store/db/store.ts';

/** The page that speaks: WebAuthn binds every answer to both. */
export interface PageOrigin {
  /** `https://ponte.example.com` */
  origin: string;
  /** `ponte.example.com` */
  host: string;
}

export interface Passkey {
  id: string;
  name: string;
  /** The host name it was made for; it works there only. */
  host: string;
  createdAt: number;
  usedAt: number | null;
}

export interface Passkeys {
  list(userId: string): Promise<Passkey[]>;
  /** What the browser is asked to make a passkey with. Valid for five minutes and one answer. */
  beginAdding(
    user: { id: string; email: string; name: string },
    page: PageOrigin,
  ): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /**
   * Keeps the passkey the browser made. `validation_error` when the answer does not prove itself.
   */
  add(userId: string, page: PageOrigin, answer: { name: string; response: RegistrationResponseJSON }): Promise<Passkey>;
  /** False when the user has no such passkey. */
  remove(userId: string, id: string): Promise<boolean>;
  removeAll(userId: string): Promise<void>;
  /**
   * The options for a browser that signs in; they name no user, so that accounts cannot be probed.
   */
  beginSignIn(page: PageOrigin): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** Whose passkey signed; undefined when it proves nothing. */
  signedBy(page: PageOrigin, response: AuthenticationResponseJSON): Promise<string | undefined>;
}

const CHALLENGE_LIFE_MS = 5 * 60_000;
/** When it is over, and 16 random bytes. */
const HEAD_BYTES = 22;
const MAX_PASSKEYS = 20;
const IP_ADDRESS = /^[\d.]+$|^\[/;

/** Loaded with the first passkey: most processes never see one. */
const webauthn = () => import('@simplewebauthn/server');

/**
 * Sign-in with WebAuthn: discoverable credentials, with the user verified by the device (PIN,
 * finger, face), so that a passkey stands for the password. Browsers refuse WebAuthn on bare IP
 * addresses and on plain http, `localhost` excepted.
 */
export function createPasskeys({ store, ring, clock }: { store: Store; ring: KeyRing; clock: Clock }): Passkeys {
  /**
   * Challenges are signed, not stored: however many are asked for, they do not displace each other.
   */
  function draw(page: PageOrigin, userId: string | null): Uint8Array<ArrayBuffer> {
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUIntBE(clock.now() + CHALLENGE_LIFE_MS, 0, 6);
    randomFillSync(head, 6);
    return new Uint8Array(Buffer.concat([head, sealOf(head, page, userId)]));
  }

  const sealOf = (head: Buffer, { host }: PageOrigin, userId: string | null): Buffer =>
    ring.fingerprint('passkey-challenge', `${userId ?? ''} ${host} ${head.toString('hex')}`);

  /** True for a challenge of ours that is not over. */
  function isOurs(challenge: string, page: PageOrigin, userId: string | null): boolean {
    const bytes = Buffer.from(challenge, 'base64url');
    const head = bytes.subarray(0, HEAD_BYTES);
    const seal = bytes.subarray(HEAD_BYTES);
    if (head.length < HEAD_BYTES || head.readUIntBE(0, 6) <= clock.now()) return false;
    const expected = sealOf(head, page, userId);
    return seal.length === expected.length && timingSafeEqual(seal, expected);
  }

  /** True once per challenge; only correctly answered ones are stored. */
  const spend = (challenge: string): Promise<boolean> =>
    spendChallenge(store.db, { challenge, now: clock.now(), expiresAt: clock.now() + CHALLENGE_LIFE_MS });

  return {
    async list(userId) {
      return (await listPasskeys(store.db, userId)).map(toPasskey);
    },
    async beginAdding(user, page) {
      refuseAddress(page);
      const known = await listPasskeys(store.db, user.id);
      if (known.length >= MAX_PASSKEYS)
        throw invalid('name', `There can be ${MAX_PASSKEYS} passkeys at most. Delete one.`);
      const { generateRegistrationOptions } = await webauthn();
      return generateRegistrationOptions({
        rpName: 'Ponte',
        rpID: page.host,
        userID: new Uint8Array(Buffer.from(user.id)),
        userName: user.email,
        userDisplayName: user.name,
        attestationType: 'none',
        excludeCredentials: known.map(({ id }) => ({ id })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        timeout: CHALLENGE_LIFE_MS,
        challenge: draw(page, user.id),
      });
    },
    async add(userId, page, { name, response }) {
      let answered = '';
      const { verifyRegistrationResponse } = await webauthn();
      const proof = await verifyRegistrationResponse({
        response,
        expectedChallenge(challenge) {
          answered = challenge;
          return isOurs(challenge, page, userId);
        },
        expectedOrigin: page.origin,
        expectedRPID: page.host,
        requireUserVerification: true,
      }).catch(() => undefined);
      if (!proof?.verified || !(await spend(answered))) {
        throw invalid(
          'response',
          'This passkey could not be checked: it is not for this page, or it took too long. Try again.',
        );
      }
      const { credential } = proof.registrationInfo;
      const passkey = { id: credential.id, name, host: page.host, createdAt: clock.now(), usedAt: null };
      const made = await insertPasskey(store.db, {
        id: passkey.id,
        user_id: userId,
        name,
        host: page.host,
        public_key: Buffer.from(credential.publicKey),
        counter: credential.counter,
        transports: JSON.stringify(credential.transports ?? []),
        created_at: passkey.createdAt,
        used_at: null,
      });
      if (!made) throw invalid('response', 'This passkey is kept already.');
      return passkey;
    },
    remove: (userId, id) => deletePasskey(store.db, userId, id),
    removeAll: (userId) => deletePasskeysOf(store.db, userId),
    async beginSignIn(page) {
      refuseAddress(page);
      const { generateAuthenticationOptions } = await webauthn();
      return generateAuthenticationOptions({
        rpID: page.host,
        userVerification: 'required',
        timeout: CHALLENGE_LIFE_MS,
        challenge: draw(page, null),
      });
    },
    async signedBy(page, response) {
      const row = await findPasskey(store.db, response.id, page.host);
      if (!row) return undefined;
      let answered = '';
      // A counter that does not grow tells of a copy; the library refuses it.
      const { verifyAuthenticationResponse } = await webauthn();
      const proof = await verifyAuthenticationResponse({
        response,
        expectedChallenge(challenge) {
          answered = challenge;
          return isOurs(challenge, page, null);
        },
        expectedOrigin: page.origin,
        expectedRPID: page.host,
        credential: { id: row.id, publicKey: new Uint8Array(row.public_key), counter: Number(row.counter) },
        requireUserVerification: true,
      }).catch(() => undefined);
      if (!proof?.verified || !(await spend(answered))) return undefined;
      await notePasskeyUsed(store.db, row.id, proof.authenticationInfo.newCounter, clock.now());
      return row.user_id;
    },
  };
}

function refuseAddress({ host }: PageOrigin): void {
  if (!IP_ADDRESS.test(host)) return;
  throw invalid('host', 'Browsers take passkeys for host names only. Open the console by its name, or on localhost.');
}

const toPasskey = (row: {
  id: string;
  name: string;
  host: string;
  created_at: number;
  used_at: number | null;
}): Passkey => ({
  id: row.id,
  name: row.name,
  host: row.host,
  createdAt: Number(row.created_at),
  usedAt: row.used_at === null ? null : Number(row.used_at),
});
