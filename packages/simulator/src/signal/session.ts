import { agree, concat, generateKeyPair, type KeyPair, type RandomBytes, verify, withPrefix } from './curve.ts';
import { hkdf } from './kdf.ts';
import { SignalError } from './signal-error.ts';

/** Half of a Double Ratchet: the next message key comes from `key`, its number is `counter`. */
export interface Chain {
  key: Uint8Array;
  counter: number;
}

/**
 * A chain of the other side, with the keys of messages that have not arrived yet (oldest first).
 */
export interface ReceivingChain extends Chain {
  ratchetKey: Uint8Array;
  skipped: { counter: number; seed: Uint8Array }[];
}

/**
 * One session with one device (https://signal.org/docs/specifications/doubleratchet/). Two devices
 * may have several: both sides can open one at the same time. `baseKey` tells them apart.
 */
export interface Session {
  baseKey: Uint8Array;
  localIdentityKey: Uint8Array;
  remoteIdentityKey: Uint8Array;
  remoteRegistrationId: number;
  rootKey: Uint8Array;
  ratchet: KeyPair;
  /** Absent until the first message of the other side, when that side began. */
  sending: Chain | undefined;
  previousCounter: number;
  /** Oldest first. */
  receiving: ReceivingChain[];
  /** Set until the other side is known to have the session: messages go out as pre-key messages. */
  pending: { preKeyId: number | undefined; signedPreKeyId: number } | undefined;
}

/** What a server hands out about a device (public keys without the type byte). */
export interface PreKeyBundle {
  registrationId: number;
  identityKey: Uint8Array;
  signedPreKey: { keyId: number; publicKey: Uint8Array; signature: Uint8Array };
  preKey?: { keyId: number; publicKey: Uint8Array } | undefined;
}

/**
 * X3DH, the side that begins (https://signal.org/docs/specifications/x3dh/). Throws
 * SignalError('bad_signature') when the signed pre-key is not signed by the identity.
 */
export function beginSession(identity: KeyPair, bundle: PreKeyBundle, random: RandomBytes): Session {
  const { signedPreKey, preKey } = bundle;
  if (!verify(bundle.identityKey, withPrefix(signedPreKey.publicKey), signedPreKey.signature)) {
    throw new SignalError('bad_signature');
  }
  const base = generateKeyPair(random);
  const secrets = [
    agree(identity.privateKey, signedPreKey.publicKey),
    agree(base.privateKey, bundle.identityKey),
    agree(base.privateKey, signedPreKey.publicKey),
  ];
  if (preKey) secrets.push(agree(base.privateKey, preKey.publicKey));
  const ratchet = generateKeyPair(random);
  const step = stepRoot(initialRootKey(secrets), agree(ratchet.privateKey, signedPreKey.publicKey));
  return {
    baseKey: base.publicKey,
    localIdentityKey: identity.publicKey,
    remoteIdentityKey: bundle.identityKey,
    remoteRegistrationId: bundle.registrationId,
    rootKey: step.rootKey,
    ratchet,
    sending: { key: step.chainKey, counter: 0 },
    previousCounter: 0,
    receiving: [],
    pending: { preKeyId: preKey?.keyId, signedPreKeyId: signedPreKey.keyId },
  };
}

/** X3DH, the side that is asked: the keys a pre-key message names. */
export function acceptSession(
  identity: KeyPair,
  own: { signedPreKey: KeyPair; preKey: KeyPair | undefined },
  remote: { identityKey: Uint8Array; baseKey: Uint8Array; registrationId: number },
): Session {
  const secrets = [
    agree(own.signedPreKey.privateKey, remote.identityKey),
    agree(identity.privateKey, remote.baseKey),
    agree(own.signedPreKey.privateKey, remote.baseKey),
  ];
  if (own.preKey) secrets.push(agree(own.preKey.privateKey, remote.baseKey));
  return {
    baseKey: remote.baseKey,
    localIdentityKey: identity.publicKey,
    remoteIdentityKey: remote.identityKey,
    remoteRegistrationId: remote.registrationId,
    rootKey: initialRootKey(secrets),
    ratchet: own.signedPreKey,
    sending: undefined,
    previousCounter: 0,
    receiving: [],
    pending: undefined,
  };
}

/**
 * A root step of the Double Ratchet: the Diffie-Hellman output gives the next root key and a new
 * chain.
 */
export function stepRoot(rootKey: Uint8Array, shared: Uint8Array): { rootKey: Uint8Array; chainKey: Uint8Array } {
  const derived = hkdf(shared, 'WhisperRatchet', 64, rootKey);
  return { rootKey: derived.subarray(0, 32), chainKey: derived.subarray(32) };
}

function initialRootKey(secrets: Uint8Array[]): Uint8Array {
  // 32 bytes of 0xff first: domain separation from X3DH's use of the same keys for signatures.
  return hkdf(concat(new Uint8Array(32).fill(0xff), ...secrets), 'WhisperText', 64).subarray(0, 32);
}
