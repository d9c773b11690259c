import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  verify as verifyEd,
} from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';

/**
 * Curve25519 for Signal and Noise: X25519 agreement and XEdDSA signatures over the same keys
 * (https://signal.org/docs/specifications/xeddsa/). Public keys here are the bare 32 bytes; on the
 * wire Signal puts a type byte 0x05 before them (see `withPrefix`), Noise does not.
 */
export interface KeyPair {
  publicKey: Uint8Array;
  privateKey: Uint8Array;
}

/** Where random bytes come from. */
export type RandomBytes = (length: number) => Uint8Array;

export class InvalidKeyError extends Error {
  override readonly name = 'InvalidKeyError';
}

export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
const KEY_TYPE_DJB = 5;

const { Fp, Fn, BASE } = ed25519.Point;

/** A new key pair; the private key is stored clamped, as every Signal library does. */
export function generateKeyPair(random: RandomBytes): KeyPair {
  return keyPairFrom(random(KEY_BYTES));
}

/** The key pair of a 32-byte private key (which is clamped first). */
export function keyPairFrom(privateKey: Uint8Array): KeyPair {
  if (privateKey.length !== KEY_BYTES)
    throw new InvalidKeyError(`a private key has 32 bytes, not ${privateKey.length}`);
  const clamped = Uint8Array.from(privateKey);
  clamped[0] = (clamped[0] ?? 0) & 248;
  clamped[31] = ((clamped[31] ?? 0) & 127) | 64;
  const publicKey = createPublicKey(importPrivate(clamped)).export({ format: 'raw-public' });
  return { privateKey: clamped, publicKey: Uint8Array.from(publicKey) };
}

/**
 * X25519. Accepts public keys with or without the type byte. Throws InvalidKeyError for low-order
 * points.
 */
export function agree(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const peer = importPublic('x25519', withoutPrefix(publicKey));
  try {
    return Uint8Array.from(diffieHellman({ privateKey: importPrivate(privateKey), publicKey: peer }));
  } catch (cause) {
    throw new InvalidKeyError('the public key is not usable for key agreement', { cause });
  }
}

/**
 * An XEdDSA signature (64 bytes). Two signatures of the same message differ: `random` supplies the
 * nonce's 64 bytes.
 */
export function sign(privateKey: Uint8Array, message: Uint8Array, random: RandomBytes): Uint8Array {
  const secret = Fn.create(littleEndian(privateKey));
  const point = BASE.multiply(secret).toBytes();
  // The signer's Edwards point is taken with sign 0; a key whose point has sign 1 is negated
  // (calculate_key_pair of the specification).
  const scalar = (point[31] ?? 0) & 128 ? Fn.neg(secret) : secret;
  point[31] = (point[31] ?? 0) & 127;
  const hashOnePrefix = new Uint8Array(32).fill(0xff);
  hashOnePrefix[0] = 0xfe;
  const nonce = hashToScalar(hashOnePrefix, toBytes(scalar), message, random(64));
  const commitment = BASE.multiply(nonce).toBytes();
  const challenge = hashToScalar(commitment, point, message);
  return concat(commitment, toBytes(Fn.add(nonce, Fn.mul(challenge, scalar))));
}

/**
 * True when `signature` is one of `publicKey` over `message`. Malformed keys and signatures are
 * false, never an exception.
 */
export function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  const bare = publicKey.length === 33 && publicKey[0] === KEY_TYPE_DJB ? publicKey.subarray(1) : publicKey;
  if (bare.length !== KEY_BYTES) return false;
  const u = Fp.create(littleEndian(bare) & ((1n << 255n) - 1n));
  if (Fp.eql(u, Fp.neg(Fp.ONE))) return false;
  const point = Uint8Array.from(Fp.toBytes(Fp.mul(Fp.sub(u, Fp.ONE), Fp.inv(Fp.add(u, Fp.ONE)))));
  // Older signers keep the sign of their Edwards point in the top bit of the signature; XEdDSA
  // leaves it 0. Both verify here.
  const plain = Uint8Array.from(signature);
  point[31] = (point[31] ?? 0) | ((plain[63] ?? 0) & 128);
  plain[63] = (plain[63] ?? 0) & 127;
  try {
    return verifyEd(null, message, importPublic('ed25519', point), plain);
  } catch {
    // OpenSSL refuses encodings that are no point of the curve: such a signature is simply not
    // valid.
    return false;
  }
}

/**
 * Signal's wire form of a public key: 0x05 and the 32 bytes. A key that already has it comes back
 * as it is.
 */
export function withPrefix(publicKey: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(KEY_TYPE_DJB), withoutPrefix(publicKey));
}

/**
 * The bare 32 bytes of a public key with or without Signal's type byte. Throws InvalidKeyError for
 * anything else.
 */
export function withoutPrefix(publicKey: Uint8Array): Uint8Array {
  if (publicKey.length === KEY_BYTES) return publicKey;
  if (publicKey.length === KEY_BYTES + 1 && publicKey[0] === KEY_TYPE_DJB) return publicKey.subarray(1);
  throw new InvalidKeyError(`a public key has 32 bytes, or 33 with the type byte 5, not ${publicKey.length}`);
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function importPrivate(privateKey: Uint8Array): KeyObject {
  if (privateKey.length !== KEY_BYTES)
    throw new InvalidKeyError(`a private key has 32 bytes, not ${privateKey.length}`);
  return createPrivateKey({ key: Buffer.from(privateKey), format: 'raw-private', asymmetricKeyType: 'x25519' });
}

function importPublic(asymmetricKeyType: 'x25519' | 'ed25519', bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.from(bytes), format: 'raw-public', asymmetricKeyType });
}

function hashToScalar(...parts: Uint8Array[]): bigint {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return Fn.create(littleEndian(hash.digest()));
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function toBytes(scalar: bigint): Uint8Array {
  return Uint8Array.from(Fn.toBytes(scalar));
}
