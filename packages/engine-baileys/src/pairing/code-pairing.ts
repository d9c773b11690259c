import { randomBytes } from 'node:crypto';
import { bytes, child, EngineError, formatJid, type Node, SERVER_PN } from '@ponte/engine';
import {
  aesDecryptCTR,
  aesEncryptCTR,
  aesEncryptGCM,
  bytesToCrockford,
  Curve,
  derivePairingCodeKey,
  hkdf,
} from '../baileys.ts';
import { PLATFORM_DISPLAY, PLATFORM_ID } from './device-description.ts';
import { FIRST_REF_MS, NEXT_REF_MS, type PairingContext, type PairingDriver } from './pairing-driver.ts';

const TAG = 'link_code_companion_reg';
const REF = 'link_code_pairing_ref';
const WRAPPED_KEY = 'link_code_pairing_wrapped_primary_ephemeral_pub';
/** Bytes of salt, counter and key in a wrapped ephemeral key. */
const SALT_BYTES = 32;
const IV_BYTES = 16;
const WRAPPED_BYTES = SALT_BYTES + IV_BYTES + 32;

/**
 * Pairing by a code that the person types into the phone (whatsmeow pair-code.go, Baileys socket.js
 * and messages-recv.js). Every request is awaited, so a refusal is told; nothing is stored before
 * the pairing succeeds.
 */
