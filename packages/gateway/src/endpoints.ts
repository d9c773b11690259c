import type { ClientVersion, EngineEndpoint } from '@ponte/engine';
import { BUILT_IN_VERSION, DEFAULT_ENDPOINT } from '@ponte/engine-baileys/endpoint';
import { AppError } from './core/app-error.ts';
import type { HostedLine } from './lines/workers/placements.ts';
import type { SimulatorAddress } from './sandbox/simulator-process.ts';

/** What lines announce when nothing newer is known. */
export const builtInVersion: ClientVersion = BUILT_IN_VERSION;

/**
 * Where each line connects, and as which version of WhatsApp Web: live ones to WhatsApp, test ones
 * to their account's world on the simulated network.
 */
export function createEndpoints(options: {
  versionFor(line: HostedLine): Promise<ClientVersion | undefined>;
  /** Undefined while it is not up. */
  simulator(): SimulatorAddress | undefined;
}): (line: HostedLine) => Promise<EngineEndpoint> {
  return async (line) => {
    const simulator = options.simulator();
    if (line.mode === 'test' && !simulator)
      throw new AppError(
        'unavailable',
        {},
        { message: 'The sandbox does not run (SANDBOX=off), so test lines cannot connect.' },
      );
    const waVersion = await options.versionFor(line);
    if (line.mode === 'live' || !simulator) return { ...DEFAULT_ENDPOINT, waVersion };
    const url = new URL(`${simulator.baseUrl.replace(/^http/, 'ws')}/t/${line.accountId}/ws/chat`);
    url.searchParams.set('line', line.id);
    return {
      wsUrl: url.href,
      noiseRoot: simulator.noiseRoot,
      mediaCa: simulator.mediaCa,
      mediaAddress: simulator.mediaAddress,
      waVersion,
    };
  };
}
