import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { createApp } from '../app.ts';
import { processConfig, processEnvironment } from '../config/environment.ts';
import { systemClock } from '../core/clock.ts';
import { giveBackAfterStart } from '../core/give-back.ts';
import { YOUNG_HEAP_MIB } from '../core/young-heap.js';
import type { SimulatorAddress } from '../sandbox/simulator-process.ts';
import { NETWORK_ADDRESS } from './network-address.ts';

/*
 * The server as `npm start` runs it, on the network of the bench instead of one of its own. Says
 * `{ready: true}` over the channel; ends on SIGTERM and with the channel.
 */
setFlagsFromString(`--max-semi-space-size=${YOUNG_HEAP_MIB}`);
const environment = processEnvironment();
const config = processConfig(environment);
const { noiseRoot, ...rest } = JSON.parse(process.env[NETWORK_ADDRESS] ?? '{}') as SimulatorAddress & {
  noiseRoot: string;
};
const simulator: SimulatorAddress = { ...rest, noiseRoot: Buffer.from(noiseRoot, 'hex') };
const consoleFolder = fileURLToPath(new URL('../../../console/src', import.meta.url));
const app = await createApp(config, { environment, version: 'bench', consoleFolder, simulator });
const stop = () => void app.close().then(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('disconnect', stop);
giveBackAfterStart(systemClock);
process.send?.({ ready: true });
