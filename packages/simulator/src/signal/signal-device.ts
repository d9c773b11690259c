import {
  generateKeyPair,
  InvalidKeyError,
  type KeyPair,
  keyPairFrom,
  type RandomBytes,
  sign,
  withPrefix,
} from './curve.ts';
import { bytesField, decodeFields, encodeFields, numberField, required } from './fields.ts';
import { decodePreKeyMessage, decodeSenderKeyDistribution, encodePreKeyMessage } from './messages.ts';
import { encryptWith } from './ratchet.ts';
import {
  createSenderKey,
  decodeSenderKeys,
  decryptFromGroup,
  distributionOf,
  encodeSenderKeys,
  encryptForGroup,
  withDistribution,
} from './sender-key.ts';
import { acceptSession, beginSession, type PreKeyBundle, type Session } from './session.ts';
import {
  decodeRecord,
  decryptWithRecord,
  emptyRecord,
  encodeRecord,
  type SessionRecord,
  sessionWithBaseKey,
  withCurrent,
} from './session-record.ts';
import { SignalError } from './signal-error.ts';

/** Durable state of one device: what Signal needs of a store. */
export interface SignalStore {
  get(kind: string, id: string): Uint8Array | undefined;
  set(kind: string, id: string, value: Uint8Array | null): void;
  transaction<T>(work: () => T): T;
}

export interface SignedPreKey extends KeyPair {
  keyId: number;
  signature: Uint8Array;
}

const SIGNED_PRE_KEY_ID = 1;
const MAX_PRE_KEY_ID = 0xfffffe;

/**
 * One device's end of Signal: its identity, its pre-keys and its sessions, all in the store.
 * Addresses are any stable text that names one remote device. Every call is one transaction: after
 * a SignalError nothing has changed.
 */
export class SignalDevice {
  readonly identity: KeyPair;
  readonly registrationId: number;
  readonly signedPreKey: SignedPreKey;
  readonly #store: SignalStore;
  readonly #random: RandomBytes;

  /** Opens the device in the store; a new identity is made when the store has none. */
  constructor(store: SignalStore, random: RandomBytes) {
    this.#store = store;
    this.#random = random;
    const stored = store.get('identity', 'own');
    const fields = decodeFields(stored ?? this.#createIdentity());
    this.identity = keyPairFrom(required(bytesField(fields, 1)));
    this.registrationId = required(numberField(fields, 2));
    const signedPreKey = keyPairFrom(required(bytesField(fields, 3)));
    this.signedPreKey = {
      ...signedPreKey,
      keyId: SIGNED_PRE_KEY_ID,
      signature: Uint8Array.from(required(bytesField(fields, 4))),
    };
  }

  /**
   * Makes and stores `count` one-time pre-keys; ids go on from the last ones and wrap at 24 bits.
   */
  createPreKeys(count: number): { keyId: number; publicKey: Uint8Array }[] {
    return this.#store.transaction(() => {
      const counter = this.#store.get('pre-key-counter', 'next');
      let keyId = counter ? Buffer.from(counter).readUInt32BE() : 1;
      const created: { keyId: number; publicKey: Uint8Array }[] = [];
      for (let made = 0; made < count; made++) {
        const pair = generateKeyPair(this.#random);
        this.#store.set('pre-key', String(keyId), pair.privateKey);
        created.push({ keyId, publicKey: pair.publicKey });
        keyId = keyId >= MAX_PRE_KEY_ID ? 1 : keyId + 1;
      }
      const stored = Buffer.alloc(4);
      stored.writeUInt32BE(keyId);
      this.#store.set('pre-key-counter', 'next', stored);
      return created;
    });
  }

  /** True when encrypt() would work. */
  hasSession(address: string): boolean {
    return this.#record(address).current?.sending !== undefined;
  }

  /** Identity key of the device at this address as the session in use knows it. */
  identityOf(address: string): Uint8Array | undefined {
    return this.#record(address).current?.remoteIdentityKey;
  }

  /** Base key of the session in use: it changes whenever a new session replaced it. */
  baseKeyOf(address: string): Uint8Array | undefined {
    return this.#record(address).current?.baseKey;
  }

