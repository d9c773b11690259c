import { child, type Node, text } from '@ponte/engine';
import { nowSeconds } from '../clock.ts';
import { tellGroup } from '../groups/group-notices.ts';
import { namedBy } from '../groups/group-view.ts';
import { type Group, groupJid } from '../groups/groups.ts';
import { hexId } from '../rng.ts';
import { el } from '../stanzas.ts';
import { adminGroup, forbidden, ownGroup } from './groups.ts';
import { badRequest, type IqAnswer, type IqHandler, IqRefusal, type IqRequest } from './iq-handler.ts';

const SUBJECT_MAX_CHARS = 100;
const DESCRIPTION_MAX_CHARS = 2048;
/** Off, a day, a week, 90 days: WhatsApp offers no others. */
const EPHEMERAL_S = new Set([0, 86_400, 604_800, 7_776_000]);

/** What a setting does to a group, and what the others are told. */
interface Change {
  group: Group;
  notice: Node;
}

/**
 * `<iq xmlns="w:g2" type="set">` that changes what a group is (shapes: Baileys groups.js, whatsmeow
 * group.go).
 */
export const groupSettingHandlers: IqHandler[] = [
  setting('subject', ownOrAdmin, setSubject),
  setting('description', ownOrAdmin, setDescription),
  setting('announcement', adminGroup, ({ group }) => ({
    group: { ...group, isAnnounce: true },
    notice: el('announcement'),
  })),
  setting('not_announcement', adminGroup, ({ group }) => ({
    group: { ...group, isAnnounce: false },
    notice: el('not_announcement'),
  })),
  setting('locked', adminGroup, ({ group }) => ({ group: { ...group, isLocked: true }, notice: el('locked') })),
  setting('unlocked', adminGroup, ({ group }) => ({ group: { ...group, isLocked: false }, notice: el('unlocked') })),
  setting('ephemeral', ownOrAdmin, setEphemeral),
  setting('not_ephemeral', ownOrAdmin, ({ group }) => ({
    group: { ...group, ephemeralS: 0 },
    notice: el('not_ephemeral'),
  })),
  setting('membership_approval_mode', adminGroup, setApproval),
  setting('member_add_mode', adminGroup, setMemberAdd),
];

interface Asked {
  request: IqRequest;
  group: Group;
}

function setting(tag: string, allowed: (request: IqRequest) => Group, change: (asked: Asked) => Change): IqHandler {
  const answer = (request: IqRequest): IqAnswer => {
    const { tenant, from } = request;
    const { group, notice } = change({ request, group: allowed(request) });
    tenant.groups.save(group);
    return { from: groupJid(group), afterwards: () => tellGroup(tenant, from, group, [notice]) };
  };
  return { xmlns: 'w:g2', type: 'set', child: tag, answer };
}

// A locked group is changed by its admins only.
function ownOrAdmin(request: IqRequest): Group {
  const group = ownGroup(request);
  if (group.isLocked && request.tenant.groups.role(group.id, request.from.pn) === '') throw forbidden();
  return group;
}

function setSubject({ request, group }: Asked): Change {
  const { tenant, from } = request;
  const subject = text(request.child) ?? '';
  if (subject === '' || subject.length > SUBJECT_MAX_CHARS) throw new IqRefusal(406, 'not-acceptable');
  const changed = { ...group, subject, subjectBy: from.pn, subjectAt: nowSeconds(tenant.clock) };
  const by = namedBy(tenant, group, from.pn, 's_o');
  return { group: changed, notice: el('subject', { subject, s_t: String(changed.subjectAt), ...by }) };
}

// A change names the description it was made from; another one in the meantime wins (409, as
// WhatsApp does).
function setDescription({ request, group }: Asked): Change {
  const { tenant, from } = request;
  const { id, prev, delete: isDeleted } = request.child.attrs;
  if (prev !== undefined && prev !== group.description?.id) throw new IqRefusal(409, 'conflict');
  if (isDeleted === 'true') {
    return { group: { ...group, description: undefined }, notice: el('description', { delete: 'true', prev }) };
  }
  const body = text(child(request.child, 'body'));
  if (body === undefined || body.length > DESCRIPTION_MAX_CHARS) throw new IqRefusal(406, 'not-acceptable');
  const description = { id: id ?? hexId(tenant.rng, 8).toUpperCase(), body, by: from.pn, at: nowSeconds(tenant.clock) };
  const attrs = { id: description.id, t: String(description.at), ...namedBy(tenant, group, from.pn, 'participant') };
  return {
    group: { ...group, description },
    notice: el('description', attrs, [el('body', {}, Buffer.from(body))]),
  };
}

function setEphemeral({ request, group }: Asked): Change {
  const ephemeralS = Number(request.child.attrs.expiration ?? Number.NaN);
  if (!EPHEMERAL_S.has(ephemeralS)) throw badRequest();
  const { expiration } = request.child.attrs;
  return { group: { ...group, ephemeralS }, notice: el('ephemeral', { expiration }) };
}

function setApproval({ request, group }: Asked): Change {
  const state = child(request.child, 'group_join')?.attrs.state;
  if (state !== 'on' && state !== 'off') throw badRequest();
  const notice = el('membership_approval_mode', {}, [el('group_join', { state })]);
  return { group: { ...group, needsApproval: state === 'on' }, notice };
}

function setMemberAdd({ request, group }: Asked): Change {
  const mode = text(request.child);
  if (mode !== 'admin_add' && mode !== 'all_member_add') throw badRequest();
  return { group: { ...group, memberAdd: mode }, notice: el('member_add_mode', {}, Buffer.from(mode)) };
}
