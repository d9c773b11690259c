import { childrenOf, type Node } from '@ponte/engine';
import type { Account } from '../accounts.ts';
import { tellGroup } from '../groups/group-notices.ts';
import { groupNode, participantNode, personAttrs } from '../groups/group-view.ts';
import { type Group, groupJid, MEMBERS_MAX, REQUESTS_MAX } from '../groups/groups.ts';
import { maySee } from '../privacy.ts';
import { atomically } from '../shared-commit.ts';
import { el } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { adminGroup, forbidden, invitedGroup, ownGroup } from './groups.ts';
import { badRequest, type IqAnswer, type IqHandler, IqRefusal, type IqRequest, notFound } from './iq-handler.ts';

const SUBJECT_MAX_CHARS = 100;
/** How long a private invite (`add_request`) stays good. */
const ADD_REQUEST_S = 3 * 24 * 3600;

/**
 * `<iq xmlns="w:g2" type="set">` that changes who is in a group, and as what (shapes: Baileys
 * groups.js, whatsmeow group.go).
 */
export const groupMemberHandlers: IqHandler[] = [
  { xmlns: 'w:g2', type: 'set', child: 'create', answer: create },
  { xmlns: 'w:g2', type: 'set', child: 'add', answer: add },
  { xmlns: 'w:g2', type: 'set', child: 'remove', answer: remove },
  { xmlns: 'w:g2', type: 'set', child: 'promote', answer: (request) => changeRole(request, 'admin') },
  { xmlns: 'w:g2', type: 'set', child: 'demote', answer: (request) => changeRole(request, '') },
  { xmlns: 'w:g2', type: 'set', child: 'leave', answer: leave },
  { xmlns: 'w:g2', type: 'set', child: 'invite', answer: inviteLink },
  { xmlns: 'w:g2', type: 'set', child: 'accept', answer: acceptInvite },
  { xmlns: 'w:g2', type: 'set', child: 'membership_requests_action', answer: decideRequests },
];

/** A person a change names, and the outcome: 200, or the error code that stands beside the name. */
interface Outcome {
  jid: string;
  account: Account | undefined;
  error?: number;
}

function create(request: IqRequest): IqAnswer {
  const { tenant, from, child } = request;
  const subject = child.attrs.subject ?? '';
  if (subject.length > SUBJECT_MAX_CHARS) throw new IqRefusal(406, 'not-acceptable');
  const mode = child.attrs.addressing_mode === 'pn' ? 'pn' : 'lid';
  const named = accountsNamed(tenant, child).filter(({ account }) => account?.pn !== from.pn);
  if (named.length >= MEMBERS_MAX) throw badRequest();
  const outcomes = named.map((outcome) => admission(tenant, from, undefined, outcome));
  const group = atomically(tenant.db, () => {
    const made = tenant.groups.create(from.pn, subject, mode);
    tenant.groups.setMember(made.id, from.pn, 'superadmin');
    for (const { account, error } of outcomes) if (account && !error) tenant.groups.setMember(made.id, account.pn, '');
    return made;
  });
  const node = groupNode(tenant, group);
  const refused = outcomes.filter(({ error }) => error !== undefined).map((one) => outcomeNode(request, group, one));
  const answer = { ...node, content: [...(Array.isArray(node.content) ? node.content : []), ...refused] };
  const { key } = child.attrs;
  return {
    content: [answer],
    from: '@g.us',
    afterwards: () => tellGroup(tenant, from, group, [el('create', { type: 'new', key }, [node])]),
  };
}

function add(request: IqRequest): IqAnswer {
  const { tenant, from, child } = request;
  const group = ownGroup(request);
  if (group.memberAdd === 'admin_add' && tenant.groups.role(group.id, from.pn) === '') throw forbidden();
  const outcomes = accountsNamed(tenant, child).map((outcome) => admission(tenant, from, group, outcome));
  const added = succeeded(outcomes);
  if (tenant.groups.size(group.id) + added.length > MEMBERS_MAX) throw new IqRefusal(419, 'resource-limit');
  return {
    content: [
      el(
        'add',
        {},
        outcomes.map((one) => outcomeNode(request, group, one)),
      ),
    ],
    from: groupJid(group),
    afterwards: admit(tenant, from, group, added, undefined),
  };
}

function remove(request: IqRequest): IqAnswer {
  const { tenant, from, child } = request;
  const group = adminGroup(request);
  const outcomes = accountsNamed(tenant, child).map((one): Outcome => {
    const role = one.account && tenant.groups.role(group.id, one.account.pn);
    if (role === undefined) return { ...one, error: 404 };
    return role === 'superadmin' && one.account?.pn !== from.pn ? { ...one, error: 406 } : one;
  });
  const gone = succeeded(outcomes);
  return {
    content: [
      el(
        'remove',
        {},
        outcomes.map((one) => outcomeNode(request, group, one)),
      ),
    ],
    from: groupJid(group),
    afterwards: expel(tenant, from, group, gone),
  };
}

