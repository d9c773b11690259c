import { timingSafeEqual } from 'node:crypto';
import { concat, SIGNATURE_BYTES, withoutPrefix, withPrefix } from './curve.ts';
import { bytesField, decodeFields, encodeFields, numberField, required } from './fields.ts';
import { hmacSha256 } from './kdf.ts';
import { SignalError } from './signal-error.ts';

/**
 * The four binary messages of Signal as WhatsApp carries them: a version byte 0x33 (version 3,
 * speaking 3), a protobuf, and a MAC of 8 bytes (session messages) or a signature of 64 (group
 * messages). Field numbers: WhisperTextProtocol.proto of the public Signal libraries. Keys are bare
 * 32 bytes on this side and carry Signal's type byte on the wire.
 */
const VERSION = 0x33;
const MAC_BYTES = 8;

export interface SessionMessage {
  ratchetKey: Uint8Array;
  counter: number;
  previousCounter: number;
  ciphertext: Uint8Array;
}

/** A decoded session message with what its MAC covers. */
export interface ReceivedSessionMessage extends SessionMessage {
  /**
   * True when the MAC was made with this key by the owner of `sender` for the owner of `receiver`.
   */
  isAuthentic(macKey: Uint8Array, sender: Uint8Array, receiver: Uint8Array): boolean;
}

export function encodeSessionMessage(
  message: SessionMessage,
  macKey: Uint8Array,
  sender: Uint8Array,
  receiver: Uint8Array,
): Uint8Array {
  const body = encodeFields([
    [1, withPrefix(message.ratchetKey)],
    [2, message.counter],
    [3, message.previousCounter],
    [4, message.ciphertext],
  ]);
  const versioned = concat(Uint8Array.of(VERSION), body);
  return concat(versioned, sessionMac(macKey, sender, receiver, versioned));
}

export function decodeSessionMessage(bytes: Uint8Array): ReceivedSessionMessage {
  const versioned = bytes.subarray(0, -MAC_BYTES);
  const mac = bytes.subarray(-MAC_BYTES);
  const fields = decodeFields(versionedBody(versioned));
  return {
    ratchetKey: publicKey(required(bytesField(fields, 1))),
    counter: numberField(fields, 2) ?? 0,
    previousCounter: numberField(fields, 3) ?? 0,
    ciphertext: Uint8Array.from(required(bytesField(fields, 4))),
    isAuthentic: (macKey, sender, receiver) =>
      mac.length === MAC_BYTES && timingSafeEqual(mac, sessionMac(macKey, sender, receiver, versioned)),
  };
}

/**
 * The first messages of a session: a session message wrapped in what the other side needs to make
 * the session.
 */
export interface PreKeyMessage {
  registrationId: number;
  /** Absent when the bundle had no one-time pre-key. */
  preKeyId: number | undefined;
  signedPreKeyId: number;
  baseKey: Uint8Array;
  identityKey: Uint8Array;
  message: Uint8Array;
}

export function encodePreKeyMessage(message: PreKeyMessage): Uint8Array {
  const body = encodeFields([
    [1, message.preKeyId],
    [2, withPrefix(message.baseKey)],
    [3, withPrefix(message.identityKey)],
    [4, message.message],
    [5, message.registrationId],
    [6, message.signedPreKeyId],
  ]);
  return concat(Uint8Array.of(VERSION), body);
}

export function decodePreKeyMessage(bytes: Uint8Array): PreKeyMessage {
  const fields = decodeFields(versionedBody(bytes));
  return {
    preKeyId: numberField(fields, 1),
    baseKey: publicKey(required(bytesField(fields, 2))),
    identityKey: publicKey(required(bytesField(fields, 3))),
    message: Uint8Array.from(required(bytesField(fields, 4))),
    registrationId: numberField(fields, 5) ?? 0,
    signedPreKeyId: required(numberField(fields, 6)),
  };
}

export interface SenderKeyMessage {
  keyId: number;
  iteration: number;
  ciphertext: Uint8Array;
}

/** `sign` makes the 64-byte signature over everything before it. */
export function encodeSenderKeyMessage(
  message: SenderKeyMessage,
  sign: (signed: Uint8Array) => Uint8Array,
): Uint8Array {
  const body = encodeFields([
    [1, message.keyId],
    [2, message.iteration],
    [3, message.ciphertext],
  ]);
  const versioned = concat(Uint8Array.of(VERSION), body);
  return concat(versioned, sign(versioned));
}

export function decodeSenderKeyMessage(
  bytes: Uint8Array,
): SenderKeyMessage & { signed: Uint8Array; signature: Uint8Array } {
  const signed = bytes.subarray(0, -SIGNATURE_BYTES);
  const fields = decodeFields(versionedBody(signed));
  return {
    keyId: numberField(fields, 1) ?? 0,
    iteration: numberField(fields, 2) ?? 0,
    ciphertext: Uint8Array.from(required(bytesField(fields, 3))),
    signed,
    signature: bytes.subarray(-SIGNATURE_BYTES),
  };
}

/** What a group member tells the others so that they can read its group messages. */
export interface SenderKeyDistribution {
  keyId: number;
  iteration: number;
  chainKey: Uint8Array;
  signingKey: Uint8Array;
}

export function encodeSenderKeyDistribution(message: SenderKeyDistribution): Uint8Array {
  const body = encodeFields([
    [1, message.keyId],
    [2, message.iteration],
    [3, message.chainKey],
    [4, withPrefix(message.signingKey)],
  ]);
  return concat(Uint8Array.of(VERSION), body);
}

export function decodeSenderKeyDistribution(bytes: Uint8Array): SenderKeyDistribution {
  const fields = decodeFields(versionedBody(bytes));
  const chainKey = required(bytesField(fields, 3));
  if (chainKey.length !== 32) throw new SignalError('malformed');
  return {
    keyId: numberField(fields, 1) ?? 0,
    iteration: numberField(fields, 2) ?? 0,
    chainKey: Uint8Array.from(chainKey),
    signingKey: publicKey(required(bytesField(fields, 4))),
  };
}

function versionedBody(bytes: Uint8Array): Uint8Array {
  // High nibble: version of this message; low nibble: newest version the sender speaks.
  if (bytes.length < 2 || (bytes[0] ?? 0) >> 4 !== 3) throw new SignalError('malformed');
  return bytes.subarray(1);
}

function publicKey(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 32 && (bytes.length !== 33 || bytes[0] !== 5)) throw new SignalError('malformed');
  return Uint8Array.from(withoutPrefix(bytes));
}

function sessionMac(macKey: Uint8Array, sender: Uint8Array, receiver: Uint8Array, versioned: Uint8Array): Uint8Array {
  return hmacSha256(macKey, withPrefix(sender), withPrefix(receiver), versioned).subarray(0, MAC_BYTES);
}

/**
 * A message that arrived damaged: one bit of its MAC (msg) or signature (skmsg) is turned, the last
 * byte of either. A pre-key message carries another message with the MAC; what cannot be taken
 * apart is damaged at its end.
 */
export function breakMac(ciphertext: Uint8Array, isPreKeyMessage: boolean): Uint8Array {
  const broken = Uint8Array.from(ciphertext);
  const inner = isPreKeyMessage ? bytesField(decodeFields(versionedBody(broken)), 4) : broken;
  const target = inner && inner.length > 0 ? inner : broken;
  const last = target.length - 1;
  target[last] = (target[last] ?? 0) ^ 1;
  return broken;
}
