import { randomBytes } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { within } from '../core/within.ts';
import { ConfigError } from './reader.ts';

/** A network folder whose server is gone can block a call for ever. */
const ANSWER_WITHIN_MS = 10_000;

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it cannot be written to',
  EEXIST: 'a file is there',
  ENOTDIR: 'a file is there, or on the way to it',
  ENOENT: 'no folder can be made there',
  ENOSPC: 'there is no space left',
  EDQUOT: 'the quota of this user is used up',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
};

/**
 * Makes the folder when it is missing, and sees that files can be made in it. Throws ConfigError
 * with a sentence that says what is in the way.
 */
export async function prepareDataDir(folder: string): Promise<void> {
  const prepared = prepare(folder).then(() => true);
  try {
    if (await within(systemClock, prepared, ANSWER_WITHIN_MS)) return;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw wrong(folder, `${REASONS[code] ?? 'it cannot be used'} (${code})`);
  }
  throw wrong(folder, `it does not answer within ${ANSWER_WITHIN_MS / 1_000} seconds: is its disk or network there?`);
}

const wrong = (folder: string, why: string): ConfigError =>
  new ConfigError(`DATA_DIR is "${folder}", but ${why}; it takes a folder that the user of this process can write to`);

async function prepare(folder: string): Promise<void> {
  await makeFolder(folder);
  const facts = await stat(folder);
  if (!facts.isDirectory()) throw Object.assign(new Error(folder), { code: 'ENOTDIR' });
  const probe = join(folder, `.probe-${randomBytes(6).toString('hex')}`);
  await writeFile(probe, 'x', { flag: 'wx', mode: 0o600 });
  await rm(probe);
}

/** Not `recursive`: Node tries for ever where nothing can be made, such as in /proc. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    const parent = dirname(folder);
    if (code !== 'ENOENT' || parent === folder) throw error;
    await makeFolder(parent);
    await mkdir(folder, { mode: 0o700 });
  }
}
