import { type EngineStore, parseJid } from '@ponte/engine';
import { MemoryStore, type StoreWrite, type WriteFate } from '@ponte/engine/conformance';
import { describe, expect, it } from 'vitest';
import { initAuthCreds, proto } from '../baileys.ts';
import { decodeCreds, encodeCreds } from './credentials.ts';
import { decodeKey, encodeKey } from './key-codec.ts';
import { KeyTransactions } from './key-transactions.ts';
import { KeyVault } from './key-vault.ts';
import { LidMap } from './lid-map.ts';
import { StoreGuard } from './store-guard.ts';

const bytes = (...values: number[]): Buffer => Buffer.from(values);
const key = (fill: number): Buffer => Buffer.alloc(32, fill);

function pairedCreds() {
  const account = {
    details: bytes(1),
    accountSignatureKey: key(2),
    accountSignature: bytes(3),
    deviceSignature: bytes(4),
  };
  return { ...initAuthCreds(), me: { id: '15550001111:5@s.whatsapp.net', lid: '1001:5@lid' }, account };
}

/** A store that counts reads. */
function counted(store: EngineStore): EngineStore & { reads: number } {
  const counting = Object.assign(Object.create(store) as EngineStore, { reads: 0 });
  counting.get = (kind, ids) => {
    counting.reads += ids.length;
    return store.get(kind, ids);
  };
  for (const name of ['list', 'commit', 'findSealed', 'appendStanza', 'clear'] as const) {
    Object.assign(counting, { [name]: store[name].bind(store) });
  }
  return counting;
}

describe('key codec', () => {
  it.each([
    ['pre-key', { public: key(1), private: key(2) }],
    ['sender-key', Buffer.from('[{"senderKeyId":1}]')],
    ['identity-key', bytes(5, 6, 7)],
    ['session', { _sessions: { 'BQ==': { registrationId: 7, messageKeys: { 3: 'a', 12: 'b' } } }, version: 'v1' }],
    ['sender-key-memory', { '2002:1@lid': true }],
    ['app-state-sync-version', { version: 3, hash: bytes(9), indexValueMap: { 'a/b=': { valueMac: bytes(1, 2) } } }],
    ['lid-mapping', '2002'],
    ['device-list', ['0', '7']],
    ['tctoken', { token: bytes(1, 2, 3), timestamp: '170', senderTimestamp: 5 }],
  ])('gives back a %s as it was', (kind, value) => {
    expect(decodeKey(kind, encodeKey(kind, value))).toEqual(value);
  });

  it('keeps the order of a session, which is the age of its chains', () => {
    const session = { _chains: { zz: 1, aa: 2, mm: 3 } };
    expect(Object.keys((decodeKey('session', encodeKey('session', session)) as typeof session)._chains)).toEqual([
      'zz',
      'aa',
      'mm',
    ]);
  });

  it('keeps an app-state key as its protobuf', () => {
    const value = { keyData: key(1), fingerprint: { rawId: 1, currentIndex: 2 }, timestamp: 1700000000000 };
    const back = decodeKey('app-state-sync-key', encodeKey('app-state-sync-key', value));
    expect(
      proto.Message.AppStateSyncKeyData.toObject(back as proto.Message.AppStateSyncKeyData, { longs: Number }),
    ).toMatchObject(value);
  });

  it('refuses kinds and values it does not know', () => {
    expect(() => encodeKey('new-kind', 1)).toThrow('new-kind');
    expect(() => encodeKey('pre-key', { public: key(1), private: bytes(1) })).toThrow('32 bytes');
    expect(() => decodeKey('pre-key', key(1))).toThrow('length');
  });
});

