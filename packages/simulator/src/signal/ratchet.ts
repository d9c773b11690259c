import { agree, generateKeyPair, type RandomBytes } from './curve.ts';
import { decryptCbc, encryptCbc, hkdf, hmacSha256 } from './kdf.ts';
import { encodeSessionMessage, type ReceivedSessionMessage } from './messages.ts';
import { type Chain, type ReceivingChain, type Session, stepRoot } from './session.ts';
import { SignalError } from './signal-error.ts';

/** Chains of the other side that are kept for late messages; what Signal's libraries keep. */
export const MAX_RECEIVING_CHAINS = 5;
/** Keys of missing messages that one chain keeps; the oldest go first. */
export const MAX_SKIPPED_KEYS = 1000;
/**
 * A message further ahead than this is refused, so that a forged counter costs no more than this
 * many hashes.
 */
export const MAX_FORWARD_JUMP = 2000;

const MESSAGE_KEY_SEED = Uint8Array.of(1);
const CHAIN_KEY_SEED = Uint8Array.of(2);

/**
 * Encrypts with the session's sending chain. Returns the session as it must be stored before the
 * bytes leave.
 */
export function encryptWith(session: Session, plaintext: Uint8Array): { session: Session; bytes: Uint8Array } {
  const chain = session.sending;
  if (!chain) throw new SignalError('no_session');
  const keys = messageKeys(messageSeed(chain.key));
  const bytes = encodeSessionMessage(
    {
      ratchetKey: session.ratchet.publicKey,
      counter: chain.counter,
      previousCounter: session.previousCounter,
      ciphertext: encryptCbc(keys.cipherKey, keys.iv, plaintext),
    },
    keys.macKey,
    session.localIdentityKey,
    session.remoteIdentityKey,
  );
  return { session: { ...session, sending: next(chain) }, bytes };
}

/**
 * Decrypts with this session. The given session is not changed; a SignalError means that nothing
 * happened.
 */
export function decryptWith(
  session: Session,
  message: ReceivedSessionMessage,
  random: RandomBytes,
): { session: Session; plaintext: Uint8Array } {
  const known = session.receiving.some((chain) => sameBytes(chain.ratchetKey, message.ratchetKey));
  const stepped = known ? session : turnRatchet(session, message, random);
  const chain = stepped.receiving.find((candidate) => sameBytes(candidate.ratchetKey, message.ratchetKey));
  if (!chain) throw new SignalError('bad_mac');
  const { seed, chain: advanced } = takeMessageSeed(chain, message.counter);
  const keys = messageKeys(seed);
  if (!message.isAuthentic(keys.macKey, session.remoteIdentityKey, session.localIdentityKey)) {
    throw new SignalError('bad_mac');
  }
  const plaintext = decryptCbc(keys.cipherKey, keys.iv, message.ciphertext);
  const receiving = stepped.receiving.map((candidate) => (candidate === chain ? advanced : candidate));
  return { session: { ...stepped, receiving, pending: undefined }, plaintext };
}

/**
 * Takes the key of message `counter` out of a chain, parking the keys of the messages before it.
 * Sender keys of groups use the same rule. Throws `duplicate` when the key was taken before (or was
 * the oldest of too many).
 */
export function takeMessageSeed<C extends Chain & Pick<ReceivingChain, 'skipped'>>(
  chain: C,
  counter: number,
): { seed: Uint8Array; chain: C } {
  if (counter < chain.counter) {
    const parked = chain.skipped.find((key) => key.counter === counter);
    if (!parked) throw new SignalError('duplicate');
    return { seed: parked.seed, chain: { ...chain, skipped: chain.skipped.filter((key) => key !== parked) } };
  }
  if (counter - chain.counter > MAX_FORWARD_JUMP) throw new SignalError('too_far_ahead');
  const ahead = skipTo(chain, counter);
  return { seed: messageSeed(ahead.key), chain: next(ahead) };
}

/** The seed of the message that a chain is at. */
export function messageSeed(chainKey: Uint8Array): Uint8Array {
  return hmacSha256(chainKey, MESSAGE_KEY_SEED);
}

/** The chain one message further. */
export function next<C extends Chain>(chain: C): C {
  return { ...chain, key: hmacSha256(chain.key, CHAIN_KEY_SEED), counter: chain.counter + 1 };
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

// A message under a new ratchet key: close the newest chain at the count the sender tells, open a
// chain for the new key and a sending chain of our own under a fresh key.
function turnRatchet(session: Session, message: ReceivedSessionMessage, random: RandomBytes): Session {
  const receiving = [...session.receiving];
  const newest = receiving.at(-1);
  // `previousCounter` is the number of the last message of that chain, as Signal's libraries write
  // it (the specification's PN minus 1).
  const end = message.previousCounter + 1;
  if (newest && end > newest.counter) {
    if (end - newest.counter > MAX_FORWARD_JUMP) throw new SignalError('too_far_ahead');
    receiving[receiving.length - 1] = skipTo(newest, end);
  }
  const inbound = stepRoot(session.rootKey, agree(session.ratchet.privateKey, message.ratchetKey));
  receiving.push({ ratchetKey: message.ratchetKey, key: inbound.chainKey, counter: 0, skipped: [] });
  const ratchet = generateKeyPair(random);
  const outbound = stepRoot(inbound.rootKey, agree(ratchet.privateKey, message.ratchetKey));
  return {
    ...session,
    rootKey: outbound.rootKey,
    ratchet,
    sending: { key: outbound.chainKey, counter: 0 },
    previousCounter: Math.max((session.sending?.counter ?? 0) - 1, 0),
    receiving: receiving.slice(-MAX_RECEIVING_CHAINS),
  };
}

function skipTo<C extends Chain & Pick<ReceivingChain, 'skipped'>>(chain: C, counter: number): C {
  const skipped = [...chain.skipped];
  let ahead: C = chain;
  while (ahead.counter < counter) {
    skipped.push({ counter: ahead.counter, seed: messageSeed(ahead.key) });
    ahead = next(ahead);
  }
  return { ...ahead, skipped: skipped.slice(-MAX_SKIPPED_KEYS) };
}

function messageKeys(seed: Uint8Array): { cipherKey: Uint8Array; macKey: Uint8Array; iv: Uint8Array } {
  const derived = hkdf(seed, 'WhisperMessageKeys', 80);
  return { cipherKey: derived.subarray(0, 32), macKey: derived.subarray(32, 64), iv: derived.subarray(64, 80) };
}
