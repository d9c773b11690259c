import { randomUUID } from 'node:crypto';
import {
  CREDENTIALS_KIND,
  type EngineStore,
  type InboxEntry,
  type KeyChange,
  type RawStanza,
  type SealedEnvelope,
} from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import { type SealedBox, UnreadableError } from '../../crypto/sealed-box.ts';
import type { Store } from '../db/store.ts';
import type { Alongside, InboxRow, KeyRow } from './engine-rows.ts';
import { createPostgresEngineRows } from './engine-rows-postgres.ts';
import { createSqliteEngineRows } from './engine-rows-sqlite.ts';
import { type PendingInboxRow, PLAIN_PLACE, plaintextAad, stanzaAad } from './inbox.ts';

const keyAad = (lineId: string, kind: string, id: string) => `line_keys|value|${lineId}|${kind}|${id}`;

/**
 * One line's keys and inbox, encrypted under the line's data key. See `EngineStore` for what is
 * guaranteed. Credentials that do not open reject; any other record that does not is told to
 * `onUnreadable` and counts as missing, so that the engine makes it anew: a damaged session must
 * not hold up its chat, let alone the line, for ever.
 */
export function createEngineStore(options: {
  store: Store;
  box: SealedBox;
  lineId: string;
  clock: Clock;
  onUnreadable?: (kind: string) => void;
  /** A row of the inbox that waits is committed: what `pendingInbox` would answer for it. */
  onKept?: (row: PendingInboxRow) => void;
  /** A row is about to be written: answers what may journal it in the same commit. */
  onKeeping?: (entry: InboxEntry, place: { hash: string; createdAt: number }) => Alongside | undefined;
}): EngineStore {
  const { store, box, lineId, clock, onUnreadable, onKept, onKeeping } = options;
  const rows =
    store.engine === 'sqlite' ? createSqliteEngineRows(store, lineId) : createPostgresEngineRows(store, lineId);
  const open = (kind: string, value: Buffer, aad: string): Buffer | undefined => {
    try {
      return box.open(value, aad);
    } catch (error) {
      if (kind === CREDENTIALS_KIND || !(error instanceof UnreadableError)) throw error;
      onUnreadable?.(kind);
      return undefined;
    }
  };
  const opened = (kind: string, found: { id: string; value: Buffer }[]): Map<string, Uint8Array> => {
    const values = new Map<string, Uint8Array>();
    for (const { id, value } of found) {
      const plain = open(kind, value, keyAad(lineId, kind, id));
      if (plain) values.set(id, plain);
    }
    return values;
  };

  async function keep(keys: KeyRow[], row: InboxRow, entry: InboxEntry): Promise<void> {
    const alongside = onKeeping?.(entry, row);
    try {
      const seq = await rows.keep(keys, row, alongside);
      // Known as waiting before it counts as settled: what comes behind it looks at both.
      if (seq !== undefined) onKept?.({ seq, createdAt: row.createdAt, entry });
      alongside?.settled(seq === undefined ? 'journaled' : 'waits');
    } catch (error) {
      alongside?.settled('lost');
      throw error;
    }
  }

  return {
    get: async (kind, ids) => opened(kind, await rows.keys(kind, ids)),
    list: async (kind) => opened(kind, await rows.keysOfKind(kind)),
    async commit(changes, sealed) {
      const keys = lastOfEach(changes).map(({ kind, id, value }) => ({
        kind,
        id,
        value: value === null ? null : box.seal(value, keyAad(lineId, kind, id)),
      }));
      if (!sealed) await rows.write(keys);
      else await keep(keys, envelopeRow(box, lineId, sealed, clock.now()), { kind: 'sealed', ...sealed });
    },
    async findSealed(hash) {
      const row = await rows.inboxRow(hash);
      if (!row) return undefined;
      if (!row.plaintext) return { plaintext: new Uint8Array(0) };
      const plaintext = open('inbox', row.plaintext, plaintextAad(lineId, hash));
      return plaintext && { plaintext };
    },
    appendStanza: (entry) => keep([], stanzaRow(box, lineId, entry, clock.now()), { kind: 'stanza', ...entry }),
    clear: () => rows.deleteKeys(),
  };
}

/**
 * Two changes of one key in a batch: the last one counts (PostgreSQL takes a key once per statement
 * only).
 */
function lastOfEach(changes: KeyChange[]): KeyChange[] {
  const last = new Map<string, KeyChange>();
  for (const change of changes) last.set(`${change.kind}\0${change.id}`, change);
  return [...last.values()];
}

function envelopeRow(box: SealedBox, lineId: string, sealed: SealedEnvelope, createdAt: number): InboxRow {
  const { hash, encIndex } = sealed;
  return {
    kind: 'sealed',
    hash,
    tag: 'message',
    encIndex,
    stanza: box.seal(sealed.stanza, stanzaAad(lineId, hash)),
    plaintext: box.seal(sealed.plaintext, plaintextAad(lineId, hash)),
    failure: null,
    createdAt,
  };
}

function stanzaRow(box: SealedBox, lineId: string, entry: RawStanza, createdAt: number): InboxRow {
  // No ciphertext to hash: a drawn name takes its place, so that the record cannot be moved to
  // another row.
  const hash = `${PLAIN_PLACE}${randomUUID()}`;
  return {
    kind: 'stanza',
    hash,
    tag: entry.tag,
    encIndex: 0,
    stanza: box.seal(entry.stanza, stanzaAad(lineId, hash)),
    plaintext: null,
    failure: entry.failure ? JSON.stringify(entry.failure) : null,
    createdAt,
  };
}
