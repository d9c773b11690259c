import { isIP, isIPv6 } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import type { BlobSettings } from '../blobs/blob-store.ts';
import { parseAllowEntry } from '../net/address-policy.ts';
import type { LogLevel } from '../observe/logger.ts';
import type { SpanSettings } from '../observe/spans.ts';
import { blobsOf } from './blobs.ts';
import { type FleetSettings, fleetOf, natsServersOf } from './fleet-settings.ts';
import { ConfigError, type Environment, Reader } from './reader.ts';
import { type SandboxSettings, sandboxOf } from './sandbox-settings.ts';
import { tracingOf } from './tracing.ts';

/** Everything the process is told from outside, validated. Secrets stand apart (master-key.ts). */
export interface Config {
  http: {
    host: string;
    port: number;
    /** What others call this server; undefined = derived from host and port. */
    publicUrl: string | undefined;
    trustProxy: boolean | string[];
    /** Further names that requests to the MCP server may carry in Host and Origin. */
    mcpAllowedHosts: string[];
    metricsToken: string | undefined;
    /** Of the admin API; undefined = there is none. */
    adminToken: string | undefined;
    /** The console takes passwords over plain http from other machines too. */
    allowInsecureCookies: boolean;
  };
  dataDir: string;
  database: { url: string; engine: 'sqlite' | 'postgres' };
  /** Undefined: this node holds the database alone. */
  fleet: FleetSettings | undefined;
  /** How long a stop waits for what is under way, and for other nodes to take the lines. */
  drainSeconds: number;
  workers: {
    count: number;
    isolation: 'shared' | 'dedicated';
    /** Logins of one worker. */
    connectsPerSecond: number;
  };
  /**
   * Hosts and CIDRs with optional ports that outbound requests may reach although they are private.
   */
  allowPrivateTargets: string[];
  sandbox: SandboxSettings;
  /** A message that could not leave within this time fails; 0 = never. */
  sendExpiresMs: number;
  logLevel: LogLevel;
  rateLimits: {
    provisionPerMinute: number;
    proxyPerMinute: number;
    otherPerMinute: number;
    ipPerMinute: number;
    sandboxPerMinute: number;
  };
  media: {
    /** Of this node alone. */
    folder: string;
    /** In memory: for files that must not reach a disk in the clear. */
    memoryFolder: string;
    blobs: BlobSettings;
    cacheHours: number;
    cacheMaxBytes: number;
    /** Where programs of the system (ffmpeg) are looked for, as in PATH. */
    programPath: string;
    /** Largest files by kind, in bytes. */
    limits: { image: number; video: number; audio: number; document: number };
  };
  whatsappVersion: [number, number, number] | undefined;
  /** The line that writes to itself every hour; undefined = none does. */
  canaryLine: string | undefined;
  /** Where traces go; undefined = none are collected. */
  tracing: SpanSettings | undefined;
  /** The server that takes e-mails; undefined = none are sent. */
  mail:
    | {
        host: string;
        port: number;
        /** `starttls`: nothing is sent before the connection is encrypted. */
        security: 'tls' | 'starttls' | 'plain';
        user: string | undefined;
        password: string | undefined;
        from: string;
      }
    | undefined;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** Whether a host name or address means this machine. */
export const isOnLoopback = (host: string): boolean => /^(?:localhost|\[?::1\]?|127(?:\.\d{1,3}){3})$/i.test(host);

/**
 * Whether the operator configured a proxy or tunnel on this machine through which others connect.
 */
export const isBehindProxy = ({ http }: Config): boolean =>
  http.trustProxy !== false || (http.publicUrl !== undefined && !isOnLoopback(new URL(http.publicUrl).hostname));

/** Services of the installation itself: nothing that a customer names may reach them. */
export function ownServicesOf({
  database,
  fleet,
  media: { blobs },
  sandbox,
}: Pick<Config, 'database' | 'fleet' | 'media' | 'sandbox'>): OwnService[] {
  const servers = fleet ? natsServersOf(fleet.nats.url) : [];
  const network = sandbox.shared ? [new URL(sandbox.shared.url)] : [];
  const storage = blobs.kind === 's3' ? [new URL(blobs.endpoint)] : [];
  const others = [
    ...servers.map((url) => ({ hostname: plainHost(url.hostname), port: Number(url.port || NATS_PORT) })),
    ...[...network, ...storage].map((url) => ({
      hostname: plainHost(url.hostname),
      port: Number(url.port || webPort(url)),
    })),
  ];
  if (database.engine === 'sqlite') return others;
  const { hostname, port, searchParams } = new URL(database.url);
  // `?host=` is how PostgreSQL names sockets and further servers; a socket has no port to reach.
  const named = searchParams.get('host') ?? hostname;
  return named.startsWith('/') ? others : [{ hostname: plainHost(named), port: Number(port || 5_432) }, ...others];
}

interface OwnService {
  hostname: string;
  port: number;
}

const NATS_PORT = 4_222;
const webPort = ({ protocol }: URL): number => (protocol === 'https:' ? 443 : 80);
const plainHost = (host: string): string => host.replace(/^\[|\]$/g, '');

/** A schema's name that needs no quotes. */
const PLAIN_SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

function isPostgresUrl(text: string): boolean {
  if (!/^postgres(ql)?:\/\/[^/]/.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  const schema = url.searchParams.get('schema');
  if (schema !== null && !PLAIN_SCHEMA.test(schema)) {
    throw new ConfigError(`the schema "${schema}" in DATABASE_URL is not a plain lower-case name`);
  }
  try {
    // A % that begins no character would stop the client later.
    for (const part of [url.username, url.password, url.pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

function databaseOf(read: Reader, dataDir: string): Config['database'] {
  const url = read.text('DATABASE_URL');
  if (url === undefined) return { url: `sqlite:${resolve(dataDir, 'ponte.db')}`, engine: 'sqlite' };
  if (isPostgresUrl(url)) return { url, engine: 'postgres' };
  throw read.wrongSecret('DATABASE_URL', 'postgres://user:password@host:5432/name, or nothing for SQLite in DATA_DIR');
}

function hostOf(read: Reader): string {
  const value = read.text('HOST') ?? '127.0.0.1';
  if (!/^[A-Za-z0-9._-]+$/.test(value) && !isIPv6(value)) {
    throw read.wrong('HOST', 'an address or name of this machine, such as 127.0.0.1, 0.0.0.0 or ::');
  }
  return value;
}

function publicUrlOf(read: Reader): string | undefined {
  const value = read.text('PUBLIC_URL');
  if (value === undefined) return undefined;
  const isHttp = URL.canParse(value) && ['http:', 'https:'].includes(new URL(value).protocol);
  if (!isHttp) throw read.wrong('PUBLIC_URL', 'an address such as https://wa.example.com');
  return value.replace(/\/+$/, '');
}

function trustProxyOf(read: Reader): boolean | string[] {
  const value = read.text('TRUST_PROXY');
  if (value === undefined || ['off', 'false', '0', 'no'].includes(value.toLowerCase())) return false;
  const proxies = read.list('TRUST_PROXY');
  if (proxies.every((entry) => entry === 'loopback' || isNetwork(entry))) return proxies;
  throw read.wrong('TRUST_PROXY', 'off, or the addresses of your proxies such as 10.0.0.5,172.16.0.0/12');
}

/** An address, or a range of them as `10.0.0.0/8`. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** What fits into a header. */
const VISIBLE = /^[\x21-\x7e]+$/;
const MIN_ADMIN_TOKEN = 24;

function metricsTokenOf(read: Reader): string | undefined {
  const value = read.text('METRICS_TOKEN');
  if (value === undefined || VISIBLE.test(value)) return value;
  throw read.wrongSecret('METRICS_TOKEN', 'visible characters without spaces');
}

function adminTokenOf(read: Reader): string | undefined {
  const value = read.text('ADMIN_TOKEN');
  if (value === undefined || (value.length >= MIN_ADMIN_TOKEN && VISIBLE.test(value))) return value;
  const takes = `${MIN_ADMIN_TOKEN} or more visible characters without spaces, such as the output of "openssl rand -hex 32"`;
  throw read.wrongSecret('ADMIN_TOKEN', takes);
}

function hostNamesOf(read: Reader, name: string): string[] {
  const entries = read.list(name);
  if (entries.every((entry) => /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(entry))) return entries;
  throw read.wrong(name, 'names without scheme and port, such as ponte,wa.example.com');
}

const MEBIBYTE = 1_048_576;
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Sizes in MiB; the defaults are WhatsApp's. */
function mediaOf(read: Reader, dataDir: string, isOfFleet: boolean): Config['media'] {
  const mebibytes = (name: string, fallback: number, max: number) => read.integer(name, fallback, 1, max) * MEBIBYTE;
  return {
    folder: resolve(dataDir, 'media'),
    memoryFolder: memoryFolderOf(read),
    blobs: blobsOf(read, dataDir, isOfFleet),
    cacheHours: read.integer('MEDIA_CACHE_HOURS', 3, 0, 8_760),
    cacheMaxBytes: mebibytes('MEDIA_CACHE_MB', 2_048, 1_048_576),
    programPath: read.text('PATH') ?? SEARCH_PATH,
    limits: {
      image: mebibytes('MEDIA_MAX_IMAGE_MB', 16, 2_048),
      video: mebibytes('MEDIA_MAX_VIDEO_MB', 64, 2_048),
      audio: mebibytes('MEDIA_MAX_AUDIO_MB', 64, 2_048),
      document: mebibytes('MEDIA_MAX_DOCUMENT_MB', 2_048, 2_048),
    },
  };
}

function memoryFolderOf(read: Reader): string {
  const value = read.text('MEDIA_MEMORY_DIR') ?? '/dev/shm';
  if (isAbsolute(value)) return value;
  throw read.wrong('MEDIA_MEMORY_DIR', 'the absolute path of a folder in memory, such as /dev/shm');
}

function versionOf(read: Reader): [number, number, number] | undefined {
  const value = read.text('WHATSAPP_VERSION');
  if (value === undefined) return undefined;
  const match = /^(\d{1,4})\.(\d{1,6})\.(\d{1,12})$/.exec(value);
  if (!match) throw read.wrong('WHATSAPP_VERSION', 'three numbers such as 2.3000.1043857760');
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

function canaryOf(read: Reader): string | undefined {
  const value = read.text('CANARY_LINE');
  if (value === undefined || /^line_[A-Za-z0-9]{1,64}$/.test(value)) return value;
  throw read.wrong(
    'CANARY_LINE',
    'the id of a line, such as line_R2x9kQ7mB4tZ8wPc1LdV ("ponte lines list" shows them)',
  );
}

const SMTP_PORTS: Record<string, number> = { 'smtps:': 465, 'smtp:': 587 };
/** `name@host`, or `A name <name@host>`. */
const SENDER = /^(?:[^<>\r\n]{0,100}<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/;

function mailOf(read: Reader): Config['mail'] {
  const value = read.text('SMTP_URL');
  const from = read.text('SMTP_FROM');
  if (value === undefined) {
    if (from === undefined) return undefined;
    throw new ConfigError('SMTP_FROM is set without SMTP_URL; set both, or neither');
  }
  const wrong = read.wrongSecret(
    'SMTP_URL',
    'smtps://user:password@host:465, or smtp://user:password@host:587 (STARTTLS); reserved characters of a password as %XX',
  );
  if (!URL.canParse(value)) throw wrong;
  const url = new URL(value);
  const port = SMTP_PORTS[url.protocol];
  if (port === undefined || url.hostname === '' || !['', '/'].includes(url.pathname) || url.search !== '') throw wrong;
  if (from === undefined)
    throw new ConfigError('SMTP_URL is set without SMTP_FROM; set it to the address of the sender');
  if (!SENDER.test(from))
    throw read.wrong('SMTP_FROM', 'an address such as ponte@example.com or Ponte <ponte@example.com>');
  const decoded = (part: string): string | undefined => {
    try {
      return part === '' ? undefined : decodeURIComponent(part);
    } catch {
      throw wrong;
    }
  };
  const starttls = isOnLoopback(url.hostname) ? 'plain' : 'starttls';
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? port : Number(url.port),
    security: url.protocol === 'smtps:' ? 'tls' : starttls,
    user: decoded(url.username),
    password: decoded(url.password),
    from,
  };
}

function privateTargetsOf(read: Reader): string[] {
  const entries = read.list('ALLOW_PRIVATE_TARGETS');
  for (const entry of entries) {
    try {
      parseAllowEntry(entry);
    } catch (error) {
      throw new ConfigError(error instanceof Error ? error.message : String(error));
    }
  }
  return entries;
}

/**
 * Validates the environment. Throws ConfigError on the first wrong variable. `cores` decides the
 * default number of workers.
 */
export function readConfig(env: Environment, machine: { cores: number; cwd: string }): Config {
  const read = new Reader(env);
  const folder = read.text('DATA_DIR') ?? './data';
  const dataDir = isAbsolute(folder) ? folder : resolve(machine.cwd, folder);
  const database = databaseOf(read, dataDir);
  const fleet = fleetOf(read, database.engine);
  return {
    http: {
      host: hostOf(read),
      port: read.integer('PORT', 8080, 0, 65_535),
      publicUrl: publicUrlOf(read),
      trustProxy: trustProxyOf(read),
      mcpAllowedHosts: hostNamesOf(read, 'MCP_ALLOWED_HOSTS'),
      metricsToken: metricsTokenOf(read),
      adminToken: adminTokenOf(read),
      allowInsecureCookies: read.flag('INSECURE_COOKIES', false),
    },
    dataDir,
    database,
    fleet,
    drainSeconds: read.integer('DRAIN_SECONDS', fleet ? 60 : 10, 0, 3_600),
    workers: {
      count: read.integer('WORKERS', Math.max(1, machine.cores - 1), 1, 256),
      connectsPerSecond: read.integer('CONNECTS_PER_SECOND', 20, 1, 1_000),
      isolation: read.oneOf('ISOLATION', 'shared', ['shared', 'dedicated']),
    },
    allowPrivateTargets: privateTargetsOf(read),
    sandbox: sandboxOf(read, fleet !== undefined),
    sendExpiresMs: read.integer('SEND_EXPIRES_HOURS', 24, 0, 8_760) * 3_600_000,
    logLevel: read.oneOf('LOG_LEVEL', 'info', LEVELS),
    rateLimits: {
      provisionPerMinute: read.integer('RATE_LIMIT_PROVISION', 10, 1, 1_000_000),
      proxyPerMinute: read.integer('RATE_LIMIT_PROXY', 120, 1, 1_000_000),
      otherPerMinute: read.integer('RATE_LIMIT_OTHER', 120, 1, 1_000_000),
      ipPerMinute: read.integer('RATE_LIMIT_IP', 300, 1, 1_000_000),
      sandboxPerMinute: read.integer('RATE_LIMIT_SANDBOX', 12_000, 1, 1_000_000),
    },
    media: mediaOf(read, dataDir, fleet !== undefined),
    whatsappVersion: versionOf(read),
    canaryLine: canaryOf(read),
    tracing: tracingOf(read),
    mail: mailOf(read),
  };
}

/**
 * What the start-up line of the log says of the configuration: no secret, not even a database
 * password.
 */
export function configSummary(config: Config): Record<string, unknown> {
  return {
    host: config.http.host,
    port: config.http.port,
    publicUrl: config.http.publicUrl ?? null,
    dataDir: config.dataDir,
    database: config.database.engine,
    fleet: config.fleet !== undefined,
    files: config.media.blobs.kind,
    workers: config.workers.count,
    isolation: config.workers.isolation,
    sandbox: config.sandbox.isOn,
    allowPrivateTargets: config.allowPrivateTargets,
    mcpAllowedHosts: config.http.mcpAllowedHosts,
    metricsToken: config.http.metricsToken !== undefined,
    adminToken: config.http.adminToken !== undefined,
    trustProxy: config.http.trustProxy,
    logLevel: config.logLevel,
    mail: config.mail !== undefined,
    tracing: config.tracing !== undefined,
  };
}
