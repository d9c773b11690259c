import type { ClientVersion, EngineEndpoint } from '@ponte/engine';
import { compareVersions, type NetworkName } from '../../core/client-version.ts';
import type { FromWorker, LineSpec } from './worker-protocol.ts';

/** A line's view of the version that it announces. */
export interface ClientDesk {
  readonly network: NetworkName;
  current(): ClientVersion | undefined;
  /** WhatsApp refused a connection that announced this version. */
  refused(version: ClientVersion | undefined): void;
  /** WhatsApp named its end (Unix milliseconds). */
  expires(version: ClientVersion | undefined, at: number): void;
}

/** The versions that the lines of this process announce, one for each network. */
export class AnnouncedVersions {
  readonly #versions = new Map<NetworkName, ClientVersion>();
  readonly #tell: (message: FromWorker) => void;

  constructor(tell: (message: FromWorker) => void) {
    this.#tell = tell;
  }

  set(network: NetworkName, version: ClientVersion): void {
    this.#versions.set(network, version);
  }

  /** The line's endpoint, whose version is the one of the moment, and what goes with it. */
  of({ endpoint, network }: LineSpec): { endpoint: EngineEndpoint; client: ClientDesk } {
    if (endpoint.waVersion) this.#versions.set(network, endpoint.waVersion);
    const current = () => this.#versions.get(network);
    const client: ClientDesk = {
      network,
      current,
      refused: (version) => this.#tell({ type: 'client_refused', network, version }),
      expires: (version, at) => this.#tell({ type: 'client_expires', network, version, at }),
    };
    const { waVersion: _, ...place } = endpoint;
    return {
      client,
      endpoint: {
        ...place,
        get waVersion() {
          return current();
        },
      },
    };
  }
}

/** Whether a line that was refused as `refused` may try again. */
export const isNewer = (version: ClientVersion | undefined, refused: ClientVersion | undefined): boolean =>
  version !== undefined && (refused === undefined || compareVersions(version, refused) > 0);
