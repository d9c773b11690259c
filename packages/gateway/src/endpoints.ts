import type { EngineEndpoint } from '@ponte/engine';
import { DEFAULT_ENDPOINT } from '@ponte/engine-baileys/endpoint';
import type { Config } from './config/config.ts';
import { AppError } from './core/app-error.ts';
import type { HostedLine } from './lines/workers/supervisor.ts';
import type { SimulatorAddress } from './sandbox/simulator-process.ts';

/**
 * Where each line connects: live ones to WhatsApp, test ones to their account's world on the
 * simulated network.
 */
export function createEndpoints(options: {
  whatsappVersion: Config['whatsappVersion'];
  /** Undefined while it is not up. */
  simulator(): SimulatorAddress | undefined;
}): (line: HostedLine) => EngineEndpoint {
  return (line) => {
    if (line.mode === 'live') return { ...DEFAULT_ENDPOINT, waVersion: options.whatsappVersion };
    const simulator = options.simulator();
    if (!simulator)
      throw new AppError(
        'unavailable',
        {},
        { message: 'The sandbox does not run (SANDBOX=off), so test lines cannot connect.' },
      );
    const url = new URL(`ws://127.0.0.1:${simulator.port}/t/${line.accountId}/ws/chat`);
    url.searchParams.set('line', line.id);
    return {
      wsUrl: url.href,
      noiseRoot: simulator.noiseRoot,
      mediaCa: simulator.mediaCa,
      mediaAddress: `127.0.0.1:${simulator.mediaPort}`,
    };
  };
}
