import type { Node } from '@ponte/engine';
import type { AuthenticationCreds } from '../baileys.ts';
import type { Ending } from '../close-reason.ts';

/** What pairing needs of its connection. */
export interface PairingContext {
  /** New credentials, in memory only until the pairing succeeds. */
  creds: AuthenticationCreds;
  now(): number;
  send(node: Node): Promise<void>;
  query(node: Node): Promise<Node>;
  onQr(data: string, expiresAt: number): void;
  onCode(code: string, expiresAt: number): void;
  end(ending: Ending): void;
}

/** One way of pairing. */
export interface PairingDriver {
  /**
   * The server offers references, each good for one code: first of all, and again when it has new
   * ones.
   */
  onPairDevice(refs: string[]): Promise<void>;
  /**
   * WhatsApp wants another secret in the place of the one that is shown (`companion_reg_refresh`).
   */
  replaceSecret(): void;
  /** A notification about pairing by code. */
  onLinkCode(node: Node): Promise<void>;
  /** Stops all timers. */
  stop(): void;
}

/**
 * The first reference lives a minute, the others 20 s each (Baileys socket.js, whatsmeow
 * qrchan.go).
 */
export const FIRST_REF_MS = 60_000;
export const NEXT_REF_MS = 20_000;
