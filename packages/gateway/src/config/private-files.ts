import { chmodSync, existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Group and others: nothing. */
const OTHERS = 0o077;
/** Files and folders of the data directory that hold secrets or what people wrote. */
const OURS = /^(?:ponte\.db|sandbox\.db|sandbox-ephemeral\.db|master\.key|media)/;

/**
 * Whatever this process and its children make from here on is readable by their user only, also in
 * a folder that others may enter.
 */
export const makePrivateFiles = (): void => {
  if (process.platform !== 'win32') process.umask(OTHERS);
};

/**
 * Takes what others may do with the files of a data directory away, and answers their names.
 * Earlier versions made databases in the mode that the system gives (often 0644). A key file of
 * others is for its owner to judge: `loadMasterKey` refuses it.
 */
export function mendPermissions(dataDir: string): string[] {
  if (process.platform === 'win32' || !existsSync(dataDir)) return [];
  return readdirSync(dataDir).filter((name) => {
    if (!OURS.test(name) || name.startsWith('master.key')) return false;
    const path = join(dataDir, name);
    const facts = lstatSync(path, { throwIfNoEntry: false });
    if (!facts || facts.isSymbolicLink() || (facts.mode & OTHERS) === 0) return false;
    // A file of another user (a volume, for example) cannot be changed by us; it stays as it is.
    if (facts.uid !== process.getuid?.() && process.getuid?.() !== 0) return false;
    chmodSync(path, facts.mode & 0o700);
    return true;
  });
}
