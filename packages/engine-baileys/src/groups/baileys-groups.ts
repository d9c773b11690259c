import { randomBytes } from 'node:crypto';
import {
  addressPairs,
  allGroups,
  changeMembers,
  changeSetting,
  child,
  completeParty,
  createGroup,
  type Done,
  decideRequests,
  descriptionId,
  EngineError,
  type GroupInfo,
  type GroupJoinRequest,
  type GroupMember,
  type GroupOperations,
  type GroupSummary,
  groupInfo,
  groupInvite,
  invitedGroup,
  isLid,
  isPn,
  type Jid,
  joinGroup,
  joinRequests,
  leaveGroup,
  type MemberOutcome,
  type NamedMember,
  type Node,
  type Party,
  parseGroup,
  parseGroups,
  parseJoined,
  parseJoinRequests,
  parseOutcomes,
  party,
  personJid,
  type Self,
  setDescription,
  setGroupPicture,
  setSubject,
  summaryOf,
} from '@ponte/engine';
import type { Connection } from '../connection.ts';
import type { LidMap } from '../store/lid-map.ts';

const DONE: Done = {};
const NOT_THERE = 404;

export interface GroupParts {
  lids: LidMap;
  self(): Self | undefined;
  /** The open connection; throws `not_connected`. */
  connection(): Connection;
}

type In<K extends keyof GroupOperations> = Parameters<GroupOperations[K]>[0];

/**
 * Groups over queries of our own: Baileys' methods drop the codes that say what became of each
 * person.
 */
export class BaileysGroups implements GroupOperations {
  readonly #parts: GroupParts;

  constructor(parts: GroupParts) {
    this.#parts = parts;
  }