  /**
   * Begins a session from a key bundle; an older one is kept for late messages. Throws SignalError
   * (bad_signature, malformed).
   */
  openSession(address: string, bundle: PreKeyBundle): void {
    const session = withUsableKeys(() => beginSession(this.identity, bundle, this.#random));
    this.#store.transaction(() => this.#save(address, withCurrent(this.#record(address), session)));
  }

  /** Forgets every session with this device. */
  forgetSessions(address: string): void {
    this.#store.set('session', address, null);
  }

  /** Encrypts (already padded) plaintext. Throws SignalError('no_session'). */
  encrypt(address: string, plaintext: Uint8Array): { type: 'pkmsg' | 'msg'; ciphertext: Uint8Array } {
    return this.#store.transaction(() => {
      const record = this.#record(address);
      if (!record.current) throw new SignalError('no_session');
      const { session, bytes } = encryptWith(record.current, plaintext);
      this.#save(address, withCurrent(record, session));
      return session.pending
        ? { type: 'pkmsg', ciphertext: this.#wrap(session, session.pending, bytes) }
        : { type: 'msg', ciphertext: bytes };
    });
  }

  /**
   * Decrypts a `pkmsg` or `msg`; a one-time pre-key that it used is gone afterwards. Throws
   * SignalError.
   */
  decrypt(address: string, type: 'pkmsg' | 'msg', ciphertext: Uint8Array): Uint8Array {
    return this.#store.transaction(() => {
      const record = this.#record(address);
      if (type === 'msg') {
        const { record: used, plaintext } = decryptWithRecord(record, ciphertext, this.#random);
        this.#save(address, used);
        return plaintext;
      }
      const message = decodePreKeyMessage(ciphertext);
      const known = sessionWithBaseKey(record, message.baseKey);
      const session = known ?? this.#accept(message);
      // Known: the sender has simply not heard from us yet.
      const opened = withCurrent(record, session);
      const { record: used, plaintext } = decryptWithRecord(opened, message.message, this.#random);
      this.#save(address, used);
      if (!known && message.preKeyId !== undefined) this.#store.set('pre-key', String(message.preKeyId), null);
      return plaintext;
    });
  }

  /** Our distribution message for a group; makes our sender key when there is none. */
  distribution(group: string): Uint8Array {
    return this.#store.transaction(() => distributionOf(this.#ownSenderKey(group)));
  }

  /** Makes our next group message use a fresh sender key (a member left). */
  forgetSenderKey(group: string): void {
    this.#store.set('sender-key', `${group}|own`, null);
  }

  encryptGroup(group: string, plaintext: Uint8Array): Uint8Array {
    return this.#store.transaction(() => {
      const { own, bytes } = encryptForGroup(this.#ownSenderKey(group), plaintext, this.#random);
      this.#store.set('sender-key', `${group}|own`, encodeSenderKeys([own]));
      return bytes;
    });
  }

  /** Takes in a member device's distribution message. */
  acceptDistribution(group: string, address: string, bytes: Uint8Array): void {
    const distribution = decodeSenderKeyDistribution(bytes);
    this.#store.transaction(() => {
      const id = `${group}|${address}`;
      const stored = this.#store.get('sender-key', id);
      const record = withDistribution(stored ? decodeSenderKeys(stored) : [], distribution);
      this.#store.set('sender-key', id, encodeSenderKeys(record));
    });
  }

  /**
   * Decrypts an `skmsg`. Throws SignalError, `no_sender_key` when the member's distribution message
   * has not arrived.
   */
  decryptGroup(group: string, address: string, ciphertext: Uint8Array): Uint8Array {
    return this.#store.transaction(() => {
      const id = `${group}|${address}`;
      const stored = this.#store.get('sender-key', id);
      if (!stored) throw new SignalError('no_sender_key');
      const { record, plaintext } = decryptFromGroup(decodeSenderKeys(stored), ciphertext);
      this.#store.set('sender-key', id, encodeSenderKeys(record));
      return plaintext;
    });
  }

  #createIdentity(): Uint8Array {
    const identity = generateKeyPair(this.#random);
    const signedPreKey = generateKeyPair(this.#random);
    // 14 bits and never 0, as Signal's libraries draw registration ids.
    const registrationId = Buffer.from(this.#random(2)).readUInt16BE() & 0x3fff || 1;
    const stored = encodeFields([
      [1, identity.privateKey],
      [2, registrationId],
      [3, signedPreKey.privateKey],
      [4, sign(identity.privateKey, withPrefix(signedPreKey.publicKey), this.#random)],
    ]);
    this.#store.set('identity', 'own', stored);
    return stored;
  }

  #record(address: string): SessionRecord {
    const stored = this.#store.get('session', address);
    return stored ? decodeRecord(stored) : emptyRecord();
  }

  #save(address: string, record: SessionRecord): void {
    this.#store.set('session', address, encodeRecord(record));
  }

  #wrap(session: Session, pending: NonNullable<Session['pending']>, message: Uint8Array): Uint8Array {
    const { baseKey, localIdentityKey: identityKey } = session;
    return encodePreKeyMessage({ ...pending, baseKey, identityKey, message, registrationId: this.registrationId });
  }

  #accept(message: ReturnType<typeof decodePreKeyMessage>): Session {
    if (message.signedPreKeyId !== this.signedPreKey.keyId) throw new SignalError('missing_prekey');
    const stored = message.preKeyId === undefined ? undefined : this.#store.get('pre-key', String(message.preKeyId));
    if (message.preKeyId !== undefined && !stored) throw new SignalError('missing_prekey');
    const preKey = stored && keyPairFrom(stored);
    const own = { signedPreKey: this.signedPreKey, preKey };
    return withUsableKeys(() => acceptSession(this.identity, own, message));
  }

  #ownSenderKey(group: string): ReturnType<typeof createSenderKey> {
    const stored = this.#store.get('sender-key', `${group}|own`);
    const known = stored && decodeSenderKeys(stored)[0];
    if (known) return known;
    const created = createSenderKey(this.#random);
    this.#store.set('sender-key', `${group}|own`, encodeSenderKeys([created]));
    return created;
  }
}

// Keys of others are input: one that cannot be used is a bad message, not a defect here.
function withUsableKeys<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof InvalidKeyError) throw new SignalError('malformed', { cause });
    throw cause;
  }
}