export class CodePairing implements PairingDriver {
  readonly #context: PairingContext;
  readonly #jid: string;
  #code: string | undefined;
  #ref: Uint8Array | undefined;
  #expiresAt = 0;
  /** The phone took the code: the secret is the one of both sides. */
  #isAgreed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: PairingContext, phone: string) {
    this.#context = context;
    this.#jid = formatJid(phone, SERVER_PN);
  }

  /**
   * The server keeps the connection as long as it has references to offer: so long the code is
   * good.
   */
  async onPairDevice(refs: string[]): Promise<void> {
    if (this.#code !== undefined) return;
    const lifetimeMs = FIRST_REF_MS + Math.max(0, refs.length - 1) * NEXT_REF_MS;
    this.#expiresAt = this.#context.now() + lifetimeMs;
    this.#timer = setTimeout(
      () => this.#context.end({ reason: 'pairing_expired', detail: 'the code was not entered in time' }),
      lifetimeMs,
    );
    await this.#announce();
  }

  /**
   * Nothing is derived from it before the phone has the code, and after that it is the secret that
   * both sides agreed on: replaced, the pairing would fail at its signature (whatsapp-rust #1163).
   */
  replaceSecret(): void {
    if (!this.#isAgreed) this.#context.creds.advSecretKey = randomBytes(32).toString('base64');
  }

  async onLinkCode(node: Node): Promise<void> {
    const registration = child(node, TAG);
    if (!registration || !this.#isOurs(registration)) return;
    const { stage, force_manual_refresh: isManual } = registration.attrs;
    if (stage === 'refresh_code' && isManual === 'true') {
      const detail = 'WhatsApp gives no further code by itself: a person has to ask for a new one';
      this.#context.end({ reason: 'pairing_expired', detail });
    } else if (stage === 'refresh_code') await this.#announce();
    // Without a key it only announces that the account wants a passkey (whatsmeow #1188).
    else if (stage === 'primary_hello' && child(registration, WRAPPED_KEY)) await this.#finish(registration);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Another reference belongs to a code that is shown no more, or was never ours. */
  #isOurs(registration: Node): boolean {
    const ref = bytes(child(registration, REF));
    return !ref || !this.#ref || Buffer.compare(ref, this.#ref) === 0;
  }

  /** Draws a code, tells WhatsApp about it, and shows it when WhatsApp has agreed. */
  async #announce(): Promise<void> {
    const { creds, query, end, onCode } = this.#context;
    const code = bytesToCrockford(randomBytes(5));
    this.#code = code;
    const salt = randomBytes(SALT_BYTES);
    const iv = randomBytes(IV_BYTES);
    const key = await derivePairingCodeKey(code, salt);
    const wrapped = Buffer.concat([salt, iv, aesEncryptCTR(creds.pairingEphemeralKeyPair.public, key, iv)]);
    const hello = registrationIq({ jid: this.#jid, stage: 'companion_hello', should_show_push_notification: 'true' }, [
      { tag: 'link_code_pairing_wrapped_companion_ephemeral_pub', attrs: {}, content: wrapped },
      { tag: 'companion_server_auth_key_pub', attrs: {}, content: creds.noiseKey.public },
      { tag: 'companion_platform_id', attrs: {}, content: PLATFORM_ID },
      { tag: 'companion_platform_display', attrs: {}, content: PLATFORM_DISPLAY },
      { tag: 'link_code_pairing_nonce', attrs: {}, content: Uint8Array.of(0) },
    ]);
    try {
      const answer = await query(hello);
      this.#ref = bytes(child(child(answer, TAG), REF));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const detail = refusal(error);
      end({ reason: 'pairing_failed', detail, ...(error.serverCode ? { serverCode: error.serverCode } : {}) });
      return;
    }
    onCode(`${code.slice(0, 4)}-${code.slice(4)}`, this.#expiresAt);
  }

  /** The phone took the code: agree on a secret with it and hand over our identity. */
  async #finish(registration: Node): Promise<void> {
    const { creds, query, end } = this.#context;
    const wrapped = bytes(child(registration, WRAPPED_KEY));
    const phoneIdentity = bytes(child(registration, 'primary_identity_pub'));
    const ref = bytes(child(registration, REF)) ?? this.#ref;
    if (wrapped?.length !== WRAPPED_BYTES || phoneIdentity?.length !== 32 || !ref || this.#code === undefined) {
      end({ reason: 'pairing_failed', detail: 'the phone answered the code with malformed keys' });
      return;
    }
    const key = await derivePairingCodeKey(this.#code, Buffer.from(wrapped.subarray(0, SALT_BYTES)));
    const iv = wrapped.subarray(SALT_BYTES, SALT_BYTES + IV_BYTES);
    const phoneEphemeral = aesDecryptCTR(wrapped.subarray(SALT_BYTES + IV_BYTES), key, iv);
    const shared = Curve.sharedKey(creds.pairingEphemeralKeyPair.private, phoneEphemeral);
    const random = randomBytes(32);
    const bundleSalt = randomBytes(32);
    const bundleKey = hkdf(shared, 32, { salt: bundleSalt, info: 'link_code_pairing_key_bundle_encryption_key' });
    const bundleIv = randomBytes(12);
    const bundle = Buffer.concat([creds.signedIdentityKey.public, phoneIdentity, random]);
    const encrypted = aesEncryptGCM(bundle, bundleKey, bundleIv, Buffer.alloc(0));
    const identityShared = Curve.sharedKey(creds.signedIdentityKey.private, phoneIdentity);
    const secret = hkdf(Buffer.concat([shared, identityShared, random]), 32, { info: 'adv_secret' });
    creds.advSecretKey = Buffer.from(secret).toString('base64');
    this.#isAgreed = true;
    const finish = registrationIq({ jid: this.#jid, stage: 'companion_finish' }, [
      {
        tag: 'link_code_pairing_wrapped_key_bundle',
        attrs: {},
        content: Buffer.concat([bundleSalt, bundleIv, encrypted]),
      },
      { tag: 'companion_identity_public', attrs: {}, content: creds.signedIdentityKey.public },
      { tag: REF, attrs: {}, content: ref },
    ]);
    await query(finish);
  }
}

/**
 * Too many codes for one number are refused as a bad request (400), too (whatsapp-rust f4f88e10):
 * the request itself is the same that was taken before.
 */
const LIMITS = new Set([400, 429]);

function refusal({ serverCode, message }: EngineError): string {
  if (serverCode === undefined || !LIMITS.has(serverCode)) return `WhatsApp refused to pair by code: ${message}`;
  return (
    `WhatsApp gives this number no code at the moment (${serverCode}): it limits how many a number may ask for. ` +
    'Check the number, wait an hour before the next try, or pair by QR code'
  );
}

function registrationIq(attrs: Record<string, string>, content: Node[]): Node {
  return {
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'md' },
    content: [{ tag: TAG, attrs, content }],
  };
}
