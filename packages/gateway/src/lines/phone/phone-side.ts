import type { Engine, EngineChange, Jid } from '@ponte/engine';
import { GroupNames } from '../inbound/group-names.ts';
import { AddressNotes } from './address-notes.ts';
import { Archiving, type ArchivingOptions } from './archiving.ts';
import { PhoneSettings } from './phone-settings.ts';

export interface PhoneSideOptions extends ArchivingOptions {
  engine(): Pick<Engine, 'account' | 'groups'> | undefined;
  /** Everything that the inbox held at the start is taken. */
  caughtUp(): Promise<void>;
}

type Told = Extract<EngineChange, { type: 'archived' | 'named' | 'settings_readable' | 'addresses' | 'aliases' }>;

/**
 * What is kept in step with the owner's phone beside messages: archived chats, names of people and
 * groups.
 */
export class PhoneSide {
  readonly #archiving: Archiving;
  readonly #settings: PhoneSettings;
  readonly #groupNames: GroupNames;
  readonly #addresses: AddressNotes;

  constructor(options: PhoneSideOptions) {
    this.#archiving = new Archiving(options);
    this.#groupNames = new GroupNames(options);
    this.#addresses = new AddressNotes(options);
    this.#settings = new PhoneSettings({
      ...options,
      noteArchived: (chat, archived) => this.#archiving.note(chat, archived),
    });
  }

  /** Connected (again). */
  opened(): void {
    this.#archiving.wake();
    this.#settings.wake();
    void this.#groupNames.opened();
  }

  /** A message left: its chat may have to go to the archive. */
  sent(): void {
    this.#archiving.wake();
  }

  /** Something happened in these groups. */
  groupsSeen(groups: Jid[]): void {
    this.#groupNames.seen(groups);
  }

  /** The phone changed settings. */
  settingsChanged(): void {
    this.#settings.wake();
  }

  /** What the engine tells of people and of the phone's settings. */
  told(change: Told): void {
    switch (change.type) {
      case 'archived':
        this.#settings.archived(change.chat, change.archived);
        break;
      case 'named':
        this.#settings.named(change.people);
        break;
      case 'settings_readable':
        this.#settings.wake();
        break;
      case 'addresses':
        this.#addresses.pairs(change.pairs);
        break;
      case 'aliases':
        this.#addresses.aliases(change.aliases);
        break;
    }
  }

  /** Resolves when the addresses told so far are noted. */
  settled(): Promise<void> {
    return this.#addresses.settled();
  }
}
