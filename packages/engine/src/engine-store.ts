import type { UndecryptableCause } from './events.ts';

/**
 * The kind of a line's credentials. A record of it that does not open is never taken for absent;
 * everything else is made anew (a session, a sender key), so such a record counts as missing.
 */
export const CREDENTIALS_KIND = 'creds';

/**
 * One key to write; `null` deletes it. `kind` and `id` are the engine's own names; values are
 * opaque bytes.
 */
export interface KeyChange {
  kind: string;
  id: string;
  value: Uint8Array | null;
}

/**
 * One decrypted part of a message stanza, kept until it became events. Identified by the hash of
 * its ciphertext, so that a redelivery is recognised although the ratchet moved on.
 */
export interface SealedEnvelope {
  /** Hex SHA-256 over kind of encryption, sender and ciphertext. Unique per line. */
  hash: string;
  /** The whole stanza, in the engine's own binary form. */
  stanza: Uint8Array;
  /** Which `<enc>` of the stanza this is, from 0. */
  encIndex: number;
  /** The decrypted bytes, still padded. */
  plaintext: Uint8Array;
}

/** Why a message cannot be read: a code to decide by, and the same in words for people. */
export interface StanzaFailure {
  cause: UndecryptableCause;
  detail: string;
}

/** Anything that WhatsApp sent unencrypted, or that could not be decrypted. */
export interface RawStanza {
  /** The stanza, in the engine's own binary form. */
  stanza: Uint8Array;
  /** `message` (undecryptable or plaintext), `receipt`, `notification`, `call`, `ib`, … */
  tag: string;
  /** Why a message could not be decrypted; undefined otherwise. */
  failure?: StanzaFailure;
}

/** A row of the inbox, as the journal loop hands it back for decoding. */
export type InboxEntry = ({ kind: 'sealed' } & SealedEnvelope) | ({ kind: 'stanza' } & RawStanza);

/**
 * Where an engine keeps one line's credentials, Signal state and inbox. Supplied by the gateway,
 * which encrypts at rest and fences.
 *
 * Every promise that resolves means: durable against a crash of the process. A rejection means that
 * nothing was written, and that the engine must stop without acknowledging anything
 * (`store_failed`).
 */
export interface EngineStore {
  /** The values that exist, by id. */
  get(kind: string, ids: string[]): Promise<Map<string, Uint8Array>>;
  /** Every id and value of a kind. For small kinds only (credentials, app-state keys). */
  list(kind: string): Promise<Map<string, Uint8Array>>;
  /**
   * Applies all key changes, and the envelope when there is one, in ONE transaction, in the order
   * of calls.
   */
  commit(changes: KeyChange[], sealed?: SealedEnvelope): Promise<void>;
  /**
   * The plaintext of an envelope sealed earlier (kept until its tombstone expires; empty once
   * processed), or undefined.
   */
  findSealed(hash: string): Promise<{ plaintext: Uint8Array } | undefined>;
  /** Appends a stanza to the inbox. */
  appendStanza(entry: RawStanza): Promise<void>;
  /** Deletes every key of the line (after a logout); the inbox stays. */
  clear(): Promise<void>;
}
