import type { LinkOffer, PhoneSettings } from '../phone/network.ts';
import type { Phone } from '../phone/phone.ts';
import type { ClientVersions } from '../world/client-versions.ts';
import type { Demands } from '../world/demands.ts';

/** A new phone as the sandbox API asks for it. */
export interface NewPhone {
  /** Digits of the phone number. */
  phone: string;
  name: string;
  about: string | undefined;
  isBusiness: boolean;
  isLidOnly: boolean;
  /** The handle that others see beside the number or in its place; without the @. */
  username?: string | undefined;
  /** Without it the phone is not found by its username. */
  usernameKey?: string | undefined;
}

/** What the world itself knows of a phone (the rest the phone knows). */
export interface PhoneProfile {
  phone: string;
  /** Digits. */
  lid: string;
  name: string;
  about: string;
  isBusiness: boolean;
  isLidOnly: boolean;
  settings: PhoneSettings;
}

/** A group as the network itself knows it. People are digits of phone numbers. */
export interface GroupFacts {
  jid: string;
  subject: string;
  /** The member with the last word; undefined when every such member is gone. */
  owner: string | undefined;
  description: string | undefined;
  mode: 'pn' | 'lid';
  isAnnounce: boolean;
  isLocked: boolean;
  /** Seconds; 0 = off. */
  ephemeralS: number;
  needsApproval: boolean;
  memberAdd: 'all_member_add' | 'admin_add';
  invite: string;
  members: { pn: string; lid: string; role: '' | 'admin' | 'superadmin' }[];
  /** Who asked to be let in. */
  requests: string[];
}

/** A channel as the network itself knows it. People are digits of phone numbers. */
export interface ChannelFacts {
  jid: string;
  name: string;
  description: string;
  owner: string;
  invite: string;
  followers: string[];
}

/**
 * One tenant's world as the sandbox API uses it. Phone numbers are digits; unknown numbers are
 * undefined, never created.
 */
export interface ControlWorld {
  phone(tenant: string, phone: string): Promise<Phone | undefined>;
  phones(tenant: string): PhoneProfile[];
  profile(tenant: string, phone: string): PhoneProfile | undefined;
  /**
   * Creates the phone, started; the same number again answers the existing one. Throws LimitError.
   */
  createPhone(tenant: string, phone: NewPhone): Promise<Phone>;
  groups(tenant: string): GroupFacts[];
  channel(tenant: string, jid: string): ChannelFacts | undefined;
  group(tenant: string, jid: string): GroupFacts | undefined;
  /** How the members of a group are named on the wire from now on. */
  setGroupAddressing(tenant: string, jid: string, mode: 'pn' | 'lid'): void;
  /** Removes the phone, its companions and its mail. */
  deletePhone(tenant: string, phone: string): Promise<void>;
  /** Changes settings; a phone that comes online gets its mail. */
  updateSettings(tenant: string, phone: string, changes: Partial<PhoneSettings>): Promise<PhoneSettings>;
  /**
   * Sends `<pair-success>` to the connection that shows `offer.ref`, takes its answer to
   * Phone.confirmLink and closes it with 515. Rejects with LinkError when no connection shows that
   * ref (any more), or when the companion's answer does not fit.
   */
  pair(tenant: string, phone: string, offer: LinkOffer): Promise<{ deviceJid: string }>;
  /**
   * Types the link code that a line shows on this phone. Rejects with CodeMismatchError when no
   * line shows this code for it (any more), and with LinkError when the line gave up.
   */
  enterCode(tenant: string, phone: string, code: string): Promise<{ deviceJid: string }>;
  /** The device a line is linked as. */
  lineDevice(tenant: string, lineId: string): { phone: string; deviceJid: string } | undefined;
  /**
   * Removes a companion: stream error 401 or failure 401 at its next login, `devices` notifications
   * to contacts.
   */
  unlink(tenant: string, phone: string, deviceJid: string): Promise<void>;
  /**
   * Adds a fault from the body of `POST /lines/{id}/faults`; throws FaultError with a sentence for
   * the caller.
   */
  addFault(tenant: string, lineId: string, body: unknown): unknown;
  /**
   * Cuts connected lines at the same instant: these, or all. With `refuseForMs` they are not let in
   * again before that. Returns the lines that were cut.
   */
  storm(tenant: string, wanted: { lines: string[] | undefined; refuseForMs: number }): string[];
  /**
   * The network of this tenant goes down and comes up again with what is in its database: every
   * connection is cut, phones and whatever was only in memory (faults, subscriptions, codes shown)
   * start anew. Logins are refused for `downForMs`. Returns how many connections were cut.
   */
  restart(tenant: string, downForMs: number): number;
  /** Faults of a line that are still to come. */
  faults(tenant: string, lineId: string): unknown[];
  /** What the network asks of lines; changes hold until a reset. */
  demands(tenant: string, changes?: Partial<Demands>): Demands;
  /** Which versions of the client the network serves; changes hold until a reset. */
  versions(tenant: string, changes?: Partial<ClientVersions>): ClientVersions;
  clearFaults(tenant: string, lineId: string): void;
  /** Stanzas of this line after a sequence number, oldest first. */
  wire(tenant: string, lineId: string, after: number): unknown[];
  reset(tenant: string): Promise<void>;
}
