import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../test/memory-store.ts';
import { agree, generateKeyPair, keyPairFrom, sign, verify, withPrefix } from './curve.ts';
import { pad, unpad } from './padding.ts';
import { MAX_FORWARD_JUMP, MAX_SKIPPED_KEYS, takeMessageSeed } from './ratchet.ts';
import { SignalDevice } from './signal-device.ts';
import { SignalError } from './signal-error.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array) => new TextDecoder().decode(value);
const hex = (value: string) => Uint8Array.from(Buffer.from(value, 'hex'));
const because = (reason: string) => expect.objectContaining({ reason });

/** Repeatable "random" bytes. */
function seeded(seed: string) {
  let counter = 0;
  return (length: number): Uint8Array => {
    const blocks: Buffer[] = [];
    for (let have = 0; have < length; have += 32)
      blocks.push(createHash('sha256').update(`${seed}${counter++}`).digest());
    return Uint8Array.from(Buffer.concat(blocks).subarray(0, length));
  };
}

function device(name: string) {
  const store = memoryStore();
  return { store, signal: new SignalDevice(store, seeded(name)) };
}

function bundleOf(signal: SignalDevice) {
  const { identity, registrationId, signedPreKey } = signal;
  return { registrationId, identityKey: identity.publicKey, signedPreKey, preKey: signal.createPreKeys(1)[0] };
}

describe('curve25519', () => {
  it('agrees on the shared secret of RFC 7748, section 6.1', () => {
    const bob = keyPairFrom(hex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'));
    const alicePublicKey = hex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(bob.publicKey).toEqual(hex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'));
    expect(agree(bob.privateKey, withPrefix(alicePublicKey))).toEqual(
      hex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'),
    );
  });

  it('verifies its signatures and refuses a changed message, signature or key', () => {
    const random = seeded('signatures');
    for (let n = 0; n < 20; n++) {
      const keys = generateKeyPair(random);
      const message = random(n * 3);
      const signature = sign(keys.privateKey, message, random);
      expect(verify(withPrefix(keys.publicKey), message, signature)).toBe(true);
      expect(verify(keys.publicKey, bytes('other'), signature)).toBe(false);
      expect(verify(generateKeyPair(random).publicKey, message, signature)).toBe(false);
      expect(verify(keys.publicKey, message, random(64))).toBe(false);
    }
  });
});

describe('padding', () => {
  it('adds 1 to 16 bytes and takes them off again', () => {
    const random = seeded('padding');
    const lengths = new Set<number>();
    for (let n = 0; n < 300; n++) {
      const padded = pad(bytes('x'), random);
      lengths.add(padded.length - 1);
      expect(text(unpad(padded))).toBe('x');
    }
    expect([...lengths].sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, n) => n + 1));
    expect(() => unpad(new Uint8Array(3))).toThrow(because('malformed'));
    expect(() => unpad(Uint8Array.of(9))).toThrow(because('malformed'));
  });
});

