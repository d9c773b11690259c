import './install.ts';
import { execFileSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import * as baileys from 'baileys';
import { addTransactionCapability, type BinaryNode, Curve, configureSuccessfulPairing, proto } from 'baileys';
import type { ILogger } from 'baileys/lib/Utils/logger.js';
import { describe, expect, it } from 'vitest';
import { assertHardened } from './assert-hardened.ts';
import { installHardening } from './install.ts';
import { curveModule } from './libsignal-modules.ts';

const silent: ILogger = {
  level: 'silent',
  child: () => silent,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

type Writes = { [type: string]: { [id: string]: unknown } | undefined };

/** A key store in memory that remembers every set(). */
function createStore() {
  const values = new Map<string, unknown>();
  const sets: Writes[] = [];
  const get = async (type: string, ids: string[]) =>
    Object.fromEntries(ids.flatMap((id) => (values.has(`${type}/${id}`) ? [[id, values.get(`${type}/${id}`)]] : [])));
  const set = async (writes: Writes) => {
    sets.push(writes);
    for (const [type, entries] of Object.entries(writes)) {
      for (const [id, value] of Object.entries(entries ?? {})) {
        if (value === null) values.delete(`${type}/${id}`);
        else values.set(`${type}/${id}`, value);
      }
    }
  };
  const store = { get, set } as unknown as baileys.SignalKeyStore;
  const keys = addTransactionCapability(store, silent, { maxCommitRetries: 1, delayBetweenTriesMs: 1 });
  return { keys, values, sets };
}

const uint = (value: number, length: number) => Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');

/** The answer to a pre-key fetch for one device, with the key forms of the wire (32 bare bytes). */
function bundleNode(jid: string, forge: (signature: Uint8Array) => Uint8Array = (signature) => signature): BinaryNode {
  const identity = Curve.generateKeyPair();
  const signedPreKey = Curve.generateKeyPair();
  const preKey = Curve.generateKeyPair();
  const signed = Buffer.concat([Buffer.of(5), signedPreKey.public]);
  const key = (id: number, value: Uint8Array): BinaryNode[] => [
    { tag: 'id', attrs: {}, content: uint(id, 3) },
    { tag: 'value', attrs: {}, content: value },
  ];
  const signature = forge(Curve.sign(identity.private, signed));
  const skey = [...key(2, signedPreKey.public), { tag: 'signature', attrs: {}, content: signature }];
  const user = [
    { tag: 'registration', attrs: {}, content: uint(77, 4) },
    { tag: 'identity', attrs: {}, content: identity.public },
    { tag: 'skey', attrs: {}, content: skey },
    { tag: 'key', attrs: {}, content: key(1, preKey.public) },
  ];
  return {
    tag: 'iq',
    attrs: {},
    content: [{ tag: 'list', attrs: {}, content: [{ tag: 'user', attrs: { jid }, content: user }] }],
  };
}

function createRepository() {
  const { keys, values } = createStore();
  const creds = baileys.initAuthCreds();
  const repository = baileys.DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds, keys }, silent);
  return { repository, values };
}

/** A pair-success stanza whose HMAC is right; `forge` changes the account signature. */
function pairSuccess(creds: baileys.AuthenticationCreds, forge: (signature: Uint8Array) => Uint8Array): BinaryNode {
  const account = Curve.generateKeyPair();
  const details = proto.ADVDeviceIdentity.encode({ rawId: 1, timestamp: 1, keyIndex: 1 }).finish();
  const signed = Buffer.concat([Buffer.of(6, 0), details, creds.signedIdentityKey.public]);
  const identity = proto.ADVSignedDeviceIdentity.encode({
    details,
    accountSignatureKey: account.public,
    accountSignature: forge(Curve.sign(account.private, signed)),
  }).finish();
  const hmac = createHmac('sha256', Buffer.from(creds.advSecretKey, 'base64')).update(identity).digest();
  const content = proto.ADVSignedDeviceIdentityHMAC.encode({ details: identity, hmac }).finish();
  const children: BinaryNode[] = [
    { tag: 'device-identity', attrs: {}, content },
    { tag: 'platform', attrs: { name: 'android' } },
    { tag: 'device', attrs: { jid: '15550001:1@s.whatsapp.net', lid: '100:1@lid' } },
  ];
  return { tag: 'iq', attrs: { id: '1' }, content: [{ tag: 'pair-success', attrs: {}, content: children }] };
}

