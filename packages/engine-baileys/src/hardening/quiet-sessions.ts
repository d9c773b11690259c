import {
  libsignalErrors,
  type SessionEntry,
  sessionBuilderClass,
  sessionCipherClass,
  sessionRecordClass,
} from './libsignal-modules.ts';

/**
 * Keeps libsignal 6.0.0 off the console and out of its own sessions' way.
 *
 * Its session code prints whole sessions, private keys included, whenever one is closed, opened or
 * dropped (session_record.js), and an error with stack per failed attempt (session_cipher.js). The
 * methods that print are replaced; the process's console is not touched, so whatever else prints
 * still does.
 */
export function quietSessions(): void {
  const record = sessionRecordClass.prototype;
  record.closeSession = (session) => {
    if (session.indexInfo.closed === OPEN) session.indexInfo.closed = Date.now();
  };
  record.openSession = (session) => {
    session.indexInfo.closed = OPEN;
  };
  record.removeOldSessions = removeOldSessions;

  const cipher = sessionCipherClass.prototype;
  cipher.decryptWithSessions = decryptWithSessions;

  const builder = sessionBuilderClass.prototype;
  const initIncoming = builder.initIncoming;
  builder.initIncoming = async function (incoming, message) {
    // libsignal closes the open session here itself and says so on the console; one that is closed
    // already it passes over. When it then refuses the message, the record is thrown away unstored.
    const open = incoming.getSession(message.baseKey) ? undefined : incoming.getOpenSession();
    if (open) incoming.closeSession(open);
    return initIncoming.call(this, incoming, message);
  };
}

/** `indexInfo.closed` of a session that is not closed. */
const OPEN = -1;
/**
 * CLOSED_SESSIONS_MAX of libsignal: sessions of a record in memory. What is stored keeps fewer, see
 * `prune-keys.ts`.
 */
const SESSIONS_MAX = 40;

function removeOldSessions(this: { sessions: Record<string, SessionEntry> }): void {
  const closed = Object.entries(this.sessions)
    .filter(([, session]) => session.indexInfo.closed !== OPEN)
    .sort(([, a], [, b]) => a.indexInfo.closed - b.indexInfo.closed);
  const surplus = Object.keys(this.sessions).length - SESSIONS_MAX;
  for (const [baseKey] of closed.slice(0, Math.max(0, surplus))) delete this.sessions[baseKey];
}

/**
 * Tries the sessions in the order given and returns the first that decrypts.
 *
 * Unlike libsignal's, a failed attempt leaves no trace. There, a message of an older session steps
 * the ratchet of the open one before its MAC is found wrong, the record is then stored with that
 * damage, and the peer cannot read what we send next.
 */
async function decryptWithSessions(
  this: { doDecryptWhisperMessage(message: Buffer, session: SessionEntry): Promise<Buffer> },
  message: Buffer,
  sessions: readonly SessionEntry[],
): Promise<{ session: Pick<SessionEntry, 'indexInfo'>; plaintext: Buffer }> {
  if (sessions.length === 0) throw new libsignalErrors.SessionError('No sessions available');
  const failures: unknown[] = [];
  for (const session of sessions) {
    // With a single session there is nothing to go on with: on failure the whole record is dropped
    // unstored.
    const before = sessions.length > 1 ? session.serialize() : undefined;
    try {
      const plaintext = await this.doDecryptWhisperMessage(message, session);
      session.indexInfo.used = Date.now();
      // The caller reads nothing but indexInfo, and `closed` only to print a line when it is set.
      return { session: { indexInfo: { ...session.indexInfo, closed: OPEN } }, plaintext };
    } catch (error) {
      failures.push(error);
      if (before) restore(session, before);
    }
  }
  // The text is libsignal's: Baileys decides by it whether to ask for the message again.
  throw Object.assign(new libsignalErrors.SessionError('No matching sessions found for message'), {
    cause: new AggregateError(failures, 'no session could decrypt the message'),
  });
}

function restore(session: SessionEntry, serialized: object): void {
  const entryClass = session.constructor as unknown as { deserialize(data: object): SessionEntry };
  if (!('pendingPreKey' in serialized)) delete session.pendingPreKey;
  Object.assign(session, entryClass.deserialize(serialized));
}
