import type { AddressBook } from '../address-book.ts';
import type { Envelope } from '../envelope.ts';
import type { Inbox, InboxEntry } from '../inbox.ts';
import type { Message, MessageKey } from '../wa-proto.ts';
import type { Input } from './input.ts';
import type { BuildContext, Built } from './kind.ts';

export interface Own {
  jid: string;
  lid: string;
}

export interface ChangeBuildContext extends BuildContext {
  own: Own;
  book: AddressBook;
  /** Names the message to change, as its author's devices know it. */
  key: MessageKey;
  /** Edits are sealed, as phones do since 2026-05. */
  sealsEdits: boolean;
}

export interface ChangeContext {
  own: Own;
  book: AddressBook;
  inbox: Inbox;
}

/**
 * One kind of message that changes another one: how it is written, and what it does to the inbox.
 */
export interface ChangeKind {
  /** Throws InputError, also when this change is not allowed for `target`. */
  build(input: Input, target: InboxEntry, context: ChangeBuildContext): Built;
  /**
   * False when the message is of another kind. True otherwise, also when nothing changed: the
   * target is not here, or the sender may not do that to it.
   */
  apply(message: Message, envelope: Envelope, context: ChangeContext): boolean;
}
