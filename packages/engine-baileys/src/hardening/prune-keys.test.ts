import './install.ts';
import { GroupCipher, GroupSessionBuilder, SenderKeyName, SenderKeyRecord } from 'baileys/lib/Signal/Group/index.js';
import { describe, expect, it } from 'vitest';
import { createLibsignalDevice, type Envelope, meet, type StoredRecord } from '../../test/libsignal-device.ts';
import {
  CLOSED_SESSIONS_KEPT,
  compactSenderKey,
  pruneKeys,
  pruneSession,
  RECEIVER_CHAINS_KEPT,
  SKIPPED_KEYS_KEPT,
} from './prune-keys.ts';

async function conversation(onStore?: (record: StoredRecord) => StoredRecord) {
  const alice = createLibsignalDevice('alice', onStore);
  const bob = createLibsignalDevice('bob', onStore);
  await alice.startSession(bob);
  await meet(alice, bob);
  return { alice, bob };
}

describe('pruneSession', () => {
  it('keeps a record under 10 KB over 4 000 turns, and both sides readable', async () => {
    const { alice, bob } = await conversation(pruneSession);
    for (let i = 0; i < 2000; i++) await meet(alice, bob);
    expect(alice.stored(bob).length).toBeLessThan(10_000);
    expect(bob.stored(alice).length).toBeLessThan(10_000);
    expect(await bob.decrypt(alice, await alice.encrypt(bob, 'still here'))).toBe('still here');
  });

  it('lets messages held up during the kept turns decrypt, and only older ones not', async () => {
    const { alice, bob } = await conversation(pruneSession);
    const held = [];
    for (let turn = 0; turn < RECEIVER_CHAINS_KEPT + 1; turn++) {
      held.push(await alice.encrypt(bob, `held ${turn}`), await alice.encrypt(bob, `held ${turn} too`));
      await meet(alice, bob);
    }
    const results = [];
    for (const envelope of held) results.push(await bob.decrypt(alice, envelope).catch(() => 'lost'));
    const expected = Array.from({ length: RECEIVER_CHAINS_KEPT + 1 }, (_, turn) => [
      `held ${turn}`,
      `held ${turn} too`,
    ]);
    expect(results).toEqual([['lost', 'lost'], ...expected.slice(1)].flat());
    await meet(alice, bob);
  });

  it('keeps the latest closed sessions and the open one, so a late message of those decrypts', async () => {
    const { alice, bob } = await conversation(pruneSession);
    const late = [];
    for (let i = 0; i < CLOSED_SESSIONS_KEPT + 5; i++) {
      late.push(await alice.encrypt(bob, `late ${i}`));
      await alice.startSession(bob);
      await bob.decrypt(alice, await alice.encrypt(bob, 'started'));
      await alice.decrypt(bob, await bob.encrypt(alice, 'confirmed'));
    }
    expect(bob.sessions(alice)).toHaveLength(CLOSED_SESSIONS_KEPT + 1);
    expect(bob.sessions(alice).filter((session) => session.indexInfo.closed === -1)).toHaveLength(1);
    expect(await bob.decrypt(alice, late.at(-1) ?? { type: 1, body: Buffer.alloc(0) })).toBe(
      `late ${CLOSED_SESSIONS_KEPT + 4}`,
    );
    await meet(alice, bob);
  });

  it('bounds the keys of skipped messages, dropping the oldest', async () => {
    let stored: StoredRecord | undefined;
    const { alice, bob } = await conversation((record) => {
      stored = pruneSession(record);
      return stored;
    });
    const envelopes: Envelope[] = [];
    for (let i = 0; i < 2 * SKIPPED_KEYS_KEPT; i++) envelopes.push(await alice.encrypt(bob, `${i}`));
    const read = async (index: number) => {
      const envelope = envelopes[index];
      return envelope ? bob.decrypt(alice, envelope).catch(() => 'lost') : 'missing';
    };
    // Two jumps, each within libsignal's own limit.
    expect(await read(SKIPPED_KEYS_KEPT - 10)).toBe(`${SKIPPED_KEYS_KEPT - 10}`);
    expect(await read(2 * SKIPPED_KEYS_KEPT - 20)).toBe(`${2 * SKIPPED_KEYS_KEPT - 20}`);
    const skipped = Object.values(stored?._sessions ?? {}).flatMap((session) =>
      Object.values(session._chains).map((chain) => Object.keys(chain.messageKeys).length),
    );
    expect(skipped.reduce((sum, count) => sum + count, 0)).toBe(SKIPPED_KEYS_KEPT);
    expect(await read(0)).toBe('lost');
    expect(await read(SKIPPED_KEYS_KEPT)).toBe(`${SKIPPED_KEYS_KEPT}`);
    expect(await read(2 * SKIPPED_KEYS_KEPT - 1)).toBe(`${2 * SKIPPED_KEYS_KEPT - 1}`);
  });

  it('changes nothing that is within its limits and never its input', async () => {
    const { alice, bob } = await conversation();
    for (let i = 0; i < 2; i++) await meet(alice, bob);
    const small = JSON.parse(alice.stored(bob));
    expect(pruneSession(small)).toBe(small);
    for (let i = 0; i < 10; i++) await meet(alice, bob);
    const large = JSON.parse(alice.stored(bob));
    expect(pruneSession(large)).not.toBe(large);
    expect(large).toEqual(JSON.parse(alice.stored(bob)));
  });

  it('passes on what is no session record', () => {
    for (const value of [null, undefined, new Uint8Array(3), 'text', { _sessions: null }]) {
      expect(pruneSession(value)).toBe(value);
    }
  });
});

