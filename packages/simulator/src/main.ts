import { parseArgs } from 'node:util';
import { createSimulator, type Simulator } from './simulator.ts';

/**
 * The simulator as a process of its own, started with an IPC channel: `node main.js [--data-file F]
 * [--host H] [--port N] [--media-port N] [--seed S]`, the control token in
 * PONTE_SIMULATOR_CONTROL_TOKEN (not an argument: those are visible to all users). Says `{ready:
 * true, port, noiseRootPublicKeyHex, controlToken, mediaPort, mediaCaPem}` or `{ready: false,
 * message}` over IPC, prints nothing, and ends when the channel closes or on SIGTERM and SIGINT.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'data-file': { type: 'string' },
      host: { type: 'string' },
      port: { type: 'string', default: '0' },
      'media-port': { type: 'string' },
      seed: { type: 'string' },
    },
  });
  const port = portOf('--port', values.port);
  const token = process.env.PONTE_SIMULATOR_CONTROL_TOKEN;
  const simulator = await createSimulator({
    port,
    ...(values['media-port'] === undefined ? {} : { mediaPort: portOf('--media-port', values['media-port']) }),
    ...(values['data-file'] === undefined ? {} : { dataFile: values['data-file'] }),
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(values.seed === undefined ? {} : { seed: values.seed }),
    ...(token === undefined || token === '' ? {} : { controlToken: token }),
  });
  const stop = (): void => end(simulator);
  process.once('disconnect', stop);
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  if (process.send && !process.connected) stop();
  process.send?.({
    ready: true,
    port: simulator.port,
    noiseRootPublicKeyHex: Buffer.from(simulator.noiseRootPublicKey).toString('hex'),
    controlToken: simulator.controlToken,
    mediaPort: simulator.mediaPort,
    mediaCaPem: simulator.mediaCaPem,
  });
}

function portOf(option: string, text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`${option} ${text}: give a number from 0 to 65535`);
}

function end(simulator: Simulator): void {
  simulator.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  if (!process.send) process.exit(1);
  process.send({ ready: false, message }, () => process.exit(1));
});
