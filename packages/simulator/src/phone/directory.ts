import { child, childrenOf, formatJid, type Jid, type Node, parseJid } from '@ponte/engine';
import type { AddressBook } from './address-book.ts';
import type { DeviceLink } from './network.ts';

/** One person as usync answers: devices are addressed by LID when there is one. */
export interface Contact {
  /** LID when known, else phone number; without device. */
  jid: Jid;
  /** Every device, 0 first; empty when the account does not exist. */
  devices: Jid[];
}

/**
 * Asks the server who a person is and which devices they have. Asks every time: the world is in the
 * same process.
 */
export class Directory {
  readonly #link: DeviceLink;
  readonly #book: AddressBook;
  readonly #nextId: () => string;

  constructor(link: DeviceLink, book: AddressBook, nextId: () => string) {
    this.#link = link;
    this.#book = book;
    this.#nextId = nextId;
  }

  /** Contacts in the order asked; a number that is not on WhatsApp has no devices. */
  async contacts(jids: Jid[]): Promise<Contact[]> {
    const asked = jids.map((jid) => this.#book.wire(jid));
    const answer = await this.#link.query(usyncQuery(asked, this.#nextId()));
    const list = childrenOf(child(child(answer, 'usync'), 'list'), 'user');
    const users = new Map(list.map((user) => [user.attrs.jid, user]));
    return asked.map((jid) => {
      const user = users.get(jid);
      this.#book.learn(jid, child(user, 'lid')?.attrs.val);
      const address = this.#book.wire(jid);
      return { jid: address, devices: user ? deviceJids(address, user) : [] };
    });
  }
}

function usyncQuery(jids: Jid[], sid: string): Node {
  return {
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'usync' },
    content: [
      {
        tag: 'usync',
        attrs: { context: 'message', mode: 'query', sid, last: 'true', index: '0' },
        content: [
          {
            tag: 'query',
            attrs: {},
            content: [
              { tag: 'devices', attrs: { version: '2' } },
              { tag: 'lid', attrs: {} },
            ],
          },
          { tag: 'list', attrs: {}, content: jids.map((jid) => ({ tag: 'user', attrs: { jid } })) },
        ],
      },
    ],
  };
}

function deviceJids(address: Jid, user: Node): Jid[] {
  const parts = parseJid(address);
  const list = childrenOf(child(child(user, 'devices'), 'device-list'), 'device');
  return list
    .map((device) => Number(device.attrs.id))
    .filter((id) => Number.isInteger(id) && id >= 0)
    .sort((a, b) => a - b)
    .map((id) => formatJid(parts?.user ?? '', parts?.server ?? '', id));
}
