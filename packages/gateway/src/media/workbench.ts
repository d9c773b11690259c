import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { open, rm, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A place for a file that programs read or write by its path. To be closed: then it is gone. */
export interface BenchPlace {
  path: string;
  close(): Promise<void>;
}

/** Where files lie for a moment while they are looked at and converted. */
export interface Workbench {
  /**
   * An empty place. `isSecret`: its bytes never reach a disk, and are gone when this process is,
   * however it ends; undefined when this machine has no memory for so many bytes.
   */
  place(wish: { isSecret: boolean; bytes: number }): Promise<BenchPlace | undefined>;
}

/** File systems in memory, by their number in Linux: tmpfs and ramfs. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6]);
/** Left to other users of the memory. */
const RESERVE_BYTES = 16 * 1024 * 1024;

/**
 * A bench in a folder of this process alone, emptied now. Secret files lie in `memoryFolder`, when
 * that is one in memory, without a name there: only through this process can they be reached.
 */
export function openWorkbench(folder: string, memoryFolder: string): Workbench {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });

  async function hasMemory(bytes: number): Promise<boolean> {
    if (process.platform !== 'linux') return false;
    const found = await statfs(memoryFolder).catch(() => undefined);
    if (!found || !IN_MEMORY.has(found.type)) return false;
    return found.bavail * found.bsize - RESERVE_BYTES >= bytes;
  }

  return {
    async place({ isSecret, bytes }) {
      if (!isSecret) {
        const path = join(folder, randomUUID());
        const file = await open(path, 'wx', 0o600);
        await file.close();
        return { path, close: () => rm(path, { force: true }) };
      }
      if (!(await hasMemory(bytes))) return undefined;
      const name = join(memoryFolder, `ponte-${randomUUID()}`);
      const file = await open(name, 'wx+', 0o600);
      // A killed process leaves nothing behind: what has no name goes with its last user.
      await unlink(name);
      return { path: `/proc/${process.pid}/fd/${file.fd}`, close: () => file.close() };
    },
  };
}
