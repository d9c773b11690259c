/*
 * The gateway as a process of its own for tests and benchmarks: the real composition, on a
 * simulated network that lives elsewhere (as WhatsApp does), so that killing the gateway does not
 * kill the other side. Told everything in one IPC message (GatewayOrder in rig.ts), also which code
 * it is made of; ends when the channel closes. JavaScript, so that built code runs without a
 * compiler.
 */
process.once('message', (order) => {
  start(order).then(
    (app) => {
      process.send?.({ url: app.url });
      process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
      process.once('disconnect', () => void app.close().then(() => process.exit(0)));
    },
    (error) => {
      process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      process.exitCode = 1;
      process.disconnect();
    },
  );
});

async function start({ modules, environment, simulator }) {
  // Before any module of the product is loaded.
  if (process.env.PONTE_STATEMENT_LOG) await import('./count-statements.mjs');
  const { createApp } = await import(modules.app);
  const { readConfig } = await import(modules.config);
  const { createLogger } = await import(modules.logger);
  const { noiseRootHex, ...network } = simulator;
  const config = readConfig(environment, { cores: 2, cwd: process.cwd() });
  return createApp(config, {
    environment,
    log: createLogger({ level: config.logLevel, process: 'main' }),
    version: 'test',
    consoleFolder: new URL('../../../console/dist', import.meta.url).pathname,
    simulator: { ...network, noiseRoot: Buffer.from(noiseRootHex, 'hex') },
  });
}
