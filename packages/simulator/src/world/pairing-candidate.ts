import type { Node } from '@ponte/engine';

/** A connection that has no account yet: what it said of itself, and how to reach it. */
export interface Candidate {
  readonly lineId: string | undefined;
  readonly noiseKey: Uint8Array;
  readonly identity: Uint8Array;
  readonly registrationId: number;
  readonly signedPreKey: { id: number; key: Uint8Array; signature: Uint8Array };
  readonly platform: string;
  /** Of its version. */
  readonly revision: number;
  send(node: Node): void;
  /** Paired: the client must come back with its new identity. */
  restart(): void;
  fail(reason: string): void;
}

/**
 * What the phone that scanned must say to the companion's answer; throws LinkError when it does not
 * fit.
 */
export type ConfirmLink = (ref: string, deviceIdentity: Uint8Array) => { keyIndex: number; signedIdentity: Uint8Array };
