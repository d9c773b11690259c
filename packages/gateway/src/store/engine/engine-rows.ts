import type { Transaction } from 'kysely';
import type { Database } from '../db/schema.ts';
import type { Tx } from '../db/store.ts';

/** A key as it is stored: sealed, or null to delete it. */
export interface KeyRow {
  kind: string;
  id: string;
  value: Buffer | null;
}

/** A row of the inbox as it is stored, values sealed. */
export interface InboxRow {
  kind: 'sealed' | 'stanza';
  hash: string;
  tag: string;
  encIndex: number;
  stanza: Buffer;
  plaintext: Buffer | null;
  failure: string | null;
  createdAt: number;
}

/**
 * What journals a stanza in the transaction that makes it durable. `isReady`, `journal` and
 * `refused` are called inside it, again when it is run again; `settled` once, after it.
 */
export interface Alongside {
  /** False: the row is to wait in the inbox. */
  isReady(): boolean;
  journal(tx: Tx): Promise<void>;
  /** What was journaled is taken back; the row waits. */
  refused(error: unknown): void;
  /** `lost`: nothing of it was committed. */
  settled(end: 'journaled' | 'waits' | 'lost'): void;
}

/**
 * The rows of one line's keys and inbox. Calls take effect in their order, also when they are not
 * awaited one by one: the inbox's order is the order of the stanzas. Each write is one transaction,
 * durable when it resolves.
 */
export interface EngineRows {
  keys(kind: string, ids: string[]): Promise<{ id: string; value: Buffer }[]>;
  keysOfKind(kind: string): Promise<{ id: string; value: Buffer }[]>;
  write(keys: KeyRow[]): Promise<void>;
  /** Answers the number of the inbox row when it waits there; undefined: it was journaled. */
  keep(keys: KeyRow[], row: InboxRow, alongside: Alongside | undefined): Promise<number | undefined>;
  /** Undefined: no such row. `plaintext` is null once it became events. */
  inboxRow(hash: string): Promise<{ plaintext: Buffer | null } | undefined>;
  deleteKeys(): Promise<void>;
}

/** Ids in one statement: below the parameter limit of both databases. */
export const ROWS_PER_STATEMENT = 500;

/**
 * Kinds of keys that are worth something in their newest state only: Signal sessions and sender
 * keys, which change with every message.
 */
const MOVING_KINDS = ['session', 'sender-key', 'sender-key-memory'];

/** Forgets every line's sessions with other devices; identities, credentials and settings stay. */
export async function forgetSessions(db: Transaction<Database>): Promise<void> {
  for (const table of ['line_keys', 'kept_keys'] as const) {
    await db.deleteFrom(table).where('kind', 'in', MOVING_KINDS).execute();
  }
}
