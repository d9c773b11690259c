import type { Done } from './account.ts';
import type { Jid, Party } from './address.ts';

export type GroupRole = 'member' | 'admin' | 'superadmin';

export interface GroupMember {
  party: Party;
  role: GroupRole;
}

/**
 * A group without the list of its members. Times are Unix seconds, WhatsApp's clock; 0 = WhatsApp
 * did not say.
 */
export interface GroupSummary {
  jid: Jid;
  subject: string;
  subjectAt: number;
  /** Empty when there is none. */
  description: string;
  createdAt: number;
  /** Null when WhatsApp does not say (any more). */
  creator: Party | null;
  /** How many members it has. */
  size: number;
  /** Only admins write. */
  isAnnounce: boolean;
  /**
   * Only admins change subject, description, picture and the time after which messages disappear.
   */
  isLocked: boolean;
  /** People who come by the link need an admin's approval. */
  needsApproval: boolean;
  /** Who adds members. */
  memberAdd: 'all' | 'admins';
  /** Seconds until messages disappear; 0 = never. */
  ephemeralSeconds: number;
  /**
   * This account's own role; null when WhatsApp did not list the members, or it is none of them.
   */
  ownRole: GroupRole | null;
}

export interface GroupInfo extends GroupSummary {
  members: GroupMember[];
}

/** The outcome for one person that a change named. */
export interface MemberOutcome {
  party: Party;
  /**
   * 200 done; 403 this person does not allow being added: they must be invited; 404 not on
   * WhatsApp, or not in the group; 406 not possible for this member (the creator); 408 left a short
   * while ago; 409 in the group already; 0 WhatsApp did not say; others as WhatsApp says (whatsmeow
   * group.go).
   */
  code: number;
  /** 403: what an invitation for this person must carry. `expiresAt` in Unix seconds. */
  invite?: { code: string; expiresAt: number };
}

/** One setting and its new value. */
export type GroupSetting =
  | { name: 'announce' | 'locked' | 'approval'; isOn: boolean }
  | { name: 'memberAdd'; who: 'all' | 'admins' }
  /** 0 = off; WhatsApp takes a day, a week and 90 days. */
  | { name: 'ephemeral'; seconds: number };

/** A person who asked to join. `requestedAt` in Unix seconds. */
export interface GroupJoinRequest {
  party: Party;
  requestedAt: number;
}

/** What happened to a group. */
export type GroupChange =
  /** It was made, or this account was taken into it: `group` is what it was then. */
  | { kind: 'created'; group: GroupSummary; isNew: boolean }
  | { kind: 'subject'; subject: string }
  /** Empty: it was taken away. */
  | { kind: 'description'; description: string }
  | { kind: 'picture'; removed: boolean; pictureId?: string }
  /** `joined`: by link or with an admin's leave; `left`: by their own will. */
  | { kind: 'added' | 'removed' | 'promoted' | 'demoted' | 'joined' | 'left'; members: Party[] }
  | { kind: 'requested' | 'request_withdrawn' | 'request_rejected'; members: Party[] }
  | { kind: 'setting'; setting: GroupSetting }
  /** The old link is worth nothing any more. */
  | { kind: 'invite_revoked' }
  | { kind: 'deleted' };

/**
 * Groups. Plain data both ways, so that a call can cross processes. All need an open connection
 * (`not_connected`) and end within the engine's time limit for one question (`timeout`); a refusal
 * of WhatsApp is `rejected` with its code: 404 no such group, 403 not a member or not an admin, 401
 * not allowed to see it, 406 not acceptable or an invalid link, 410 a revoked link, 419 full
 * (whatsmeow errors.go). WhatsApp does not notify the device that made a change: it comes as the
 * answer here, and as `group.updated` on every other device.
 */
export interface GroupOperations {
  create(input: { subject: string; people: Jid[] }): Promise<{ group: GroupInfo; refused: MemberOutcome[] }>;
  /** Every group this account is in. */
  all(input: Done): Promise<GroupSummary[]>;
  info(input: { group: Jid }): Promise<GroupInfo>;
  /** One outcome per person, in the order named. */
  changeMembers(input: {
    group: Jid;
    action: 'add' | 'remove' | 'promote' | 'demote';
    people: Jid[];
  }): Promise<MemberOutcome[]>;
  setSubject(input: { group: Jid; subject: string }): Promise<Done>;
  /** Empty removes it. 409 when another person changed it at the same moment. */
  setDescription(input: { group: Jid; description: string }): Promise<Done>;
  change(input: { group: Jid; setting: GroupSetting }): Promise<Done>;
  /** A square JPEG of at most 640 pixels. */
  setPicture(input: { group: Jid; jpeg: Uint8Array }): Promise<{ id: string }>;
  removePicture(input: { group: Jid }): Promise<Done>;
  /** The code of the group's link; `renew` makes another and revokes the old one. */
  invite(input: { group: Jid; renew: boolean }): Promise<{ code: string }>;
  /** The group behind a link, as it shows itself to those who are not in it. */
  invited(input: { code: string }): Promise<GroupSummary>;
  /** `requested`: an admin has to let this account in first. */
  join(input: { code: string }): Promise<{ group: Jid; state: 'joined' | 'requested' }>;
  leave(input: { group: Jid }): Promise<Done>;
  requests(input: { group: Jid }): Promise<GroupJoinRequest[]>;
  decide(input: { group: Jid; action: 'approve' | 'reject'; people: Jid[] }): Promise<MemberOutcome[]>;
}
