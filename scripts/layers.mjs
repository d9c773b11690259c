// The import spine of packages/gateway/src, as data: who may import whom. See ARCHITECTURE.md.
/** Folder or root file → folders it may import (its own folder always). `@x` are packages. */
export const GATEWAY = {
  core: ['@ponte/engine'],
  config: ['core', 'blobs', 'net', 'observe'],
  crypto: ['core'],
  observe: ['core'],
  net: ['core', 'observe'],
  bus: ['core', 'observe'],
  store: ['core', 'crypto', 'observe', '@ponte/engine'],
  blobs: ['core', 'crypto', 'store', 'observe'],
  access: ['core', 'store', 'crypto', 'observe'],
  webhooks: ['core', 'store', 'crypto', 'net', 'observe', '@ponte/engine'],
  media: ['core', 'blobs', 'store', 'crypto', 'net', 'observe', '@ponte/engine'],
  journal: ['core', 'store', 'crypto', 'webhooks', 'observe', '@ponte/engine'],
  lines: ['core', 'bus', 'blobs', 'store', 'crypto', 'journal', 'media', 'webhooks', 'observe', '@ponte/engine'],
  commands: [
    'core',
    'blobs',
    'store',
    'crypto',
    'access',
    'media',
    'webhooks',
    'lines',
    'journal',
    'net',
    'observe',
    '@ponte/engine',
  ],
  'dialects/sandbox': ['core', 'http', 'commands', 'observe'],
  http: ['core', 'blobs', 'access', 'commands', 'lines', 'webhooks', 'observe', '@ponte/engine'],
  'dialects/connect': ['core', 'http', 'commands', '@ponte/engine'],
  'dialects/admin': ['core', 'http', 'commands', '@ponte/engine'],
  'dialects/bridges': ['core', 'http', 'commands', 'webhooks', '@ponte/engine'],
  'dialects/lines': ['core', 'http', 'commands', 'webhooks', '@ponte/engine'],
  'dialects/console': ['core', 'http', 'commands', 'access', 'webhooks', '@ponte/engine'],
  sandbox: ['core', 'observe'],
  'client-version': ['core', 'store', 'net', 'observe', '@ponte/engine'],
  cli: ['*'],
  bench: ['*'],
  'installation.ts': ['config', 'core', 'crypto', 'store', 'access', 'observe'],
  'outbound-guard.ts': ['config', 'core', 'net'],
  'endpoints.ts': ['core', 'lines', 'sandbox', '@ponte/engine'],
  'app.ts': ['*'],
  'compose-fleet.ts': ['config', 'core', 'access', 'bus', 'lines', 'store', 'observe'],
  'compose-simulator.ts': ['config', 'core', 'sandbox', 'observe'],
  'compose-lines.ts': [
    'compose-fleet.ts',
    'config',
    'core',
    'blobs',
    'client-version',
    'journal',
    'lines',
    'net',
    'observe',
    'sandbox',
    'store',
    'endpoints.ts',
    'overrides.ts',
  ],
  'overrides.ts': ['*'],
  'compose-front.ts': [
    'core',
    'access',
    'commands',
    'dialects/admin',
    'dialects/bridges',
    'dialects/connect',
    'dialects/console',
    'dialects/lines',
    'dialects/sandbox',
    'http',
    'journal',
  ],
  'worker-main.ts': ['*'],
  'main.ts': ['cli', 'app.ts', 'config', 'core', 'observe'],
  'index.ts': ['app.ts', 'config', 'core'],
};

/** Which workspace packages may import which (also as devDependency in tests). */
export const PACKAGES = {
  engine: [],
  'engine-baileys': ['@ponte/engine'],
  simulator: ['@ponte/engine'],
  gateway: ['@ponte/engine', '@ponte/engine-baileys', '@ponte/simulator'],
  console: [],
  sdk: [],
};

/** Outside packages that only the named workspace may import. */
export const FENCED = {
  baileys: ['engine-baileys'],
  libsignal: ['engine-baileys'],
  'whatsapp-rust-bridge': ['engine-baileys'],
  'zapo-js': ['simulator'],
  fastify: ['gateway'],
  kysely: ['gateway'],
};

/** Only these files of the gateway may name a concrete adapter. */
export const ADAPTERS = {
  '@ponte/engine-baileys': ['endpoints.ts', 'worker-main.ts'],
  '@ponte/simulator': ['app.ts', 'cli/', 'bench/'],
};

/** Text that has one home only, by pattern. Paths are relative to packages/gateway/src. */
export const HOMES = [
  { what: 'process.env', pattern: /\bprocess\.env\b/, homes: ['config/', 'main.ts', 'bench/'] },
  {
    what: 'Date.now / new Date()',
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    // page.ts: what runs in the browser.
    homes: ['core/clock.ts', 'bench/', 'cli/', 'dialects/connect/page-script.ts'],
  },
  {
    what: 'setTimeout / setInterval',
    pattern: /\bset(?:Timeout|Interval)\(/,
    homes: ['core/clock.ts', 'bench/', 'dialects/connect/page-script.ts'],
  },
  {
    what: 'a query (`.selectFrom(`, `.insertInto(`, `.updateTable(`, `.deleteFrom(`, sql``, kysely)',
    pattern: /\.(?:selectFrom|insertInto|updateTable|deleteFrom)\(|\bsql(?:<[^`]*>)?`|from 'kysely'/,
    homes: ['store/', 'bench/'],
  },
  { what: 'Math.random', pattern: /\bMath\.random\(/, homes: ['core/clock.ts', 'bench/'] },
];
