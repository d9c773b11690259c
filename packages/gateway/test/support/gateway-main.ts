import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/observe/logger.ts';

/*
 * The gateway as a process of its own for tests and benchmarks: the real composition, on a simulated network that lives elsewhere (as WhatsApp does),
 * so that killing the gateway does not kill the other side. Told everything in one IPC message; ends when the channel closes.
 */
export interface GatewayOrder {
  environment: Record<string, string>;
  simulator: { port: number; noiseRootHex: string; mediaCa: string; mediaPort: number; controlToken: string };
}

process.once('message', (message) => {
  const order = message as GatewayOrder;
  const { port, noiseRootHex, mediaCa, mediaPort, controlToken } = order.simulator;
  const config = readConfig(order.environment, { cores: 2, cwd: process.cwd() });
  createApp({
    config,
    environment: order.environment,
    log: createLogger({ level: config.logLevel, process: 'main' }),
    version: 'test',
    consoleFolder: new URL('../../../console/dist', import.meta.url).pathname,
    simulator: { port, noiseRoot: Buffer.from(noiseRootHex, 'hex'), mediaCa, mediaPort, controlToken },
  }).then(
    (app) => {
      process.send?.({ url: app.url });
      process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
      process.once('disconnect', () => void app.close().then(() => process.exit(0)));
    },
    (error: unknown) => {
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      process.exitCode = 1;
      process.disconnect();
    },
  );
});
