import type { Jid } from '@ponte/engine';
import type { CollectionName } from './app-state.ts';
import type { Setting } from './mutation.ts';
import type { MessageRange, SyncAction } from './sync-proto.ts';

/** What the owner has set for a chat. */
export interface ChatSettings {
  isArchived: boolean;
  isPinned: boolean;
  /** Milliseconds since 1970, -1 for ever; undefined when it is not muted. */
  mutedUntilMs: number | undefined;
  isMarkedUnread: boolean;
  /** Name in the address book. */
  name: string | undefined;
}

/** A wish about one chat; what is absent stays. */
export interface ChatChange {
  isArchived?: boolean;
  isPinned?: boolean;
  /** 0 ends it. */
  mutedUntilMs?: number;
  isUnread?: boolean;
  /** An empty name takes the contact away. */
  name?: string;
}

/**
 * Settings for the app state, by collection; formats and versions as whatsmeow appstate/encode.go
 * writes them.
 */
export function settingsFor(
  chatJid: Jid,
  change: ChatChange,
  about: { nowMs: number; range: MessageRange; lidJid: Jid | undefined },
): { collection: CollectionName; settings: Setting[] }[] {
  const { nowMs: timestamp, range, lidJid } = about;
  const setting = (name: string, version: number, action: SyncAction): Setting => ({
    index: [name, chatJid],
    action: { timestamp, ...action },
    version,
  });
  const low: Setting[] = [];
  if (change.isArchived !== undefined) {
    low.push(setting('archive', 3, { archiveChatAction: { archived: change.isArchived, messageRange: range } }));
    // An archived chat is not pinned.
    if (change.isArchived) low.push(setting('pin_v1', 5, { pinAction: { pinned: false } }));
  }
  if (change.isPinned !== undefined) low.push(setting('pin_v1', 5, { pinAction: { pinned: change.isPinned } }));
  if (change.isUnread !== undefined) {
    low.push(setting('markChatAsRead', 3, { markChatAsReadAction: { read: !change.isUnread, messageRange: range } }));
  }
  const groups: { collection: CollectionName; settings: Setting[] }[] = [];
  if (low.length > 0) groups.push({ collection: 'regular_low', settings: low });
  if (change.mutedUntilMs !== undefined) {
    const muted = change.mutedUntilMs !== 0;
    const muteAction = muted ? { muted, muteEndTimestamp: change.mutedUntilMs } : { muted };
    groups.push({ collection: 'regular_high', settings: [setting('mute', 2, { muteAction })] });
  }
  if (change.name !== undefined) {
    const [firstName = change.name] = change.name.split(' ');
    const contactAction = { fullName: change.name, firstName, ...(lidJid === undefined ? {} : { lidJid }) };
    const contact = setting('contact', 2, { contactAction });
    const settings = [change.name === '' ? { ...contact, action: undefined } : contact];
    groups.push({ collection: 'critical_unblock_low', settings });
  }
  return groups;
}

/**
 * What all settings of an account say of its chats; `shown` gives a chat the name this phone knows
 * it by. The newest wins.
 */
export function chatSettings(settings: Setting[], shown: (jid: Jid) => Jid): Map<Jid, ChatSettings> {
  const chats = new Map<Jid, ChatSettings>();
  const inOrder = settings
    .filter(({ action }) => action !== undefined)
    .sort((a, b) => Number(a.action?.timestamp ?? 0) - Number(b.action?.timestamp ?? 0));
  for (const { index, action } of inOrder) {
    const jid = index[1];
    if (!action || jid === undefined || !jid.includes('@')) continue;
    const chat = chats.get(shown(jid)) ?? UNSET;
    chats.set(shown(jid), { ...chat, ...said(action) });
  }
  return chats;
}

const UNSET: ChatSettings = {
  isArchived: false,
  isPinned: false,
  mutedUntilMs: undefined,
  isMarkedUnread: false,
  name: undefined,
};

function said(action: SyncAction): Partial<ChatSettings> {
  const { archiveChatAction, pinAction, muteAction, markChatAsReadAction, contactAction, lidContactAction } = action;
  if (archiveChatAction) return { isArchived: archiveChatAction.archived ?? false };
  if (pinAction) return { isPinned: pinAction.pinned ?? false };
  if (muteAction) return { mutedUntilMs: muteAction.muted ? Number(muteAction.muteEndTimestamp ?? -1) : undefined };
  if (markChatAsReadAction) return { isMarkedUnread: markChatAsReadAction.read === false };
  const contact = contactAction ?? lidContactAction;
  return contact ? { name: contact.fullName || contact.firstName || undefined } : {};
}
