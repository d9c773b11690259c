import { bareJid, formatJid, isLid, isPn, type Jid, parseJid, SERVER_LID, SERVER_PN } from '@ponte/engine';
import type { PhoneStore } from './network.ts';

/**
 * Which LID belongs to which phone number, as far as this phone has learnt it. Sessions go by LID
 * when it is known, stanzas by LID or number; people are shown by phone number when that is known.
 */
export class AddressBook {
  readonly #store: PhoneStore;
  readonly #addressing: () => 'lid' | 'pn';

  /** Told of every pair that is new. */
  onLearned: (pn: Jid, lid: Jid) => void = () => undefined;

  /**
   * `addressing`: by which name this phone writes to people, as old clients do by number and those
   * of today by LID.
   */
  constructor(store: PhoneStore, addressing: () => 'lid' | 'pn' = () => 'lid') {
    this.#store = store;
    this.#addressing = addressing;
  }

  /**
   * Remembers that two addresses are the same person. Anything else than a phone number and a LID
   * is ignored.
   */
  learn(one: Jid | undefined, other: Jid | undefined): void {
    const pn = [one, other].find(isPn);
    const lid = [one, other].find(isLid);
    const pnUser = pn && parseJid(pn)?.user;
    const lidUser = lid && parseJid(lid)?.user;
    if (!pnUser || !lidUser || this.#lookUp('pn-to-lid', pnUser) === lidUser) return;
    this.#store.set('pn-to-lid', pnUser, Buffer.from(lidUser));
    this.#store.set('lid-to-pn', lidUser, Buffer.from(pnUser));
    this.onLearned(formatJid(pnUser, SERVER_PN), formatJid(lidUser, SERVER_LID));
  }

  /**
   * The address to send to: by LID when known, unless this phone writes by number; a device stays.
   */
  wire(jid: Jid): Jid {
    return this.#addressing() === 'lid' ? this.lid(jid) : this.pn(jid);
  }

  /** By LID when it is known. */
  lid(jid: Jid): Jid {
    return this.#other(jid, SERVER_PN, 'pn-to-lid', SERVER_LID);
  }

  /** By phone number when it is known. */
  pn(jid: Jid): Jid {
    return this.#other(jid, SERVER_LID, 'lid-to-pn', SERVER_PN);
  }

  /** Every name of a person that is known, without device. */
  names(jid: Jid): Jid[] {
    return [...new Set([bareJid(jid), this.lid(bareJid(jid)), this.pn(bareJid(jid))])];
  }

  /** The person or group to show: by phone number when known, never with a device. */
  shown(jid: Jid): Jid {
    const parts = parseJid(jid);
    if (parts?.server !== SERVER_LID) return bareJid(jid);
    const pn = this.#lookUp('lid-to-pn', parts.user);
    return pn === undefined ? bareJid(jid) : formatJid(pn, SERVER_PN);
  }

  /** Name of a device's Signal session. */
  session(jid: Jid): string {
    const parts = parseJid(this.lid(jid));
    return parts ? `${parts.user}.${parts.device}@${parts.server}` : jid;
  }

  /** Every pair that is known. */
  pairs(): { pn: Jid; lid: Jid }[] {
    return this.#store.list('pn-to-lid').map(({ id, value }) => ({
      pn: formatJid(id, SERVER_PN),
      lid: formatJid(new TextDecoder().decode(value), SERVER_LID),
    }));
  }

  #other(jid: Jid, from: string, kind: string, to: string): Jid {
    const parts = parseJid(jid);
    const user = parts?.server === from ? this.#lookUp(kind, parts.user) : undefined;
    return parts && user !== undefined ? formatJid(user, to, parts.device) : jid;
  }

  #lookUp(kind: string, user: string): string | undefined {
    const value = this.#store.get(kind, user);
    return value && new TextDecoder().decode(value);
  }
}
