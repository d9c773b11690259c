// What runs is what we think it is: licences, integrity, install scripts, known-bad versions, and
// what Baileys must contain. `node scripts/supply-chain.mjs` checks; `--licences` lists what runs;
// `--sbom FILE` writes CycloneDX with checksums.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Licences that ask for no more than a notice. */
const PERMISSIVE = new Set(
  '0BSD, Apache-2.0, BSD-2-Clause, BSD-3-Clause, BlueOak-1.0.0, CC0-1.0, ISC, MIT, MIT-0, (MIT OR Apache-2.0), Python-2.0, Unlicense, Zlib'.split(
    ', ',
  ),
);
/** Others that run, each by name, licence and the reason that NOTICE gives. */
const EXCEPTIONS = [
  { name: /^libsignal$/, licence: 'GPL-3.0', notice: 'libsignal' },
  {
    name: /^@img\/sharp-/,
    licence: /^(?:Apache-2\.0 AND )?LGPL-3\.0-or-later(?: AND MIT)?$/,
    notice: 'libvips',
  },
  { name: /^zapo-js$/, licence: undefined, notice: 'zapo-js' },
];

/** The packages of a lockfile: `name`, `version`, `path` and what npm noted. */
export function packagesOf(lock) {
  return Object.entries(lock.packages)
    .filter(([path, facts]) => path.includes('node_modules/') && !facts.link)
    .map(([path, facts]) => ({
      ...facts,
      path,
      name: facts.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
    }));
}

const numbers = (version) => version.split(/[-+]/, 1)[0].split('.').map(Number);
const isBelow = (a, b) => {
  const [left, right] = [numbers(a), numbers(b)];
  for (let at = 0; at < 3; at += 1) if (left[at] !== right[at]) return left[at] < right[at];
  return a.includes('-') && !b.includes('-');
};

/** True when an advisory means this version. Without any bound it means every one. */
export const isNamedBy = ({ from, below, exactly }, version) =>
  exactly ? exactly.includes(version) : !(below && !isBelow(version, below)) && !(from && isBelow(version, from));

const matches = (wanted, value) => (wanted instanceof RegExp ? wanted.test(value ?? '') : wanted === value);

function licenceFaults(packages, notice) {
  return packages
    .filter(({ dev, license }) => !dev && !PERMISSIVE.has(license))
    .flatMap(({ name, version, license }) => {
      const exception = EXCEPTIONS.find((one) => one.name.test(name) && matches(one.licence, license));
      if (!exception)
        return [
          `${name} ${version} has the licence ${license ?? '(none)'}: it is not on the list of accepted licences`,
        ];
      return notice.includes(exception.notice) ? [] : [`${name} ${version}: NOTICE does not say why it runs`];
    });
}

/** Everything that is wrong with what a lockfile installs, one sentence each. */
export function faultsOf({ lock, manifest, notice, advisories }) {
  const packages = packagesOf(lock);
  const allowed = manifest.allowScripts ?? {};
  return [
    ...licenceFaults(packages, notice),
    ...packages.flatMap(({ name, version, resolved, integrity, inBundle }) =>
      // What names no place of its own comes from the registry, by name and version.
      inBundle || (resolved === undefined && integrity?.startsWith('sha512-'))
        ? []
        : [`${name} ${version} is not of the registry with a SHA-512`],
    ),
    ...packages
      .filter(({ hasInstallScript, name }) => hasInstallScript && !(name in allowed))
      .map(
        ({ name, version }) => `${name} ${version} wants to run a script when it is installed: decide in allowScripts`,
      ),
    ...packages.flatMap(({ name, version }) =>
      advisories.entries
        .filter((entry) => entry.name === name && isNamedBy(entry, version))
        .map((entry) => `${name} ${version}: ${entry.why}`),
    ),
  ];
}

/**
 * What a version number does not prove: the guard against forged self-only messages is in the file
 * that runs.
 */
export function contentFaults(processMessage) {
  const guard = /SELF_ONLY_TYPES = new Set\(\[[^\]]*HISTORY_SYNC_NOTIFICATION[^\]]*APP_STATE_SYNC_KEY_SHARE[^\]]*\]\)/;
  const use = /SELF_ONLY_TYPES\.has\(protocolMsg\.type\)\s*&&\s*!message\.key\.fromMe/;
  return guard.test(processMessage) && use.test(processMessage)
    ? []
    : ['baileys: the guard against self-only messages of others (CVE-2026-48063) is not in Utils/process-message.js'];
}

const read = (path) => readFileSync(join(root, path), 'utf8');

/** CycloneDX 1.6 of what runs, with the SHA-512 of every archive. */
export function sbomOf(lock) {
  const components = packagesOf(lock)
    .filter(({ dev }) => !dev)
    .map(({ name, version, license, integrity }) => ({
      type: 'library',
      name,
      version,
      purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
      ...(license ? { licenses: [{ expression: license }] } : {}),
      ...(integrity
        ? {
            hashes: [
              { alg: 'SHA-512', content: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') },
            ],
          }
        : {}),
    }));
  const { name, version } = lock;
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: { component: { type: 'application', name, version } },
    components,
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const lock = JSON.parse(read('package-lock.json'));
  const advisories = JSON.parse(read('scripts/advisories.json'));
  if (process.argv[2] === '--licences') {
    const lines = packagesOf(lock)
      .filter(({ dev }) => !dev)
      .map(({ name, version, license }) => `${name} ${version} ${license ?? '(see NOTICE)'}`);
    process.stdout.write(`${[...new Set(lines)].sort().join('\n')}\n`);
  } else if (process.argv[2] === '--sbom' && process.argv[3]) {
    writeFileSync(process.argv[3], `${JSON.stringify(sbomOf(lock), null, 2)}\n`);
  } else {
    const faults = [
      ...faultsOf({ lock, manifest: JSON.parse(read('package.json')), notice: read('NOTICE'), advisories }),
      ...contentFaults(read('node_modules/baileys/lib/Utils/process-message.js')),
    ];
    for (const fault of faults) process.stderr.write(`supply chain: ${fault}\n`);
    process.stdout.write(
      `supply chain: ${packagesOf(lock).length} packages checked against ${advisories.entries.length} advisories of ${advisories.date}, ${faults.length} faults\n`,
    );
    process.exitCode = faults.length > 0 ? 1 : 0;
  }
}