const genuine = (signature: Uint8Array) => signature;
const random = () => randomBytes(64);

describe('Baileys on the hardening', () => {
  it('passes its own proof', () => {
    expect(() => assertHardened(baileys)).not.toThrow();
  });

  it('is found out when it was loaded before', () => {
    const script = fileURLToPath(new URL('../../test/late-install.fixture.ts', import.meta.url));
    const args = [script];
    const output = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 25_000 });
    expect(output).toMatch(
      /without its hardening \(a wrong signature was accepted\): import hardening\/install.ts before/,
    );
  });

  it('is installed once', () => {
    const before = { ...curveModule, decode: proto.CertChain.decode };
    installHardening();
    expect({ ...curveModule, decode: proto.CertChain.decode }).toEqual(before);
  });

  it('pairs with a phone whose account signature is right and refuses any other', () => {
    const creds = baileys.initAuthCreds();
    const { creds: update } = configureSuccessfulPairing(pairSuccess(creds, genuine), creds);
    expect(update.me?.id).toBe('15550001:1@s.whatsapp.net');
    expect(() => configureSuccessfulPairing(pairSuccess(creds, random), creds)).toThrow(
      'Failed to verify account signature',
    );
    const short = () => randomBytes(63);
    expect(() => configureSuccessfulPairing(pairSuccess(creds, short), creds)).toThrow(
      'Failed to verify account signature',
    );
  });

  it('starts a session with a signed pre-key and refuses one with another signature', async () => {
    const { repository, values } = createRepository();
    await baileys.parseAndInjectE2ESessions(bundleNode('15550002:3@s.whatsapp.net'), repository);
    expect(values.has('session/15550002.3')).toBe(true);
    const sent = await repository.encryptMessage({ jid: '15550002:3@s.whatsapp.net', data: Buffer.from('hello') });
    expect(sent.type).toBe('pkmsg');

    const forged = baileys.parseAndInjectE2ESessions(bundleNode('15550003@s.whatsapp.net', random), repository);
    await expect(forged).rejects.toMatchObject({ name: 'SignatureError' });
    expect(values.has('session/15550003.0')).toBe(false);
  });

  it('keeps nested transactions of two sockets apart', async () => {
    const [a, b] = [createStore(), createStore()];
    const put = (store: typeof a, id: string) => store.keys.set({ 'sender-key': { [id]: Buffer.from(id) } });
    const read = async (store: typeof a, id: string) => Object.keys(await store.keys.get('sender-key', [id]));
    await a.keys.transaction(async () => {
      await put(a, 'a1');
      expect(a.keys.isInTransaction()).toBe(true);
      expect(b.keys.isInTransaction()).toBe(false);
      await b.keys.transaction(async () => {
        await put(b, 'b1');
        await put(a, 'a2');
        expect([await read(a, 'b1'), await read(b, 'a1')]).toEqual([[], []]);
        expect([await read(a, 'a2'), await read(b, 'b1')]).toEqual([['a2'], ['b1']]);
      }, 'chat');
      // The inner transaction is committed to its own store, the outer one to none so far.
      expect([a.sets.length, b.sets.length]).toEqual([0, 1]);
      expect(b.keys.isInTransaction()).toBe(false);
    }, 'chat');
    expect([...a.values.keys()]).toEqual(['sender-key/a1', 'sender-key/a2']);
    expect([...b.values.keys()]).toEqual(['sender-key/b1']);
  });

  it('runs transactions of many sockets at once, each with its own writes in one commit', async () => {
    const stores = Array.from({ length: 40 }, () => createStore());
    await Promise.all(
      stores.map(({ keys }, i) =>
        keys.transaction(async () => {
          await keys.set({ 'sender-key': { [`${i}`]: Buffer.from('x') } });
          await new Promise((resolve) => setImmediate(resolve));
          await keys.set({ 'sender-key': { [`${i}+`]: Buffer.from('y') } });
        }, 'chat'),
      ),
    );
    expect(stores.map(({ sets }) => sets.length)).toEqual(stores.map(() => 1));
    expect(stores.map(({ values }) => [...values.keys()])).toEqual(
      stores.map((_, i) => [`sender-key/${i}`, `sender-key/${i}+`]),
    );
  });
});
