// What goes beside the files of a release: the bill of materials (sbom.cdx.json, CycloneDX) and
// SHA256SUMS over everything in the folder, as `sha256sum --check` reads it.
//
//   node scripts/release-files.mjs FOLDER
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sbomOf } from './supply-chain.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const SBOM = 'sbom.cdx.json';
const SUMS = 'SHA256SUMS';

/** Writes both files into the folder; answers the lines of SHA256SUMS. */
export function writeReleaseFiles(folder) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  writeFileSync(join(folder, SBOM), `${JSON.stringify(sbomOf(lock), null, 2)}\n`);
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== SUMS)
    .map(({ name }) => name)
    .sort();
  const lines = names.map((name) => {
    const sum = createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
    return `${sum}  ${name}`;
  });
  writeFileSync(join(folder, SUMS), `${lines.join('\n')}\n`);
  return lines;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2];
  if (folder === undefined) {
    process.stderr.write('release-files: name the folder of the release\n');
    process.exit(2);
  }
  process.stdout.write(`${writeReleaseFiles(folder).join('\n')}\n`);
}
