import type { EngineOptions } from '@ponte/engine';
import type { AuthenticationCreds } from './baileys.ts';
import type { PairingWish } from './pairing/pairing.ts';
import type { KeyVault } from './store/key-vault.ts';
import type { LidMap } from './store/lid-map.ts';

/** What one connection of a line is made from, and whom it tells. */
export interface ConnectionParts {
  options: EngineOptions;
  vault: KeyVault;
  lids: LidMap;
  /** The line's own, or new ones when it is to be paired. Changed in place. */
  creds: AuthenticationCreds;
  pairing: PairingWish | undefined;
  /** Counts a login; its number in the life of the credentials. */
  nextLogin(): number;
  /** The credentials are those of a paired line now, and durable. */
  onPaired(): void;
  /** Logged in: what WhatsApp forgot with the last connection can be told again. */
  onOpened(): void;
  onEnded(): void;
}
