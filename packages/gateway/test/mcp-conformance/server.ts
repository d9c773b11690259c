import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequestStateCodec, McpServer } from '@modelcontextprotocol/server';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config/config.ts';
import type { MakeServer } from '../../src/dialects/lines/mcp/dialect.ts';
import { register } from '../../src/dialects/lines/mcp/server.ts';
import { openInstallation } from '../../src/installation.ts';
import { silentLog } from '../../src/observe/logger.ts';
import { addFixtureContent } from './fixture-content.ts';
import { addFixtureRounds } from './fixture-rounds.ts';
import { addFixtureTools } from './fixture-tools.ts';

/*
 * What the official conformance suite calls (scripts/mcp-conformance.mjs): the product with its
 * tools, resources and prompts, and beside them the fixtures whose names the suite knows. The suite
 * sends no key, so every request is given the one of a fresh installation without lines.
 */
const limits = ['PROVISION', 'PROXY', 'OTHER', 'IP'].map((name) => [`RATE_LIMIT_${name}`, '1000000']);
const folder = mkdtempSync(join(tmpdir(), 'ponte-mcp-'));
const environment = { ...Object.fromEntries(limits), DATA_DIR: folder, PORT: '0', SANDBOX: 'off', WORKERS: '1' };
const config = readConfig(environment, { cores: 1, cwd: folder });

const state = createRequestStateCodec<Record<string, unknown>>({ key: crypto.getRandomValues(new Uint8Array(32)) });
const mcpServer: MakeServer = (services, caller, _calledTool, notify) => {
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
  register(server, services, caller);
  addFixtureTools(server, notify);
  addFixtureRounds(server, state);
  addFixtureContent(server);
  return server;
};

const data = await openInstallation(environment, config);
const { key } = await data.keys.create({ accountId: data.defaultAccountId, mode: 'test', name: 'conformance' });
const app = await createApp(config, {
  ...{ environment, data, log: silentLog, version: 'conformance', isStarted: false },
  front: { mcpServer },
});
app.front.http.addHook('onRequest', async ({ raw }) => {
  raw.rawHeaders.push('x-bridge-key', key);
});
const url = await app.front.http.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ url: `${url}/api/bridge/mcp` });
process.once('disconnect', async () => {
  await app.close();
  await data.close();
  rmSync(folder, { recursive: true, force: true });
});
