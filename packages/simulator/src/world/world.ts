import type { ChannelFacts, ControlWorld, GroupFacts, NewPhone, PhoneProfile } from '../control/control-world.ts';
import type { ActiveFault } from '../faults/line-faults.ts';
import { FaultError, type FaultRule, parseFault } from '../faults/rules.ts';
import { createTenantMedia, type UploadTokens } from '../media/media-network.ts';
import type { MediaStore } from '../media/media-store.ts';
import type { LinkOffer, PhoneSettings } from '../phone/network.ts';
import { LinkError } from '../phone/network.ts';
import type { Phone } from '../phone/phone.ts';
import type { Session } from '../wire/session.ts';
import { type Account, deviceJid, LimitError } from './accounts.ts';
import { channelJid } from './channels/channels.ts';
import { type ClientVersions, VERSIONS_OF_TODAY } from './client-versions.ts';
import type { Clock } from './clock.ts';
import { removeCompanion } from './companions.ts';
import { type Db, keptSecret } from './database.ts';
import { DEMANDS_OF_TODAY, type Demands } from './demands.ts';
import { type Group, groupJid } from './groups/groups.ts';
import { leaveGroup } from './iq/group-members.ts';
import type { Rng } from './rng.ts';
import { atomically, sharedCommit } from './shared-commit.ts';
import { type LoggedStanza, StanzaLog } from './stanza-log.ts';
import type { Tenant } from './tenant.ts';
import { createTenantNetwork, type TenantNetwork } from './tenant-network.ts';

const TENANTS_MAX = 10_000;
const PROBLEMS_MAX = 100;

/** Where media are kept and reached; `hosts` may name them only later. */
export interface WorldMedia {
  store: MediaStore;
  tokens: UploadTokens;
  hosts: () => readonly string[];
}

/** Something that should not have happened and was survived. */
export interface Problem {
  at: number;
  text: string;
  cause: unknown;
}

/**
 * All tenants of one simulator, as the control API and the wire use them. A tenant exists from the
 * first time it is named; one never sees another. Phone numbers are digits.
 */
export class World implements ControlWorld {
  readonly clock: Clock;
  readonly rng: Rng;
  /** The latest things that went wrong inside, oldest first; bounded. */
  readonly problems: Problem[] = [];
  readonly #db: Db;
  readonly #media: WorldMedia;
  readonly #lidSecret: Uint8Array;
  readonly #networks = new Map<string, TenantNetwork>();
  /** The latest connection of each line, by tenant and line. */
  readonly #sessions = new Map<string, Session>();
  /** Every connection, by tenant. */
  readonly #connections = new Map<string, Set<Session>>();
  readonly #downUntilMs = new Map<string, number>();

  constructor(options: { db: Db; clock: Clock; rng: Rng; media: WorldMedia }) {
    this.#db = options.db;
    this.clock = options.clock;
    this.rng = options.rng;
    this.#media = options.media;
    this.#lidSecret = keptSecret(options.db, 'lid secret', () => options.rng.bytes(32));
  }

