import { randomBytes } from 'node:crypto';
import { buildPairingQRData } from '../baileys.ts';
import { BROWSER } from './device-description.ts';
import { FIRST_REF_MS, NEXT_REF_MS, type PairingContext, type PairingDriver } from './pairing-driver.ts';

/**
 * Pairing by QR code. Own driver because Baileys keeps the secret it started with, while WhatsApp
 * asks for a new one in the middle (`companion_reg_refresh`) and then refuses codes with the old.
 */
export class QrPairing implements PairingDriver {
  readonly #context: PairingContext;
  #refs: string[] = [];
  #current: string | undefined;
  #expiresAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: PairingContext) {
    this.#context = context;
  }

  async onPairDevice(refs: string[]): Promise<void> {
    this.#refs = refs;
    this.#next(FIRST_REF_MS);
  }

  replaceSecret(): void {
    this.#context.creds.advSecretKey = randomBytes(32).toString('base64');
    this.#show();
  }

  async onLinkCode(): Promise<void> {}

  stop(): void {
    clearTimeout(this.#timer);
    this.#current = undefined;
    this.#refs = [];
  }

  #next(lifetimeMs: number): void {
    clearTimeout(this.#timer);
    this.#current = this.#refs.shift();
    if (this.#current === undefined) {
      this.#context.end({ reason: 'pairing_expired', detail: 'no QR code was scanned in time' });
      return;
    }
    this.#expiresAt = this.#context.now() + lifetimeMs;
    this.#timer = setTimeout(() => this.#next(NEXT_REF_MS), lifetimeMs);
    this.#show();
  }

  #show(): void {
    if (this.#current === undefined) return;
    const { creds, onQr } = this.#context;
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
    const keys = [base64(creds.noiseKey.public), base64(creds.signedIdentityKey.public)] as const;
    onQr(buildPairingQRData(this.#current, ...keys, creds.advSecretKey, BROWSER), this.#expiresAt);
  }
}
