import { createRequire } from 'node:module';

/**
 * The CommonJS modules of libsignal 6.0.0 that the hardening changes, exactly the copies Baileys
 * uses: they are resolved from where Baileys lies, so a second libsignal elsewhere in the tree
 * cannot be patched by mistake.
 *
 * libsignal calls its own functions through these objects (`curve.verifySignature(…)`), so an
 * assignment takes effect at once there. Baileys imports them as ES modules, which copy the
 * functions when Baileys is first loaded: change them before.
 */
const requireAsBaileys = createRequire(createRequire(import.meta.url).resolve('baileys'));

/**
 * libsignal runs session work one after the other by address, for the whole process: work of a
 * connection that ended and waits for ever (`StoreGuard`) would hold all later mail of that person,
 * of every line in the process. `KeyTransactions` has a lock per user and connection, so here work
 * begins at once. Replaced before the modules below take it.
 */
const queueModule = requireAsBaileys.resolve('libsignal/src/queue_job.js');
requireAsBaileys(queueModule);
const loaded = requireAsBaileys.cache[queueModule];
if (!loaded) throw new Error('libsignal/src/queue_job.js is not where it was expected');
loaded.exports = (_address: string, work: () => Promise<unknown>): Promise<unknown> => work();

export interface SignalKeyPair {
  /** 33 bytes: the type byte 5 and the key. */
  pubKey: Buffer;
  privKey: Buffer;
}

/** libsignal/src/curve.js, all its exports. */
export interface CurveModule {
  getPublicFromPrivateKey(privateKey: Uint8Array): Buffer;
  generateKeyPair(): SignalKeyPair;
  calculateAgreement(publicKey: Uint8Array, privateKey: Uint8Array): Buffer;
  calculateSignature(privateKey: Uint8Array, message: Uint8Array): Buffer;
  verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, isInit?: boolean): boolean;
}

/**
 * One ratchet of a session record (libsignal/src/session_record.js SessionEntry), as far as the
 * hardening reads it.
 */
export interface SessionEntry {
  indexInfo: { baseKey: Buffer; remoteIdentityKey: Buffer; closed: number; used: number };
  pendingPreKey?: object;
  serialize(): object;
}

export interface SessionRecord {
  sessions: Record<string, SessionEntry>;
  getSession(baseKey: Buffer): SessionEntry | undefined;
  getOpenSession(): SessionEntry | undefined;
  isClosed(session: SessionEntry): boolean;
  closeSession(session: SessionEntry): void;
  openSession(session: SessionEntry): void;
  removeOldSessions(): void;
}

export interface SessionRecordClass {
  readonly prototype: SessionRecord;
}

export interface SessionCipher {
  /** Runs session work of the cipher's address. */
  queueJob<T>(work: () => Promise<T>): Promise<T>;
  doDecryptWhisperMessage(message: Buffer, session: SessionEntry): Promise<Buffer>;
  decryptWithSessions(
    message: Buffer,
    sessions: readonly SessionEntry[],
  ): Promise<{ session: Pick<SessionEntry, 'indexInfo'>; plaintext: Buffer }>;
}

export interface SessionCipherClass {
  readonly prototype: SessionCipher;
}

export interface SessionBuilder {
  initIncoming(record: SessionRecord, message: { baseKey: Buffer }): Promise<number | undefined>;
}

export interface SessionBuilderClass {
  readonly prototype: SessionBuilder;
}

export interface LibsignalErrors {
  SessionError: new (message: string) => Error;
}

export const curveModule: CurveModule = requireAsBaileys('libsignal/src/curve.js');
export const sessionRecordClass: SessionRecordClass = requireAsBaileys('libsignal/src/session_record.js');
export const sessionCipherClass: SessionCipherClass = requireAsBaileys('libsignal/src/session_cipher.js');
export const sessionBuilderClass: SessionBuilderClass = requireAsBaileys('libsignal/src/session_builder.js');
export const libsignalErrors: LibsignalErrors = requireAsBaileys('libsignal/src/errors.js');