describe('a Signal device', () => {
  it('keeps identity, pre-keys and sessions over a restart', () => {
    const alice = device('alice');
    const bob = device('bob');
    alice.signal.openSession('bob', bundleOf(bob.signal));
    const first = alice.signal.encrypt('bob', bytes('one'));
    const again = new SignalDevice(bob.store, seeded('bob after restart'));
    expect(again.identity).toEqual(bob.signal.identity);
    expect(text(again.decrypt('alice', first.type, first.ciphertext))).toBe('one');
    const aliceAgain = new SignalDevice(alice.store, seeded('alice after restart'));
    const back = again.encrypt('alice', bytes('two'));
    expect(text(aliceAgain.decrypt('bob', back.type, back.ciphertext))).toBe('two');
    expect(aliceAgain.encrypt('bob', bytes('three')).type).toBe('msg');
  });

  it('refuses a bundle whose signed pre-key is not signed by the identity', () => {
    const bundle = bundleOf(device('bob').signal);
    const forged = { ...bundle, signedPreKey: { ...bundle.signedPreKey, signature: new Uint8Array(64) } };
    const alice = device('alice');
    expect(() => alice.signal.openSession('bob', forged)).toThrow(because('bad_signature'));
    expect(alice.signal.hasSession('bob')).toBe(false);
  });

  it('says why a message cannot be read, and changes nothing then', () => {
    const alice = device('alice');
    const bob = device('bob');
    alice.signal.openSession('bob', bundleOf(bob.signal));
    const first = alice.signal.encrypt('bob', bytes('one'));
    const spoiled = Uint8Array.from(first.ciphertext);
    spoiled[spoiled.length - 20] = (spoiled[spoiled.length - 20] ?? 0) ^ 1;
    expect(() => bob.signal.decrypt('alice', 'pkmsg', spoiled)).toThrow(/./);
    expect(() => bob.signal.decrypt('alice', 'msg', first.ciphertext)).toThrow(because('no_session'));
    expect(text(bob.signal.decrypt('alice', 'pkmsg', first.ciphertext))).toBe('one');
    expect(() => bob.signal.decrypt('alice', 'pkmsg', first.ciphertext)).toThrow(because('duplicate'));
    expect(() => bob.signal.decrypt('alice', 'msg', bytes('nonsense and more of it'))).toThrow(because('malformed'));
    const back = bob.signal.encrypt('alice', bytes('two'));
    const badMac = Uint8Array.from(back.ciphertext);
    badMac[badMac.length - 1] = (badMac.at(-1) ?? 0) ^ 1;
    expect(() => alice.signal.decrypt('bob', 'msg', badMac)).toThrow(because('bad_mac'));
    expect(text(alice.signal.decrypt('bob', 'msg', back.ciphertext))).toBe('two');
  });

  it('settles on one session when both sides open one at the same time', () => {
    const alice = device('alice');
    const bob = device('bob');
    alice.signal.openSession('bob', bundleOf(bob.signal));
    bob.signal.openSession('alice', bundleOf(alice.signal));
    const fromAlice = alice.signal.encrypt('bob', bytes('me first'));
    const fromBob = bob.signal.encrypt('alice', bytes('no, me'));
    expect(text(alice.signal.decrypt('bob', fromBob.type, fromBob.ciphertext))).toBe('no, me');
    expect(text(bob.signal.decrypt('alice', fromAlice.type, fromAlice.ciphertext))).toBe('me first');
    for (let turn = 0; turn < 4; turn++) {
      const forth = alice.signal.encrypt('bob', bytes(`forth ${turn}`));
      expect(text(bob.signal.decrypt('alice', forth.type, forth.ciphertext))).toBe(`forth ${turn}`);
      const back = bob.signal.encrypt('alice', bytes(`back ${turn}`));
      expect(text(alice.signal.decrypt('bob', back.type, back.ciphertext))).toBe(`back ${turn}`);
    }
    expect(alice.signal.baseKeyOf('bob')).toEqual(bob.signal.baseKeyOf('alice'));
  });

  it('keeps its session record the same size however long the conversation is', () => {
    const alice = device('alice');
    const bob = device('bob');
    alice.signal.openSession('bob', bundleOf(bob.signal));
    const turn = (n: number) => {
      const forth = alice.signal.encrypt('bob', bytes(`forth ${n}`));
      bob.signal.decrypt('alice', forth.type, forth.ciphertext);
      const back = bob.signal.encrypt('alice', bytes(`back ${n}`));
      alice.signal.decrypt('bob', back.type, back.ciphertext);
    };
    for (let n = 0; n < 10; n++) turn(n);
    const early = alice.store.sizeBytes('session', 'bob');
    for (let n = 10; n < 200; n++) turn(n);
    expect(alice.store.sizeBytes('session', 'bob')).toBe(early);
    expect(early).toBeLessThan(1000);
  });

  it('reads the furthest allowed message of a chain and refuses the next one', () => {
    const chain = { key: new Uint8Array(32), counter: 0, skipped: [] };
    const taken = takeMessageSeed(chain, MAX_FORWARD_JUMP);
    expect(taken.chain.counter).toBe(MAX_FORWARD_JUMP + 1);
    expect(taken.chain.skipped).toHaveLength(MAX_SKIPPED_KEYS);
    expect(() => takeMessageSeed(chain, MAX_FORWARD_JUMP + 1)).toThrow(because('too_far_ahead'));
  });

  it('reads group messages after a new sender key and refuses unknown members and forged signatures', () => {
    const alice = device('alice');
    const bob = device('bob');
    const early = alice.signal.encryptGroup('g', bytes('early'));
    expect(() => bob.signal.decryptGroup('g', 'alice', early)).toThrow(because('no_sender_key'));
    bob.signal.acceptDistribution('g', 'alice', alice.signal.distribution('g'));
    expect(() => bob.signal.decryptGroup('g', 'alice', early)).toThrow(because('duplicate'));
    const one = alice.signal.encryptGroup('g', bytes('one'));
    const forged = Uint8Array.from(one);
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    expect(() => bob.signal.decryptGroup('g', 'alice', forged)).toThrow(because('bad_signature'));
    alice.signal.forgetSenderKey('g');
    bob.signal.acceptDistribution('g', 'alice', alice.signal.distribution('g'));
    const two = alice.signal.encryptGroup('g', bytes('two'));
    expect(text(bob.signal.decryptGroup('g', 'alice', two))).toBe('two');
    expect(text(bob.signal.decryptGroup('g', 'alice', one))).toBe('one');
  });

  it('answers damaged and hostile bytes with a SignalError and keeps working', () => {
    const random = seeded('fuzz');
    const alice = device('alice');
    const bob = device('bob');
    alice.signal.openSession('bob', bundleOf(bob.signal));
    bob.signal.acceptDistribution('g', 'alice', alice.signal.distribution('g'));
    const first = alice.signal.encrypt('bob', bytes('one')).ciphertext;
    const group = alice.signal.encryptGroup('g', bytes('to all'));
    const attempts: [(input: Uint8Array) => unknown, Uint8Array][] = [
      [(input) => bob.signal.decrypt('alice', 'pkmsg', input), first],
      [(input) => bob.signal.decrypt('alice', 'msg', input), first],
      [(input) => bob.signal.decryptGroup('g', 'alice', input), group],
      [(input) => bob.signal.acceptDistribution('g', 'mallory', input), alice.signal.distribution('g')],
      [(input) => unpad(input), pad(bytes('x'), random)],
    ];
    for (const [attempt, sound] of attempts) {
      for (let round = 0; round < 150; round++) {
        const [at = 0, bit = 0, cut = 0] = random(3);
        const damaged = Uint8Array.from(sound.subarray(0, cut < 64 ? cut : sound.length));
        damaged[at % Math.max(damaged.length, 1)] = (damaged[at % Math.max(damaged.length, 1)] ?? 0) ^ (1 << (bit % 8));
        try {
          attempt(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(SignalError);
        }
      }
    }
    const zeroKey = { ...bundleOf(bob.signal), preKey: { keyId: 1, publicKey: new Uint8Array(32) } };
    expect(() => alice.signal.openSession('bob', zeroKey)).toThrow(because('malformed'));
    const carol = device('carol');
    carol.signal.openSession('bob', bundleOf(bob.signal));
    const sound = carol.signal.encrypt('bob', bytes('still fine'));
    expect(text(bob.signal.decrypt('carol', 'pkmsg', sound.ciphertext))).toBe('still fine');
  });
});