function changeRole(request: IqRequest, role: '' | 'admin'): IqAnswer {
  const { tenant, from, child } = request;
  const group = adminGroup(request);
  const outcomes = accountsNamed(tenant, child).map((one): Outcome => {
    const before = one.account && tenant.groups.role(group.id, one.account.pn);
    if (before === undefined) return { ...one, error: 404 };
    return before === 'superadmin' ? { ...one, error: 406 } : one;
  });
  const changed = succeeded(outcomes);
  atomically(tenant.db, () => {
    for (const { pn } of changed) tenant.groups.setMember(group.id, pn, role);
  });
  const nodes = changed.map((account) => participantNode(group, { ...account, role }));
  return {
    content: [
      el(
        child.tag,
        {},
        outcomes.map((one) => outcomeNode(request, group, one)),
      ),
    ],
    from: groupJid(group),
    afterwards: () => changed.length > 0 && tellGroup(tenant, from, group, [el(child.tag, {}, nodes)]),
  };
}

function leave(request: IqRequest): IqAnswer {
  const { tenant, from, child } = request;
  const wanted = childrenOf(child, 'group').map(({ attrs }) => attrs.id ?? '');
  const left = wanted.map((jid) => ({ jid, group: tenant.groups.resolve(jid.includes('@') ? jid : `${jid}@g.us`) }));
  const done: (() => void)[] = [];
  const nodes = left.map(({ jid, group }) => {
    const isMember = group && tenant.groups.role(group.id, from.pn) !== undefined;
    if (!isMember) return el('group', { id: jid, error: '404' });
    done.push(leaveGroup(tenant, from, group));
    return el('group', { id: jid });
  });
  const afterwards = (): void => {
    for (const tell of done) tell();
  };
  return { content: [el('leave', {}, nodes)], from: '@g.us', afterwards };
}

/** Takes the sender out of a group; the returned call tells the others. */
export function leaveGroup(tenant: Tenant, from: Sender, group: Group): () => void {
  const account = tenant.accounts.byPn(from.pn);
  return account ? expel(tenant, from, group, [account]) : () => undefined;
}

function inviteLink(request: IqRequest): IqAnswer {
  const { code } = request.child.attrs;
  if (code !== undefined) return join(request, invitedGroup(request, code), 'invite');
  const { tenant, from } = request;
  const group = adminGroup(request);
  const fresh = { ...group, invite: tenant.groups.newInvite() };
  atomically(tenant.db, () => {
    tenant.settings.set('', 'revoked-invite', group.invite, group.id);
    tenant.groups.save(fresh);
  });
  return {
    content: [el('invite', { code: fresh.invite })],
    from: groupJid(group),
    afterwards: () => tellGroup(tenant, from, fresh, [el('invite', { code: fresh.invite })]),
  };
}

function acceptInvite(request: IqRequest): IqAnswer {
  const { tenant, from, child, iq } = request;
  const group = tenant.groups.resolve(iq.attrs.to);
  if (!group) throw notFound();
  const { code, admin, expiration } = child.attrs;
  const inviter = tenant.accounts.resolve(admin)?.account;
  const stored = tenant.settings.get(from.pn, 'add-request', group.id);
  const isGood = stored === `${code} ${inviter?.pn} ${expiration}` && Number(expiration) * 1000 > tenant.clock.nowMs();
  if (!isGood) throw new IqRefusal(410, 'gone');
  tenant.settings.set(from.pn, 'add-request', group.id, undefined);
  return join(request, { ...group, needsApproval: false }, 'invite');
}

function join({ tenant, from }: IqRequest, group: Group, reason: string): IqAnswer {
  const account = tenant.accounts.byPn(from.pn);
  if (!account) throw notFound();
  const jid = groupJid(group);
  const done = { content: [el('group', { jid })], from: jid };
  if (tenant.groups.role(group.id, from.pn) !== undefined) return done;
  if (tenant.groups.size(group.id) >= MEMBERS_MAX) throw new IqRefusal(419, 'resource-limit');
  if (!group.needsApproval) return { ...done, afterwards: admit(tenant, from, group, [account], reason) };
  if (tenant.groups.requests(group.id).length >= REQUESTS_MAX) throw new IqRefusal(419, 'resource-limit');
  tenant.groups.addRequest(group.id, from.pn, 'invite_link');
  const asked = el('created_membership_requests', { request_method: 'invite_link' }, [
    el('requested_user', personAttrs(group, account)),
    participantNode(group, account),
  ]);
  const only = (pn: string): boolean => tenant.groups.role(group.id, pn) !== '';
  return {
    content: [el('membership_approval_request', { jid })],
    from: jid,
    afterwards: () => tellGroup(tenant, from, group, [asked], { only }),
  };
}

