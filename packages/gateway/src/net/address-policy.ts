import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * What an address is to us. `private`: networks an operator may open by name or CIDR. `loopback`
 * and `link_local` (with the cloud metadata services) only by an exact entry. `never`: everything
 * that is no unicast host, and the transition forms of IPv6 that could carry any of these inside.
 */
export type AddressClass = 'public' | 'private' | 'loopback' | 'link_local' | 'never';

const cidrs = (list: string[]) => list.map((cidr) => ipaddr.parseCIDR(cidr));

/**
 * Checked in this order; the first match names the class. Public IPv6 is an allow list: inside
 * 2000::/3, minus these.
 */
const SPECIAL: readonly [AddressClass, ReturnType<typeof cidrs>][] = [
  // Metadata services that live outside 169.254/16: Azure, Alibaba, Oracle, AWS over IPv6.
  ['link_local', cidrs(['168.63.129.16/32', '100.100.100.200/32', '192.0.0.192/32', 'fd00:ec2::254/128'])],
  ['link_local', cidrs(['169.254.0.0/16', 'fe80::/10'])],
  ['loopback', cidrs(['127.0.0.0/8', '::1/128'])],
  ['private', cidrs(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15', 'fc00::/7'])],
  [
    'never',
    cidrs([
      '0.0.0.0/8',
      '192.0.0.0/24',
      '192.0.2.0/24',
      '192.31.196.0/24',
      '192.52.193.0/24',
      '192.88.99.0/24',
      '192.175.48.0/24',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '224.0.0.0/4',
      '240.0.0.0/4',
      '2001::/23',
      '2001:db8::/32',
      '2002::/16',
      '3fff::/20',
      '2620:4f:8000::/48',
    ]),
  ],
];
const GLOBAL_UNICAST_V6 = ipaddr.parseCIDR('2000::/3');

type Ip = ReturnType<typeof ipaddr.process>;

/**
 * IPv4 in IPv6 clothes (`::ffff:…`) counts as the IPv4 address it is. Undefined when the text is no
 * address, or has a zone. IPv6 goes through the URL parser first: ipaddr.js takes the old form
 * `::127.0.0.1` for a mapped address, which it is not.
 */
function parseAddress(address: string): Ip | undefined {
  const family = address.includes('%') ? 0 : isIP(address);
  if (family === 0) return undefined;
  return ipaddr.process(family === 4 ? address : new URL(`http://[${address}]`).hostname.slice(1, -1));
}

const inside = (ip: Ip, [net, bits]: ReturnType<typeof ipaddr.parseCIDR>): boolean =>
  ip.kind() === net.kind() && ip.match(net, bits);

/** The class of an IP address in text form; text that is none is `never`. */
export function classifyAddress(address: string): AddressClass {
  const ip = parseAddress(address);
  if (!ip) return 'never';
  for (const [name, nets] of SPECIAL) if (nets.some((net) => inside(ip, net))) return name;
  return ip.kind() === 'ipv4' || inside(ip, GLOBAL_UNICAST_V6) ? 'public' : 'never';
}

/** One entry of ALLOW_PRIVATE_TARGETS. */
export interface AllowEntry {
  text: string;
  /** A host name, lower case; or an address; or a network. */
  match: { name: string } | { address: string } | { net: ReturnType<typeof ipaddr.parseCIDR> };
  port: number | null;
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_-]{1,63})*$/;

function refuseEntry(text: string, why: string): never {
  throw new Error(
    `ALLOW_PRIVATE_TARGETS: "${text}" ${why}. It takes hosts and address ranges with commas between them, each with a port if you like (addresses of this machine: always), such as n8n:5678,127.0.0.1:3000,10.1.0.0/16`,
  );
}

function splitPort(text: string): { host: string; port: number | null } {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  const network = /^(.+\/\d+):(\d+)$/.exec(text);
  const plain = bracketed ?? network ?? (/:.*:/.test(text) ? null : /^([^:]+):(\d+)$/.exec(text));
  if (!plain) return { host: text, port: null };
  return { host: plain[1] ?? '', port: plain[2] === undefined ? null : Number(plain[2]) };
}

/** Reads one entry. Throws with the remedy when it is none, or when it would open nothing. */
export function parseAllowEntry(raw: string): AllowEntry {
  const text = raw.trim();
  const { host, port } = splitPort(text.toLowerCase());
  if (port !== null && (port < 1 || port > 65_535)) refuseEntry(text, 'has no possible port');
  if (host.includes('/')) {
    if (!ipaddr.isValidCIDR(host)) refuseEntry(text, 'is no network');
    return { text, match: { net: ipaddr.parseCIDR(host) }, port };
  }
  const ip = parseAddress(host);
  const guarded = ip ? classifyAddress(host) : host === 'localhost' ? 'loopback' : 'private';
  if (guarded === 'never') refuseEntry(text, 'is no address of a host');
  if (port === null && (guarded === 'loopback' || guarded === 'link_local'))
    refuseEntry(text, 'needs its port: without one it would open every service of this machine');
  if (ip) return { text, match: { address: ip.toNormalizedString() }, port };
  if (!NAME.test(host)) refuseEntry(text, 'is no host name');
  return { text, match: { name: host }, port };
}

/** Reads the whole setting; empty text is the empty list. */
export function parseAllowList(setting: string): AllowEntry[] {
  return setting
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(parseAllowEntry);
}

/**
 * Ports no webhook or file lives on: mail, databases, Docker, queues, and 0. An entry with exactly
 * this port still opens one.
 */
const SERVICE_PORTS = new Set([
  0, 19, 21, 22, 23, 25, 53, 110, 111, 135, 137, 138, 139, 143, 389, 445, 465, 514, 587, 636, 873, 993, 995, 1433, 1521,
  2049, 2375, 2376, 2379, 2380, 3306, 3389, 4222, 5432, 5672, 5900, 5984, 6222, 6379, 8222, 9092, 9200, 9300, 10250,
  11211, 27017,
]);

export interface Target {
  /** Lower case, without brackets. */
  hostname: string;
  port: number;
  secure: boolean;
}

export type Verdict =
  /** `by` is how it was allowed: `exact` = the operator named this very host or address. */
  { allowed: true; by: 'public' | 'exact' | 'network' } | { allowed: false; reason: 'address' | 'port' | 'not_https' };

export interface AddressPolicy {
  /**
   * May a connection for `target` go to `address`? Pure; asked for every resolved address and again
   * for the connected socket.
   */
  judge(target: Target, address: string): Verdict;
}

type Strength = 'exact' | 'name' | 'network';

function entryStrength(entry: AllowEntry, target: Target, address: string): Strength | undefined {
  if (entry.port !== null && entry.port !== target.port) return undefined;
  const { match } = entry;
  const ip = parseAddress(address);
  if (!ip) return undefined;
  if ('net' in match) return inside(ip, match.net) ? 'network' : undefined;
  if ('address' in match && ip.toNormalizedString() !== match.address) return undefined;
  if ('name' in match && target.hostname !== match.name) return undefined;
  return entry.port === null ? 'name' : 'exact';
}

/**
 * The rule for every outbound URL that a customer can influence. Public addresses pass over https.
 * Everything else needs an entry of the operator: plain http and private networks any matching one;
 * loopback only host:port; link-local and metadata only address:port. `ownPorts` (the gateway's
 * listeners, its database, its bus) and service ports are opened by an exact host:port entry only.
 */
export function createAddressPolicy(options: {
  allow: AllowEntry[];
  ownPorts: number[];
  /** The database and the like, as they are configured: by name or address. */
  ownServices?: readonly { hostname: string; port: number }[];
}): AddressPolicy {
  const ownServices = options.ownServices ?? [];
  const ownPorts = new Set([...options.ownPorts, ...ownServices.map(({ port }) => port)]);
  const isOwn = ({ hostname, port }: Target): boolean =>
    ownServices.some((own) => own.port === port && own.hostname.toLowerCase() === hostname);
  return {
    judge(target, address) {
      const kind = classifyAddress(address);
      if (kind === 'never') return { allowed: false, reason: 'address' };
      const matching = options.allow.flatMap((entry) => {
        const strength = entryStrength(entry, target, address);
        return strength ? [{ entry, strength }] : [];
      });
      const exact = matching.filter((m) => m.strength === 'exact');
      const mayGuarded = exact.some((m) => kind !== 'link_local' || 'address' in m.entry.match);
      if (kind === 'loopback' || kind === 'link_local') {
        return mayGuarded ? { allowed: true, by: 'exact' } : { allowed: false, reason: 'address' };
      }
      if (exact.length > 0) return { allowed: true, by: 'exact' };
      if (isOwn(target)) return { allowed: false, reason: 'port' };
      if (kind === 'private' && matching.length === 0) return { allowed: false, reason: 'address' };
      if (SERVICE_PORTS.has(target.port)) return { allowed: false, reason: 'port' };
      if (kind === 'private' && ownPorts.has(target.port)) return { allowed: false, reason: 'port' };
      if (!target.secure && matching.length === 0) return { allowed: false, reason: 'not_https' };
      if (matching.length === 0) return { allowed: true, by: 'public' };
      return { allowed: true, by: matching.some((m) => m.strength === 'name') ? 'exact' : 'network' };
    },
  };
}
