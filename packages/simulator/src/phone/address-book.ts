import { bareJid, formatJid, isLid, isPn, type Jid, parseJid, SERVER_LID, SERVER_PN } from '@ponte/engine';
import type { PhoneStore } from './network.ts';

/**
 * Which LID belongs to which phone number, as far as this phone has learnt it. Sessions and stanzas go by LID when it is known;
 * people are shown by phone number when that is known.
 */
export class AddressBook {
  readonly #store: PhoneStore;

  constructor(store: PhoneStore) {
    this.#store = store;
  }

  /** Remembers that two addresses are the same person. Anything else than a phone number and a LID is ignored. */
  learn(one: Jid | undefined, other: Jid | undefined): void {
    const pn = [one, other].find(isPn);
    const lid = [one, other].find(isLid);
    const pnUser = pn && parseJid(pn)?.user;
    const lidUser = lid && parseJid(lid)?.user;
    if (!pnUser || !lidUser || this.#lookUp('pn-to-lid', pnUser) === lidUser) return;
    this.#store.set('pn-to-lid', pnUser, Buffer.from(lidUser));
    this.#store.set('lid-to-pn', lidUser, Buffer.from(pnUser));
  }

  /** The address to send to: by LID when known; a device stays. */
  wire(jid: Jid): Jid {
    const parts = parseJid(jid);
    if (parts?.server !== SERVER_PN) return jid;
    const lid = this.#lookUp('pn-to-lid', parts.user);
    return lid === undefined ? jid : formatJid(lid, SERVER_LID, parts.device);
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
    const parts = parseJid(this.wire(jid));
    return parts ? `${parts.user}.${parts.device}@${parts.server}` : jid;
  }

  /** Every pair that is known. */
  pairs(): { pn: Jid; lid: Jid }[] {
    return this.#store.list('pn-to-lid').map(({ id, value }) => ({
      pn: formatJid(id, SERVER_PN),
      lid: formatJid(new TextDecoder().decode(value), SERVER_LID),
    }));
  }

  #lookUp(kind: string, user: string): string | undefined {
    const value = this.#store.get(kind, user);
    return value && new TextDecoder().decode(value);
  }
}
