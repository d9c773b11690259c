import { z } from 'zod';
import * as fields from '../../http/group-schema.ts';
import { text } from '../../http/route.ts';
import { ofLine } from './contact-schemas.ts';
import { lineId } from './schemas.ts';

export const groupParams = z.object({ jid: fields.groupSchema });
export const linkQuery = z.object({ line_id: lineId, link: fields.inviteLink });

export const createBody = z.object({ line_id: lineId, ...fields.creation });
export const patchBody = z
  .object({ line_id: lineId, ...fields.groupChanges })
  .refine(fields.hasChange, { message: fields.NO_CHANGE, path: [] });
export const memberBody = z.object({ line_id: lineId, ...fields.memberChange });
export const decisionBody = z.object({ line_id: lineId, ...fields.decision });
export const joinBody = z.object({ line_id: lineId, link: fields.inviteLink });
export const lineBody = z.object({ line_id: lineId });
export const pictureBody = z.object({
  line_id: lineId,
  url: text(1, 2_048, 'url').meta({ description: 'A JPEG, PNG or WebP file; the middle square of it is used.' }),
});

const person = { jid: z.string(), phone: z.string().nullable(), lid: z.string().nullable() };
const role = z.enum(['member', 'admin', 'superadmin']);
const member = z.object({ ...person, role }).meta({ id: 'GroupMember' });
const outcome = z
  .object({
    ...person,
    status: z
      .enum(fields.RESULTS)
      .meta({ description: 'invite_needed: this person does not allow being added; send the link.' }),
    code: z.int().meta({ description: 'WhatsApp’s own code.' }),
    invite: z.object({ code: z.string(), expires_at: z.string() }).nullable(),
  })
  .meta({ id: 'MemberOutcome' });
const groupShape = {
  jid: z.string(),
  subject: z.string(),
  description: z.string(),
  creator: z.object(person).nullable(),
  created_at: z.string().nullable(),
  size: z.int(),
  announce: z.boolean(),
  locked: z.boolean(),
  join_approval: z.boolean(),
  member_add: z.enum(['all', 'admins']),
  ephemeral_seconds: z.int(),
  own_role: role.nullable(),
};
const group = z.object({ ...groupShape, participants: z.array(member) }).meta({ id: 'Group' });

export const groups = ofLine.extend({ groups: z.array(z.object(groupShape)) });
export const oneGroup = ofLine.extend({ group });
export const created = ofLine.extend({ group, refused: z.array(outcome) });
export const preview = ofLine.extend({ group: z.object(groupShape) });
export const members = ofLine.extend({ jid: z.string(), participants: z.array(member) });
export const outcomes = ofLine.extend({ jid: z.string(), participants: z.array(outcome) });
export const link = ofLine.extend({ jid: z.string(), link: z.string(), code: z.string() });
export const joined = ofLine.extend({
  jid: z.string(),
  status: z.enum(['joined', 'requested']).meta({ description: 'requested: an admin has to let the line in first.' }),
});
export const requests = ofLine.extend({
  jid: z.string(),
  requests: z.array(z.object({ ...person, requested_at: z.string().nullable() })),
});
export const picture = ofLine.extend({ jid: z.string(), picture_id: z.string() });
export const ofGroup = ofLine.extend({ jid: z.string() });
