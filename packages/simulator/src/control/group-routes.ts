import { child, childrenOf, formatJid, type Jid, type Node, parseChat, SERVER_PN } from '@ponte/engine';
import { type Input, InputError } from '../phone/content/input.ts';
import type { Phone } from '../phone/phone.ts';
import { contactOf, phoneNamed, phoneOf } from './addresses.ts';
import { ControlError } from './control-error.ts';
import type { GroupFacts } from './control-world.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

const MEMBERS_MAX = 1024;
const MODES = ['lid', 'pn'] as const;
const ACTIONS = ['add', 'remove', 'promote', 'demote'] as const;

/**
 * Groups. Every change is done by a member's phone (`by`, the owner unless said otherwise) with the
 * query that WhatsApp has for it, so that all members are notified as on WhatsApp and what that
 * member may not do is refused.
 */
export const GROUP_ROUTES: readonly Route[] = [
  ['POST', '/groups', createGroup],
  ['GET', '/groups', ({ world, tenant }) => ({ status: 200, body: world.groups(tenant).map(groupItem) })],
  ['GET', '/groups/{jid}', (call) => ({ status: 200, body: groupItem(groupOf(call)) })],
  ['PATCH', '/groups/{jid}', changeGroup],
  ['POST', '/groups/{jid}/participants', changeParticipants],
  ['POST', '/groups/{jid}/requests', decideRequests],
  ['POST', '/groups/{jid}/invite', revokeInvite],
  ['POST', '/groups/{jid}/leave', leave],
  ['POST', '/phones/{phone}/join', join],
];

async function createGroup(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const subject = body.text('subject', 100);
  const owner = await phoneNamed(call, 'owner');
  const mode = body.has('addressing_mode') ? body.choice('addressing_mode', MODES) : 'lid';
  const participants = people(body, 0);
  const attrs = { subject, key: `sandbox-${participants.length}`, addressing_mode: mode };
  const answer = await ask(owner, '@g.us', 'set', [node('create', attrs, participants)]);
  const made = child(answer, 'group');
  const jid = formatJid(made?.attrs.id ?? '', 'g.us');
  await applySettings(owner, jid, body);
  const group = call.world.group(call.tenant, jid);
  if (!group) throw new Error(`group ${jid} was created and is not there`);
  const refused = outcomes(made).filter(({ status }) => status !== 200);
  return { status: 201, body: { ...groupItem(group), ...(refused.length > 0 ? { refused } : {}) } };
}

async function changeGroup(call: ControlCall): Promise<ControlAnswer> {
  const { jid } = groupOf(call);
  const phone = await actor(call);
  if (call.body.has('subject')) {
    await ask(phone, jid, 'set', [node('subject', {}, Buffer.from(call.body.text('subject', 100)))]);
  }
  // No client has a query for that: WhatsApp moved its groups itself.
  if (call.body.has('addressing_mode')) {
    call.world.setGroupAddressing(call.tenant, jid, call.body.choice('addressing_mode', MODES));
  }
  await applySettings(phone, jid, call.body);
  return { status: 200, body: groupItem(groupOf(call)) };
}

async function changeParticipants(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const { jid } = groupOf(call);
  const action = body.has('action') ? body.choice('action', ACTIONS) : 'add';
  const answer = await ask(await actor(call), jid, 'set', [node(action, {}, people(body, 1))]);
  return { status: 200, body: { jid, participants: outcomes(child(answer, action)) } };
}

async function decideRequests(call: ControlCall): Promise<ControlAnswer> {
  const { jid } = groupOf(call);
  const action = call.body.choice('action', ['approve', 'reject'] as const);
  const content = [node('membership_requests_action', {}, [node(action, {}, people(call.body, 1))])];
  const answer = await ask(await actor(call), jid, 'set', content);
  return {
    status: 200,
    body: { jid, participants: outcomes(child(child(answer, 'membership_requests_action'), action)) },
  };
}

async function revokeInvite(call: ControlCall): Promise<ControlAnswer> {
  const { jid } = groupOf(call);
  const answer = await ask(await actor(call), jid, 'set', [node('invite')]);
  return { status: 200, body: { jid, invite_code: child(answer, 'invite')?.attrs.code } };
}

async function leave(call: ControlCall): Promise<ControlAnswer> {
  const { jid } = groupOf(call);
  const phone = await phoneNamed(call, 'phone');
  const answer = await ask(phone, '@g.us', 'set', [node('leave', {}, [node('group', { id: jid })])]);
  const left = child(child(answer, 'leave'), 'group');
  if (left?.attrs.error !== undefined) throw new InputError('phone', 'must be a member of this group');
  return { status: 200, body: { jid } };
}

