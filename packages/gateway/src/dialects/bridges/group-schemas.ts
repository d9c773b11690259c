import { z } from 'zod';
import * as fields from '../../http/group-schema.ts';
import { text } from '../../http/route.ts';
import { bridgeParams } from './schemas.ts';

export const groupParams = bridgeParams.extend({ jid: fields.groupSchema });
export const linkQuery = z.object({ link: fields.inviteLink });

export const createBody = z.object({ ...fields.creation });
export const patchBody = z
  .object({ ...fields.groupChanges })
  .refine(fields.hasChange, { message: fields.NO_CHANGE, path: [] });
export const memberBody = z.object({ ...fields.memberChange });
export const decisionBody = z.object({ ...fields.decision });
export const joinBody = z.object({ link: fields.inviteLink });
export const pictureBody = z.object({
  url: text(1, 2_048, 'url').meta({ description: 'A JPEG, PNG or WebP file; the middle square of it is used.' }),
});

const person = { jid: z.string(), phone: z.string(), lid: z.string() };
const role = z.enum(['member', 'admin', 'superadmin']);
const member = z.object({ ...person, role }).meta({ id: 'BridgeGroupMember' });
const outcome = z
  .object({
    ...person,
    status: z
      .enum(fields.RESULTS)
      .meta({ description: 'invite_needed: this person does not allow being added; send the link.' }),
    code: z.int().meta({ description: 'WhatsApp’s own code.' }),
    invite: z.object({ code: z.string(), expires_at: z.string() }).optional(),
  })
  .meta({ id: 'BridgeMemberOutcome' });
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
const group = z.object({ ...groupShape, participants: z.array(member) }).meta({ id: 'BridgeGroup' });

export const groups = z.array(z.object(groupShape));
export const oneGroup = group;
export const created = group.extend({ refused: z.array(outcome) });
export const preview = z.object(groupShape);
export const members = z.array(member);
export const outcomes = z.array(outcome);
export const link = z.object({ link: z.string(), code: z.string() });
export const joined = z.object({
  jid: z.string(),
  status: z.enum(['joined', 'requested']).meta({ description: 'requested: an admin has to let the bridge in first.' }),
});
export const requests = z.array(z.object({ ...person, requested_at: z.string().nullable() }));
export const picture = z.object({ picture_id: z.string() });
