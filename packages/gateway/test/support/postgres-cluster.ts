import { execFile, execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/bench/processes.ts';

const run = promisify(execFile);
const WITHIN_MS = 60_000;

/** A PostgreSQL of the test's own, in a folder that is thrown away. */
export interface Cluster {
  url: string;
  /**
   * `fast` ends every session and shuts down; `immediate` is a crash: the log is replayed at the
   * start.
   */
  restart(mode: 'fast' | 'immediate'): Promise<void>;
  close(): Promise<void>;
}

/** The folder with the server's programs; undefined when they are not installed. */
export function postgresPrograms(): string | undefined {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(root, version, 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return folders.find((folder) => ['initdb', 'pg_ctl', 'postgres'].every((name) => existsSync(join(folder, name))));
}

/** PostgreSQL refuses to run as root: whom it runs as then. */
function owner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** Makes a cluster on a free port of this machine. Resolves when it takes connections. */
export async function startCluster(programs: string): Promise<Cluster> {
  const as = owner();
  const folder = mkdtempSync(join(tmpdir(), 'ponte-cluster-'));
  if (as) chownSync(folder, as.uid, as.gid);
  const data = join(folder, 'data');
  const call = (name: string, args: string[]) =>
    run(join(programs, name), args, { ...as, cwd: folder, timeout: WITHIN_MS, env: { PATH: process.env.PATH ?? '' } });
  await call('initdb', ['-D', data, '-U', 'ponte', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--locale=C']);
  const port = await freePort();
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port, fsync: 'off' };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`);
  const control = (verb: string, ...more: string[]) =>
    call('pg_ctl', [verb, '-D', data, '-w', '-l', join(folder, 'log'), '-o', options.join(' '), ...more]);
  await control('start');
  return {
    url: `postgres://ponte@127.0.0.1:${port}/postgres`,
    async restart(mode) {
      await control('restart', '-m', mode);
    },
    async close() {
      await call('pg_ctl', ['stop', '-D', data, '-w', '-m', 'immediate']);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
