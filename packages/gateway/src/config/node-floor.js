import { readFileSync } from 'node:fs';

/*
 * Which Node Ponte needs, said in one place: "engines" of this package. Plain JavaScript that old versions of Node can read, too, since they are who
 * is told.
 */
const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** The lowest version, as `24.15.0`. */
export const NODE_FLOOR = engines.node.replace('>=', '');

/** The lowest version for people: `24.15`. */
export const NODE_FLOOR_SHORT = NODE_FLOOR.split('.', 2).join('.');

export function isNewEnough(version = process.versions.node) {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [floorMajor = 0, floorMinor = 0, floorPatch = 0] = NODE_FLOOR.split('.').map(Number);
  if (major !== floorMajor) return major > floorMajor;
  return minor === floorMinor ? patch >= floorPatch : minor > floorMinor;
}

/** Linux without glibc, such as Alpine. */
export function isMusl() {
  if (process.platform !== 'linux') return false;
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

/** One sentence for a user whose Node is too old: which one to install, and how. */
export function nodeAdvice(version = process.versions.node, platform = process.platform, musl = isMusl()) {
  const major = NODE_FLOOR.split('.', 1)[0];
  const ways = {
    darwin: `"brew install node@${major}" or "nvm install ${major}"`,
    win32: '"winget install OpenJS.NodeJS.LTS"',
    linux: musl
      ? '"apk add nodejs-current npm", or the image node:24-alpine'
      : `"nvm install ${major}", or https://nodejs.org`,
  };
  const way = ways[platform] ?? 'from https://nodejs.org';
  return `this is Node ${version}, and Ponte needs Node ${NODE_FLOOR_SHORT} or newer: install it (${way}), then try again`;
}
