import type { Jid, Party } from './address.ts';

/** Who gets to see status updates; the list in force has `isDefault`. */
export interface StatusAudience {
  type: 'contacts' | 'whitelist' | 'blacklist';
  people: Jid[];
  isDefault: boolean;
}

/** What WhatsApp says about a person right now. */
export interface PersonInfo {
  party: Party;
  /** The About text; null when it is hidden or empty. */
  about: string | null;
  isBusiness: boolean;
}

/** A profile picture: a JPEG file as WhatsApp keeps it. */
export interface Picture {
  id: string;
  jpeg: Uint8Array;
}

/** Nothing to say but that it was done. */
export type Done = Record<string, never>;

/**
 * What a line can ask and say beside messages: about people, its own profile, presence and typing.
 * Each takes one object of plain data and answers plain data, so that a call can cross processes.
 * All need an open connection (`not_connected`) and end within the engine's time limit for one
 * question (`timeout`); a refusal of WhatsApp is `rejected` with its code.
 */
export interface AccountOperations {
  /**
   * Shows the other side that this account types, records a voice message, or stopped. WhatsApp
   * shows it of accounts that are available.
   */
  typing(input: { chat: Jid; state: 'composing' | 'paused'; mode: 'text' | 'voice' }): Promise<Done>;
  /**
   * Online or not, as others see it. Kept until it is changed or the line logged out: told again
   * after every login.
   */
  presence(input: { state: 'available' | 'unavailable' }): Promise<Done>;
  /**
   * Subscribes to a person's presence and typing. Renewed after every login until the logout, for
   * the 500 latest subscriptions.
   */
  watch(input: { person: Jid }): Promise<Done>;
  /** Null when the number has no WhatsApp account. */
  person(input: { jid: Jid }): Promise<PersonInfo | null>;
  /**
   * Who has this username (without the @), by LID. Some are found with their key only: then
   * `needsKey`.
   */
  findUsername(input: { username: string; key?: string }): Promise<{ person: Party } | { needsKey: boolean }>;
  setAbout(input: { text: string }): Promise<Done>;
  /** The link behind the account's own QR code, for others to start a chat. */
  contactLink(input: Done): Promise<{ link: string }>;
  statusAudience(input: Done): Promise<StatusAudience[]>;
  /**
   * The picture of a person or group. Null when there is none, or it is hidden from this account.
   */
  picture(input: { of: Jid }): Promise<Picture | null>;
  /** A square JPEG of at most 640 pixels. Answers the new picture's id. */
  setPicture(input: { jpeg: Uint8Array }): Promise<{ id: string }>;
  removePicture(input: Done): Promise<Done>;
  /**
   * Archives a chat, or takes it out of the archive: on the phone, by app state. `lastMessageAt`
   * (Unix seconds) is the newest message that is meant: a newer one takes the chat out again.
   * `timeout` while the phone has not shared its keys yet (they follow the pairing).
   */
  archive(input: { chat: Jid; archived: boolean; lastMessageAt: number }): Promise<Done>;
  /**
   * Asks the phone for messages of a chat that are older than one that is known; they come as an
   * offer of history, when the phone is online. Resolves when WhatsApp has the question.
   */
  askOlder(input: {
    chat: Jid;
    oldest: { id: string; fromMe: boolean; timestamp: number };
    count: number;
  }): Promise<Done>;
  /**
   * Fetches what changed on the phone about archived chats and the names of people since the last
   * time, or all there is; told as `archived` and `named` before this resolves. `timeout` while the
   * phone has not shared its keys yet (`settings_readable` says when).
   */
  syncSettings(input: { isFresh: boolean }): Promise<Done>;
}
