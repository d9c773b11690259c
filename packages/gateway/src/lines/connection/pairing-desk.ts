import type { CloseReason, EngineChange } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import { remedyOf, toReason } from '../../core/line-reasons.ts';

/** What a phone needs to link: a QR to scan, or a code to type. */
export type PairingOffer = Extract<EngineChange, { type: 'qr' | 'code' }>;

interface Waiter {
  kind: PairingOffer['type'];
  resolve(offer: PairingOffer): void;
  reject(error: AppError): void;
}

/** Callers that may wait for the next QR or code of one line. */
const MAX_WAITERS = 100;

/** Hands the engine's QRs and codes to the callers that asked for one. Nothing is stored. */
export class PairingDesk {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();
  #current: PairingOffer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What can be used right now. */
  current<K extends PairingOffer['type']>(kind: K): Extract<PairingOffer, { type: K }> | undefined {
    const offer = this.#current;
    if (offer?.type !== kind || offer.expiresAt <= this.#clock.now()) return undefined;
    return offer as Extract<PairingOffer, { type: K }>;
  }

  /** A new QR or code; it replaces the one before. */
  show(offer: PairingOffer): void {
    this.#current = offer;
    for (const waiter of [...this.#waiters]) if (waiter.kind === offer.type) waiter.resolve(offer);
  }

  /** What was shown is void (a new one is on its way). */
  clear(): void {
    this.#current = undefined;
  }

  /** Pairing is over: no caller gets an offer any more. */
  end(reason: CloseReason | 'paired'): void {
    this.#current = undefined;
    const error =
      reason === 'paired'
        ? new AppError('already_paired')
        : new AppError(
            'whatsapp_error',
            { reason },
            {
              message: `Pairing ended before there was a code (${reason}). ${remedyOf(toReason(reason)) ?? 'Ask again.'}`,
            },
          );
    for (const waiter of [...this.#waiters]) waiter.reject(error);
  }

  /**
   * The next offer of a kind. Rejects with `whatsapp_timeout` after `waitMs`, or with why pairing
   * ended.
   */
  next<K extends PairingOffer['type']>(kind: K, waitMs: number): Promise<Extract<PairingOffer, { type: K }>> {
    if (this.#waiters.size >= MAX_WAITERS)
      return Promise.reject(new AppError('rate_limited', { retryAfterSeconds: 5 }));
    return new Promise((resolve, reject) => {
      const leave = () => {
        cancel();
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        kind,
        resolve: (offer) => {
          leave();
          resolve(offer as Extract<PairingOffer, { type: K }>);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const cancel = this.#clock.after(waitMs, () => waiter.reject(new AppError('whatsapp_timeout')));
      this.#waiters.add(waiter);
    });
  }
}
