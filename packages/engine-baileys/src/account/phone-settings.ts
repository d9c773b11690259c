import { EngineError, type Jid, type NamedPerson, party, personJid } from '@ponte/engine';
import type { AuthenticationCreds, WASocket } from '../baileys.ts';
import { toEngineError } from '../query-error.ts';
import type { KeyVault } from '../store/key-vault.ts';
import type { ContactSalt } from './contact-salt.ts';

/**
 * Where WhatsApp keeps archived chats, and the names in the address book (whatsmeow
 * appstate/keys.go).
 */
const COLLECTIONS = ['regular_low', 'critical_unblock_low'] as const;
const VERSIONS = 'app-state-sync-version';

export interface PhoneSettingsParts {
  sock: WASocket;
  creds: AuthenticationCreds;
  vault: KeyVault;
  whileConnected<T>(work: Promise<T>): Promise<T>;
  onArchived(chat: Jid, archived: boolean): void;
  onNamed(people: NamedPerson[]): void;
  /** The phone shared the keys of its settings: they can be read from now on. */
  onReadable(): void;
  salt: Pick<ContactSalt, 'ensure'>;
  /** The salt could not be read; everything else was. */
  onNoSalt(error: unknown): void;
}

/**
 * What the owner settles on the phone about chats and people: the account's app state, as far as it
 * concerns this product.
 */
export class PhoneSettings {
  readonly #parts: PhoneSettingsParts;
  #isReadable: boolean;

  constructor(parts: PhoneSettingsParts) {
    this.#parts = parts;
    this.#isReadable = Boolean(parts.creds.myAppStateKeyId);
    const { ev } = parts.sock;
    ev.on('chats.update', (updates) => {
      for (const { id, archived } of updates) {
        if (id && typeof archived === 'boolean') parts.onArchived(personJid(id), archived);
      }
    });
    ev.on('contacts.upsert', (contacts) => {
      const named = contacts.flatMap(({ id, name, lid, phoneNumber }): NamedPerson[] =>
        name ? [{ person: party(id, lid, phoneNumber), name }] : [],
      );
      if (named.length > 0) parts.onNamed(named);
    });
    ev.on('creds.update', () => {
      if (this.#isReadable || !parts.creds.myAppStateKeyId) return;
      this.#isReadable = true;
      parts.onReadable();
    });
  }

  /**
   * Writes one chat's place into the account's app state (Baileys chats.js appPatch: fetches what
   * is new first).
   */
  async archive(jid: Jid, archived: boolean, lastMessageAt: number): Promise<void> {
    // Any object that is no list is taken as the message range itself (Baileys chat-utils.js);
    // whatsmeow sends the time alone, too.
    const range = { lastMessageTimestamp: lastMessageAt } as unknown as [];
    await this.#do(() => this.#parts.sock.chatModify({ archive: archived, lastMessages: range }, jid));
  }

  /** Fetches what is new since the last time, or everything. */
  async sync(isFresh: boolean): Promise<void> {
    const { sock, vault, salt, onNoSalt } = this.#parts;
    await this.#do(async () => {
      // Without a version WhatsApp hands out the whole of a collection, and all of it is told.
      if (isFresh) await vault.commit({ [VERSIONS]: Object.fromEntries(COLLECTIONS.map((name) => [name, null])) });
      await sock.resyncAppState([...COLLECTIONS], false);
      await salt.ensure().catch(onNoSalt);
    });
  }

  async #do(work: () => Promise<unknown>): Promise<void> {
    if (!this.#isReadable) throw new EngineError('timeout', 'the phone has not shared the keys of its settings yet');
    try {
      await this.#parts.whileConnected(work());
    } catch (error) {
      throw toEngineError(error, '<sync>');
    }
  }
}
