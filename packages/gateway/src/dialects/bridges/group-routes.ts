import { changesOf } from '../../http/group-schema.ts';
import { json, type Route, type RouteFacts, route } from '../../http/route.ts';
import * as contactAnswers from './contact-answers.ts';
import * as answers from './group-answers.ts';
import * as schemas from './group-schemas.ts';
import { bridge, OK, PROXY } from './row-parts.ts';
import { bridgeParams } from './schemas.ts';

const ROW = { auth: 'key', limit: 'proxy', tag: 'Groups' } as const satisfies Partial<RouteFacts>;
const OF_BRIDGE = { ...ROW, params: bridgeParams } as const satisfies Partial<RouteFacts>;
const OF_GROUP = { ...ROW, params: schemas.groupParams } as const satisfies Partial<RouteFacts>;
const GROUPS = `${PROXY}/groups`;
const ONE = `${GROUPS}/:jid`;

const PEOPLE = ['15550001234', '15550001235'];
const OUTCOMES = {
  200: {
    description: 'What became of each, in the order named. 200 also when some, or all, were refused.',
    schema: schemas.outcomes,
    example: [{ jid: '15550001234@s.whatsapp.net', phone: '15550001234', lid: '', status: 'ok', code: 200 }],
  },
};

const groupOf = ({ params }: { params: { bridge: string; jid: string } }) => ({
  line: { bridge: params.bridge },
  group: params.jid,
});
const ok = () => json(200, { ok: true });

const wholeGroups: Route[] = [
  route({
    ...OF_BRIDGE,
    method: 'GET',
    path: GROUPS,
    operation: 'bridgeGroups',
    summary: 'Every group the bridge is in',
    answers: { 200: { description: 'The groups, as WhatsApp lists them now.', schema: schemas.groups } },
    command: 'groups.all',
    in: bridge,
    out: (groups) => json(200, groups.map(answers.summary)),
  }),
  route({
    ...OF_BRIDGE,
    method: 'POST',
    path: GROUPS,
    operation: 'bridgeCreateGroup',
    summary: 'Make a group',
    description:
      'The bridge is its first admin. People who cannot be added are listed in refused; the group exists all the same. Each call makes another group.',
    body: schemas.createBody,
    requestExample: { subject: 'Neighbours', participants: PEOPLE },
    answers: { 200: { description: 'The group.', schema: schemas.created } },
    command: 'groups.create',
    in: (checked) => ({ ...bridge(checked), subject: checked.body.subject, people: checked.body.participants }),
    out: ({ group, refused }) => json(200, { ...answers.group(group), refused: refused.map(answers.outcome) }),
  }),
  route({
    ...OF_BRIDGE,
    method: 'GET',
    path: `${GROUPS}/invite-info`,
    operation: 'bridgeGroupBehindLink',
    summary: 'The group behind an invite link, without joining it',
    query: schemas.linkQuery,
    answers: { 200: { description: 'What it shows to those who are not in it.', schema: schemas.preview } },
    command: 'groups.behindLink',
    in: (checked) => ({ ...bridge(checked), code: checked.query.link }),
    out: (group) => json(200, answers.summary(group)),
  }),
  route({
    ...OF_BRIDGE,
    method: 'POST',
    path: `${GROUPS}/join`,
    operation: 'bridgeJoinGroup',
    summary: 'Join a group by its link',
    body: schemas.joinBody,
    requestExample: { link: 'https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv' },
    answers: { 200: { description: 'In, or waiting for an admin.', schema: schemas.joined } },
    command: 'groups.join',
    in: (checked) => ({ ...bridge(checked), code: checked.body.link }),
    out: ({ group, state }) => json(200, { jid: group, status: state }),
  }),
  route({
    ...OF_GROUP,
    method: 'GET',
    path: ONE,
    operation: 'bridgeGroup',
    summary: 'A group with its members and settings',
    answers: { 200: { description: 'The group, as WhatsApp shows it now.', schema: schemas.oneGroup } },
    command: 'groups.get',
    in: groupOf,
    out: (group) => json(200, answers.group(group)),
  }),
  route({
    ...OF_GROUP,
    method: 'PATCH',
    path: ONE,
    operation: 'bridgeChangeGroup',
    summary: 'Change subject, description and settings',
    description:
      'One after the other, in the order of the schema. When WhatsApp refuses one, those before it stay; applied in the error names them.',
    body: schemas.patchBody,
    requestExample: { subject: 'Neighbours, 3rd floor', announce: true },
    answers: { 200: { description: 'The group afterwards.', schema: schemas.oneGroup } },
    command: 'groups.change',
    in: (checked) => ({ ...groupOf(checked), ...changesOf(checked.body) }),
    out: (group) => json(200, answers.group(group)),
  }),
  route({
    ...OF_GROUP,
    method: 'POST',
    path: `${ONE}/leave`,
    operation: 'bridgeLeaveGroup',
    summary: 'Leave a group',
    answers: OK,
    command: 'groups.leave',
    in: groupOf,
    out: ok,
  }),
];