  /** Throws LimitError beyond 10,000 tenants. */
  network(tenant: string): TenantNetwork {
    const known = this.#networks.get(tenant);
    if (known) return known;
    if (this.#networks.size >= TENANTS_MAX) throw new LimitError(`this simulator already has ${TENANTS_MAX} tenants`);
    return this.#open(tenant, new StanzaLog(this.clock), { ...DEMANDS_OF_TODAY }, { ...VERSIONS_OF_TODAY });
  }

  #open(tenant: string, log: StanzaLog, demands: Demands, versions: ClientVersions): TenantNetwork {
    const problem = (text: string, cause: unknown): void => this.report(text, cause);
    const { clock, rng } = this;
    const media = createTenantMedia({ tenant, ...this.#media });
    const lidSecret = this.#lidSecret;
    const made = createTenantNetwork({
      name: tenant,
      db: this.#db,
      clock,
      rng,
      lidSecret,
      media,
      log,
      demands,
      versions,
      problem,
    });
    this.#networks.set(tenant, made);
    return made;
  }

  phone(tenant: string, phone: string): Promise<Phone | undefined> {
    return this.network(tenant).phones.get(phone);
  }

  phones(tenant: string): PhoneProfile[] {
    const network = this.network(tenant);
    return network.tenant.accounts.list().map((account) => profileOf(network, account));
  }

  profile(tenant: string, phone: string): PhoneProfile | undefined {
    const network = this.network(tenant);
    const account = network.tenant.accounts.byPn(phone);
    return account && profileOf(network, account);
  }

  groups(tenant: string): GroupFacts[] {
    const { tenant: t } = this.network(tenant);
    return t.groups.list().map((group) => factsOf(t, group));
  }

  group(tenant: string, jid: string): GroupFacts | undefined {
    const { tenant: t } = this.network(tenant);
    const group = t.groups.resolve(jid);
    return group && factsOf(t, group);
  }

  channel(tenant: string, jid: string): ChannelFacts | undefined {
    const { channels } = this.network(tenant).tenant;
    const channel = channels.resolve(jid);
    return channel && { ...channel, jid: channelJid(channel), followers: channels.followers(channel.id) };
  }

  setGroupAddressing(tenant: string, jid: string, mode: 'pn' | 'lid'): void {
    const { groups } = this.network(tenant).tenant;
    const group = groups.resolve(jid);
    if (group) groups.save({ ...group, mode });
  }

  async createPhone(tenant: string, phone: NewPhone): Promise<Phone> {
    const network = this.network(tenant);
    network.tenant.createAccount(phone.phone, phone);
    const { settings } = network.tenant;
    if (phone.username !== undefined) settings.set(phone.phone, 'username', '', phone.username);
    if (phone.usernameKey !== undefined) settings.set(phone.phone, 'username_key', '', phone.usernameKey);
    const made = await network.phones.get(phone.phone);
    if (!made) throw new Error(`phone ${phone.phone} was deleted while it was being made`);
    return made;
  }

  async deletePhone(tenant: string, phone: string): Promise<void> {
    const { tenant: t, phones } = this.network(tenant);
    for (const device of t.accounts.devices(phone)) removeCompanion(t, phone, device.id);
    for (const group of t.groups.of(phone)) leaveGroup(t, { pn: phone, device: 0, lineId: undefined }, group)();
    phones.drop(phone);
    atomically(this.#db, () => t.accounts.remove(phone));
    t.settings.forget();
    t.queue.forget();
  }

  async updateSettings(tenant: string, phone: string, changes: Partial<PhoneSettings>): Promise<PhoneSettings> {
    return this.network(tenant).phones.updateSettings(phone, changes);
  }

  async pair(tenant: string, phone: string, offer: LinkOffer): Promise<{ deviceJid: string }> {
    const { tenant: t, pairing, phones } = this.network(tenant);
    const account = t.accounts.byPn(phone);
    const device = await phones.get(phone);
    if (!account || !device) throw new LinkError(`phone ${phone} is not on this network`);
    return pairing.pair(account, offer, (ref, identity) => device.confirmLink(ref, identity));
  }

  async enterCode(tenant: string, phone: string, code: string): Promise<{ deviceJid: string }> {
    const { tenant: t, pairing, phones } = this.network(tenant);
    const account = t.accounts.byPn(phone);
    const device = await phones.get(phone);
    if (!account || !device) throw new LinkError(`phone ${phone} is not on this network`);
    return pairing.codes.enter(account, device.codes, code);
  }

  lineDevice(tenant: string, lineId: string): { phone: string; deviceJid: string } | undefined {
    const { accounts } = this.network(tenant).tenant;
    const device = accounts.deviceOfLine(lineId);
    const account = device && accounts.byPn(device.pn);
    return account && { phone: account.pn, deviceJid: deviceJid(account, device.id, 'pn') };
  }

  async unlink(tenant: string, phone: string, deviceJidOfLine: string): Promise<void> {
    const { tenant: t } = this.network(tenant);
    const address = t.accounts.resolve(deviceJidOfLine);
    if (address?.account.pn === phone) removeCompanion(t, phone, address.device);
  }

  addFault(tenant: string, lineId: string, body: unknown): FaultRule {
    const rule = parseFault(body);
    const { tenant: t } = this.network(tenant);
    const session = this.session(tenant, lineId);
    if (rule.kind === 'logged_out' && !session) {
      const device = t.accounts.deviceOfLine(lineId);
      if (device) removeCompanion(t, device.pn, device.id);
    }
    t.faults(lineId).set(rule);
    if (session) session.apply(rule);
    else if (rule.kind === 'stream_error') t.faults(lineId).failNextLogin(rule.code);
    else if (rule.kind === 'reg_refresh')
      throw new FaultError('kind', 'reg_refresh needs a line that is showing a QR code');
    return rule;
  }

  storm(tenant: string, wanted: { lines: string[] | undefined; refuseForMs: number }): string[] {
    const only = wanted.lines && new Set(wanted.lines);
    const cut = [...(this.#connections.get(tenant) ?? [])].filter(
      ({ lineId }) => lineId !== undefined && (only?.has(lineId) ?? true),
    );
    // Logins are refused first, then all connections cut, in one turn of the event loop.
    const { tenant: t } = this.network(tenant);
    if (wanted.refuseForMs > 0) {
      for (const { lineId = '' } of cut) t.faults(lineId).set({ kind: 'refuse', forMs: wanted.refuseForMs });
    }
    for (const session of cut) session.cut('fault: storm');
    return [...new Set(cut.map(({ lineId = '' }) => lineId))];
  }

  restart(tenant: string, downForMs: number): number {
    const network = this.network(tenant);
    const connections = [...(this.#connections.get(tenant) ?? [])];
    // Phones end here; what they were told is kept.
    sharedCommit(this.#db).flush();
    if (downForMs > 0) this.#downUntilMs.set(tenant, this.clock.nowMs() + downForMs);
    else this.#downUntilMs.delete(tenant);
    for (const session of connections) session.cut('the network restarts');
    network.phones.close();
    this.#open(tenant, network.tenant.log, network.tenant.demands, network.tenant.versions);
    return connections.length;
  }

  /** What was written could not be committed: whatever is only in memory is forgotten with it. */
  failed(cause: unknown): void {
    this.report('a turn could not be committed; the network begins anew from its file', cause);
    for (const tenant of [...this.#networks.keys()]) this.restart(tenant, 0);
  }

  /** True while a restart lasts: logins are refused. */
  isDown(tenant: string): boolean {
    const until = this.#downUntilMs.get(tenant);
    if (until === undefined) return false;
    if (until > this.clock.nowMs()) return true;
    this.#downUntilMs.delete(tenant);
    return false;
  }

  /** Faults of a line that are still to come. */
  faults(tenant: string, lineId: string): ActiveFault[] {
    return this.network(tenant).tenant.faults(lineId).list();
  }

  demands(tenant: string, changes: Partial<Demands> = {}): Demands {
    return { ...Object.assign(this.network(tenant).tenant.demands, changes) };
  }

  versions(tenant: string, changes: Partial<ClientVersions> = {}): ClientVersions {
    return { ...Object.assign(this.network(tenant).tenant.versions, changes) };
  }

  clearFaults(tenant: string, lineId: string): void {
    this.network(tenant).tenant.faults(lineId).clear();
    this.session(tenant, lineId)?.calm();
  }

  wire(tenant: string, lineId: string, after: number): LoggedStanza[] {
    return this.network(tenant).tenant.log.of(lineId, after);
  }

  async reset(tenant: string): Promise<void> {
    const network = this.network(tenant);
    this.#downUntilMs.delete(tenant);
    network.phones.reset();
    network.tenant.reset();
    await network.tenant.media.reset();
  }

  /** The latest connection of a line, whether it is linked or still showing a QR code. */
  session(tenant: string, lineId: string): Session | undefined {
    return this.#sessions.get(`${tenant} ${lineId}`);
  }

  connected(tenant: string, session: Session): void {
    const all = this.#connections.get(tenant) ?? new Set();
    this.#connections.set(tenant, all.add(session));
    if (session.lineId !== undefined) this.#sessions.set(`${tenant} ${session.lineId}`, session);
  }

  disconnected(tenant: string, session: Session): void {
    const all = this.#connections.get(tenant);
    all?.delete(session);
    if (all?.size === 0) this.#connections.delete(tenant);
    const key = `${tenant} ${session.lineId}`;
    if (this.#sessions.get(key) === session) this.#sessions.delete(key);
  }

  close(): void {
    for (const network of this.#networks.values()) network.phones.close();
  }

  /** Keeps internal errors, for the operator of the simulator. */
  report(text: string, cause: unknown): void {
    this.problems.push({ at: this.clock.nowMs(), text, cause });
    if (this.problems.length > PROBLEMS_MAX) this.problems.shift();
  }
}

function factsOf(tenant: Tenant, group: Group): GroupFacts {
  const members = tenant.groups.members(group.id);
  const owner = members.find(({ role }) => role === 'superadmin') ?? members.find(({ role }) => role !== '');
  const requests = tenant.groups.requests(group.id).map(({ pn }) => pn);
  return { ...group, jid: groupJid(group), owner: owner?.pn, description: group.description?.body, members, requests };
}

function profileOf(network: TenantNetwork, account: Account): PhoneProfile {
  const { pn: phone, lid, name, about, isBusiness, isLidOnly } = account;
  return { phone, lid, name, about, isBusiness, isLidOnly, settings: network.phones.settingsOf(phone) };
}
