import { changesOf } from '../../http/group-schema.ts';
import { json, type Route, type RouteFacts, route } from '../../http/route.ts';
import * as contactAnswers from './contact-answers.ts';
import { lineQuery, ofLine } from './contact-schemas.ts';
import * as answers from './group-answers.ts';
import * as schemas from './group-schemas.ts';

const ROW = { auth: 'key', limit: 'api', tag: 'Groups' } as const satisfies Partial<RouteFacts>;
const OF_GROUP = { ...ROW, params: schemas.groupParams } as const satisfies Partial<RouteFacts>;

const LINE = 'line_xxx';
const JID = '120363041234567890@g.us';
const PEOPLE = ['+34600000000', '+34600000001'];
const DONE = {
  200: { description: 'Done.', schema: schemas.ofGroup, example: { ok: true, line_id: LINE, jid: JID } },
};
const OUTCOMES = {
  200: {
    description: 'What became of each, in the order named. 200 also when some, or all, were refused.',
    schema: schemas.outcomes,
    example: {
      ok: true,
      line_id: LINE,
      jid: JID,
      participants: [
        {
          jid: '34600000000@s.whatsapp.net',
          phone: '+34600000000',
          lid: null,
          status: 'invite_needed',
          code: 403,
          invite: { code: 'AbCdEfGhIjKlMnOpQrStUv', expires_at: '2026-05-01T00:00:00.000Z' },
        },
      ],
    },
  },
};

interface InQuery {
  params: { jid: string };
  query: { line_id: string };
}
interface InBody {
  params: { jid: string };
  body: { line_id: string };
}
const byQuery = ({ params, query }: InQuery) => ({ line: { id: query.line_id }, group: params.jid });
const byBody = ({ params, body }: InBody) => ({ line: { id: body.line_id }, group: params.jid });
const inQuery = ({ params, query }: InQuery) => ({ ok: true, line_id: query.line_id, jid: params.jid });
const inBody = ({ params, body }: InBody) => ({ ok: true, line_id: body.line_id, jid: params.jid });

const wholeGroups: Route[] = [
  route({
    ...ROW,
    method: 'GET',
    path: '/v1/groups',
    operation: 'listGroups',
    summary: 'Every group the line is in',
    query: lineQuery,
    answers: { 200: { description: 'The groups, as WhatsApp lists them now.', schema: schemas.groups } },
    command: 'groups.all',
    in: ({ query }) => ({ line: { id: query.line_id } }),
    out: (groups, { query }) => json(200, { ok: true, line_id: query.line_id, groups: groups.map(answers.summary) }),
  }),
  route({
    ...ROW,
    method: 'POST',
    path: '/v1/groups',
    operation: 'createGroup',
    summary: 'Make a group',
    description:
      'The line is its first admin. People who cannot be added are listed in refused; the group exists all the same. Each call makes another group.',
    body: schemas.createBody,
    requestExample: { line_id: LINE, subject: 'Neighbours', participants: PEOPLE },
    answers: { 200: { description: 'The group.', schema: schemas.created } },
    command: 'groups.create',
    in: ({ body }) => ({ line: { id: body.line_id }, subject: body.subject, people: body.participants }),
    out: ({ group, refused }, { body }) =>
      json(200, {
        ok: true,
        line_id: body.line_id,
        group: answers.group(group),
        refused: refused.map(answers.outcome),
      }),
  }),
  route({
    ...ROW,
    method: 'GET',
    path: '/v1/groups/invite-info',
    operation: 'groupBehindLink',
    summary: 'The group behind an invite link, without joining it',
    query: schemas.linkQuery,
    answers: { 200: { description: 'What it shows to those who are not in it.', schema: schemas.preview } },
    command: 'groups.behindLink',
    in: ({ query }) => ({ line: { id: query.line_id }, code: query.link }),
    out: (group, { query }) => json(200, { ok: true, line_id: query.line_id, group: answers.summary(group) }),
  }),
  route({
    ...ROW,
    method: 'POST',
    path: '/v1/groups/join',
    operation: 'joinGroup',
    summary: 'Join a group by its link',
    body: schemas.joinBody,
    requestExample: { line_id: LINE, link: 'https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv' },
    answers: {
      200: {
        description: 'In, or waiting for an admin.',
        schema: schemas.joined,
        example: { ok: true, line_id: LINE, jid: JID, status: 'joined' },
      },
    },
    command: 'groups.join',
    in: ({ body }) => ({ line: { id: body.line_id }, code: body.link }),
    out: ({ group, state }, { body }) => json(200, { ok: true, line_id: body.line_id, jid: group, status: state }),
  }),
  route({
    ...OF_GROUP,
    method: 'GET',
    path: '/v1/groups/:jid',
    operation: 'getGroup',
    summary: 'A group with its members and settings',
    query: lineQuery,
    answers: { 200: { description: 'The group, as WhatsApp shows it now.', schema: schemas.oneGroup } },
    command: 'groups.get',
    in: byQuery,
    out: (group, { query }) => json(200, { ok: true, line_id: query.line_id, group: answers.group(group) }),
  }),
  route({
    ...OF_GROUP,
    method: 'PATCH',
    path: '/v1/groups/:jid',
    operation: 'changeGroup',
    summary: 'Change subject, description and settings',
    description:
      'One after the other, in the order of the schema. When WhatsApp refuses one, those before it stay; applied in the error names them.',
    body: schemas.patchBody,
    requestExample: { line_id: LINE, subject: 'Neighbours, 3rd floor', announce: true },
    answers: { 200: { description: 'The group afterwards.', schema: schemas.oneGroup } },
    command: 'groups.change',
    in: (checked) => ({ ...byBody(checked), ...changesOf(checked.body) }),
    out: (group, { body }) => json(200, { ok: true, line_id: body.line_id, group: answers.group(group) }),
  }),
  route({
    ...OF_GROUP,
    method: 'POST',
    path: '/v1/groups/:jid/leave',
    operation: 'leaveGroup',
    summary: 'Leave a group',
    body: schemas.lineBody,
    requestExample: { line_id: LINE },
    answers: DONE,
    command: 'groups.leave',
    in: byBody,
    out: (_, checked) => json(200, inBody(checked)),
  }),
];

