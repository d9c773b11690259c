import { createRequestStateCodec, McpServer } from '@modelcontextprotocol/server';
import { createRateLimiter, rulesPerMinute } from '../../src/access/rate-limit.ts';
import type { Caller, Execute } from '../../src/commands/execute.ts';
import { AppError } from '../../src/core/app-error.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createMcpDoor } from '../../src/dialects/lines/mcp/dialect.ts';
import { register } from '../../src/dialects/lines/mcp/server.ts';
import { toolTable } from '../../src/dialects/lines/mcp/tools/table.ts';
import { routes } from '../../src/dialects/lines/routes.ts';
import { createRebindingGuard } from '../../src/http/rebinding-guard.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { silentLog } from '../../src/observe/logger.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { addFixtureContent } from './fixture-content.ts';
import { addFixtureRounds } from './fixture-rounds.ts';
import { addFixtureTools } from './fixture-tools.ts';

/*
 * What the official conformance suite calls (scripts/mcp-conformance.mjs): the product's own HTTP
 * server and MCP door with its tools, resources and prompts, and beside them the fixtures whose
 * names the suite knows. The suite sends no key, so whoever calls is taken for one here; and no
 * command runs.
 */
const caller: Caller = {
  keyId: 'key_conformance',
  keyName: 'conformance',
  keyPrefix: 'wzb_test_',
  accountId: 'acc_conformance',
  mode: 'test',
  scopes: ['*'],
};
const refuse = async (name: string): Promise<never> => {
  throw new AppError('unavailable', {}, { message: `${name} does not run here.` });
};
const execute = {
  run: async (name: string) => (name === 'lines.all' ? [] : refuse(name)),
  runOnce: refuse,
} as unknown as Execute;

const state = createRequestStateCodec<Record<string, unknown>>({ key: crypto.getRandomValues(new Uint8Array(32)) });
const tools = toolTable(routes);
const door = createMcpDoor(
  () => {
    const server = new McpServer(
      { name: 'ponte', version: 'conformance' },
      {
        capabilities: {
          tools: { listChanged: true },
          resources: { listChanged: true, subscribe: true },
          prompts: { listChanged: true },
          completions: {},
          logging: {},
        },
        requestState: { verify: state.verify },
      },
    );
    register(
      server,
      {
        execute,
        approvals: { ask: async () => refuse('an approval') },
        tools,
        version: 'conformance',
        onFault: () => {},
      },
      caller,
    );
    addFixtureTools(server, door.notify);
    addFixtureRounds(server, state);
    addFixtureContent(server);
    return server;
  },
  {
    guard: createRebindingGuard({ publicUrl: undefined, host: '127.0.0.1', allowedHosts: [] }),
    onRefused: () => {},
    takeBudget: () => ({ allowed: true, resetMs: 0 }),
  },
);

const perMinute = 1e6;
const app = createHttpServer(
  {
    execute,
    authenticate: async () => caller,
    rateLimiter: createRateLimiter({
      clock: systemClock,
      limits: rulesPerMinute({
        provisionPerMinute: perMinute,
        proxyPerMinute: perMinute,
        otherPerMinute: perMinute,
        ipPerMinute: perMinute,
        sandboxPerMinute: perMinute,
      }),
    }),
    clock: systemClock,
    log: silentLog,
    version: 'conformance',
    publicUrl: '/',
    ready: async () => true,
    metrics: createMetrics(),
  },
  [door.dialect],
);
app.addHook('onRequest', async ({ raw }) => {
  raw.rawHeaders.push('x-bridge-key', 'anybody');
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ url: `${url}/api/bridge/mcp` });
process.once('disconnect', () => void door.close().then(() => app.close()));
