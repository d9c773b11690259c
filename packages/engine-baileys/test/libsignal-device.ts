import { createRequire } from 'node:module';
import type { CurveModule, SessionEntry, SessionRecord } from '../src/hardening/libsignal-modules.ts';

/**
 * libsignal as Baileys uses it. Whether it is the hardened one depends on what the test imported
 * before.
 */
interface Libsignal {
  curve: CurveModule;
  ProtocolAddress: new (name: string, deviceId: number) => { toString(): string };
  SessionRecord: { deserialize(data: unknown): SessionRecord & { serialize(): unknown } };
  SessionBuilder: new (storage: object, address: object) => { initOutgoing(bundle: Bundle): Promise<void> };
  SessionCipher: new (
    storage: object,
    address: object,
  ) => {
    encrypt(data: Buffer): Promise<{ type: number; body: Buffer }>;
    decryptWhisperMessage(message: Buffer): Promise<Buffer>;
    decryptPreKeyWhisperMessage(message: Buffer): Promise<Buffer>;
  };
}

export const libsignal: Libsignal = createRequire(import.meta.url)('libsignal');

export interface Bundle {
  registrationId: number;
  identityKey: Buffer;
  signedPreKey: { keyId: number; publicKey: Buffer; signature: Buffer };
}

/** A serialised session record as it reaches the key store. */
export interface StoredRecord {
  _sessions: Record<string, { _chains: Record<string, { messageKeys: Record<string, string> }> }>;
}

export interface Envelope {
  type: number;
  body: Buffer;
}

/** One device of a conversation, over libsignal's own classes and a store of JSON texts. */
export interface LibsignalDevice {
  readonly name: string;
  readonly bundle: Bundle;
  /** Starts a new session with the peer, as after a fetch of its pre-keys. */
  startSession(peer: LibsignalDevice): Promise<void>;
  encrypt(peer: LibsignalDevice, text: string): Promise<Envelope>;
  decrypt(peer: LibsignalDevice, envelope: Envelope): Promise<string>;
  /** The JSON text of the session record with the peer. */
  stored(peer: LibsignalDevice): string;
  sessions(peer: LibsignalDevice): SessionEntry[];
}

/** `onStore` sees and may change every serialised record on its way into the store. */
export function createLibsignalDevice(
  name: string,
  onStore: (record: StoredRecord) => StoredRecord = (record) => record,
): LibsignalDevice {
  const { curve, ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord } = libsignal;
  const identity = curve.generateKeyPair();
  const signedPreKey = curve.generateKeyPair();
  const records = new Map<string, string>();
  const storage = {
    loadSession: async (id: string) => {
      const text = records.get(id);
      return text === undefined ? undefined : SessionRecord.deserialize(JSON.parse(text));
    },
    storeSession: async (id: string, record: { serialize(): StoredRecord }) =>
      void records.set(id, JSON.stringify(onStore(record.serialize()))),
    isTrustedIdentity: () => true,
    loadPreKey: async () => undefined,
    removePreKey: async () => undefined,
    loadSignedPreKey: async () => signedPreKey,
    getOurRegistrationId: () => 1,
    getOurIdentity: () => identity,
  };
  const addressOf = (peer: LibsignalDevice) => new ProtocolAddress(peer.name, 0);
  const stored = (peer: LibsignalDevice) => records.get(`${peer.name}.0`) ?? '';
  return {
    name,
    bundle: {
      registrationId: 1,
      identityKey: identity.pubKey,
      signedPreKey: {
        keyId: 1,
        publicKey: signedPreKey.pubKey,
        signature: curve.calculateSignature(identity.privKey, signedPreKey.pubKey),
      },
    },
    startSession: (peer) => new SessionBuilder(storage, addressOf(peer)).initOutgoing(peer.bundle),
    encrypt: (peer, text) => new SessionCipher(storage, addressOf(peer)).encrypt(Buffer.from(text)),
    async decrypt(peer, { type, body }) {
      const cipher = new SessionCipher(storage, addressOf(peer));
      const plaintext = await (type === 3
        ? cipher.decryptPreKeyWhisperMessage(body)
        : cipher.decryptWhisperMessage(body));
      return plaintext.toString();
    },
    stored,
    sessions: (peer) => Object.values(SessionRecord.deserialize(JSON.parse(stored(peer))).sessions),
  };
}

/** One turn each way, which steps both ratchets. */
export async function meet(a: LibsignalDevice, b: LibsignalDevice): Promise<void> {
  await b.decrypt(a, await a.encrypt(b, 'there'));
  await a.decrypt(b, await b.encrypt(a, 'back'));
}