async function join(call: ControlCall): Promise<ControlAnswer> {
  const code = call.body.text('invite_code', 64).replace(/^https:\/\/chat\.whatsapp\.com\//, '');
  const phone = await phoneOf(call);
  const answer = await ask(phone, '@g.us', 'set', [node('invite', { code })]);
  const jid = child(answer, 'group')?.attrs.jid;
  const asked = child(answer, 'membership_approval_request')?.attrs.jid;
  return { status: 200, body: { jid: jid ?? asked, state: jid === undefined ? 'requested' : 'member' } };
}

async function applySettings(phone: Phone, jid: Jid, body: Input): Promise<void> {
  const changes: Node[] = [];
  const flags = [
    ['announce', 'announcement', 'not_announcement'],
    ['locked', 'locked', 'unlocked'],
  ] as const;
  if (body.has('description'))
    changes.push(await description(phone, jid, body.optionalText('description', 2048) ?? ''));
  for (const [name, on, off] of flags) if (body.has(name)) changes.push(node(body.flag(name) ? on : off));
  if (body.has('ephemeral_seconds')) {
    const seconds = body.integer('ephemeral_seconds', 0, 7_776_000);
    changes.push(seconds === 0 ? node('not_ephemeral') : node('ephemeral', { expiration: String(seconds) }));
  }
  if (body.has('membership_approval')) {
    const state = body.flag('membership_approval') ? 'on' : 'off';
    changes.push(node('membership_approval_mode', {}, [node('group_join', { state })]));
  }
  if (body.has('member_add')) {
    const mode = body.choice('member_add', ['all', 'admins'] as const);
    changes.push(node('member_add_mode', {}, Buffer.from(mode === 'all' ? 'all_member_add' : 'admin_add')));
  }
  for (const change of changes) await ask(phone, jid, 'set', [change]);
}

async function description(phone: Phone, jid: Jid, body: string): Promise<Node> {
  const answer = await ask(phone, jid, 'get', [node('query', { request: 'interactive' })]);
  const prev = child(child(answer, 'group'), 'description')?.attrs.id;
  const known: Record<string, string> = prev === undefined ? {} : { prev };
  if (body === '') return node('description', { delete: 'true', ...known });
  return node('description', known, [node('body', {}, Buffer.from(body))]);
}

/** The phone that does it: `by`, or the owner of the group. */
async function actor(call: ControlCall): Promise<Phone> {
  if (call.body.has('by')) return phoneNamed(call, 'by');
  const { owner } = groupOf(call);
  const phone = owner === undefined ? undefined : await call.world.phone(call.tenant, owner);
  if (!phone) throw new InputError('by', 'is required: the owner of this group is gone');
  return phone;
}

function groupOf(call: ControlCall): GroupFacts {
  const jid = parseChat(call.params.jid ?? '');
  const group = jid === undefined ? undefined : call.world.group(call.tenant, jid);
  if (group) return group;
  throw new ControlError('group_not_found', `there is no group ${call.params.jid}; create it with POST /groups`);
}

function people(body: Input, min: number): Node[] {
  return (min === 0 && !body.has('participants') ? [] : body.texts('participants', min, MEMBERS_MAX)).map(
    (name, index) => node('participant', { jid: contactOf(name, `participants[${index}]`) }),
  );
}

function outcomes(parent: Node | undefined): { jid: string; status: number }[] {
  return childrenOf(parent, 'participant').map(({ attrs }) => ({
    jid: attrs.phone_number ?? attrs.jid ?? '',
    status: Number(attrs.error ?? 200),
  }));
}

function groupItem(group: GroupFacts): Record<string, unknown> {
  return {
    jid: group.jid,
    subject: group.subject,
    owner: group.owner,
    ...(group.description === undefined ? {} : { description: group.description }),
    addressing_mode: group.mode,
    announce: group.isAnnounce,
    locked: group.isLocked,
    ephemeral_seconds: group.ephemeralS,
    membership_approval: group.needsApproval,
    member_add: group.memberAdd === 'all_member_add' ? 'all' : 'admins',
    invite_code: group.invite,
    participants: group.members.map(({ pn, lid, role }) => ({
      phone: pn,
      jid: formatJid(pn, SERVER_PN),
      lid: formatJid(lid, 'lid'),
      role: role === '' ? 'member' : role,
    })),
    requests: group.requests,
  };
}

function ask(phone: Phone, to: Jid, type: 'get' | 'set', content: Node[]): Promise<Node> {
  return phone.query({ tag: 'iq', attrs: { to, type, xmlns: 'w:g2' }, content });
}

function node(tag: string, attrs: Record<string, string> = {}, content?: Node[] | Uint8Array): Node {
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}