describe('credentials', () => {
  it('come back whole', () => {
    const creds = pairedCreds();
    const back = decodeCreds(encodeCreds(creds));
    expect(back).toMatchObject({
      me: creds.me,
      registrationId: creds.registrationId,
      noiseKey: { private: creds.noiseKey.private },
      signedPreKey: { keyId: 1, signature: creds.signedPreKey.signature },
      advSecretKey: creds.advSecretKey,
    });
    expect(Buffer.from(back.account.accountSignature ?? [])).toEqual(bytes(3));
  });

  it('do not grow with history', () => {
    const creds = pairedCreds();
    creds.processedHistoryMessages = Array.from({ length: 500 }, () => ({
      key: { id: 'x'.repeat(100) },
      messageTimestamp: 1,
    }));
    expect(encodeCreds(creds).length).toBeLessThan(10_000);
  });

  it.each([
    ['no JSON', Buffer.from('garbage')],
    ['no object', Buffer.from('7')],
    ['no keys', Buffer.from('{}')],
    ['no account', encodeCreds({ ...pairedCreds(), account: undefined })],
    ['no own address', encodeCreds({ ...pairedCreds(), me: undefined })],
  ])('are refused when they are %s', (_what, stored) => {
    expect(() => decodeCreds(stored)).toThrow();
  });
});

describe('key vault', () => {
  it('reads what it wrote without asking the store, also what is not there', async () => {
    const store = counted(new MemoryStore().attach());
    const vault = new KeyVault(store);
    await vault.commit({ 'lid-mapping': { a: '1' } });
    expect(await vault.get('lid-mapping', ['a', 'b'])).toEqual({ a: '1' });
    expect(await vault.get('lid-mapping', ['a', 'b'])).toEqual({ a: '1' });
    expect(store.reads).toBe(1);
    await vault.commit({ 'lid-mapping': { a: null, b: '2' } });
    expect(await vault.get('lid-mapping', ['a', 'b'])).toEqual({ b: '2' });
    expect(store.reads).toBe(1);
    vault.forget();
    expect(await vault.get('lid-mapping', ['b'])).toEqual({ b: '2' });
    expect(store.reads).toBe(2);
  });

  it('does not keep what a read found while a write was under way', async () => {
    const memory = new MemoryStore();
    const store = counted(memory.attach());
    const vault = new KeyVault(store);
    const read = vault.get('lid-mapping', ['a']);
    await vault.commit({ 'lid-mapping': { a: 'new' } });
    await read;
    expect(await vault.get('lid-mapping', ['a'])).toEqual({ a: 'new' });
  });

  it('stays small', async () => {
    const store = counted(new MemoryStore().attach());
    const vault = new KeyVault(store);
    for (let index = 0; index < 600; index++) await vault.commit({ 'identity-key': { [index]: Buffer.alloc(2_000) } });
    await vault.get('identity-key', ['599']);
    expect(store.reads).toBe(0);
    await vault.get('identity-key', ['0']);
    expect(store.reads).toBe(1);
  });

  it('makes credentials durable before later keys, and writes them once', async () => {
    const order: string[] = [];
    const fate = ({ index }: StoreWrite): WriteFate => {
      order.push(`write ${index}`);
      return 'done';
    };
    const memory = new MemoryStore();
    const vault = new KeyVault(memory.attach(fate));
    const creds = pairedCreds();
    void vault.saveCreds(creds);
    void vault.saveCreds(creds);
    await vault.commit({ 'pre-key': { 1: { public: key(1), private: key(2) } } });
    expect(order).toEqual(['write 1', 'write 2']);
    expect([...memory.keys.keys()]).toEqual(['creds', 'pre-key']);
    creds.nextPreKeyId = 9;
    await vault.saveCreds(creds);
    expect(order).toHaveLength(3);
  });

  it('rejects a commit when the credentials before it did not become durable', async () => {
    const vault = new KeyVault(new MemoryStore().attach(({ index }) => (index === 1 ? 'refused' : 'done')));
    const saved = vault.saveCreds(pairedCreds());
    await expect(vault.commit({ 'lid-mapping': { a: '1' } })).rejects.toThrow('disk is full');
    await expect(saved).rejects.toThrow('disk is full');
  });
});

