import { formatJid, parseJid, SERVER_GROUP } from '@ponte/engine';
import { type Device, LimitError } from '../accounts.ts';
import type { Clock } from '../clock.ts';
import { nowSeconds } from '../clock.ts';
import { type Db, prepare } from '../database.ts';
import type { Rng } from '../rng.ts';

export type Role = '' | 'admin' | 'superadmin';

/** A group. People are digits of phone numbers; times are seconds since 1970. */
export interface Group {
  /** The digits before `@g.us`. */
  id: string;
  subject: string;
  subjectBy: string;
  subjectAt: number;
  creator: string;
  createdAt: number;
  /** How its members are named on the wire. */
  mode: 'pn' | 'lid';
  description: { id: string; body: string; by: string; at: number } | undefined;
  /** Only admins write. */
  isAnnounce: boolean;
  /** Only admins change subject, description and settings. */
  isLocked: boolean;
  /** Seconds until messages disappear; 0 = never. */
  ephemeralS: number;
  /** Who has the link must be let in by an admin. */
  needsApproval: boolean;
  memberAdd: 'all_member_add' | 'admin_add';
  invite: string;
}

export interface Member {
  pn: string;
  lid: string;
  isLidOnly: boolean;
  role: Role;
}

export interface JoinRequest {
  pn: string;
  method: string;
  at: number;
}

/** A member's device that can read: it has keys. */
export interface MemberDevice {
  pn: string;
  lid: string;
  device: number;
}

/** WhatsApp's own limit since 2022. */
export const MEMBERS_MAX = 1024;
const GROUPS_PER_TENANT_MAX = 5000;
export const REQUESTS_MAX = 1000;

interface GroupRow {
  id: string;
  subject: string;
  subject_by: string;
  subject_at: number;
  creator: string;
  created_at: number;
  mode: string;
  description: string | null;
  description_id: string | null;
  description_by: string | null;
  description_at: number;
  announce: number;
  locked: number;
  ephemeral_s: number;
  approval: number;
  member_add: string;
  invite: string;
}

export type Groups = ReturnType<typeof createGroups>;

/**
 * The groups of one tenant, straight from the database. Decides nothing: who may do what is in
 * iq/group-members.ts and group-settings.ts.
 */
export function createGroups(db: Db, tenant: string, clock: Clock, rng: Rng) {
  const rows = groupRows(db, tenant);
  const newInvite = (): string => Buffer.from(rng.bytes(16)).toString('base64url').slice(0, 22);
  return {
    ...rows,
    ...memberRows(db, tenant, clock),
    ...requestRows(db, tenant, clock),
    newInvite,
    /** The group an address names. */
    resolve(jid: string | undefined): Group | undefined {
      const parts = jid === undefined ? undefined : parseJid(jid);
      return parts?.server === SERVER_GROUP ? rows.get(parts.user) : undefined;
    },
    /** A group without members yet. Throws LimitError. */
    create(creator: string, subject: string, mode: 'pn' | 'lid'): Group {
      if (rows.count() >= GROUPS_PER_TENANT_MAX) {
        throw new LimitError(`this world already has ${GROUPS_PER_TENANT_MAX} groups: reset it`);
      }
      const createdAt = nowSeconds(clock);
      const group: Group = {
        id: newGroupId(rng, (candidate) => rows.get(candidate) !== undefined),
        subject,
        subjectBy: creator,
        subjectAt: createdAt,
        creator,
        createdAt,
        mode,
        description: undefined,
        isAnnounce: false,
        isLocked: false,
        ephemeralS: 0,
        needsApproval: false,
        memberAdd: 'all_member_add',
        invite: newInvite(),
      };
      rows.save(group);
      return group;
    },
  };
}

