import type { Config } from '../config/config.ts';
import { isAbsent } from '../store/db/await-server.ts';

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/**
 * One sentence for a failure of what is around the program (ports, disks, databases), with the
 * remedy; undefined for everything else. `config` is undefined when it cannot be read.
 */
export function explainFailure(error: unknown, config: Config | undefined): string | undefined {
  if (!(error instanceof Error) || !config) return undefined;
  return ofListening(error, config) ?? ofSqlite(error, config) ?? ofPostgres(error, config) ?? ofDisk(error);
}

function ofListening(error: Error, { http }: Config): string | undefined {
  const syscall = 'syscall' in error ? error.syscall : undefined;
  if (syscall !== 'listen' && !(syscall === 'getaddrinfo' && 'hostname' in error && error.hostname === http.host)) {
    return undefined;
  }
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `port ${http.port} on ${http.host} is in use by another program: stop that one, or set PORT to another number`;
    case 'EACCES':
      return `this user may not listen on port ${http.port}: set PORT to 1024 or more, and put a reverse proxy in front of it`;
    default:
      return `HOST is "${http.host}", which is no address of this machine (${codeOf(error)}): set it to 127.0.0.1, 0.0.0.0 or one that "ip address" shows`;
  }
}

function ofSqlite(error: Error, { database, dataDir }: Config): string | undefined {
  if (database.engine !== 'sqlite') return undefined;
  const file = database.url.slice('sqlite:'.length);
  const code = codeOf(error);
  if (/^SQLITE_(?:CORRUPT|NOTADB)/.test(code)) {
    return `the database ${file} is damaged (${error.message}): put a backup in its place with "ponte restore FILE"`;
  }
  if (code.startsWith('SQLITE_FULL'))
    return `there is no space left for the database ${file}: make room, then start again`;
  if (code.startsWith('SQLITE_BUSY'))
    return `the database ${file} is locked by another program: end that one, then try again`;
  if (/^SQLITE_(?:READONLY|CANTOPEN|PERM|AUTH)/.test(code)) {
    return `the database ${file} cannot be opened for writing (${error.message}): give the user of this process read and write access to ${dataDir} and everything in it`;
  }
  if (code.startsWith('SQLITE_IOERR')) {
    return `the disk that holds ${file} reports an error (${error.message}): see that it works and has space`;
  }
  return undefined;
}

function ofPostgres(error: Error, { database }: Config): string | undefined {
  if (database.engine !== 'postgres') return undefined;
  const { hostname, port, pathname } = new URL(database.url);
  const server = `PostgreSQL at ${hostname || 'localhost'}:${port || 5_432}`;
  const code = codeOf(error);
  // Neither the address with its password nor a user's name is repeated.
  if (code === '28P01' || code === '28000') return `${server} refuses the user or the password in DATABASE_URL`;
  if (code === '3D000') {
    return `${server} has no database ${pathname.slice(1)}: create it (createdb), or correct DATABASE_URL`;
  }
  if (code === '3F000') return `${server} has no schema of that name: create it, or correct schema= in DATABASE_URL`;
  if (code === '42501') return `${server} does not let this user make tables: grant it "create" on the schema`;
  if (code === '53100') return `${server} has no space left: make room there`;
  if (isAbsent(error)) {
    return `${server} does not answer (${code || error.message}): start it, or correct DATABASE_URL`;
  }
  return undefined;
}

function ofDisk(error: Error): string | undefined {
  const path = 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `there is no space left${path === undefined ? '' : ` for ${path}`}: make room, then start again`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return path === undefined
        ? undefined
        : `${path} cannot be used (${codeOf(error)}): give the user of this process read and write access`;
    default:
      return undefined;
  }
}
