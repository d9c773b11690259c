import { existsSync } from 'node:fs';

const GATEWAY = new URL('../../', import.meta.url);

/**
 * Which code the processes of the product run: what was built when `npm test` says that it has just
 * built it (a process starts in half of the time then, and it is what users run), else the sources,
 * so that a test run by hand never sees a stale build.
 */
export const isBuilt = process.env.PONTE_TEST_BUILT === '1' && existsSync(new URL('dist/main.js', GATEWAY));

/** Path of a module of the gateway, named like `main` or `worker-main`. */
export const gatewayModule = (name: string): string =>
  new URL(isBuilt ? `dist/${name}.js` : `src/${name}.ts`, GATEWAY).pathname;

/** What Node needs to run it. */
export const execArgv: string[] = isBuilt ? [] : ['--import', 'tsx', '--conditions', 'source'];