function groupRows(db: Db, tenant: string) {
  const select = prepare<[string, string], GroupRow>(db, 'select * from chat_group where tenant = ? and id = ?');
  const selectInvite = prepare<[string, string], GroupRow>(
    db,
    'select * from chat_group where tenant = ? and invite = ?',
  );
  const selectAll = prepare<[string], GroupRow>(
    db,
    'select * from chat_group where tenant = ? order by created_at, id',
  );
  const selectOf = prepare<[string, string], GroupRow>(
    db,
    `select g.* from group_member m join chat_group g on g.tenant = m.tenant and g.id = m.group_id
     where m.tenant = ? and m.pn = ? order by g.created_at, g.id`,
  );
  const count = prepare<[string], { n: number }>(db, 'select count(*) as n from chat_group where tenant = ?');
  const upsert = prepare<unknown[]>(
    db,
    `insert or replace into chat_group (tenant, id, subject, subject_by, subject_at, creator, created_at, mode, description,
     description_id, description_by, description_at, announce, locked, ephemeral_s, approval, member_add, invite)
     values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
  );
  const removals = ['chat_group where tenant = ? and id = ?', 'group_request where tenant = ? and group_id = ?'].map(
    (rest) => prepare<unknown[]>(db, `delete from ${rest}`),
  );
  return {
    get: (id: string): Group | undefined => toGroup(select.get(tenant, id)),
    byInvite: (code: string): Group | undefined => toGroup(selectInvite.get(tenant, code)),
    list: (): Group[] => selectAll.all(tenant).flatMap((row) => toGroup(row) ?? []),
    count: (): number => count.get(tenant)?.n ?? 0,
    /** Groups this number is in. */
    of: (pn: string): Group[] => selectOf.all(tenant, pn).flatMap((row) => toGroup(row) ?? []),
    save(g: Group): void {
      const d = g.description;
      upsert.run(
        ...[tenant, g.id, g.subject, g.subjectBy, g.subjectAt, g.creator, g.createdAt, g.mode],
        ...[d?.body ?? null, d?.id ?? null, d?.by ?? null, d?.at ?? 0],
        ...[Number(g.isAnnounce), Number(g.isLocked), g.ephemeralS, Number(g.needsApproval), g.memberAdd, g.invite],
      );
    },
    /** Forgets a group without members. */
    remove(id: string): void {
      for (const statement of removals) statement.run(tenant, id);
    },
  };
}

function memberRows(db: Db, tenant: string, clock: Clock) {
  const selectMembers = prepare<[string, string], { pn: string; lid: string; lid_only: number; role: string }>(
    db,
    `select m.pn, a.lid, a.lid_only, m.role from group_member m join account a on a.tenant = m.tenant and a.pn = m.pn
     where m.tenant = ? and m.group_id = ? order by m.joined_at, m.pn`,
  );
  const count = prepare<[string, string], { n: number }>(
    db,
    'select count(*) as n from group_member where tenant = ? and group_id = ?',
  );
  const selectRole = prepare<[string, string, string], { role: string }>(
    db,
    'select role from group_member where tenant = ? and group_id = ? and pn = ?',
  );
  const selectDevices = prepare<[string, string], { pn: string; lid: string; id: number }>(
    db,
    `select m.pn, a.lid, d.id from group_member m
     join account a on a.tenant = m.tenant and a.pn = m.pn
     join device d on d.tenant = m.tenant and d.pn = m.pn
     where m.tenant = ? and m.group_id = ? and d.identity is not null order by m.pn, d.id`,
  );
  const selectPeers = prepare<[string, string], { pn: string }>(
    db,
    `select distinct o.pn from group_member m join group_member o on o.tenant = m.tenant and o.group_id = m.group_id
     where m.tenant = ? and m.pn = ?`,
  );
  const put = prepare<unknown[]>(
    db,
    `insert into group_member (tenant, group_id, pn, role, joined_at) values (?,?,?,?,?)
     on conflict (tenant, group_id, pn) do update set role = excluded.role`,
  );
  const drop = prepare<unknown[]>(db, 'delete from group_member where tenant = ? and group_id = ? and pn = ?');
  return {
    members: (id: string): Member[] =>
      selectMembers.all(tenant, id).map((row) => ({
        pn: row.pn,
        lid: row.lid,
        isLidOnly: row.lid_only === 1,
        role: toRole(row.role),
      })),
    size: (id: string): number => count.get(tenant, id)?.n ?? 0,
    /** Undefined for accounts that are not members. */
    role(id: string, pn: string): Role | undefined {
      const row = selectRole.get(tenant, id, pn);
      return row && toRole(row.role);
    },
    /** Every device that reads the group, the sender's included. */
    devices: (id: string): MemberDevice[] =>
      selectDevices.all(tenant, id).map((row) => ({ pn: row.pn, lid: row.lid, device: row.id })),
    /**
     * All numbers that share a group with this one, the number itself included when it is in any.
     */
    companyOf: (pn: string): string[] => selectPeers.all(tenant, pn).map((row) => row.pn),
    setMember(id: string, pn: string, role: Role): void {
      put.run(tenant, id, pn, role, nowSeconds(clock));
    },
    dropMember(id: string, pn: string): void {
      drop.run(tenant, id, pn);
    },
  };
}

function requestRows(db: Db, tenant: string, clock: Clock) {
  const select = prepare<[string, string], { pn: string; method: string; requested_at: number }>(
    db,
    'select pn, method, requested_at from group_request where tenant = ? and group_id = ? order by requested_at, pn',
  );
  const put = prepare<unknown[]>(
    db,
    'insert or ignore into group_request (tenant, group_id, pn, method, requested_at) values (?,?,?,?,?)',
  );
  const drop = prepare<unknown[]>(db, 'delete from group_request where tenant = ? and group_id = ? and pn = ?');
  return {
    requests: (id: string): JoinRequest[] =>
      select.all(tenant, id).map((row) => ({ pn: row.pn, method: row.method, at: row.requested_at })),
    addRequest(id: string, pn: string, method: string): void {
      put.run(tenant, id, pn, method, nowSeconds(clock));
    },
    dropRequest(id: string, pn: string): void {
      drop.run(tenant, id, pn);
    },
  };
}

export const groupJid = (group: Pick<Group, 'id'>): string => formatJid(group.id, SERVER_GROUP);

/** A device in the words of its group. */
export function memberJid(
  group: Pick<Group, 'mode'>,
  member: Pick<Device, 'pn'> & { lid: string },
  device = 0,
): string {
  return group.mode === 'lid' ? formatJid(member.lid, 'lid', device) : formatJid(member.pn, 's.whatsapp.net', device);
}

// Like WhatsApp's since 2022: 120363 and twelve more digits.
function newGroupId(rng: Rng, isTaken: (id: string) => boolean): string {
  for (let attempt = 0; attempt < 100; attempt++) {
    const digits = (Buffer.from(rng.bytes(8)).readBigUInt64BE() % 10n ** 12n).toString().padStart(12, '0');
    if (!isTaken(`120363${digits}`)) return `120363${digits}`;
  }
  throw new LimitError('no free group id could be drawn');
}

function toRole(text: string): Role {
  return text === 'admin' || text === 'superadmin' ? text : '';
}

function toGroup(row: GroupRow | undefined): Group | undefined {
  if (!row) return undefined;
  const hasDescription = row.description !== null && row.description_id !== null;
  return {
    id: row.id,
    subject: row.subject,
    subjectBy: row.subject_by,
    subjectAt: row.subject_at,
    creator: row.creator,
    createdAt: row.created_at,
    mode: row.mode === 'pn' ? 'pn' : 'lid',
    description: hasDescription
      ? {
          id: row.description_id ?? '',
          body: row.description ?? '',
          by: row.description_by ?? '',
          at: row.description_at,
        }
      : undefined,
    isAnnounce: row.announce === 1,
    isLocked: row.locked === 1,
    ephemeralS: row.ephemeral_s,
    needsApproval: row.approval === 1,
    memberAdd: row.member_add === 'admin_add' ? 'admin_add' : 'all_member_add',
    invite: row.invite,
  };
}