describe('store guard', () => {
  it('never rejects: it tells of the failure once and lets everybody wait', async () => {
    const failures: unknown[] = [];
    const vault = new KeyVault(new MemoryStore().attach(() => 'refused'));
    const guard = new StoreGuard(
      vault,
      (cause) => failures.push(cause),
      () => {},
    );
    const outcomes: string[] = [];
    void guard.commit({ 'lid-mapping': { a: '1' } }).then(
      () => outcomes.push('commit'),
      () => outcomes.push('rejected'),
    );
    void guard.commit({ 'lid-mapping': { b: '1' } }).then(
      () => outcomes.push('commit'),
      () => outcomes.push('rejected'),
    );
    await vault.settled();
    await new Promise((resolve) => setImmediate(resolve));
    void guard.get('lid-mapping', ['a']).then(() => outcomes.push('get'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(outcomes).toEqual([]);
    expect(failures).toHaveLength(1);
  });
});

describe('transactions', () => {
  const setUp = () => {
    const memory = new MemoryStore();
    const handle = memory.attach();
    const fail = (cause: unknown) => {
      throw cause;
    };
    const guard = new StoreGuard(new KeyVault(handle), fail, () => {});
    const lids = new Map([['15550002222@s.whatsapp.net', '2002@lid']]);
    const keys = new KeyTransactions(guard, async (pn) => lids.get(`${parseJid(pn)?.user}@s.whatsapp.net`));
    return { memory, handle, keys };
  };
  const session = (value: number) => ({ session: { peer: { value } } });
  const envelope = { hash: 'h', stanza: bytes(1), encIndex: 0, plaintext: bytes(2) };

  it('write everything at once, with the envelope', async () => {
    const { memory, handle, keys } = setUp();
    await keys.transaction(async () => {
      await keys.set(session(1));
      await keys.transaction(async () => keys.set({ 'identity-key': { peer: bytes(7) } }), 'other');
      keys.seal(envelope);
      expect(handle.writes).toBe(0);
      expect(await keys.get('identity-key', ['peer'])).toEqual({ peer: bytes(7) });
    }, 'peer');
    expect(handle.writes).toBe(1);
    expect(memory.rows).toHaveLength(1);
    expect(keys.isInTransaction()).toBe(false);
  });

  it('write nothing when the work fails', async () => {
    const { handle, keys } = setUp();
    const failing = keys.transaction(async () => {
      await keys.set(session(1));
      keys.seal(envelope);
      throw new Error('bad MAC');
    }, 'peer');
    await expect(failing).rejects.toThrow('bad MAC');
    expect(handle.writes).toBe(0);
  });

  it('of one person exclude each other, by whichever address and device', async () => {
    const { keys } = setUp();
    const order: string[] = [];
    const slow = async (name: string, jid: string) =>
      keys.transaction(async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} ends`);
      }, jid);
    await Promise.all([
      slow('number', '15550002222:3@s.whatsapp.net'),
      slow('lid', '2002@lid'),
      slow('device', '2002:9@lid'),
      slow('other', '3003@lid'),
    ]);
    const ofOne = order.filter((entry) => !entry.startsWith('other'));
    expect(ofOne).toHaveLength(6);
    for (let index = 0; index < 6; index += 2) {
      expect(ofOne[index + 1]).toBe(ofOne[index]?.replace('begins', 'ends'));
    }
    expect(order.indexOf('other begins')).toBeLessThan(order.lastIndexOf('number begins'));
  });
});

describe('LID map', () => {
  it('finds both ways, and follows a number that moved', async () => {
    const memory = new MemoryStore();
    const handle = memory.attach();
    const lids = new LidMap(new KeyVault(handle));
    const pn = '15550002222@s.whatsapp.net';
    expect(await lids.learn([{ lid: '2002@lid', pn }])).toHaveLength(1);
    expect(await lids.learn([{ lid: '2002:4@lid', pn: '15550002222:4@s.whatsapp.net' }])).toEqual([]);
    expect(handle.writes).toBe(1);
    expect(await lids.lidOf(pn)).toBe('2002@lid');
    expect(await lids.pnOf('2002@lid')).toBe(pn);
    await lids.learn([{ lid: '3003@lid', pn }]);
    expect(await lids.lidOf(pn)).toBe('3003@lid');
    expect(await lids.pnOf('2002@lid')).toBeUndefined();
    expect(await lids.pnOf('3003@lid')).toBe(pn);
  });
});
