import { formatJid, type Node, SERVER_PN } from '@ponte/engine';
import { el } from '../stanzas.ts';
import type { Tenant } from '../tenant.ts';
import { type Group, type JoinRequest, type Member, memberJid } from './groups.ts';

/** What a group tells of one person, member or not. */
export type Person = Pick<Member, 'pn' | 'lid' | 'isLidOnly'>;

/**
 * A person as attributes: `jid` in the group's addressing, and the other name beside it unless the
 * number is not disclosed; then a redacted number takes its place (whatsmeow group.go,
 * parseParticipant).
 */
export function personAttrs(group: Pick<Group, 'mode'>, person: Person): Record<string, string> {
  const jid = memberJid(group, person);
  if (group.mode === 'pn') return { jid, lid: formatJid(person.lid, 'lid') };
  if (person.isLidOnly) return { jid, display_name: `+${person.pn.slice(0, 1)}∙∙∙∙∙∙∙${person.pn.slice(-2)}` };
  return { jid, phone_number: formatJid(person.pn, SERVER_PN) };
}

/** `<participant>` of a member list; a plain member has no `type`. */
export function participantNode(group: Pick<Group, 'mode'>, member: Person & { role?: string }): Node {
  return el('participant', { ...personAttrs(group, member), type: member.role || undefined });
}

/** `name` and `name_pn` for a person the group remembers; nothing for a deleted account. */
export function namedBy(tenant: Tenant, group: Group, pn: string, name: string): Record<string, string> {
  const account = tenant.accounts.byPn(pn);
  if (!account) return {};
  const jid = memberJid(group, account);
  const isDisclosed = group.mode === 'lid' && !account.isLidOnly;
  return isDisclosed ? { [name]: jid, [`${name}_pn`]: formatJid(pn, SERVER_PN) } : { [name]: jid };
}

/**
 * `<group>` with everything a member may see (shape: whatsmeow parseGroupNode, Baileys
 * extractGroupMetadata).
 */
export function groupNode(
  tenant: Tenant,
  group: Group,
  options: { isWithMembers: boolean } = { isWithMembers: true },
): Node {
  const members = options.isWithMembers ? tenant.groups.members(group.id) : [];
  const attrs = {
    id: group.id,
    subject: group.subject,
    s_t: String(group.subjectAt),
    ...namedBy(tenant, group, group.subjectBy, 's_o'),
    creation: String(group.createdAt),
    ...namedBy(tenant, group, group.creator, 'creator'),
    size: String(tenant.groups.size(group.id)),
    addressing_mode: group.mode,
  };
  return el('group', attrs, [
    ...members.map((member) => participantNode(group, member)),
    ...settingNodes(tenant, group),
  ]);
}

/** `<membership_approval_request>` of an admin's list. */
export function requestNode(tenant: Tenant, group: Group, request: JoinRequest): Node[] {
  const account = tenant.accounts.byPn(request.pn);
  if (!account) return [];
  const attrs = { ...personAttrs(group, account), request_method: request.method, request_time: String(request.at) };
  return [el('membership_approval_request', attrs)];
}

/** The person an address names, in whichever form. */
export function personOf(tenant: Tenant, jid: string | undefined): Person | undefined {
  return tenant.accounts.resolve(jid)?.account;
}

function settingNodes(tenant: Tenant, group: Group): Node[] {
  const { description } = group;
  const nodes: Node[] = [el('member_add_mode', {}, Buffer.from(group.memberAdd))];
  if (description) {
    const attrs = {
      id: description.id,
      t: String(description.at),
      ...namedBy(tenant, group, description.by, 'participant'),
    };
    nodes.push(el('description', attrs, [el('body', {}, Buffer.from(description.body))]));
  }
  if (group.isAnnounce) nodes.push(el('announcement'));
  if (group.isLocked) nodes.push(el('locked'));
  if (group.ephemeralS > 0) nodes.push(el('ephemeral', { expiration: String(group.ephemeralS), trigger: '0' }));
  if (group.needsApproval) nodes.push(el('membership_approval_mode', {}, [el('group_join', { state: 'on' })]));
  return nodes;
}
