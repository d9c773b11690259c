import type { Party, Self } from '../address.ts';
import { groupJidOf } from '../compose/group.ts';
import type { GroupInfo, GroupJoinRequest, GroupMember, GroupRole, GroupSummary, MemberOutcome } from '../groups.ts';
import { child, childrenOf, intAttr, type Node, text } from '../node.ts';
import { isSelf, party } from './party.ts';

/** A person by every address that the node discloses (whatsmeow group.go parseParticipant). */
const personOf = ({ attrs }: Node): Party => party(attrs.jid ?? '', attrs.phone_number, attrs.lid);

/** `<participant>` nodes with an address. */
const participantsOf = (node: Node | undefined): Node[] =>
  childrenOf(node, 'participant').filter(({ attrs }) => attrs.jid !== undefined);

/** All people a change names; requests to join name people as `<requested_user>`. */
export function partiesOf(node: Node): Party[] {
  const people = participantsOf(node);
  if (people.length > 0) return people.map(personOf);
  return childrenOf(node, 'requested_user')
    .filter(({ attrs }) => attrs.jid !== undefined)
    .map(personOf);
}

function roleOf({ attrs }: Node): GroupRole {
  return attrs.type === 'admin' || attrs.type === 'superadmin' ? attrs.type : 'member';
}

/**
 * Reads a `<group>` (whatsmeow group.go parseGroupNode, Baileys extractGroupMetadata). Undefined
 * without an id. People whom a creation could not take in stand among the members with an error:
 * they are left out.
 */
export function parseGroup(node: Node | undefined, self: Self): GroupInfo | undefined {
  const { id, creator, subject } = node?.attrs ?? {};
  if (!node || id === undefined) return undefined;
  const members = participantsOf(node)
    .filter(({ attrs }) => attrs.error === undefined)
    .map((one): GroupMember => ({ party: personOf(one), role: roleOf(one) }));
  return {
    jid: groupJidOf(id),
    subject: subject ?? '',
    subjectAt: intAttr(node, 's_t') ?? 0,
    description: text(child(child(node, 'description'), 'body')) ?? '',
    createdAt: intAttr(node, 'creation') ?? 0,
    creator: creator === undefined ? null : party(creator, node.attrs.creator_pn),
    size: intAttr(node, 'size') ?? members.length,
    isAnnounce: child(node, 'announcement') !== undefined,
    isLocked: child(node, 'locked') !== undefined,
    needsApproval: child(child(node, 'membership_approval_mode'), 'group_join')?.attrs.state === 'on',
    memberAdd: text(child(node, 'member_add_mode')) === 'admin_add' ? 'admins' : 'all',
    ephemeralSeconds: intAttr(child(node, 'ephemeral'), 'expiration') ?? 0,
    ownRole: members.find((member) => isSelf(member.party.jid, self))?.role ?? null,
    members,
  };
}

export function summaryOf({ members: _, ...summary }: GroupInfo): GroupSummary {
  return summary;
}

/** The groups in the answer to `allGroups`. */
export function parseGroups(answer: Node, self: Self): GroupSummary[] {
  return childrenOf(child(answer, 'groups'), 'group').flatMap((node) => {
    const group = parseGroup(node, self);
    return group ? [summaryOf(group)] : [];
  });
}

/** The id of a group's description: a change of it must name it. */
export const descriptionId = (group: Node | undefined): string | undefined => child(group, 'description')?.attrs.id;

/** The outcome for each person a change named, as far as the answer's node tells. */
export function parseOutcomes(node: Node | undefined): MemberOutcome[] {
  return participantsOf(node).map((one) => {
    const asked = child(one, 'add_request');
    const { code, expiration } = asked?.attrs ?? {};
    return {
      party: personOf(one),
      code: intAttr(one, 'error') ?? 200,
      ...(code === undefined ? {} : { invite: { code, expiresAt: Number(expiration ?? 0) } }),
    };
  });
}

/** The people in the answer to `joinRequests`. */
export function parseJoinRequests(answer: Node): GroupJoinRequest[] {
  const list = childrenOf(child(answer, 'membership_approval_requests'), 'membership_approval_request');
  return list
    .filter(({ attrs }) => attrs.jid !== undefined)
    .map((one) => ({ party: personOf(one), requestedAt: intAttr(one, 'request_time') ?? 0 }));
}

/** What the answer to `joinGroup` says: in at once, or asked. Undefined when it says neither. */
export function parseJoined(answer: Node): { group: string; state: 'joined' | 'requested' } | undefined {
  const joined = child(answer, 'group')?.attrs.jid;
  if (joined !== undefined) return { group: joined, state: 'joined' };
  const asked = child(answer, 'membership_approval_request')?.attrs.jid;
  return asked === undefined ? undefined : { group: asked, state: 'requested' };
}
