import type { Engine, EngineChange, Jid } from '@ponte/engine';
import { GroupNames } from '../inbound/group-names.ts';
import { Archiving, type ArchivingOptions } from './archiving.ts';
import { PhoneSettings } from './phone-settings.ts';

export interface PhoneSideOptions extends ArchivingOptions {
  engine(): Pick<Engine, 'account' | 'groups'> | undefined;
  /** Everything that the inbox held at the start is taken. */
  caughtUp(): Promise<void>;
}

/**
 * What is kept in step with the owner's phone beside messages: archived chats, names of people and
 * groups.
 */
export class PhoneSide {
  readonly #archiving: Archiving;
  readonly #settings: PhoneSettings;
  readonly #groupNames: GroupNames;

  constructor(options: PhoneSideOptions) {
    this.#archiving = new Archiving(options);
    this.#groupNames = new GroupNames(options);
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

  /** What the engine tells of the phone's settings. */
  told(change: Extract<EngineChange, { type: 'archived' | 'named' | 'settings_readable' }>): void {
    if (change.type === 'archived') this.#settings.archived(change.chat, change.archived);
    else if (change.type === 'named') this.#settings.named(change.people);
    else this.#settings.wake();
  }
}
