import type { ClientVersion } from '@ponte/engine';
import { LRUCache } from 'lru-cache';
import { compareVersions, type NetworkName } from '../core/client-version.ts';
import type { Log } from '../observe/logger.ts';

const MAX_SANDBOXES = 10_000;

/** What an account's simulated network said; `asking`: it is being asked. */
interface SandboxVersion {
  version: ClientVersion | undefined;
  asking?: Promise<void>;
}

export interface SandboxVersionsOptions {
  /** Reads the page of an account's simulated network. */
  fetchSandbox(accountId: string): Promise<ClientVersion>;
  onChange(network: NetworkName, version: ClientVersion): void;
  log: Log;
}

export interface SandboxVersions {
  /** What the network said last; undefined before it did. */
  latest(network: NetworkName): ClientVersion | undefined;
  /** Asks it, once at a time. Never rejects; what it said before stays when it does not answer. */
  ask(network: NetworkName): Promise<void>;
}

/** Which version the simulated network of each account wants. */
export function createSandboxVersions({ fetchSandbox, onChange, log }: SandboxVersionsOptions): SandboxVersions {
  const sandboxes = new LRUCache<NetworkName, SandboxVersion>({ max: MAX_SANDBOXES });
  return {
    latest: (network) => sandboxes.get(network)?.version,
    async ask(network) {
      const before = sandboxes.get(network);
      if (before?.asking) return before.asking;
      const asking = fetchSandbox(network.slice('test:'.length)).then(
        (version) => {
          sandboxes.set(network, { version });
          if (before?.version && compareVersions(before.version, version) !== 0) onChange(network, version);
        },
        (error: unknown) => {
          log.debug({ network, error }, 'the simulated network did not say which version is current');
          if (before) sandboxes.set(network, { version: before.version });
          else sandboxes.delete(network);
        },
      );
      sandboxes.set(network, { version: before?.version, asking });
      return asking;
    },
  };
}
