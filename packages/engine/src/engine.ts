import type { AccountOperations } from './account.ts';
import type { Jid, Party, Self } from './address.ts';
import type { OutboundContent } from './content.ts';
import type { EngineStore, InboxEntry } from './engine-store.ts';
import type { EngineEvent } from './events.ts';
import type { GroupOperations } from './groups.ts';
import type { HistoryPart, HistoryPiece } from './history.ts';
import type { EngineFiles, MediaOperations } from './media.ts';
import type { Node } from './node.ts';
import type { AddressPair } from './parse/address-pairs.ts';

/** A person, as the owner calls them. */
export interface NamedPerson {
  person: Party;
  name: string;
}

/** A number as people write it, and the address that WhatsApp has it under. */
export interface NumberAlias {
  asked: Jid;
  pn: Jid;
}

/** `2.3000.1043857760`, as numbers. */
export type ClientVersion = readonly [number, number, number];

/** Where WhatsApp is. Live lines use the engine's default; test lines get the simulator's. */
export interface EngineEndpoint {
  wsUrl: string;
  /** 32 bytes: the public key that the server's certificate chain must lead to. */
  noiseRoot: Uint8Array;
  /** PEM of the authority of the media hosts; undefined = the system's. */
  mediaCa?: string;
  /**
   * `host:port` that every up- and download leads to, whatever host its address names; undefined =
   * WhatsApp's own media hosts.
   */
  mediaAddress?: string;
  /**
   * WhatsApp Web version to announce; undefined = the engine's own. Read at every connection: it
   * may change while the line runs.
   */
  waVersion?: ClientVersion;
  /** `http://…` or `socks5://…` proxy of this line; undefined = direct. */
  proxyUrl?: string;
}

/** Why a connection ended; each reason leads to one decision (see the line's state machine). */
export type CloseReason =
  /** WhatsApp asks for an immediate reconnect (515), as after pairing. Not a failure. */
  | 'restart_required'
  | 'logged_out'
  /**
   * Another connection took this device over (440). Never reconnect before checking who owns the
   * line.
   */
  | 'replaced'
  | 'banned'
  | 'temporarily_banned'
  | 'client_outdated'
  /** The server's certificate or a signature at pairing did not verify. Never retried blindly. */
  | 'untrusted_server'
  | 'pairing_expired'
  | 'pairing_failed'
  | 'passkey_required'
  | 'connection_lost'
  | 'server_unavailable'
  /** Our own storage failed; nothing was acknowledged. */
  | 'store_failed'
  /** `close()` was called. */
  | 'closed';

/** What an engine tells its line, in order. None of it is durable. */
export type EngineChange =
  | { type: 'qr'; data: string; expiresAt: number }
  | { type: 'code'; code: string; expiresAt: number }
  /** Credentials are stored; a `closed` with `restart_required` follows. */
  | { type: 'paired'; self: Self }
  /** Logged in and ready to send. */
  | { type: 'open'; self: Self }
  /** The owner archived a chat on the phone or another device, or took it out again. */
  | { type: 'archived'; chat: Jid; archived: boolean }
  /** WhatsApp disclosed which number belongs to which LID; only what was not known yet. */
  | { type: 'addresses'; pairs: AddressPair[] }
  /**
   * WhatsApp knows a number by others than were asked for (Brazil's ninth digit, Mexico's 1,
   * Argentina's 9).
   */
  | { type: 'aliases'; aliases: NumberAlias[] }
  /** Names in the owner's address book. */
  | { type: 'named'; people: NamedPerson[] }
  /** The phone shared the keys of its settings: `syncSettings` works from now on. */
  | { type: 'settings_readable' }
  /** The profile name became known. */
  | { type: 'self'; self: Self }
  /**
   * WhatsApp named the day on which it stops taking this version of the client (Unix
   * milliseconds).
   */
  | { type: 'client_expires'; at: number }
  | { type: 'closed'; reason: CloseReason; serverCode?: number; detail: string; retryAt?: number }
  /** An inbox row was committed: the journal loop may look. */
  | { type: 'inbox' }
  /** Something that is never journaled (typing): to be passed on now or not at all. */
  | { type: 'live'; event: EngineEvent };

/**
 * A message ready to go: pure data. The same `Prepared` may be transmitted any number of times;
 * receivers see one message.
 */
export interface Prepared {
  id: string;
  /** Where it goes: the LID when WhatsApp has one, else the number. */
  to: Jid;
  recipient: Party;
  /** Encoded protobuf `Message`. */
  proto: Uint8Array;
  /** Stanza attributes beside the ordinary ones (`edit`, `peer_recipient_pn`, …). */
  attrs: Record<string, string>;
  /** Seconds until the message disappears; absent when it stays. */
  expiresInSeconds?: number;
  /** Who gets a status, the own account included; of a message to `status@broadcast` only. */
  audience?: Jid[];
  /** The people it mentions, by every address known; absent when there are none. */
  mentions?: Party[];
  /** Attributes of the stanza's `<meta>` (`polltype`, `event_type`); absent when it has none. */
  meta?: Record<string, string>;
}

/** WhatsApp's acknowledgement: the message is on the server. */
export interface ServerAck {
  /** Unix seconds, WhatsApp's clock. */
  timestamp: number;
}

