import type { EngineOptions, Node } from '@ponte/engine';
import type { AuthenticationCreds } from '../baileys.ts';
import type { Ending } from '../close-reason.ts';
import { selfOf } from '../self-of.ts';
import { Pairing, type PairingWish } from './pairing.ts';

/** What the pairing of a connection is made from. */
export interface PairingSources {
  options: EngineOptions;
  creds: AuthenticationCreds;
  send(node: Node): Promise<void>;
  query(node: Node): Promise<Node>;
  end(ending: Ending): void;
  /** Makes the new credentials durable. */
  keep(update: Partial<AuthenticationCreds>): Promise<void>;
}

/** The pairing of one connection, which tells its line what it shows and when it is done. */
export function makePairing({ options, creds, ...rest }: PairingSources, wish: PairingWish): Pairing {
  return new Pairing(
    {
      ...rest,
      creds,
      now: () => options.clock.now(),
      onQr: (data, expiresAt) => options.onChange({ type: 'qr', data, expiresAt }),
      onCode: (code, expiresAt) => options.onChange({ type: 'code', code, expiresAt }),
      onPaired: () => {
        const self = selfOf(creds);
        if (self) options.onChange({ type: 'paired', self });
      },
    },
    wish,
  );
}
