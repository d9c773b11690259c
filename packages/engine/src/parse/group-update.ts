import type { Party, Self } from '../address.ts';
import { isGroup } from '../address.ts';
import type { EngineEvent } from '../events.ts';
import type { GroupChange, GroupSetting } from '../groups.ts';
import { child, children, intAttr, type Node, text } from '../node.ts';
import { parseGroup, partiesOf, summaryOf } from './group.ts';
import { party } from './party.ts';

type Updated = Extract<EngineEvent, { type: 'group.updated' }>;

/**
 * Ways into a group without being added by a member: a link, an invitation, the community
 * (whatsmeow types.GroupInfo JoinReason).
 */
const JOIN_REASONS = new Set(['invite', 'linked_group_join']);

/**
 * Reads `<notification type="w:gp2">`: what happened to a group, one event per change in it
 * (whatsmeow notification.go parseGroupChange, Baileys messages-recv.js handleGroupNotification).
 * Changes that are not named here give none.
 */
export function parseGroupUpdate(node: Node, self: Self): EngineEvent[] {
  const { from, id } = node.attrs;
  if (from === undefined || id === undefined || !isGroup(from)) return [];
  const by = authorOf(node);
  return children(node).flatMap((part, index): Updated[] => {
    const change = changeOf(part, by, self);
    if (!change) return [];
    return [
      { type: 'group.updated', id: `${id}:${index}`, group: from, by, change, timestamp: intAttr(node, 't') ?? 0 },
    ];
  });
}

/** What `<notification type="picture">` says when it is a group's picture. */
export function groupPicture(event: EngineEvent, node: Node): Updated[] {
  if (event.type !== 'picture.updated') return [];
  const { of, removed, pictureId, timestamp } = event;
  if (!isGroup(of.jid)) return [];
  const id = `picture:${pictureId ?? 'removed'}:${timestamp}`;
  const change: GroupChange = { kind: 'picture', removed, ...(pictureId === undefined ? {} : { pictureId }) };
  return [{ type: 'group.updated', id, group: of.jid, by: authorOf(node), change, timestamp }];
}

/** Who did it; null when WhatsApp does not say. */
function authorOf({ attrs }: Node): Party | null {
  return attrs.participant === undefined ? null : party(attrs.participant, attrs.participant_pn, attrs.participant_lid);
}

function changeOf(part: Node, by: Party | null, self: Self): GroupChange | undefined {
  switch (part.tag) {
    case 'create': {
      const group = parseGroup(child(part, 'group'), self);
      return group && { kind: 'created', group: summaryOf(group), isNew: part.attrs.type === 'new' };
    }
    case 'subject':
      return { kind: 'subject', subject: part.attrs.subject ?? '' };
    case 'description':
      return { kind: 'description', description: text(child(part, 'body')) ?? '' };
    case 'invite':
      return { kind: 'invite_revoked' };
    case 'delete':
      return { kind: 'deleted' };
    default:
      return settingOf(part) ?? membersOf(part, by);
  }
}

function settingOf(part: Node): GroupChange | undefined {
  const setting = SETTINGS[part.tag]?.(part);
  return setting && { kind: 'setting', setting };
}

const SETTINGS: Record<string, (part: Node) => GroupSetting | undefined> = {
  announcement: () => ({ name: 'announce', isOn: true }),
  not_announcement: () => ({ name: 'announce', isOn: false }),
  locked: () => ({ name: 'locked', isOn: true }),
  unlocked: () => ({ name: 'locked', isOn: false }),
  membership_approval_mode: (part) => ({
    name: 'approval',
    isOn: child(part, 'group_join')?.attrs.state === 'on',
  }),
  member_add_mode: (part) => ({ name: 'memberAdd', who: text(part) === 'admin_add' ? 'admins' : 'all' }),
  ephemeral: (part) => ({ name: 'ephemeral', seconds: intAttr(part, 'expiration') ?? 0 }),
  not_ephemeral: () => ({ name: 'ephemeral', seconds: 0 }),
};

function membersOf(part: Node, by: Party | null): GroupChange | undefined {
  const members = partiesOf(part);
  const [first] = members;
  if (!first) return undefined;
  // A person who joins by a link, or leaves, is also named as the author of the change.
  const isOwnDoing = members.length === 1 && by !== null && isSame(first, by);
  switch (part.tag) {
    case 'add':
      return { kind: isOwnDoing || JOIN_REASONS.has(part.attrs.reason ?? '') ? 'joined' : 'added', members };
    case 'remove':
      return { kind: isOwnDoing ? 'left' : 'removed', members };
    case 'promote':
      return { kind: 'promoted', members };
    case 'demote':
      return { kind: 'demoted', members };
    case 'created_membership_requests':
      return { kind: 'requested', members };
    case 'revoked_membership_requests':
      return { kind: isOwnDoing ? 'request_withdrawn' : 'request_rejected', members };
    default:
      return undefined;
  }
}

const isSame = (a: Party, b: Party): boolean =>
  a.jid === b.jid || (a.lid !== undefined && a.lid === b.lid) || (a.pn !== undefined && a.pn === b.pn);
