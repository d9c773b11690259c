import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { curve, SignatureError, takeLastAgreedPeer } from './curve.ts';
// Nothing here installs the hardening, so this is libsignal as it came.
import { curveModule as original } from './libsignal-modules.ts';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const message = fc.uint8Array({ minLength: 1, maxLength: 120 }).map((bytes) => Buffer.from(bytes));
const FAST = { numRuns: 300 };
// libsignal needs 5 ms for each signature and each verification.
const SLOW = { numRuns: 60 };

const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => Buffer.from(hex, 'hex'));
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

function typed(publicKey: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(5), publicKey]);
}

function accepts(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}

afterEach(() => vi.restoreAllMocks());

describe('the curve functions put in place of libsignal’s', () => {
  it('derive the same public key from any private key, clamped or not', () => {
    fc.assert(
      fc.property(key, (secret) => {
        expect(curve.getPublicFromPrivateKey(secret)).toEqual(original.getPublicFromPrivateKey(secret));
      }),
      SLOW,
    );
  });

  it('make key pairs of libsignal’s form whose halves belong together for both', () => {
    for (const pair of [curve.generateKeyPair(), original.generateKeyPair()]) {
      expect(pair.privKey).toHaveLength(32);
      expect(pair.pubKey).toHaveLength(33);
      expect(pair.pubKey[0]).toBe(5);
      expect(curve.getPublicFromPrivateKey(pair.privKey)).toEqual(pair.pubKey);
      expect(original.getPublicFromPrivateKey(pair.privKey)).toEqual(pair.pubKey);
    }
  });

  it('make 10 000 key pairs under a busy garbage collector without the hang of node’s generator', () => {
    // generateKeyPairSync with export() hangs here for ever before the 5 000th, on Node 20.
    const script = `const { curve } = await import(${JSON.stringify(new URL('./curve.ts', import.meta.url).href)});
      for (let i = 0; i < 10_000; i++) curve.generateKeyPair();
      console.log('done');`;
    const args = ['--max-semi-space-size=1', '--input-type=module', '--eval', script];
    expect(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 25_000 })).toBe('done\n');
  });

  it('agree on the same secret for any key bytes, with and without the type byte', () => {
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    fc.assert(
      fc.property(key, key, (peer, secret) => {
        const theirs = original.calculateAgreement(typed(peer), secret);
        expect(curve.calculateAgreement(typed(peer), secret)).toEqual(theirs);
        expect(curve.calculateAgreement(peer, secret)).toEqual(theirs);
      }),
      FAST,
    );
    expect(console.error).not.toHaveBeenCalled();
  });

  it('sign what libsignal verifies, for any private key', () => {
    fc.assert(
      fc.property(key, message, (secret, data) => {
        const signature = curve.calculateSignature(secret, data);
        const publicKey = curve.getPublicFromPrivateKey(secret);
        expect(signature).toHaveLength(64);
        expect(original.verifySignature(publicKey, data, signature)).toBe(true);
        expect(curve.verifySignature(publicKey, data, signature)).toBe(true);
      }),
      SLOW,
    );
  });

  it('verify what libsignal signs, whichever sign its Edwards point has', () => {
    const signBits = new Set<number>();
    fc.assert(
      fc.property(key, message, (secret, data) => {
        const signature = original.calculateSignature(secret, data);
        signBits.add((signature[63] ?? 0) & 0x80);
        const publicKey = curve.getPublicFromPrivateKey(secret);
        expect(curve.verifySignature(publicKey, data, signature)).toBe(true);
        expect(curve.verifySignature(publicKey.subarray(1), data, signature)).toBe(true);
      }),
      SLOW,
    );
    expect([...signBits].sort()).toEqual([0, 0x80]);
  });

  it('refuse a signature, message or key changed in any bit, as libsignal does', () => {
    const { pubKey, privKey } = curve.generateKeyPair();
    const data = Buffer.from('thirty-two bytes of some message');
    const signature = curve.calculateSignature(privKey, data);
    const parts = { signature, data, publicKey: pubKey.subarray(1) };
    fc.assert(
      fc.property(fc.constantFrom('signature', 'data', 'publicKey'), fc.nat(64 * 8 - 1), (name, bit) => {
        const changed = { ...parts, [name]: Buffer.from(parts[name]) };
        const at = bit % (changed[name].length * 8);
        changed[name][at >> 3] = (changed[name][at >> 3] ?? 0) ^ (1 << (at & 7));
        const isTopBitOfKey = name === 'publicKey' && at === 255;
        expect(() => curve.verifySignature(changed.publicKey, changed.data, changed.signature)).toThrow(SignatureError);
        // libsignal ignores the top bit of the key; no honest key has it.
        const theirs = accepts(() =>
          original.verifySignature(typed(changed.publicKey), changed.data, changed.signature),
        );
        expect(theirs).toBe(isTopBitOfKey);
      }),
      SLOW,
    );
  });

  it('throw for a wrong signature even under the "initial" flag, where libsignal says true unseen', () => {
    const { pubKey } = curve.generateKeyPair();
    const garbage = Buffer.alloc(64, 7);
    const data = Buffer.from('a signed pre-key');
    expect(original.verifySignature(pubKey, data, garbage, true)).toBe(true);
    expect(original.verifySignature(pubKey, data, garbage)).toBe(false);
    expect(() => curve.verifySignature(pubKey, data, garbage, true)).toThrow(SignatureError);
  });

  it('refuse a malleated signature (s + L)', () => {
    const { pubKey, privKey } = curve.generateKeyPair();
    const data = Buffer.from('message');
    const signature = curve.calculateSignature(privKey, data);
    const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + GROUP_ORDER;
    const malleated = Buffer.concat([
      signature.subarray(0, 32),
      Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse(),
    ]);
    expect(() => curve.verifySignature(pubKey, data, malleated)).toThrow(SignatureError);
  });

  it('give no secret and accept no signature for points of low order', () => {
    const { privKey } = curve.generateKeyPair();
    // The identity as commitment and s = 0 is what makes low-order keys "sign" any message.
    const forged = Buffer.alloc(64);
    forged[0] = 1;
    for (const point of LOW_ORDER) {
      expect(() => original.calculateAgreement(typed(point), privKey)).toThrow();
      expect(() => curve.calculateAgreement(typed(point), privKey)).toThrow();
      for (const data of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((text) => Buffer.from(text))) {
        expect(() => curve.verifySignature(typed(point), data, forged)).toThrow(SignatureError);
      }
    }
  });

  it('never accept random bytes as key and signature, and never crash on them', () => {
    const signature = fc.uint8Array({ minLength: 64, maxLength: 64 });
    fc.assert(
      fc.property(key, message, signature, (publicKey, data, bytes) => {
        expect(() => curve.verifySignature(publicKey, data, bytes)).toThrow(SignatureError);
      }),
      FAST,
    );
  });

  it('refuse keys and signatures of any other length', () => {
    const { pubKey, privKey } = curve.generateKeyPair();
    const data = Buffer.from('message');
    const signature = curve.calculateSignature(privKey, data);
    const wrongType = Buffer.from(pubKey);
    wrongType[0] = 6;
    for (const bad of [Buffer.alloc(0), Buffer.alloc(31), Buffer.alloc(33), Buffer.alloc(34), wrongType]) {
      expect(() => curve.calculateAgreement(bad, privKey)).toThrow(/public key/);
      expect(() => curve.verifySignature(bad, data, signature)).toThrow(/public key/);
      expect(() => original.calculateAgreement(bad, privKey)).toThrow();
    }
    for (const bad of [Buffer.alloc(0), Buffer.alloc(31), Buffer.alloc(33)]) {
      expect(() => curve.calculateAgreement(pubKey, bad)).toThrow(/private key/);
      expect(() => curve.calculateSignature(bad, data)).toThrow(/private key/);
      expect(() => curve.getPublicFromPrivateKey(bad)).toThrow(/private key/);
    }
    for (const length of [0, 63, 65]) {
      expect(() => curve.verifySignature(pubKey, data, Buffer.alloc(length))).toThrow(/signature/);
    }
    const nothing = undefined as unknown as Buffer;
    expect(() => curve.calculateAgreement(nothing, privKey)).toThrow(TypeError);
    expect(() => curve.calculateAgreement(pubKey, nothing)).toThrow(TypeError);
    expect(() => curve.verifySignature(pubKey, data, nothing)).toThrow(TypeError);
    expect(() => curve.verifySignature(pubKey, nothing, signature)).toThrow(TypeError);
  });

  it('take a view into a larger buffer for what it shows', () => {
    const { pubKey, privKey } = curve.generateKeyPair();
    const peer = curve.generateKeyPair();
    const around = Buffer.concat([Buffer.alloc(9, 1), pubKey, Buffer.alloc(9, 2)]);
    const view = new Uint8Array(around.buffer, around.byteOffset + 9, 33);
    expect(curve.calculateAgreement(view, peer.privKey)).toEqual(curve.calculateAgreement(peer.pubKey, privKey));
  });

  it('remember the peer of the latest agreement for one question', () => {
    const { pubKey } = curve.generateKeyPair();
    curve.calculateAgreement(curve.generateKeyPair().pubKey, curve.generateKeyPair().privKey);
    curve.calculateAgreement(pubKey, curve.generateKeyPair().privKey);
    expect(takeLastAgreedPeer()).toEqual(new Uint8Array(pubKey.subarray(1)));
    expect(takeLastAgreedPeer()).toBeUndefined();
  });
});
