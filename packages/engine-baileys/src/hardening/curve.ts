import {
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  verify as ed25519Verify,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { CurveModule, SignalKeyPair } from './libsignal-modules.ts';

/**
 * Curve25519 as libsignal needs it: X25519 agreement and XEdDSA signatures
 * (https://signal.org/docs/specifications/xeddsa/) over one and the same key. OpenSSL does the
 * agreement and the verification, @noble/curves the signature (OpenSSL takes no ready-made Ed25519
 * scalar).
 *
 * Keys go in and out as libsignal has them: private keys are 32 bytes, public keys 33 with the type
 * byte 5; 32 bare bytes are taken as well, without libsignal's warning on the console. Wrong
 * lengths throw.
 */

/**
 * A signature that does not match. Thrown where libsignal returns false, because Baileys and
 * libsignal ignore that false.
 */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
}

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const KEY_TYPE = 5;
const NONCE_BYTES = 64;
/** hash_1 of XEdDSA: SHA-512 behind the little-endian number 2^256 - 2. */
const HASH_ONE = Buffer.alloc(KEY_BYTES, 0xff);
HASH_ONE[0] = 0xfe;

const { BASE, Fp, Fn } = ed25519.Point;

/**
 * u coordinates of the points of order 1, 2, 4 and 8 (https://cr.yp.to/ecdh.html#validate) and of
 * -1, which no Edwards point has. Valid signatures under such a "key" can be made without any
 * secret, so none of them is accepted.
 */
const LOW_ORDER_U: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  Fp.neg(Fp.ONE),
]);

let lastAgreedPeer: Uint8Array | undefined;

/**
 * The bare 32 bytes of the peer key of the latest agreement, once: a second call gives undefined
 * until the next agreement.
 *
 * Meant for synchronous code that runs right behind an agreement (see `noise-certificate.ts`):
 * nothing can come in between as long as that code does not await.
 */
export function takeLastAgreedPeer(): Uint8Array | undefined {
  const peer = lastAgreedPeer;
  lastAgreedPeer = undefined;
  return peer;
}

/**
 * libsignal's curve functions, each with the same results as the original but for what
 * `verifySignature` says.
 */
export const curve: CurveModule = {
  /** The public key (33 bytes) of a private key, which need not be clamped. */
  getPublicFromPrivateKey(privateKey) {
    return withType(createPublicKey(importPrivate(privateKey)).export({ format: 'raw-public' }));
  },

  // Not by generateKeyPairSync: on Node 20 the garbage collector can lock the key it made while
  // export() holds that lock, and the process hangs for good (~KeyGenJob under ExportJWK; seen
  // after some ten thousand keys).
  generateKeyPair(): SignalKeyPair {
    const privKey = clamp(randomBytes(KEY_BYTES));
    return { pubKey: curve.getPublicFromPrivateKey(privKey), privKey };
  },

  /**
   * X25519, 32 bytes. Throws for points of low order: the secret would be zeros whatever the
   * private key.
   */
  calculateAgreement(publicKey, privateKey) {
    const peer = bareKey(publicKey);
    const secret = diffieHellman({ privateKey: importPrivate(privateKey), publicKey: importPublic('x25519', peer) });
    lastAgreedPeer = Uint8Array.from(peer);
    return secret;
  },

  /**
   * XEdDSA, 64 bytes. Randomised: two signatures of one message differ (libsignal's are
   * deterministic).
   */
  calculateSignature(privateKey, message) {
    assertBytes(privateKey, KEY_BYTES, 'private key');
    assertBytes(message, undefined, 'message');
    const secret = Fn.create(littleEndian(clamp(privateKey)));
    const point = Buffer.from(BASE.multiply(secret).toBytes());
    const isNegative = (point[31] ?? 0) >= 0x80;
    point[31] = (point[31] ?? 0) & 0x7f;
    const a = isNegative ? Fn.neg(secret) : secret;
    const r = hashToScalar(HASH_ONE, Fn.toBytes(a), message, randomBytes(NONCE_BYTES));
    const commitment = BASE.multiply(r).toBytes();
    const s = Fn.add(r, Fn.mul(hashToScalar(commitment, point, message), a));
    return Buffer.concat([commitment, Fn.toBytes(s)]);
  },

  /**
   * Returns true or throws: SignatureError when the signature does not match, whatever `isInit`
   * says. libsignal returns false, which Baileys' Curve.verify ignores, and with `isInit` (signed
   * pre-key of an outgoing session) it does not look at all. Stricter than the original on input no
   * honest signer makes: s >= L, u >= p and keys of low order do not match.
   */
  verifySignature(publicKey, message, signature) {
    const key = bareKey(publicKey);
    assertBytes(message, undefined, 'message');
    assertBytes(signature, SIGNATURE_BYTES, 'signature');
    if (!isSignatureOf(key, message, signature)) throw new SignatureError('signature does not match');
    return true;
  },
};

function isSignatureOf(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const u = littleEndian(key);
  if (u >= Fp.ORDER || LOW_ORDER_U.has(u)) return false;
  // Birational map of RFC 7748 section 4.1. The map loses the sign of x; older signers (and
  // libsignal) put it into the top bit of the signature, XEdDSA always uses the point with sign 0.
  const point = Buffer.from(Fp.toBytes(Fp.mul(Fp.sub(u, Fp.ONE), Fp.inv(Fp.add(u, Fp.ONE)))));
  const plain = Buffer.from(signature);
  point[31] = (point[31] ?? 0) | ((plain[63] ?? 0) & 0x80);
  plain[63] = (plain[63] ?? 0) & 0x7f;
  return ed25519Verify(null, message, importPublic('ed25519', point), plain);
}

/** RFC 7748 section 5, decodeScalar25519. */
function clamp(privateKey: Uint8Array): Buffer {
  const clamped = Buffer.from(privateKey);
  clamped[0] = (clamped[0] ?? 0) & 248;
  clamped[31] = ((clamped[31] ?? 0) & 127) | 64;
  return clamped;
}

function hashToScalar(...parts: Uint8Array[]): bigint {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return Fn.create(littleEndian(hash.digest()));
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function importPrivate(privateKey: Uint8Array): KeyObject {
  assertBytes(privateKey, KEY_BYTES, 'private key');
  return createPrivateKey({ key: bufferOf(privateKey), format: 'raw-private', asymmetricKeyType: 'x25519' });
}

function importPublic(asymmetricKeyType: 'x25519' | 'ed25519', bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: bufferOf(bytes), format: 'raw-public', asymmetricKeyType });
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bareKey(publicKey: Uint8Array): Uint8Array {
  if (publicKey instanceof Uint8Array) {
    if (publicKey.length === KEY_BYTES) return publicKey;
    if (publicKey.length === KEY_BYTES + 1 && publicKey[0] === KEY_TYPE) return publicKey.subarray(1);
  }
  throw new TypeError('invalid public key: give 32 bytes, or 33 with the type byte 5');
}

function withType(publicKey: Buffer): Buffer {
  return Buffer.concat([Buffer.of(KEY_TYPE), publicKey]);
}

function assertBytes(value: Uint8Array, length: number | undefined, name: string): void {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) {
    throw new TypeError(`invalid ${name}: give ${length === undefined ? '' : `${length} `}bytes`);
  }
}
