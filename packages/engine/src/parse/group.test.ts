import { describe, expect, it } from 'vitest';
import { setDescription } from '../compose/group.ts';
import type { Node } from '../node.ts';
import { addressPairs } from './address-pairs.ts';
import { parseGroup, parseOutcomes } from './group.ts';
import { stanzaEvents } from './stanza-events.ts';

const self = { pn: '15550001111@s.whatsapp.net', lid: '1001@lid', name: 'Me' };
const GROUP = '120363000000000001@g.us';
const bob = { jid: '2002@lid', lid: '2002@lid', pn: '15550002222@s.whatsapp.net' };
const node = (tag: string, attrs: Record<string, string> = {}, content?: Node['content']): Node => ({
  tag,
  attrs,
  content,
});
const participant = (attrs: Record<string, string> = {}, content?: Node[]) =>
  node('participant', { jid: bob.lid, phone_number: bob.pn, ...attrs }, content);
const notice = (...content: Node[]): Node =>
  node('notification', { from: GROUP, id: 'N1', t: '7', type: 'w:gp2', participant: bob.lid }, content);
const changes = (...content: Node[]) =>
  stanzaEvents(notice(...content), self).map((event) => event.type === 'group.updated' && event.change);

describe('groups', () => {
  it('are read with members, roles and settings, without those who could not be taken in', () => {
    const group = node('group', { id: '120363000000000001', subject: 'Us', s_t: '5', creation: '4' }, [
      participant({ type: 'admin' }),
      node('participant', { jid: self.lid, type: 'superadmin' }),
      node('participant', { jid: '3003@lid', error: '403' }),
      node('announcement'),
      node('membership_approval_mode', {}, [node('group_join', { state: 'on' })]),
      node('member_add_mode', {}, Buffer.from('admin_add')),
      node('ephemeral', { expiration: '86400' }),
      node('description', { id: 'D' }, [node('body', {}, Buffer.from('why'))]),
    ]);
    expect(parseGroup(group, self)).toMatchObject({
      jid: GROUP,
      subject: 'Us',
      subjectAt: 5,
      createdAt: 4,
      size: 2,
      ownRole: 'superadmin',
      members: [{ party: bob, role: 'admin' }, { role: 'superadmin' }],
      isAnnounce: true,
      isLocked: false,
      needsApproval: true,
      memberAdd: 'admins',
      ephemeralSeconds: 86_400,
      description: 'why',
    });
    expect(parseGroup(node('group'), self)).toBeUndefined();
  });

  it('say of each person what became of the change', () => {
    const invited = participant({ error: '403' }, [node('add_request', { code: 'C', expiration: '9' })]);
    expect(parseOutcomes(node('add', {}, [invited, node('participant', { jid: '3003@lid' })]))).toEqual([
      { party: bob, code: 403, invite: { code: 'C', expiresAt: 9 } },
      { party: { jid: '3003@lid', lid: '3003@lid' }, code: 200 },
    ]);
  });

  it('name the description that a change replaces', () => {
    expect(setDescription(GROUP, '', 'NEW', 'OLD').content).toEqual([
      { tag: 'description', attrs: { prev: 'OLD', delete: 'true' } },
    ]);
  });
});

describe('changes of groups', () => {
  it('have an id each, the same whenever they arrive', () => {
    const twice = notice(node('subject', { subject: 'New' }), node('locked'));
    const events = stanzaEvents(twice, self);
    expect(events).toMatchObject([
      { id: 'N1:0', group: GROUP, by: { jid: bob.lid }, change: { kind: 'subject', subject: 'New' }, timestamp: 7 },
      { id: 'N1:1', change: { kind: 'setting', setting: { name: 'locked', isOn: true } } },
    ]);
    expect(stanzaEvents(twice, self)).toEqual(events);
  });

  it('tell coming from being added, and going from being removed', () => {
    const other = node('participant', { jid: '3003@lid' });
    expect(changes(node('add', {}, [other]))).toMatchObject([{ kind: 'added' }]);
    expect(changes(node('add', { reason: 'invite' }, [other]))).toMatchObject([{ kind: 'joined' }]);
    expect(changes(node('add', {}, [participant()]))).toMatchObject([{ kind: 'joined' }]);
    expect(changes(node('remove', {}, [participant()]))).toMatchObject([{ kind: 'left', members: [bob] }]);
    expect(changes(node('remove', {}, [other]))).toMatchObject([{ kind: 'removed' }]);
    const asked = node('created_membership_requests', {}, [node('requested_user', { jid: '3003@lid' })]);
    expect(changes(asked)).toMatchObject([{ kind: 'requested', members: [{ jid: '3003@lid' }] }]);
    expect(changes(node('revoked_membership_requests', {}, [other]))).toMatchObject([{ kind: 'request_rejected' }]);
  });

  it('that nobody knows give none', () => {
    expect(changes(node('growth_locked', { expiration: '1' }), node('add'))).toEqual([]);
  });

  it('of a picture come with the picture’s own event', () => {
    const picture = { ...notice(node('set', { id: '12' })), attrs: { from: GROUP, id: 'P', t: '5', type: 'picture' } };
    expect(stanzaEvents(picture, self)).toMatchObject([
      { type: 'picture.updated', of: { jid: GROUP } },
      { type: 'group.updated', by: null, change: { kind: 'picture', removed: false, pictureId: '12' } },
    ]);
  });

  it('disclose the numbers of members', () => {
    const created = notice(node('create', {}, [node('group', { id: '1' }, [participant()])]));
    expect(addressPairs(created)).toEqual([{ lid: bob.lid, pn: bob.pn }]);
  });
});
