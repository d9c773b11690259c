import { child, type Node } from '@ponte/engine';
import { groupNode, requestNode } from '../groups/group-view.ts';
import { type Group, groupJid } from '../groups/groups.ts';
import { el } from '../stanzas.ts';
import { type IqAnswer, type IqHandler, IqRefusal, type IqRequest, notFound } from './iq-handler.ts';

export const forbidden = (): IqRefusal => new IqRefusal(403, 'forbidden');
export const notAuthorized = (): IqRefusal => new IqRefusal(401, 'not-authorized');
const notAcceptable = (): IqRefusal => new IqRefusal(406, 'not-acceptable');

/**
 * `<iq xmlns="w:g2" type="get">`: what may be asked of groups (shapes and error codes: whatsmeow
 * group.go, Baileys groups.js).
 */
export const groupQueryHandlers: IqHandler[] = [
  { xmlns: 'w:g2', type: 'get', child: 'query', answer: metadata },
  { xmlns: 'w:g2', type: 'get', child: 'participating', answer: participating },
  { xmlns: 'w:g2', type: 'get', child: 'invite', answer: invite },
  { xmlns: 'w:g2', type: 'get', child: 'membership_approval_requests', answer: requests },
];

/**
 * The group a query is for, if the asker is in it: 404 when there is none, 403 for others
 * (whatsmeow ErrGroupNotFound, ErrNotInGroup).
 */
export function ownGroup({ tenant, from, iq }: IqRequest): Group {
  const group = tenant.groups.resolve(iq.attrs.to);
  if (!group) throw notFound();
  if (tenant.groups.role(group.id, from.pn) === undefined) throw forbidden();
  return group;
}

/** The same for what only admins may do. */
export function adminGroup(request: IqRequest): Group {
  const group = ownGroup(request);
  if (request.tenant.groups.role(group.id, request.from.pn) === '') throw forbidden();
  return group;
}

/**
 * The group of an invite code: 406 when it was never one, 410 when it was revoked (whatsmeow
 * ErrInviteLinkInvalid, ErrInviteLinkRevoked).
 */
export function invitedGroup({ tenant }: IqRequest, code: string | undefined): Group {
  const group = code === undefined ? undefined : tenant.groups.byInvite(code);
  if (group) return group;
  const isRevoked = code !== undefined && tenant.settings.get('', 'revoked-invite', code) !== undefined;
  throw isRevoked ? new IqRefusal(410, 'gone') : notAcceptable();
}

function metadata(request: IqRequest): IqAnswer {
  const group = ownGroup(request);
  return { content: [groupNode(request.tenant, group)], from: groupJid(group) };
}

function participating({ tenant, from, child: asked }: IqRequest): IqAnswer {
  const isWithMembers = child(asked, 'participants') !== undefined;
  const groups = tenant.groups.of(from.pn).map((group) => groupNode(tenant, group, { isWithMembers }));
  return { content: [el('groups', {}, groups)], from: '@g.us' };
}

function invite(request: IqRequest): IqAnswer {
  const { code } = request.child.attrs;
  if (code !== undefined) return { content: [groupNode(request.tenant, invitedGroup(request, code))], from: '@g.us' };
  const group = ownGroup(request);
  if (request.tenant.groups.role(group.id, request.from.pn) === '') throw notAuthorized();
  return { content: [el('invite', { code: group.invite })], from: groupJid(group) };
}

function requests(request: IqRequest): IqAnswer {
  const group = adminGroup(request);
  const list: Node[] = request.tenant.groups
    .requests(group.id)
    .flatMap((one) => requestNode(request.tenant, group, one));
  return { content: [el('membership_approval_requests', {}, list)], from: groupJid(group) };
}
