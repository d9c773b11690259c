import type { RandomBytes } from './curve.ts';
import { InvalidKeyError } from './curve.ts';
import { bytesField, decodeFields, encodeFields, numberField, repeatedBytes, required } from './fields.ts';
import { decodeSessionMessage } from './messages.ts';
import { decryptWith, sameBytes } from './ratchet.ts';
import type { ReceivingChain, Session } from './session.ts';
import { SignalError, type SignalFailure } from './signal-error.ts';

/**
 * All sessions with one device: the one in use and older ones that may still receive (newest
 * first).
 */
export interface SessionRecord {
  current: Session | undefined;
  archived: Session[];
}

/** Older sessions that are kept. */
export const MAX_ARCHIVED_SESSIONS = 20;

export const emptyRecord = (): SessionRecord => ({ current: undefined, archived: [] });

/** Puts a session into use; the one before it is archived. */
export function withCurrent(record: SessionRecord, session: Session): SessionRecord {
  const others = sessionsOf(record).filter((known) => !sameBytes(known.baseKey, session.baseKey));
  return { current: session, archived: others.slice(0, MAX_ARCHIVED_SESSIONS) };
}

/** The session that was opened with this base key. */
export function sessionWithBaseKey(record: SessionRecord, baseKey: Uint8Array): Session | undefined {
  return sessionsOf(record).find((session) => sameBytes(session.baseKey, baseKey));
}

/**
 * Decrypts a session message with whichever session fits; that session comes into use, as in
 * Signal's libraries, so that two sides that opened sessions at the same time settle on one. Throws
 * SignalError; the record given is never changed.
 */
export function decryptWithRecord(
  record: SessionRecord,
  bytes: Uint8Array,
  random: RandomBytes,
): { record: SessionRecord; plaintext: Uint8Array } {
  const sessions = sessionsOf(record);
  if (sessions.length === 0) throw new SignalError('no_session');
  const message = decodeSessionMessage(bytes);
  let failure: SignalFailure = 'bad_mac';
  for (const session of sessions) {
    try {
      const { session: used, plaintext } = decryptWith(session, message, random);
      return { record: withCurrent(record, used), plaintext };
    } catch (error) {
      // The next session may fit. Of the reasons, only "seen before" and "too far ahead" say more
      // than "does not fit".
      if (error instanceof SignalError) failure = error.reason === 'bad_mac' ? failure : error.reason;
      else if (error instanceof InvalidKeyError) failure = 'malformed';
      else throw error;
    }
  }
  throw new SignalError(failure);
}

/**
 * The record as bytes. Its size depends on how many messages are missing, not on how many were
 * exchanged.
 */
export function encodeRecord(record: SessionRecord): Uint8Array {
  return encodeFields([
    [1, record.current ? encodeSession(record.current) : undefined],
    ...record.archived.map((session): [number, Uint8Array] => [2, encodeSession(session)]),
  ]);
}

export function decodeRecord(bytes: Uint8Array): SessionRecord {
  const fields = decodeFields(bytes);
  const current = bytesField(fields, 1);
  return { current: current && decodeSession(current), archived: repeatedBytes(fields, 2).map(decodeSession) };
}

function sessionsOf(record: SessionRecord): Session[] {
  return record.current ? [record.current, ...record.archived] : record.archived;
}

function encodeSession(session: Session): Uint8Array {
  return encodeFields([
    [1, session.baseKey],
    [2, session.localIdentityKey],
    [3, session.remoteIdentityKey],
    [4, session.remoteRegistrationId],
    [5, session.rootKey],
    [6, session.ratchet.publicKey],
    [7, session.ratchet.privateKey],
    [8, session.sending?.key],
    [9, session.sending?.counter],
    [10, session.previousCounter],
    [11, session.pending?.signedPreKeyId],
    [12, session.pending?.preKeyId],
    ...session.receiving.map((chain): [number, Uint8Array] => [13, encodeChain(chain)]),
  ]);
}

function decodeSession(bytes: Uint8Array): Session {
  const fields = decodeFields(bytes);
  const key = (number: number) => Uint8Array.from(required(bytesField(fields, number)));
  const sendingKey = bytesField(fields, 8);
  const signedPreKeyId = numberField(fields, 11);
  return {
    baseKey: key(1),
    localIdentityKey: key(2),
    remoteIdentityKey: key(3),
    remoteRegistrationId: numberField(fields, 4) ?? 0,
    rootKey: key(5),
    ratchet: { publicKey: key(6), privateKey: key(7) },
    sending: sendingKey && { key: Uint8Array.from(sendingKey), counter: numberField(fields, 9) ?? 0 },
    previousCounter: numberField(fields, 10) ?? 0,
    pending: signedPreKeyId === undefined ? undefined : { signedPreKeyId, preKeyId: numberField(fields, 12) },
    receiving: repeatedBytes(fields, 13).map(decodeChain),
  };
}

function encodeChain(chain: ReceivingChain): Uint8Array {
  return encodeFields([[1, chain.ratchetKey], [2, chain.key], [3, chain.counter], ...encodeSkipped(4, chain.skipped)]);
}

function decodeChain(bytes: Uint8Array): ReceivingChain {
  const fields = decodeFields(bytes);
  return {
    ratchetKey: Uint8Array.from(required(bytesField(fields, 1))),
    key: Uint8Array.from(required(bytesField(fields, 2))),
    counter: numberField(fields, 3) ?? 0,
    skipped: decodeSkipped(repeatedBytes(fields, 4)),
  };
}

/** Parked message keys as repeated fields of `number`; sender keys store theirs the same way. */
export function encodeSkipped(number: number, skipped: ReceivingChain['skipped']): [number, Uint8Array][] {
  return skipped.map((parked) => [
    number,
    encodeFields([
      [1, parked.counter],
      [2, parked.seed],
    ]),
  ]);
}

export function decodeSkipped(list: Uint8Array[]): ReceivingChain['skipped'] {
  return list.map((bytes) => {
    const fields = decodeFields(bytes);
    return { counter: numberField(fields, 1) ?? 0, seed: Uint8Array.from(required(bytesField(fields, 2))) };
  });
}
