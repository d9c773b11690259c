import { createCipheriv, createDecipheriv, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { agree, concat, generateKeyPair, InvalidKeyError, type KeyPair, type RandomBytes } from '../signal/curve.ts';
import { hkdf } from '../signal/kdf.ts';
import type { SignalDevice } from '../signal/signal-device.ts';
import type { Linking, PairingQr } from './linking.ts';
import { CodeMismatchError, type ConfirmedLink, type LinkOffer } from './network.ts';

const SALT_BYTES = 32;
const IV_BYTES = 16;
const KEY_BYTES = 32;
const WRAPPED_BYTES = SALT_BYTES + IV_BYTES + KEY_BYTES;
const GCM_IV_BYTES = 12;
const TAG_BYTES = 16;
const ROUNDS = 131_072;
const BUNDLE_KEY = 'link_code_pairing_key_bundle_encryption_key';
const CODE = /^[0-9A-Z]{8}$/;

const derive = promisify(pbkdf2);

/** A code entry that waits for the companion's last message. */
export interface OpenCode {
  ephemeral: KeyPair;
  companionEphemeral: Uint8Array;
}

/** What a phone on which a code is typed does of the exchange. */
export class CodeEntry {
  readonly #signal: SignalDevice;
  readonly #linking: Linking;
  readonly #random: RandomBytes;

  constructor(signal: SignalDevice, linking: Linking, random: RandomBytes) {
    this.#signal = signal;
    this.#linking = linking;
    this.#random = random;
  }

  /** The phone's public identity key. */
  get identityKey(): Uint8Array {
    return this.#signal.identity.publicKey;
  }

  /** Rejects with CodeMismatchError when the line sent nonsense; a wrong code shows at the end. */
  begin(code: string, wrappedKey: Uint8Array): Promise<{ open: OpenCode; wrappedKey: Uint8Array }> {
    return beginLinkCode(code, wrappedKey, this.#random);
  }

  /** The secret of the link. Throws CodeMismatchError. */
  finish(open: OpenCode, companionIdentity: Uint8Array, bundle: Uint8Array): Uint8Array {
    return finishLinkCode(this.#signal, open, companionIdentity, bundle);
  }

  /** As after a scan, for a companion whose keys came by code. */
  offer(link: PairingQr): LinkOffer {
    return this.#linking.offer(link);
  }

  confirm(ref: string, deviceIdentity: Uint8Array): ConfirmedLink {
    return this.#linking.confirm(ref, deviceIdentity);
  }
}

/** The eight characters of a link code as a person types them. Undefined when it cannot be one. */
export function parseLinkCode(typed: string): string | undefined {
  const code = typed.replace(/[\s-]/g, '').toUpperCase();
  return CODE.test(code) ? code : undefined;
}

/**
 * The phone's first half of linking by code: opens the companion's ephemeral key with the code and
 * answers with its own, wrapped the same way. Whether the code was right shows only at the end: the
 * wrapping has no check (whatsmeow pair-code.go, Baileys socket.js).
 */
async function beginLinkCode(
  code: string,
  wrappedCompanionKey: Uint8Array,
  random: RandomBytes,
): Promise<{ open: OpenCode; wrappedKey: Uint8Array }> {
  if (wrappedCompanionKey.length !== WRAPPED_BYTES) {
    throw new CodeMismatchError('the line sent a key of the wrong size; ask it for a new code');
  }
  const companionEphemeral = await ctr(code, wrappedCompanionKey);
  const ephemeral = generateKeyPair(random);
  const [salt, iv] = [random(SALT_BYTES), random(IV_BYTES)];
  const cipher = createCipheriv('aes-256-ctr', await keyOf(code, salt), iv);
  const wrappedKey = Uint8Array.from(Buffer.concat([salt, iv, cipher.update(ephemeral.publicKey), cipher.final()]));
  return { open: { ephemeral, companionEphemeral }, wrappedKey };
}

/**
 * The second half: opens the companion's bundle and derives the secret that a QR would have shown.
 * Throws CodeMismatchError when the bundle cannot be opened, which is how a wrong code looks, or
 * names other identities.
 */
function finishLinkCode(
  device: SignalDevice,
  { ephemeral, companionEphemeral }: OpenCode,
  companionIdentity: Uint8Array,
  wrappedBundle: Uint8Array,
): Uint8Array {
  const { identity } = device;
  try {
    const shared = agree(ephemeral.privateKey, companionEphemeral);
    const bundle = openBundle(shared, wrappedBundle);
    const [ofCompanion, own, secret] = [bundle.subarray(0, 32), bundle.subarray(32, 64), bundle.subarray(64, 96)];
    if (bundle.length !== 96 || !same(ofCompanion, companionIdentity) || !same(own, identity.publicKey)) {
      throw new CodeMismatchError('the line answered with other keys than it announced');
    }
    return hkdf(concat(shared, agree(identity.privateKey, companionIdentity), secret), 'adv_secret', 32);
  } catch (cause) {
    if (!(cause instanceof InvalidKeyError)) throw cause;
    throw new CodeMismatchError('code: this is not the code that the line shows', { cause });
  }
}

function openBundle(shared: Uint8Array, wrapped: Uint8Array): Uint8Array {
  if (wrapped.length < SALT_BYTES + GCM_IV_BYTES + TAG_BYTES) throw new CodeMismatchError('the line sent no keys');
  const salt = wrapped.subarray(0, SALT_BYTES);
  const iv = wrapped.subarray(SALT_BYTES, SALT_BYTES + GCM_IV_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', hkdf(shared, BUNDLE_KEY, 32, salt), iv);
  decipher.setAuthTag(wrapped.subarray(-TAG_BYTES));
  try {
    const sealed = wrapped.subarray(SALT_BYTES + GCM_IV_BYTES, -TAG_BYTES);
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch (cause) {
    throw new CodeMismatchError('code: this is not the code that the line shows', { cause });
  }
}

async function ctr(code: string, wrapped: Uint8Array): Promise<Uint8Array> {
  const key = await keyOf(code, wrapped.subarray(0, SALT_BYTES));
  const decipher = createDecipheriv('aes-256-ctr', key, wrapped.subarray(SALT_BYTES, SALT_BYTES + IV_BYTES));
  return Buffer.concat([decipher.update(wrapped.subarray(SALT_BYTES + IV_BYTES)), decipher.final()]);
}

function keyOf(code: string, salt: Uint8Array): Promise<Buffer> {
  return derive(code, salt, ROUNDS, KEY_BYTES, 'sha256');
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
