import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError, type Environment } from './reader.ts';

const BYTES = 32;

function parse(text: string, where: string): Buffer {
  const value = text.trim();
  const key = /^[0-9a-fA-F]{64}$/.test(value) ? Buffer.from(value, 'hex') : Buffer.from(value, 'base64');
  if (key.length !== BYTES)
    throw new ConfigError(
      `${where} does not hold a master key: it takes 32 bytes as 64 hex digits or base64 (make one with: openssl rand -hex 32)`,
    );
  return key;
}

const COMMAND_WITHIN_MS = 30_000;
const COMMAND_MAX_BYTES = 4_096;

/** What the operator's command prints, such as one that asks a key management service. */
function fromCommand(command: string, env: Environment): Buffer {
  let said: string;
  try {
    said = execFileSync(
      process.platform === 'win32' ? 'cmd.exe' : '/bin/sh',
      [process.platform === 'win32' ? '/c' : '-c', command],
      {
        env: { ...env },
        encoding: 'utf8',
        timeout: COMMAND_WITHIN_MS,
        maxBuffer: COMMAND_MAX_BYTES,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
  } catch (error) {
    // What it printed may be the key, or half of it: it is not repeated.
    const how =
      error instanceof Error && 'status' in error ? `it ended with ${String(error.status)}` : 'it did not run';
    throw new ConfigError(
      `MASTER_KEY_COMMAND gave no master key (${how}); it has to print 32 bytes as hex or base64 within 30 seconds`,
    );
  }
  return parse(said, 'the output of MASTER_KEY_COMMAND');
}

/** The key of a file that the operator made. Throws ConfigError. */
export function readMasterKeyFile(file: string): Buffer {
  if (!existsSync(file)) throw new ConfigError(`there is no file ${file}`);
  return parse(readFileSync(file, 'utf8'), file);
}

/** True when the master key is the file of the data directory, which Ponte itself looks after. */
export const isOwnMasterKey = (env: Environment): boolean =>
  [env.MASTER_KEY, env.MASTER_KEY_FILE, env.MASTER_KEY_COMMAND].every((value) => !value?.trim());

/** The key that a rotation goes to, made once: a rotation that was cut off goes on with it. */
export function nextOwnKey(dataDir: string): Buffer {
  const file = join(dataDir, NEXT_KEY);
  if (!existsSync(file)) writeOnce(file, `${randomBytes(BYTES).toString('hex')}\n`);
  return readMasterKeyFile(file);
}

/** Puts the next key in the place of the present one, at once; answers where that one is kept. */
export function promoteNextKey(dataDir: string, stamp: string): string {
  const kept = `master.key.before-${stamp}`;
  linkSync(join(dataDir, 'master.key'), join(dataDir, kept));
  renameSync(join(dataDir, NEXT_KEY), join(dataDir, 'master.key'));
  syncFolder(dataDir);
  return kept;
}

const NEXT_KEY = 'master.key.next';

/**
 * The master key: MASTER_KEY, else the file MASTER_KEY_FILE, else what MASTER_KEY_COMMAND prints,
 * else `master.key` in the data directory, which the first start makes (mode 0600). Throws
 * ConfigError when one is given but cannot be used; a new key is never made in the place of one
 * that cannot be read.
 */
export function loadMasterKey(env: Environment, dataDir: string): Buffer {
  return givenMasterKey(env) ?? ownKey(join(dataDir, 'master.key'), dataDir);
}

/** The key that the settings give, if they give one. Throws ConfigError. Makes nothing. */
export function givenMasterKey(env: Environment): Buffer | undefined {
  const command = env.MASTER_KEY_COMMAND?.trim();
  return writtenMasterKey(env) ?? (command ? fromCommand(command, env) : undefined);
}

/** The key that MASTER_KEY or MASTER_KEY_FILE hold; the command is not run. Throws ConfigError. */
export function writtenMasterKey(env: Environment): Buffer | undefined {
  const given = env.MASTER_KEY?.trim();
  if (given) return parse(given, 'MASTER_KEY');
  const file = env.MASTER_KEY_FILE?.trim();
  if (file) {
    if (!existsSync(file)) throw new ConfigError(`MASTER_KEY_FILE names ${file}, which does not exist`);
    return parse(readGiven(file), `MASTER_KEY_FILE ${file}`);
  }
  return undefined;
}

function readGiven(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    throw new ConfigError(`MASTER_KEY_FILE names ${file}, which cannot be read (${code})`);
  }
}

function ownKey(file: string, dataDir: string): Buffer {
  if (existsSync(file)) {
    if ((statSync(file).mode & 0o077) !== 0) {
      throw new ConfigError(`${file} can be read by other users of this machine; run: chmod 600 ${file}`);
    }
    return parse(readFileSync(file, 'utf8'), file);
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeOnce(file, `${randomBytes(BYTES).toString('hex')}\n`);
  return parse(readFileSync(file, 'utf8'), file);
}

/**
 * Makes the file with this text, whole and on the disk, unless there is one already: then that one
 * counts.
 */
function writeOnce(file: string, text: string): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, text, { flag: 'wx', mode: 0o600, flush: true });
  try {
    linkSync(draft, file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // File systems without hard links (exFAT, some network shares): a copy, which a power cut might
    // leave unfinished.
    if (code !== 'EEXIST') copyFileSync(draft, file, constants.COPYFILE_EXCL);
  } finally {
    unlinkSync(draft);
  }
  syncFolder(dirname(file));
}

/** Makes the file's name durable. Windows cannot open folders, and does not need it. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
