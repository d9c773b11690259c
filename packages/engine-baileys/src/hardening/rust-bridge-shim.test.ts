import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as shim from 'whatsapp-rust-bridge';
import * as original from 'whatsapp-rust-bridge-original';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const mac = fc.uint8Array({ minLength: 32, maxLength: 32 });
const RUNS = { numRuns: 300 };

describe('the stand-in for whatsapp-rust-bridge', () => {
  it('derives the same HKDF bytes as the original, with and without salt and info', () => {
    fc.assert(
      fc.property(
        bytes(200),
        fc.integer({ min: 0, max: 400 }),
        fc.option(bytes(100), { nil: undefined }),
        fc.option(fc.string({ unit: 'binary', maxLength: 80 }), { nil: undefined }),
        (key, length, salt, info) => {
          expect(shim.hkdf(key, length, { salt, info })).toEqual(original.hkdf(key, length, { salt, info }));
        },
      ),
      RUNS,
    );
  });

  it.each([0, 1, 31, 32, 33, 63, 64, 65, 112, 128, 8159, 8160])('derives the same %i bytes', (length) => {
    const key = Buffer.from('an input key');
    const options = { salt: Buffer.alloc(70, 7), info: 'é😀' };
    expect(shim.hkdf(key, length, options)).toEqual(original.hkdf(key, length, options));
  });

  it('takes an info of more than 1024 bytes and a key longer than the hash block like the original', () => {
    const options = { info: 'i'.repeat(3000), salt: new Uint8Array(0) };
    expect(shim.hkdf(Buffer.alloc(500, 3), 77, options)).toEqual(original.hkdf(Buffer.alloc(500, 3), 77, options));
  });

  it('gives the same MD5', () => {
    fc.assert(
      fc.property(bytes(300), (data) => {
        expect(shim.md5(data)).toEqual(original.md5(data));
      }),
      RUNS,
    );
    expect(shim.md5(new Uint8Array(0))).toEqual(original.md5(new Uint8Array(0)));
  });

  it('expands app-state keys to the same five keys, whatever the length of the key data', () => {
    fc.assert(
      fc.property(bytes(100), (keyData) => {
        const ours = shim.expandAppStateKeys(keyData);
        const theirs = original.expandAppStateKeys(keyData);
        for (const name of [
          'indexKey',
          'valueEncryptionKey',
          'valueMacKey',
          'snapshotMacKey',
          'patchMacKey',
        ] as const) {
          expect(ours[name], name).toEqual(theirs[name]);
        }
        theirs.free();
      }),
      RUNS,
    );
  });

  it('computes the same LT hash for any removals and additions and leaves the base as it was', () => {
    const lanes = fc.uint8Array({ minLength: 128, maxLength: 128 });
    const ours = new shim.LTHashAntiTampering();
    const theirs = new original.LTHashAntiTampering();
    fc.assert(
      fc.property(
        lanes,
        fc.array(mac, { maxLength: 6 }),
        fc.array(bytes(70), { maxLength: 6 }),
        (base, removed, added) => {
          const before = Uint8Array.from(base);
          expect(ours.subtractThenAdd(base, removed, added)).toEqual(theirs.subtractThenAdd(base, removed, added));
          expect(base).toEqual(before);
        },
      ),
      RUNS,
    );
    // Carry and borrow at the edges of every lane.
    for (const fill of [0x00, 0xff]) {
      const base = Buffer.alloc(128, fill);
      expect(ours.subtractThenAdd(base, [Buffer.alloc(32, 1)], [])).toEqual(
        theirs.subtractThenAdd(base, [Buffer.alloc(32, 1)], []),
      );
      expect(ours.subtractThenAdd(base, [], [Buffer.alloc(32, 1)])).toEqual(
        theirs.subtractThenAdd(base, [], [Buffer.alloc(32, 1)]),
      );
    }
    theirs.free();
  });

  it('undoes an addition by a subtraction of the same value', () => {
    const hash = new shim.LTHashAntiTampering();
    fc.assert(
      fc.property(fc.array(mac, { maxLength: 5 }), (macs) => {
        const base = new Uint8Array(128).fill(9);
        expect(hash.subtractThenAdd(hash.subtractThenAdd(base, [], macs), macs, [])).toEqual(base);
      }),
    );
  });

  it('refuses what is not bytes, a base of another length and an impossible output length', () => {
    const hash = new shim.LTHashAntiTampering();
    const notBytes = 'abc' as unknown as Uint8Array;
    expect(() => shim.hkdf(notBytes, 32, { info: '' })).toThrow(TypeError);
    expect(() => shim.md5(notBytes)).toThrow(TypeError);
    expect(() => hash.subtractThenAdd(new Uint8Array(128), [], [notBytes])).toThrow(TypeError);
    for (const length of [0, 127, 129]) {
      expect(() => hash.subtractThenAdd(new Uint8Array(length), [], [])).toThrow(/128 bytes/);
      expect(() =>
        original.LTHashAntiTampering.prototype.subtractThenAdd.call(
          new original.LTHashAntiTampering(),
          new Uint8Array(length),
          [],
          [],
        ),
      ).toThrow();
    }
    for (const length of [-1, 1.5, 8161, Number.NaN]) {
      expect(() => shim.hkdf(new Uint8Array(32), length, { info: '' })).toThrow(RangeError);
    }
  });

  it('is what Baileys loads', async () => {
    // Only ours refuses a string; the original hashes zero bytes instead.
    const { hkdf, md5 } = await import('baileys');
    const notBytes = 'abc' as unknown as Buffer;
    expect(() => md5(notBytes)).toThrow(TypeError);
    expect(() => hkdf(notBytes, 32, { info: '' })).toThrow(TypeError);
    expect(() => original.md5(notBytes)).not.toThrow();
  });
});