const members: Route[] = [
  route({
    ...OF_GROUP,
    method: 'GET',
    path: `${ONE}/participants`,
    operation: 'bridgeGroupParticipants',
    summary: 'The members of a group',
    answers: { 200: { description: 'The members with their roles.', schema: schemas.members } },
    command: 'groups.get',
    in: groupOf,
    out: (group) => json(200, group.members.map(answers.member)),
  }),
  route({
    ...OF_GROUP,
    method: 'POST',
    path: `${ONE}/participants`,
    operation: 'bridgeChangeGroupParticipants',
    summary: 'Add or remove members, make them admins or not',
    body: schemas.memberBody,
    requestExample: { action: 'add', participants: PEOPLE },
    answers: OUTCOMES,
    command: 'groups.changeMembers',
    in: (checked) => ({ ...groupOf(checked), action: checked.body.action, people: checked.body.participants }),
    out: (outcomes) => json(200, outcomes.map(answers.outcome)),
  }),
  route({
    ...OF_GROUP,
    method: 'GET',
    path: `${ONE}/requests`,
    operation: 'bridgeGroupRequests',
    summary: 'Who asked to be let in',
    answers: { 200: { description: 'The requests, as WhatsApp lists them.', schema: schemas.requests } },
    command: 'groups.requests',
    in: groupOf,
    out: (requests) => json(200, requests.map(answers.request)),
  }),
  route({
    ...OF_GROUP,
    method: 'POST',
    path: `${ONE}/requests`,
    operation: 'bridgeDecideGroupRequests',
    summary: 'Let people in who asked, or not',
    body: schemas.decisionBody,
    requestExample: { action: 'approve', participants: PEOPLE },
    answers: OUTCOMES,
    command: 'groups.decide',
    in: (checked) => ({ ...groupOf(checked), action: checked.body.action, people: checked.body.participants }),
    out: (outcomes) => json(200, outcomes.map(answers.outcome)),
  }),
];

const linksAndPictures: Route[] = [
  route({
    ...OF_GROUP,
    method: 'GET',
    path: `${ONE}/invite`,
    operation: 'bridgeGroupInvite',
    summary: 'The link that leads into the group',
    answers: { 200: { description: 'The link.', schema: schemas.link } },
    command: 'groups.link',
    in: (checked) => ({ ...groupOf(checked), renew: false }),
    out: (link) => json(200, link),
  }),
  route({
    ...OF_GROUP,
    method: 'POST',
    path: `${ONE}/invite/revoke`,
    operation: 'bridgeRevokeGroupInvite',
    summary: 'Revoke the link and get a new one',
    answers: { 200: { description: 'The new link.', schema: schemas.link } },
    command: 'groups.link',
    in: (checked) => ({ ...groupOf(checked), renew: true }),
    out: (link) => json(200, link),
  }),
  route({
    ...OF_GROUP,
    method: 'GET',
    path: `${ONE}/picture`,
    operation: 'bridgeGroupPicture',
    summary: 'The group’s picture, as JPEG',
    answers: { 200: { description: 'The picture.', contentTypes: ['image/jpeg'] } },
    command: 'contacts.picture',
    in: ({ params }) => ({ line: { bridge: params.bridge }, jid: params.jid }),
    out: contactAnswers.picture,
  }),
  route({
    ...OF_GROUP,
    method: 'PUT',
    path: `${ONE}/picture`,
    operation: 'bridgeSetGroupPicture',
    summary: 'Set the group’s picture from a URL',
    body: schemas.pictureBody,
    requestExample: { url: 'https://example.com/group.jpg' },
    answers: { 200: { description: 'The new picture.', schema: schemas.picture } },
    command: 'groups.setPicture',
    in: (checked) => ({ ...groupOf(checked), url: checked.body.url }),
    out: ({ id }) => json(200, { picture_id: id }),
  }),
  route({
    ...OF_GROUP,
    method: 'DELETE',
    path: `${ONE}/picture`,
    operation: 'bridgeRemoveGroupPicture',
    summary: 'Remove the group’s picture',
    answers: OK,
    command: 'groups.removePicture',
    in: groupOf,
    out: ok,
  }),
];

/**
 * Groups: what they are, who is in them, and the ways in and out. Beyond the published reference.
 */
export const groupRoutes: Route[] = [...wholeGroups, ...members, ...linksAndPictures];