/** A group member over Baileys' own group cipher, stored as Baileys' signalStorage does. */
function createMember(name: SenderKeyName, onStore: (record: Buffer) => Uint8Array) {
  let stored: Uint8Array | undefined;
  const store = {
    loadSenderKey: async () => (stored ? SenderKeyRecord.deserialize(stored) : new SenderKeyRecord()),
    storeSenderKey: async (_name: SenderKeyName, record: SenderKeyRecord) => {
      stored = onStore(Buffer.from(JSON.stringify(record.serialize()), 'utf8'));
    },
  };
  return {
    builder: new GroupSessionBuilder(store),
    cipher: new GroupCipher(store, name),
    size: () => stored?.length ?? 0,
  };
}

async function group(onStore: (record: Buffer) => Uint8Array) {
  const sender = { id: 'alice', deviceId: 0, toString: () => 'alice.0' };
  const name = new SenderKeyName('1@g.us', sender);
  const [alice, bob] = [createMember(name, onStore), createMember(name, onStore)];
  await bob.builder.process(name, await alice.builder.create(name));
  return { alice, bob };
}

const asBaileysDoes = (record: Buffer) => record;

describe('compactSenderKey', () => {
  it('keeps an own sender key the same size over 300 messages, all of which the group reads', async () => {
    const { alice, bob } = await group(compactSenderKey);
    const sizes = new Set<number>();
    for (let i = 0; i < 300; i++) {
      const message = await alice.cipher.encrypt(Buffer.from(`m${i}`));
      expect(Buffer.from(await bob.cipher.decrypt(message)).toString()).toBe(`m${i}`);
      sizes.add(alice.size());
    }
    expect(Math.max(...sizes)).toBeLessThan(400);
    const stock = await group(asBaileysDoes);
    for (let i = 0; i < 100; i++) await stock.alice.cipher.encrypt(Buffer.from('m'));
    expect(stock.alice.size()).toBeGreaterThan(10_000);
  });

  it('makes group messages out of order readable, which they are not as Baileys stores the key', async () => {
    const readAll = async ({ alice, bob }: Awaited<ReturnType<typeof group>>) => {
      const messages = [];
      for (let i = 0; i < 4; i++) messages.push(await alice.cipher.encrypt(Buffer.from(`m${i}`)));
      const read = [];
      for (const message of messages.toReversed()) {
        read.push(await bob.cipher.decrypt(message).then((plain) => Buffer.from(plain).toString(), String));
      }
      return read;
    };
    expect(await readAll(await group(compactSenderKey))).toEqual(['m3', 'm2', 'm1', 'm0']);
    expect(await readAll(await group(asBaileysDoes))).toEqual([
      'm3',
      ...Array(3).fill(expect.stringMatching(/Buffer/)),
    ]);
  });

  it('takes over a key that stock Baileys stored before', async () => {
    let isCompact = false;
    const { alice, bob } = await group((record) => (isCompact ? compactSenderKey(record) : record));
    for (let i = 0; i < 5; i++) await alice.cipher.encrypt(Buffer.from('before'));
    isCompact = true;
    for (const text of ['one', 'two']) {
      const plain = await bob.cipher.decrypt(await alice.cipher.encrypt(Buffer.from(text)));
      expect(Buffer.from(plain).toString()).toBe(text);
    }
  });

  it('passes on what is no sender key', () => {
    for (const value of [null, undefined, 'text', Buffer.from('not json'), Buffer.from('{}'), new Uint8Array(0)]) {
      expect(compactSenderKey(value)).toBe(value);
    }
  });
});

describe('pruneKeys', () => {
  it('works on one set() of the key store and leaves all other types alone', async () => {
    const { alice, bob } = await conversation();
    for (let i = 0; i < 20; i++) await meet(alice, bob);
    const record = JSON.parse(alice.stored(bob));
    const preKey = { public: new Uint8Array(32), private: new Uint8Array(32) };
    const writes = { session: { 'bob.0': record, 'eve.0': null }, 'sender-key': { g: null }, 'pre-key': { 1: preKey } };
    const pruned = pruneKeys(writes);
    expect(pruned.session).toEqual({ 'bob.0': pruneSession(record), 'eve.0': null });
    expect(pruned['sender-key']).toEqual({ g: null });
    expect(pruned['pre-key']).toBe(writes['pre-key']);
    expect(writes.session['bob.0']).toBe(record);
    const others = { 'pre-key': { 1: preKey } };
    expect(pruneKeys(others)).toBe(others);
  });
});
