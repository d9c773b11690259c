import { readFileSync } from 'node:fs';
import { ConfigError, type Reader } from './reader.ts';

/** What makes a node one of several. */
export interface FleetSettings {
  nats: {
    /** One or more servers with commas between them; may hold a password. */
    url: string;
    user: string | undefined;
    password: string | undefined;
    credentialsFile: string | undefined;
    caFile: string | undefined;
    certFile: string | undefined;
    keyFile: string | undefined;
  };
  /** What lists call this node; undefined: the name of its machine. */
  name: string | undefined;
  /** Its share of the lines, relative to the other nodes'. */
  weight: number;
}

/** Settings that mean nothing without NATS_URL. */
const OF_NATS = ['NATS_USER', 'NATS_PASSWORD', 'NATS_CREDS_FILE', 'NATS_CA_FILE', 'NATS_CERT_FILE', 'NATS_KEY_FILE'];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/** The servers that NATS_URL names. */
export const natsServersOf = (url: string): URL[] => url.split(',').map((one) => new URL(one.trim()));

/** Undefined without NATS_URL. Throws ConfigError. */
export function fleetOf(read: Reader, engine: 'sqlite' | 'postgres'): FleetSettings | undefined {
  const name = read.text('NODE_NAME');
  if (name !== undefined && !NAME.test(name)) throw read.wrong('NODE_NAME', 'a name of letters, digits, ., _ and -');
  const weight = read.integer('NODE_WEIGHT', 100, 1, 10_000);
  const url = read.text('NATS_URL');
  if (url === undefined) {
    const alone = OF_NATS.find((setting) => read.text(setting) !== undefined);
    if (alone) throw new ConfigError(`${alone} is set without NATS_URL; set both, or neither`);
    return undefined;
  }
  requireNatsUrl(url);
  if (engine === 'sqlite') {
    throw new ConfigError(
      'NATS_URL is set without DATABASE_URL, but several nodes share one PostgreSQL: set DATABASE_URL to it, or remove NATS_URL',
    );
  }
  return { nats: { url, ...credentialsOf(read) }, name, weight };
}

function credentialsOf(read: Reader): Omit<FleetSettings['nats'], 'url'> {
  const user = read.text('NATS_USER');
  const password = read.text('NATS_PASSWORD');
  const credentialsFile = read.text('NATS_CREDS_FILE');
  if ((user === undefined) !== (password === undefined)) {
    const [is, other] = user === undefined ? ['NATS_PASSWORD', 'NATS_USER'] : ['NATS_USER', 'NATS_PASSWORD'];
    throw new ConfigError(`${is} is set without ${other}; set both, or neither`);
  }
  if (user !== undefined && credentialsFile !== undefined) {
    throw new ConfigError('NATS_CREDS_FILE and NATS_USER are both set; the server takes one of them');
  }
  const certFile = read.text('NATS_CERT_FILE');
  const keyFile = read.text('NATS_KEY_FILE');
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const [is, other] =
      certFile === undefined ? ['NATS_KEY_FILE', 'NATS_CERT_FILE'] : ['NATS_CERT_FILE', 'NATS_KEY_FILE'];
    throw new ConfigError(`${is} is set without ${other}; set both, or neither`);
  }
  return { user, password, credentialsFile, caFile: read.text('NATS_CA_FILE'), certFile, keyFile };
}

function requireNatsUrl(url: string): void {
  // The value may hold a password: it is not repeated.
  const wrong = new ConfigError(
    'NATS_URL is not one this version takes: it takes nats://host:4222 or tls://host:4222, several with commas between them; reserved characters of a password as %XX',
  );
  for (const one of url.split(',').map((text) => text.trim())) {
    if (!/^(?:nats|tls):\/\/[^/\s]+$/.test(one) || !URL.canParse(one)) throw wrong;
    const { hostname, username, password } = new URL(one);
    if (hostname === '') throw wrong;
    try {
      for (const part of [username, password]) decodeURIComponent(part);
    } catch {
      throw wrong;
    }
  }
}

/** The contents of the files that the settings of NATS name. */
export interface NatsFiles {
  credentials: string | undefined;
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
}

/** Throws ConfigError for a file that cannot be read. */
export function readNatsFiles({ nats }: FleetSettings): NatsFiles {
  return {
    credentials: fileOf('NATS_CREDS_FILE', nats.credentialsFile),
    ca: fileOf('NATS_CA_FILE', nats.caFile),
    cert: fileOf('NATS_CERT_FILE', nats.certFile),
    key: fileOf('NATS_KEY_FILE', nats.keyFile),
  };
}

function fileOf(setting: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new ConfigError(`${setting} names ${path}, which cannot be read (${code})`);
  }
}