function decideRequests(request: IqRequest): IqAnswer {
  const { tenant, from, child } = request;
  const group = adminGroup(request);
  const waiting = new Set(tenant.groups.requests(group.id).map(({ pn }) => pn));
  const done: (() => void)[] = [];
  const nodes = ['approve', 'reject'].flatMap((tag) =>
    childrenOf(child, tag).map((action) => {
      const outcomes = accountsNamed(tenant, action).map(
        (one): Outcome => (one.account && waiting.has(one.account.pn) ? one : { ...one, error: 404 }),
      );
      const decided = succeeded(outcomes);
      for (const { pn } of decided) tenant.groups.dropRequest(group.id, pn);
      done.push(
        tag === 'approve' ? admit(tenant, from, group, decided, 'invite') : refuse(tenant, from, group, decided),
      );
      return el(
        tag,
        {},
        outcomes.map((one) => outcomeNode(request, group, one)),
      );
    }),
  );
  const afterwards = (): void => {
    for (const tell of done) tell();
  };
  return { content: [el('membership_requests_action', {}, nodes)], from: groupJid(group), afterwards };
}

function refuse(tenant: Tenant, from: Sender, group: Group, people: Account[]): () => void {
  const node = el(
    'revoked_membership_requests',
    {},
    people.map((one) => participantNode(group, one)),
  );
  const only = (pn: string): boolean => tenant.groups.role(group.id, pn) !== '';
  return () => people.length > 0 && tellGroup(tenant, from, group, [node], { only, also: people.map(({ pn }) => pn) });
}

// Old members hear who came, new ones get the whole group (whatsmeow events.JoinedGroup).
function admit(tenant: Tenant, from: Sender, group: Group, people: Account[], reason: string | undefined): () => void {
  const isNew = new Set(people.map(({ pn }) => pn));
  atomically(tenant.db, () => {
    for (const { pn } of people) {
      tenant.groups.setMember(group.id, pn, '');
      tenant.groups.dropRequest(group.id, pn);
    }
  });
  return () => {
    if (people.length === 0) return;
    const added = el(
      'add',
      { reason },
      people.map((one) => participantNode(group, one)),
    );
    tellGroup(tenant, from, group, [added], { only: (pn) => !isNew.has(pn) });
    const whole = el('create', { reason }, [groupNode(tenant, group)]);
    tellGroup(tenant, from, group, [whole], { only: (pn) => isNew.has(pn) });
  };
}

function expel(tenant: Tenant, from: Sender, group: Group, people: Account[]): () => void {
  atomically(tenant.db, () => {
    for (const { pn } of people) tenant.groups.dropMember(group.id, pn);
    const left = tenant.groups.members(group.id);
    // A group always has an admin.
    const heir = left.some(({ role }) => role !== '') ? undefined : left[0];
    if (heir) tenant.groups.setMember(group.id, heir.pn, 'superadmin');
    if (left.length === 0) tenant.groups.remove(group.id);
  });
  const node = el(
    'remove',
    {},
    people.map((one) => participantNode(group, one)),
  );
  return () => people.length > 0 && tellGroup(tenant, from, group, [node], { also: people.map(({ pn }) => pn) });
}

// Who may be added: a person on this network, not yet a member, who allows it to the adder; else
// 404, 409 or 403 with a private invite.
function admission(tenant: Tenant, from: Sender, group: Group | undefined, one: Outcome): Outcome {
  const { account } = one;
  if (!account) return { ...one, error: 404 };
  if (group && tenant.groups.role(group.id, account.pn) !== undefined) return { ...one, error: 409 };
  return maySee(tenant, from.pn, account.pn, 'groupadd') ? one : { ...one, error: 403 };
}

function outcomeNode({ tenant, from }: IqRequest, group: Group, { jid, account, error }: Outcome): Node {
  if (!account) return el('participant', { jid, error: String(error ?? 404) });
  const attrs = { ...personAttrs(group, account), error: error === undefined ? undefined : String(error) };
  if (error !== 403) return el('participant', attrs);
  const code = tenant.groups.newInvite();
  const expiration = String(Math.floor(tenant.clock.nowMs() / 1000) + ADD_REQUEST_S);
  tenant.settings.set(account.pn, 'add-request', group.id, `${code} ${from.pn} ${expiration}`);
  return el('participant', attrs, [el('add_request', { code, expiration })]);
}

function accountsNamed(tenant: Tenant, node: Node): Outcome[] {
  const seen = new Set<string>();
  return childrenOf(node, 'participant').flatMap(({ attrs }) => {
    const account = tenant.accounts.resolve(attrs.jid)?.account;
    const key = account?.pn ?? attrs.jid ?? '';
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ jid: attrs.jid ?? '', account }];
  });
}

function succeeded(outcomes: Outcome[]): Account[] {
  return outcomes.flatMap(({ account, error }) => (account && error === undefined ? [account] : []));
}
