import { formatJid, type Jid, parseJid, SERVER_GROUP } from '../address.ts';
import type { GroupSetting } from '../groups.ts';
import type { Node } from '../node.ts';

/** Where questions go that are about no group in particular. */
const GROUPS = `@${SERVER_GROUP}`;

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const node = (tag: string, attrs: Record<string, string> = {}, content?: Node['content']): Node =>
  content === undefined ? { tag, attrs } : { tag, attrs, content };

/** `<iq xmlns="w:g2">` (shapes: whatsmeow group.go, Baileys groups.js). */
const iq = (to: Jid, type: 'get' | 'set', content: Node): Node => ({
  tag: 'iq',
  attrs: { to, type, xmlns: 'w:g2' },
  content: [content],
});

/**
 * A person a change names. `phoneNumber` stands beside a LID that is added, as whatsmeow writes it.
 */
export interface NamedMember {
  jid: Jid;
  phoneNumber?: Jid;
}

const participant = ({ jid, phoneNumber }: NamedMember): Node =>
  node('participant', { jid, ...(phoneNumber === undefined ? {} : { phone_number: phoneNumber }) });

/** `key` tells a repeated request from another group with the same name. */
export const createGroup = (subject: string, people: NamedMember[], key: string): Node =>
  iq(GROUPS, 'set', node('create', { subject, key }, people.map(participant)));

export const allGroups = (): Node =>
  iq(GROUPS, 'get', node('participating', {}, [node('participants'), node('description')]));

export const groupInfo = (group: Jid): Node => iq(group, 'get', node('query', { request: 'interactive' }));

export const changeMembers = (
  group: Jid,
  action: 'add' | 'remove' | 'promote' | 'demote',
  people: NamedMember[],
): Node => iq(group, 'set', node(action, {}, people.map(participant)));

export const setSubject = (group: Jid, subject: string): Node => iq(group, 'set', node('subject', {}, utf8(subject)));

/**
 * `previous` is the id of the description that is replaced; `id` that of the new one. An empty text
 * takes it away.
 */
export function setDescription(group: Jid, text: string, id: string, previous: string | undefined): Node {
  const prev: Record<string, string> = previous === undefined ? {} : { prev: previous };
  if (text === '') return iq(group, 'set', node('description', { ...prev, delete: 'true' }));
  return iq(group, 'set', node('description', { ...prev, id }, [node('body', {}, utf8(text))]));
}

export const changeSetting = (group: Jid, setting: GroupSetting): Node => iq(group, 'set', settingNode(setting));

function settingNode(setting: GroupSetting): Node {
  switch (setting.name) {
    case 'announce':
      return node(setting.isOn ? 'announcement' : 'not_announcement');
    case 'locked':
      return node(setting.isOn ? 'locked' : 'unlocked');
    case 'approval':
      return node('membership_approval_mode', {}, [node('group_join', { state: setting.isOn ? 'on' : 'off' })]);
    case 'memberAdd':
      return node('member_add_mode', {}, utf8(setting.who === 'all' ? 'all_member_add' : 'admin_add'));
    case 'ephemeral':
      return setting.seconds === 0 ? node('not_ephemeral') : node('ephemeral', { expiration: String(setting.seconds) });
  }
}

/** Asks for the code of the group's link, or for a new one that takes the old one's place. */
export const groupInvite = (group: Jid, renew: boolean): Node => iq(group, renew ? 'set' : 'get', node('invite'));
export const invitedGroup = (code: string): Node => iq(GROUPS, 'get', node('invite', { code }));
export const joinGroup = (code: string): Node => iq(GROUPS, 'set', node('invite', { code }));
export const leaveGroup = (group: Jid): Node => iq(GROUPS, 'set', node('leave', {}, [node('group', { id: group })]));
export const joinRequests = (group: Jid): Node => iq(group, 'get', node('membership_approval_requests'));

export const decideRequests = (group: Jid, action: 'approve' | 'reject', people: NamedMember[]): Node =>
  iq(group, 'set', node('membership_requests_action', {}, [node(action, {}, people.map(participant))]));

/** A group's picture; without a JPEG it is removed. */
export const setGroupPicture = (group: Jid, jpeg?: Uint8Array): Node => ({
  tag: 'iq',
  attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:profile:picture', target: group },
  content: jpeg ? [node('picture', { type: 'image' }, jpeg)] : [],
});

/** A group's address from what WhatsApp writes in `id`: with or without its server. */
export const groupJidOf = (id: string): Jid => (parseJid(id) ? id : formatJid(id, SERVER_GROUP));
