import { ackFor, child, childrenOf, type Node, text } from '@ponte/engine';
import { type AuthenticationCreds, configureSuccessfulPairing } from '../baileys.ts';
import { describeError } from '../library-log.ts';
import { CodePairing } from './code-pairing.ts';
import type { PairingContext, PairingDriver } from './pairing-driver.ts';
import { QrPairing } from './qr-pairing.ts';

/** How long the server may take to ask for the restart that ends a pairing. */
const RESTART_MS = 30_000;
/**
 * Notifications of WhatsApp's passkey pairing (whatsmeow pair-passkey.go): this account cannot be
 * linked without one.
 */
const PASSKEY_TYPES = new Set(['passkey_prologue_request', 'crsc_continuation']);

export interface PairingParts extends PairingContext {
  /** Makes the new credentials durable. */
  keep(update: Partial<AuthenticationCreds>): Promise<void>;
  onPaired(): void;
}

/** What a caller may ask for. */
export type PairingWish = { kind: 'qr' } | { kind: 'code'; phone: string };

/**
 * A connection that is not logged in: it shows codes until a phone takes one, and then keeps the
 * new identity.
 */
export class Pairing {
  readonly #parts: PairingParts;
  readonly #driver: PairingDriver;
  #timer: NodeJS.Timeout | undefined;
  #isDone = false;

  constructor(parts: PairingParts, wish: PairingWish) {
    this.#parts = parts;
    this.#driver = wish.kind === 'qr' ? new QrPairing(parts) : new CodePairing(parts, wish.phone);
  }

  stop(): void {
    this.#isDone = true;
    clearTimeout(this.#timer);
    this.#driver.stop();
  }

  /** `<iq><pair-device><ref/>…`: take it and start. */
  async onPairDevice(node: Node): Promise<void> {
    await this.#parts.send(resultOf(node));
    const refs = childrenOf(child(node, 'pair-device'), 'ref').flatMap((ref) => text(ref) ?? []);
    if (!this.#isDone) await this.#driver.onPairDevice(refs);
  }

  /**
   * Everything else the server pushes before the login. Acknowledged here: Baileys cannot, without
   * an account.
   */
  async onStanza(node: Node): Promise<void> {
    if (node.tag !== 'notification' || this.#isDone) return;
    const { type } = node.attrs;
    if (type === 'companion_reg_refresh') this.#driver.replaceSecret();
    // Before the ack: a code that was taken while the old secret was shown must fail, not be
    // forgotten.
    await this.#parts.send(ackFor(node));
    if (PASSKEY_TYPES.has(type ?? '')) {
      this.#parts.end({ reason: 'passkey_required', detail: 'WhatsApp asks for a passkey to link this account' });
    }
    if (type === 'link_code_companion_reg') await this.#driver.onLinkCode(node);
  }

  /**
   * `<iq><pair-success>`: the phone took a code. Verified, made durable, and only then confirmed.
   */
  async onPairSuccess(node: Node): Promise<void> {
    const { creds, keep, send, end, onPaired } = this.#parts;
    let update: Partial<AuthenticationCreds>;
    let reply: Node;
    try {
      const configured = configureSuccessfulPairing(node, creds);
      update = configured.creds;
      reply = configured.reply;
    } catch (error) {
      end({ reason: 'untrusted_server', detail: `the pairing is not signed as it should be: ${describeError(error)}` });
      return;
    }
    this.#driver.stop();
    await keep({ ...update, registered: true, pairingCode: undefined });
    await send(reply);
    onPaired();
    this.#timer = setTimeout(
      () => end({ reason: 'restart_required', detail: 'paired; the server did not ask for the restart itself' }),
      RESTART_MS,
    );
  }
}

const resultOf = (node: Node): Node => ({
  tag: 'iq',
  attrs: { to: '@s.whatsapp.net', type: 'result', ...(node.attrs.id === undefined ? {} : { id: node.attrs.id }) },
});
