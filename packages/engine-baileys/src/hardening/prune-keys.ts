/**
 * Keeps what libsignal and Baileys write into the key store from growing for ever. Pure functions
 * over exactly what `SignalKeyStore.set` receives; apply `pruneKeys` there, before anything is
 * serialised. The input is never changed.
 *
 * The order of a session's chains is their age, so the store must give objects back with their keys
 * in order: JSON text does, PostgreSQL's jsonb does not.
 */

/**
 * Receiving chains kept per session, as Signal's own library does: older messages than these no
 * longer decrypt.
 */
export const RECEIVER_CHAINS_KEPT = 5;
/**
 * Closed sessions kept per peer device. One is left behind whenever the peer or we start afresh.
 */
export const CLOSED_SESSIONS_KEPT = 10;
/**
 * Keys of messages not yet seen, per session over all its chains. libsignal bounds one jump (2
 * 000), not their sum.
 */
export const SKIPPED_KEYS_KEPT = 2000;

const CHAIN_RECEIVING = 2;
const OPEN = -1;

interface StoredChain {
  chainType: number;
  messageKeys: Record<string, string>;
}

/**
 * A session as libsignal 6.0.0 serialises it (session_record.js): chains keyed by ratchet key,
 * oldest first.
 */
interface StoredSession {
  currentRatchet: { lastRemoteEphemeralKey: string };
  indexInfo: { closed: number };
  _chains: Record<string, StoredChain>;
}

interface StoredRecord {
  _sessions: Record<string, StoredSession>;
}

/** A sender key state as Baileys serialises it (Signal/Group/sender-key-state.js). */
interface StoredSenderKeyState {
  senderSigningKey?: { private?: unknown };
  senderMessageKeys?: unknown[];
}

/** One argument of `SignalKeyStore.set`: values by type and id, null for a deletion. */
export type KeyWrites = { readonly [type: string]: { readonly [id: string]: unknown } | undefined };

/**
 * Applies `pruneSession` to every session and `compactSenderKey` to every sender key of one
 * `SignalKeyStore.set`.
 */
export function pruneKeys<Writes extends object>(writes: Writes): Writes {
  const { session, 'sender-key': senderKey } = writes as KeyWrites;
  if (!session && !senderKey) return writes;
  return {
    ...writes,
    ...(session && { session: mapValues(session, pruneSession) }),
    ...(senderKey && { 'sender-key': mapValues(senderKey, compactSenderKey) }),
  };
}

/**
 * The session record without what it no longer needs: per session all but the newest receiving
 * chains (the current one is always kept) and the oldest of too many skipped message keys; of
 * closed sessions all but the latest. A value that is not a record, such as null for a deletion,
 * comes back as it is, and so does a record with nothing to drop.
 */
export function pruneSession<T>(record: T): T {
  if (!isRecord(record)) return record;
  const entries = Object.entries(record._sessions);
  const closed = entries.filter(([, session]) => session.indexInfo.closed !== OPEN);
  const surplus = new Set(
    closed
      .sort(([, a], [, b]) => b.indexInfo.closed - a.indexInfo.closed)
      .slice(CLOSED_SESSIONS_KEPT)
      .map(([baseKey]) => baseKey),
  );
  const kept = entries
    .filter(([baseKey]) => !surplus.has(baseKey))
    .map(([baseKey, session]) => [baseKey, pruneChains(session)] as const);
  const isUnchanged =
    kept.length === entries.length && kept.every(([key, session]) => session === record._sessions[key]);
  return isUnchanged ? record : { ...record, _sessions: Object.fromEntries(kept) };
}

/**
 * The sender key record of a group (UTF-8 JSON, as Baileys writes it) made smaller and readable.
 *
 * Own keys lose their parked message keys: Baileys' GroupCipher.encrypt skips one iteration per
 * message and keeps the skipped key, up to 2 000, though it is never used to decrypt. And all byte
 * strings become base64: Baileys writes them as arrays of numbers, which its own reader does not
 * turn back into bytes, so that a group message out of order could never be decrypted. Bytes that
 * are no such record come back as they are.
 */
export function compactSenderKey<T>(record: T): T | Buffer {
  if (!(record instanceof Uint8Array)) return record;
  const states = parseStates(record);
  if (!states) return record;
  const stripped = states.map((state) =>
    bytesOf(state.senderSigningKey?.private)?.length ? { ...state, senderMessageKeys: [] } : state,
  );
  return Buffer.from(JSON.stringify(stripped, (_key, value: unknown) => toBase64Form(value)));
}

function pruneChains(session: StoredSession): StoredSession {
  const entries = Object.entries(session._chains);
  const current = session.currentRatchet.lastRemoteEphemeralKey;
  const receiving = entries.filter(([key, chain]) => chain.chainType === CHAIN_RECEIVING && key !== current);
  const surplus = new Set(
    receiving.slice(0, Math.max(0, receiving.length - (RECEIVER_CHAINS_KEPT - 1))).map(([key]) => key),
  );
  const kept = entries.filter(([key]) => !surplus.has(key));
  const trimmed = trimSkippedKeys(kept);
  return surplus.size === 0 && trimmed === kept ? session : { ...session, _chains: Object.fromEntries(trimmed) };
}

type ChainEntry = [string, StoredChain];

/**
 * Newest chains and highest counters first, until the budget is spent. Gives the same array when
 * all fit.
 */
function trimSkippedKeys(chains: ChainEntry[]): ChainEntry[] {
  const total = chains.reduce((sum, [, chain]) => sum + Object.keys(chain.messageKeys).length, 0);
  if (total <= SKIPPED_KEYS_KEPT) return chains;
  let budget = SKIPPED_KEYS_KEPT;
  const trimmed = chains.toReversed().map(([key, chain]): ChainEntry => {
    // Object.entries gives counters in ascending order.
    const messageKeys = Object.entries(chain.messageKeys);
    const kept = budget > 0 ? messageKeys.slice(-budget) : [];
    budget -= kept.length;
    return [key, { ...chain, messageKeys: Object.fromEntries(kept) }];
  });
  return trimmed.reverse();
}

function isRecord(value: unknown): value is StoredRecord {
  if (typeof value !== 'object' || value === null || !('_sessions' in value)) return false;
  return typeof value._sessions === 'object' && value._sessions !== null;
}

function parseStates(record: Uint8Array): StoredSenderKeyState[] | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(record).toString('utf8'));
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    // Not what Baileys writes: the store keeps it unread, and Baileys says so when it loads it.
    return undefined;
  }
}

/**
 * The bytes of the three forms JSON gives a Buffer here: `{type, data: number[]}`, `{type, data:
 * base64}`, `{0: …, 1: …}`.
 */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('type' in value && value.type === 'Buffer' && 'data' in value) {
    if (typeof value.data === 'string') return Buffer.from(value.data, 'base64');
    return Array.isArray(value.data) ? Uint8Array.from(value.data) : undefined;
  }
  const isIndexed = Object.keys(value).length > 0 && Object.keys(value).every((key) => /^\d+$/.test(key));
  return isIndexed && !Array.isArray(value) ? Uint8Array.from(Object.values(value)) : undefined;
}

/** The form Baileys' BufferJSON.reviver reads. */
function toBase64Form(value: unknown): unknown {
  const bytes = bytesOf(value);
  return bytes ? { type: 'Buffer', data: Buffer.from(bytes).toString('base64') } : value;
}

function mapValues(values: { readonly [id: string]: unknown }, change: (value: unknown) => unknown) {
  return Object.fromEntries(Object.entries(values).map(([id, value]) => [id, change(value)]));
}