export interface KnownMessage {
  /** Encoded protobuf `Message`. */
  proto: Uint8Array;
  sender: Party;
  fromMe: boolean;
  /** Where it was said; undefined for what is no message of a chat. */
  chat?: Party;
  /** Unix seconds; undefined when it is not known. */
  timestamp?: number;
}

/** Messages the gateway stored, for retries and quotes. */
export interface MessageLookup {
  /**
   * Encoded protobuf of a message of this line (sent or received), by id; `chat` only tells equal
   * ids apart.
   */
  proto(id: string, chat: Jid): Promise<KnownMessage | undefined>;
}

/**
 * Structured log; messages are fixed sentences, values go into fields. Never a key, a QR, a message
 * text or a full number.
 */
export interface EngineLog {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

/** Observes a line's stanzas, to find out why something broke. */
export interface StanzaWatch {
  /**
   * Undefined while there is no observer; read anew at every stanza. Stanzas as they are on the
   * wire: messages are still encrypted, but names, addresses and tokens stand there in the clear.
   * Bytes of what leaves may be zeros of the same length. Must not throw.
   */
  see: ((direction: 'in' | 'out', stanza: Node) => void) | undefined;
}

export interface EngineOptions {
  /** Line id, for logs only; not authenticated data. */
  session: string;
  store: EngineStore;
  lookup: MessageLookup;
  endpoint: EngineEndpoint;
  /** Where files lie that go out and come in; undefined = this line has none. */
  files?: EngineFiles;
  clock: { now(): number };
  log: EngineLog;
  /** Observes every stanza of the connection; absent: there is never an observer. */
  watch?: StanzaWatch;
  /** Called synchronously, in order. Must not throw. */
  onChange(change: EngineChange): void;
}

export interface NumberLookup {
  phone: string;
  registered: boolean;
  jid?: Jid;
  lid?: Jid;
  /** The username of the number's holder, when WhatsApp sent it. */
  username?: string;
  isBusiness: boolean;
}

/**
 * One line's connection to WhatsApp. Every adapter passes the conformance suite
 * (`@ponte/engine/conformance`): nothing is acknowledged before it is durable, a redelivery yields
 * no second event, a repeated transmit is the same message, and a failing store ends the connection
 * instead of losing mail.
 */
export interface Engine {
  /** Who the line is paired to; undefined when it is not. */
  self(): Self | undefined;
  /**
   * Opens one connection: logs in when paired, otherwise pairs as asked. Resolves when the attempt
   * has begun; how it goes is told by `onChange`. Does not reconnect by itself. Rejects with
   * `wrong_state` when a connection is open, or when unpaired without `pairing`.
   */
  connect(pairing?: { kind: 'qr' } | { kind: 'code'; phone: string }): Promise<void>;
  /**
   * Ends the connection; resolves when nothing of it runs any more. No acknowledgement leaves
   * afterwards.
   */
  close(): Promise<void>;
  /**
   * Unlinks the device at WhatsApp (waits `timeoutMs` at most), ends the connection and clears the
   * store. Works offline too: then only locally.
   */
  logout(timeoutMs: number): Promise<{ unlinked: boolean }>;
  /**
   * Builds a message. Asks WhatsApp for the recipient's address when it is not known yet
   * (`not_on_whatsapp`, `not_connected`, `timeout`). A file is uploaded here, which takes as long
   * as it takes (`media_gone` when it is not there).
   */
  prepare(content: OutboundContent, to: Jid, id: string): Promise<Prepared>;
  /**
   * Encrypts, sends, and waits for WhatsApp's acknowledgement. Idempotent for the same `Prepared`.
   * `onLeaving` is called before bytes of the message leave: a rejection before it means that
   * nothing left. What it answers is waited for before they do (they are encrypted meanwhile); when
   * that rejects nothing leaves, and this rejects with the same. Rejects with `rejected`,
   * `timeout`, `not_connected`, and with what WhatsApp refuses by name (`not_on_whatsapp`,
   * `no_such_group`, `not_in_group`, …).
   */
  transmit(prepared: Prepared, signal?: AbortSignal, onLeaving?: () => void | Promise<void>): Promise<ServerAck>;
  /**
   * Turns an inbox row into events. Needs no connection; same row, same events. Rejects with
   * `unknown_message` when the row answers a poll or invitation that `lookup` does not know (yet).
   */
  decode(entry: InboxEntry): Promise<EngineEvent[]>;
  /**
   * Fetches a part of the past and reads it piece by piece; the next piece is read when it is asked
   * for. Needs no connection; same part, same pieces. Rejects with `timeout` when trying again may
   * help, `rejected` when it does not, `wrong_state` while the line is unpaired.
   */
  readHistory(part: HistoryPart, signal: AbortSignal): AsyncIterable<HistoryPiece>;
  /** Which of these numbers (digits) have WhatsApp, in the order asked. */
  lookupNumbers(phones: string[]): Promise<NumberLookup[]>;
  /** Everything about people, the own profile, presence and typing. */
  readonly account: AccountOperations;
  readonly groups: GroupOperations;
  /** Files of received and sent messages. */
  readonly media: MediaOperations;
  /** Sends read receipts for messages of one chat. `sender` names the author in groups. */
  markRead(chat: Jid, ids: string[], sender: Jid | undefined, played: boolean): Promise<void>;
}

export interface EngineFactory {
  readonly name: string;
  /**
   * Loads the line's credentials. Rejects when they exist but cannot be read: a new identity is
   * never made in their place.
   */
  open(options: EngineOptions): Promise<Engine>;
}
