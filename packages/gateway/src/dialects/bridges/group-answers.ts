import type { GroupInfo, GroupJoinRequest, GroupMember, GroupSummary, MemberOutcome } from '@ponte/engine';
import { resultOf } from '../../commands/groups/groups.ts';
import { person } from './group-update.ts';

/** Unix seconds as this API writes times; null when WhatsApp did not say. */
const time = (seconds: number): string | null => (seconds > 0 ? new Date(seconds * 1_000).toISOString() : null);

export const summary = (of: GroupSummary) => ({
  jid: of.jid,
  subject: of.subject,
  description: of.description,
  creator: of.creator && person(of.creator),
  created_at: time(of.createdAt),
  size: of.size,
  announce: of.isAnnounce,
  locked: of.isLocked,
  join_approval: of.needsApproval,
  member_add: of.memberAdd,
  ephemeral_seconds: of.ephemeralSeconds,
  own_role: of.ownRole,
});

export const member = ({ party, role }: GroupMember) => ({ ...person(party), role });
export const group = (of: GroupInfo) => ({ ...summary(of), participants: of.members.map(member) });

export const outcome = (of: MemberOutcome) => ({
  ...person(of.party),
  status: resultOf(of),
  code: of.code,
  ...(of.invite ? { invite: { code: of.invite.code, expires_at: time(of.invite.expiresAt) } } : {}),
});

export const request = ({ party, requestedAt }: GroupJoinRequest) => ({
  ...person(party),
  requested_at: time(requestedAt),
});
