import { defineConfig } from 'vitest/config';

// Workspace packages are run from their sources (the "source" export condition), so that a test
// never sees a stale build.
export default defineConfig({
  resolve: { conditions: ['source', 'node', 'import', 'default'] },
  // Passed to Node as --conditions: with `import` among them, require() of packages inside
  // node_modules would get ES modules.
  ssr: { resolve: { conditions: ['source', 'node', 'default'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'scripts/**/*.test.ts'],
    // The eventsource packages too publish their sources as "source": they are compiled here, since
    // Node would not.
    server: { deps: { inline: [/@modelcontextprotocol\/client/, /\/eventsource(-parser)?\//] } },
    setupFiles: ['./vitest.leaks.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
