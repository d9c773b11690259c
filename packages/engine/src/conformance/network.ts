import type { Jid } from '../address.ts';
import type { EngineEndpoint, EngineFactory } from '../engine.ts';
import type { Node } from '../node.ts';

/**
 * Ways in which a server lies about who it is, or about whom it pairs and whose keys it hands out.
 */
export const HOSTILE_SERVERS = [
  'wrong_root',
  'bad_intermediate_signature',
  'bad_leaf_signature',
  'leaf_not_bound',
  'expired_leaf',
] as const;
export const HOSTILE_PAIRINGS = ['bad_account_signature', 'bad_hmac'] as const;
export type Hostility = (typeof HOSTILE_SERVERS)[number] | (typeof HOSTILE_PAIRINGS)[number] | 'bad_signed_prekey';

/** What the network does to a line: at once (first row), or to what comes next. */
export type Fault =
  | { kind: 'replaced' | 'logged_out' | 'reg_refresh' }
  | { kind: 'stream_error'; code: number }
  | { kind: 'bad_mac' | 'lose_acks' | 'duplicate' | 'late_reg_refresh' | 'refresh_lid'; count: number }
  | { kind: 'restricted' | 'cold_contacts'; for_ms: number }
  | { kind: 'reject_sends'; code: number; count: number }
  | { kind: 'media_fail'; status: number; count: number }
  | { kind: 'hostile'; variant: Hostility };

/** A stanza that crossed the wire of a line; `in` came from the line. */
export interface WireStanza {
  direction: 'in' | 'out';
  tag: string;
  attrs: Record<string, string>;
}

/** What a phone of the network shows for a message it got. */
export interface SeenMessage {
  id: string;
  from: Jid;
  /** Undefined when the phone could not decrypt it. */
  body: string | undefined;
  /** How often the id arrived. */
  copies: number;
}

export interface ConformancePhone {
  readonly phone: string;
  readonly pn: Jid;
  readonly lid: Jid;
  /** Links the line that shows this QR code. Rejects when the code is not good (any more). */
  scan(qr: string): Promise<void>;
  /** Resolves with the message's id when it is with the server. */
  sendText(to: Jid, body: string): Promise<string>;
  /** Edits a text of this phone; resolves with the id of the change. */
  edit(to: Jid, id: string, body: string): Promise<string>;
  /** Posts a status for these people; resolves with its id when it is with the server. */
  postStatus(to: Jid[], body: string): Promise<string>;
  /** Writes the salt of tokens for strangers into the account's settings. */
  storeContactSalt(): Promise<void>;
  /** Links the line that shows this link code. */
  enterCode(code: string): Promise<void>;
  /**
   * Sends to `to` a message that only a device of `to`'s own account may send: keys for its app
   * state.
   */
  sendForgedKeyShare(to: Jid): Promise<string>;
  /** Messages of others, in order. */
  seen(): SeenMessage[];
}

/** A simulated WhatsApp, as the conformance suite drives it. */
export interface ConformanceNetwork {
  readonly factory: EngineFactory;
  endpoint(line: string): EngineEndpoint;
  /** The phone with this number, made when it is new; online, acknowledging what it gets. */
  phone(digits: string): Promise<ConformancePhone>;
  /** Drops the line's connection at this very moment. */
  cut(line: string): void;
  fault(line: string, fault: Fault): void;
  /**
   * Everything that crossed the line's wire, oldest first; the latest some thousands at least. What
   * the client says of itself in a handshake counts: `registration` (`os`, `os_version`, `type`)
   * and `login` (`lc`).
   */
  wire(line: string): WireStanza[];
  /**
   * Sends the line the same messages as before, `times` times: all that it was sent since it
   * connected.
   */
  replay(line: string, times: number): void;
  /** Sends the line a stanza as it is, at once; never again. */
  push(line: string, stanza: Node): void;
  /**
   * Shows the line that this person types. Networks tell it to lines that show themselves as
   * online; this one does not ask.
   */
  showTyping(line: string, from: ConformancePhone): void;
  close(): Promise<void>;
}
