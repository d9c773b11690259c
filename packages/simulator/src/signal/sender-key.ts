import { generateKeyPair, type KeyPair, type RandomBytes, sign, verify } from './curve.ts';
import { bytesField, decodeFields, encodeFields, numberField, repeatedBytes, required } from './fields.ts';
import { decryptCbc, encryptCbc, hkdf } from './kdf.ts';
import {
  decodeSenderKeyMessage,
  encodeSenderKeyDistribution,
  encodeSenderKeyMessage,
  type SenderKeyDistribution,
} from './messages.ts';
import { messageSeed, next, takeMessageSeed } from './ratchet.ts';
import type { Chain, ReceivingChain } from './session.ts';
import { decodeSkipped, encodeSkipped } from './session-record.ts';
import { SignalError } from './signal-error.ts';

/** The chain of one group member: `signing.privateKey` is there for our own only. */
export interface SenderKey extends Chain {
  keyId: number;
  signing: { publicKey: Uint8Array; privateKey: Uint8Array | undefined };
  skipped: ReceivingChain['skipped'];
}

/**
 * The sender keys of one member of one group, newest first: a member that makes a new one may have
 * mail under way with the old one.
 */
export type SenderKeyRecord = SenderKey[];

/** What Signal's libraries keep. */
export const MAX_SENDER_KEYS = 5;

/** A new sender key of our own. */
export function createSenderKey(random: RandomBytes): SenderKey {
  const signing: KeyPair = generateKeyPair(random);
  const keyId = Buffer.from(random(4)).readUInt32BE() & 0x7fffffff;
  return { keyId, key: random(32), counter: 0, signing, skipped: [] };
}

/**
 * The distribution message of our own sender key: its holder can read from the next message
 * on.
 */
export function distributionOf(own: SenderKey): Uint8Array {
  return encodeSenderKeyDistribution({
    keyId: own.keyId,
    iteration: own.counter,
    chainKey: own.key,
    signingKey: own.signing.publicKey,
  });
}

/**
 * Takes in a distribution message. The same key again changes nothing: our state of it may be
 * ahead.
 */
export function withDistribution(record: SenderKeyRecord, distribution: SenderKeyDistribution): SenderKeyRecord {
  if (record.some((known) => known.keyId === distribution.keyId)) return record;
  const added: SenderKey = {
    keyId: distribution.keyId,
    key: distribution.chainKey,
    counter: distribution.iteration,
    signing: { publicKey: distribution.signingKey, privateKey: undefined },
    skipped: [],
  };
  return [added, ...record].slice(0, MAX_SENDER_KEYS);
}

/** Encrypts with our own sender key. Store the returned key before the bytes leave. */
export function encryptForGroup(
  own: SenderKey,
  plaintext: Uint8Array,
  random: RandomBytes,
): { own: SenderKey; bytes: Uint8Array } {
  const { privateKey } = own.signing;
  if (!privateKey) throw new SignalError('no_sender_key');
  const keys = groupMessageKeys(messageSeed(own.key));
  const bytes = encodeSenderKeyMessage(
    { keyId: own.keyId, iteration: own.counter, ciphertext: encryptCbc(keys.cipherKey, keys.iv, plaintext) },
    (signed) => sign(privateKey, signed, random),
  );
  return { own: next(own), bytes };
}

/** Decrypts a member's group message. Throws SignalError; the record given is never changed. */
export function decryptFromGroup(
  record: SenderKeyRecord,
  bytes: Uint8Array,
): { record: SenderKeyRecord; plaintext: Uint8Array } {
  const message = decodeSenderKeyMessage(bytes);
  const senderKey = record.find((known) => known.keyId === message.keyId);
  if (!senderKey) throw new SignalError('no_sender_key');
  if (!verify(senderKey.signing.publicKey, message.signed, message.signature)) throw new SignalError('bad_signature');
  const { seed, chain } = takeMessageSeed(senderKey, message.iteration);
  const keys = groupMessageKeys(seed);
  const plaintext = decryptCbc(keys.cipherKey, keys.iv, message.ciphertext);
  return { record: record.map((known) => (known === senderKey ? chain : known)), plaintext };
}

export function encodeSenderKeys(record: SenderKeyRecord): Uint8Array {
  return encodeFields(
    record.map((senderKey) => [
      1,
      encodeFields([
        [1, senderKey.keyId],
        [2, senderKey.key],
        [3, senderKey.counter],
        [4, senderKey.signing.publicKey],
        [5, senderKey.signing.privateKey],
        ...encodeSkipped(6, senderKey.skipped),
      ]),
    ]),
  );
}

export function decodeSenderKeys(bytes: Uint8Array): SenderKeyRecord {
  return repeatedBytes(decodeFields(bytes), 1).map((entry) => {
    const fields = decodeFields(entry);
    const privateKey = bytesField(fields, 5);
    return {
      keyId: numberField(fields, 1) ?? 0,
      key: Uint8Array.from(required(bytesField(fields, 2))),
      counter: numberField(fields, 3) ?? 0,
      signing: {
        publicKey: Uint8Array.from(required(bytesField(fields, 4))),
        privateKey: privateKey && Uint8Array.from(privateKey),
      },
      skipped: decodeSkipped(repeatedBytes(fields, 6)),
    };
  });
}

function groupMessageKeys(seed: Uint8Array): { iv: Uint8Array; cipherKey: Uint8Array } {
  const derived = hkdf(seed, 'WhisperGroup', 48);
  return { iv: derived.subarray(0, 16), cipherKey: derived.subarray(16, 48) };
}