  async create({ subject, people }: In<'create'>): Promise<{ group: GroupInfo; refused: MemberOutcome[] }> {
    const named = await Promise.all(people.map((jid) => this.#newcomer(jid)));
    const answer = await this.#ask(createGroup(subject, named, randomId()));
    const node = child(answer, 'group');
    const refused = parseOutcomes(node).filter(({ code }) => code !== 200);
    return { group: await this.#groupIn(answer), refused: await this.#completed(refused) };
  }

  async all(): Promise<GroupSummary[]> {
    // Addresses are not learned from this: all members of all groups would be too many.
    return parseGroups(await this.#parts.connection().query(allGroups()), this.#self());
  }

  async info({ group }: In<'info'>): Promise<GroupInfo> {
    return this.#groupIn(await this.#ask(groupInfo(group)));
  }

  async changeMembers({ group, action, people }: In<'changeMembers'>): Promise<MemberOutcome[]> {
    const asked = action === 'add' ? await this.#newcomers(group, people) : await this.#members(group, people);
    const named = asked.flatMap(({ as }) => as ?? []);
    if (named.length === 0) return asked.map(({ who }) => ({ party: who, code: NOT_THERE }));
    const answer = await this.#ask(changeMembers(group, action, named));
    const outcomes = await this.#completed(parseOutcomes(child(answer, action)));
    return asked.map(({ who, as }) => outcomeOf(who, as, outcomes));
  }

  async setSubject({ group, subject }: In<'setSubject'>): Promise<Done> {
    await this.#ask(setSubject(group, subject));
    return DONE;
  }

  async setDescription({ group, description }: In<'setDescription'>): Promise<Done> {
    const before = descriptionId(child(await this.#ask(groupInfo(group)), 'group'));
    if (description === '' && before === undefined) return DONE;
    await this.#ask(setDescription(group, description, randomId(), before));
    return DONE;
  }

  async change({ group, setting }: In<'change'>): Promise<Done> {
    await this.#ask(changeSetting(group, setting));
    return DONE;
  }

  async setPicture({ group, jpeg }: In<'setPicture'>): Promise<{ id: string }> {
    const answer = await this.#ask(setGroupPicture(group, jpeg));
    return { id: child(answer, 'picture')?.attrs.id ?? '' };
  }

  async removePicture({ group }: In<'removePicture'>): Promise<Done> {
    await this.#ask(setGroupPicture(group));
    return DONE;
  }

  async invite({ group, renew }: In<'invite'>): Promise<{ code: string }> {
    const code = child(await this.#ask(groupInvite(group, renew)), 'invite')?.attrs.code;
    if (code === undefined) throw new EngineError('rejected', 'WhatsApp gave no link for the group');
    return { code };
  }

  async invited({ code }: In<'invited'>): Promise<GroupSummary> {
    return summaryOf(await this.#groupIn(await this.#ask(invitedGroup(code))));
  }

  async join({ code }: In<'join'>): Promise<{ group: Jid; state: 'joined' | 'requested' }> {
    const joined = parseJoined(await this.#ask(joinGroup(code)));
    if (!joined) throw new EngineError('rejected', 'WhatsApp did not say which group was joined');
    return joined;
  }

  async leave({ group }: In<'leave'>): Promise<Done> {
    const left = child(child(await this.#ask(leaveGroup(group)), 'leave'), 'group');
    const code = Number(left?.attrs.error ?? 0);
    if (code !== 0) throw new EngineError('rejected', 'WhatsApp did not let the line leave', { serverCode: code });
    return DONE;
  }

  async requests({ group }: In<'requests'>): Promise<GroupJoinRequest[]> {
    const requests = parseJoinRequests(await this.#ask(joinRequests(group)));
    return Promise.all(requests.map(async (one) => ({ ...one, party: await this.#complete(one.party) })));
  }

  async decide({ group, action, people }: In<'decide'>): Promise<MemberOutcome[]> {
    const waiting = (await this.requests({ group })).map((one) => one.party);
    const asked = people.map((jid) => find(waiting, jid));
    const named = asked.flatMap(({ as }) => as ?? []);
    if (named.length === 0) return asked.map(({ who }) => ({ party: who, code: NOT_THERE }));
    const answer = child(await this.#ask(decideRequests(group, action, named)), 'membership_requests_action');
    const outcomes = await this.#completed(parseOutcomes(child(answer, action)));
    return asked.map(({ who, as }) => outcomeOf(who, as, outcomes));
  }

  async #ask(question: Node): Promise<Node> {
    const connection = this.#parts.connection();
    const answer = await connection.query(question);
    if (question.attrs.type === 'set') connection.groups.changed(question.attrs.to ?? '');
    const pairs = addressPairs(answer);
    if (pairs.length > 0) await connection.learn(pairs);
    return answer;
  }

  async #groupIn(answer: Node): Promise<GroupInfo> {
    const group = parseGroup(child(answer, 'group'), this.#self());
    if (!group) throw new EngineError('rejected', 'WhatsApp did not say what the group is');
    const members = await Promise.all(
      group.members.map(
        async ({ party: of, role }): Promise<GroupMember> => ({ party: await this.#complete(of), role }),
      ),
    );
    return { ...group, members, creator: group.creator && (await this.#complete(group.creator)) };
  }

  /** How the group names those who are to come: it refuses the other kind of address. */
  async #newcomers(group: Jid, people: Jid[]): Promise<Named[]> {
    const mode = child(await this.#ask(groupInfo(group)), 'group')?.attrs.addressing_mode;
    return Promise.all(
      people.map(async (jid): Promise<Named> => {
        const who = await this.#complete(party(jid));
        if (mode !== 'lid') return { who, as: { jid: who.pn ?? who.jid } };
        return { who, as: await this.#newcomer(jid) };
      }),
    );
  }

  async #newcomer(jid: Jid): Promise<NamedMember> {
    const { jid: as, lid, pn } = await this.#complete(party(jid));
    if (lid === undefined) return { jid: pn ?? as };
    return { jid: lid, ...(pn === undefined ? {} : { phoneNumber: pn }) };
  }

  async #members(group: Jid, people: Jid[]): Promise<Named[]> {
    const { members } = await this.info({ group });
    const parties = members.map((member) => member.party);
    return people.map((jid) => find(parties, jid));
  }

  async #completed(outcomes: MemberOutcome[]): Promise<MemberOutcome[]> {
    return Promise.all(outcomes.map(async (one) => ({ ...one, party: await this.#complete(one.party) })));
  }

  #complete(incomplete: Party): Promise<Party> {
    const { lids } = this.#parts;
    return completeParty(
      incomplete,
      (lid) => lids.pnOf(lid),
      (pn) => lids.lidOf(pn),
    );
  }

  #self(): Self {
    const self = this.#parts.self();
    if (!self) throw new EngineError('wrong_state', 'the line is not paired');
    return self;
  }
}

/**
 * A person a caller named, and the address WhatsApp expects for them; undefined when they are not
 * on WhatsApp.
 */
interface Named {
  who: Party;
  as: NamedMember | undefined;
}

function find(people: readonly Party[], jid: Jid): Named {
  const person = personJid(jid);
  const found = people.find((one) => [one.jid, one.lid, one.pn].includes(person));
  return found ? { who: found, as: { jid: found.jid } } : { who: party(person), as: undefined };
}

function outcomeOf(who: Party, as: NamedMember | undefined, outcomes: readonly MemberOutcome[]): MemberOutcome {
  if (!as) return { party: who, code: NOT_THERE };
  const names = [as.jid, who.lid, who.pn, who.jid].filter((jid) => jid !== undefined && (isLid(jid) || isPn(jid)));
  const outcome = outcomes.find(({ party: of }) =>
    [of.jid, of.lid, of.pn].some((jid) => jid !== undefined && names.includes(jid)),
  );
  return outcome ?? { party: who, code: 0 };
}

/** Drawn like a message's id, as WhatsApp's own clients do (Baileys generateMessageIDV2). */
const randomId = (): string => `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