const members: Route[] = [
  route({
    ...OF_GROUP,
    method: 'GET',
    path: '/v1/groups/:jid/participants',
    operation: 'listGroupParticipants',
    summary: 'The members of a group',
    query: lineQuery,
    answers: { 200: { description: 'The members with their roles.', schema: schemas.members } },
    command: 'groups.get',
    in: byQuery,
    out: (group, checked) => json(200, { ...inQuery(checked), participants: group.members.map(answers.member) }),
  }),
  route({
    ...OF_GROUP,
    method: 'POST',
    path: '/v1/groups/:jid/participants',
    operation: 'changeGroupParticipants',
    summary: 'Add or remove members, make them admins or not',
    body: schemas.memberBody,
    requestExample: { line_id: LINE, action: 'add', participants: PEOPLE },
    answers: OUTCOMES,
    command: 'groups.changeMembers',
    in: (checked) => ({ ...byBody(checked), action: checked.body.action, people: checked.body.participants }),
    out: (outcomes, checked) => json(200, { ...inBody(checked), participants: outcomes.map(answers.outcome) }),
  }),
  route({
    ...OF_GROUP,
    method: 'GET',
    path: '/v1/groups/:jid/requests',
    operation: 'listGroupRequests',
    summary: 'Who asked to be let in',
    query: lineQuery,
    answers: { 200: { description: 'The requests, oldest first as WhatsApp lists them.', schema: schemas.requests } },
    command: 'groups.requests',
    in: byQuery,
    out: (requests, checked) => json(200, { ...inQuery(checked), requests: requests.map(answers.request) }),
  }),
  route({
    ...OF_GROUP,
    method: 'POST',
    path: '/v1/groups/:jid/requests',
    operation: 'decideGroupRequests',
    summary: 'Let people in who asked, or not',
    body: schemas.decisionBody,
    requestExample: { line_id: LINE, action: 'approve', participants: PEOPLE },
    answers: OUTCOMES,
    command: 'groups.decide',
    in: (checked) => ({ ...byBody(checked), action: checked.body.action, people: checked.body.participants }),
    out: (outcomes, checked) => json(200, { ...inBody(checked), participants: outcomes.map(answers.outcome) }),
  }),
];

const linksAndPictures: Route[] = [
  route({
    ...OF_GROUP,
    method: 'GET',
    path: '/v1/groups/:jid/invite',
    operation: 'getGroupInvite',
    summary: 'The link that leads into the group',
    query: lineQuery,
    answers: { 200: { description: 'The link.', schema: schemas.link } },
    command: 'groups.link',
    in: (checked) => ({ ...byQuery(checked), renew: false }),
    out: (link, checked) => json(200, { ...inQuery(checked), ...link }),
  }),
  route({
    ...OF_GROUP,
    method: 'POST',
    path: '/v1/groups/:jid/invite/revoke',
    operation: 'revokeGroupInvite',
    summary: 'Revoke the link and get a new one',
    body: schemas.lineBody,
    requestExample: { line_id: LINE },
    answers: { 200: { description: 'The new link.', schema: schemas.link } },
    command: 'groups.link',
    in: (checked) => ({ ...byBody(checked), renew: true }),
    out: (link, checked) => json(200, { ...inBody(checked), ...link }),
  }),
  route({
    ...OF_GROUP,
    method: 'GET',
    path: '/v1/groups/:jid/picture',
    operation: 'getGroupPicture',
    summary: 'The group’s picture, as JPEG',
    query: lineQuery,
    answers: { 200: { description: 'The picture.', contentTypes: ['image/jpeg'] } },
    command: 'contacts.picture',
    in: ({ params, query }) => ({ line: { id: query.line_id }, jid: params.jid }),
    out: contactAnswers.picture,
  }),
  route({
    ...OF_GROUP,
    method: 'PUT',
    path: '/v1/groups/:jid/picture',
    operation: 'setGroupPicture',
    summary: 'Set the group’s picture from a URL',
    body: schemas.pictureBody,
    requestExample: { line_id: LINE, url: 'https://example.com/group.jpg' },
    answers: { 200: { description: 'The new picture.', schema: schemas.picture } },
    command: 'groups.setPicture',
    in: (checked) => ({ ...byBody(checked), url: checked.body.url }),
    out: ({ id }, checked) => json(200, { ...inBody(checked), picture_id: id }),
  }),
  route({
    ...OF_GROUP,
    method: 'DELETE',
    path: '/v1/groups/:jid/picture',
    operation: 'removeGroupPicture',
    summary: 'Remove the group’s picture',
    query: lineQuery,
    answers: { 200: { description: 'Done.', schema: ofLine } },
    command: 'groups.removePicture',
    in: byQuery,
    out: (_, checked) => json(200, inQuery(checked)),
  }),
];

/** Groups: what they are, who is in them, and the ways in and out. */
export const groupRoutes: Route[] = [...wholeGroups, ...members, ...linksAndPictures];
