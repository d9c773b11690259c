import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/**
 * What a child process must have in its environment to use the compiled code that this process
 * keeps (see `main.js`); nothing when it keeps none.
 */
export function compileCacheEnvironment(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
