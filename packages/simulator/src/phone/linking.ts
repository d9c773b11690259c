import { timingSafeEqual } from 'node:crypto';
import { concat, type RandomBytes, sign, verify } from '../signal/curve.ts';
import { hmacSha256 } from '../signal/kdf.ts';
import type { SignalDevice } from '../signal/signal-device.ts';
import { type ConfirmedLink, LinkError, type LinkOffer, type PhoneStore } from './network.ts';
import { proto } from './wa-proto.ts';

/** What a pairing QR code says. */
export interface PairingQr {
  ref: string;
  noiseKey: Uint8Array;
  identityKey: Uint8Array;
  advSecret: Uint8Array;
}

const ACCOUNT_SIGNATURE = Uint8Array.of(6, 0);
const DEVICE_SIGNATURE = Uint8Array.of(6, 1);
const MAX_OPEN_OFFERS = 20;

/**
 * Reads a pairing QR: `https://wa.me/settings/linked_devices#ref,noise,identity,advSecret,platform`
 * (clients since 2026) or the same list without the address. Throws LinkError naming the part that
 * does not fit.
 */
export function parsePairingQr(qrText: string): PairingQr {
  const list = qrText.trim().replace(/^https:\/\/wa\.me\/settings\/linked_devices#/, '');
  const [ref, noise, identity, secret] = list.split(',').map((part) => part.trim());
  if (!ref || !noise || !identity || !secret) {
    throw new LinkError('qr: this is no pairing code; send the text of the QR: ref,noise key,identity key,secret');
  }
  return {
    ref,
    noiseKey: key(noise, 'noise key'),
    identityKey: key(identity, 'identity key'),
    advSecret: key(secret, 'secret'),
  };
}

/**
 * The phone's side of linking a companion ("ADV"): it signs the companion's identity with its own
 * and proves to the companion, with the secret that only the QR shows, that it is the phone that
 * scanned. Shapes: Baileys validate-connection.js, whatsmeow pair.go.
 */
export class Linking {
  readonly #device: SignalDevice;
  readonly #store: PhoneStore;
  readonly #random: RandomBytes;
  readonly #nowSeconds: () => number;
  readonly #open = new Map<string, { details: Uint8Array; keyIndex: number; identityKey: Uint8Array }>();

  constructor(device: SignalDevice, store: PhoneStore, random: RandomBytes, nowSeconds: () => number) {
    this.#device = device;
    this.#store = store;
    this.#random = random;
    this.#nowSeconds = nowSeconds;
  }

  offer(qr: PairingQr): LinkOffer {
    const keyIndex = this.#nextKeyIndex();
    const details = proto.ADVDeviceIdentity.encode({
      rawId: Buffer.from(this.#random(4)).readUInt32BE(),
      timestamp: this.#nowSeconds(),
      keyIndex,
    }).finish();
    const { identity } = this.#device;
    const signed = proto.ADVSignedDeviceIdentity.encode({
      details,
      accountSignatureKey: identity.publicKey,
      accountSignature: sign(identity.privateKey, concat(ACCOUNT_SIGNATURE, details, qr.identityKey), this.#random),
    }).finish();
    this.#open.set(qr.ref, { details, keyIndex, identityKey: qr.identityKey });
    const [oldest] = this.#open.keys();
    if (this.#open.size > MAX_OPEN_OFFERS && oldest !== undefined) this.#open.delete(oldest);
    return {
      ref: qr.ref,
      companionNoiseKey: qr.noiseKey,
      companionIdentityKey: qr.identityKey,
      advSecret: qr.advSecret,
      keyIndex,
      deviceIdentityHmac: proto.ADVSignedDeviceIdentityHMAC.encode({
        details: signed,
        hmac: hmacSha256(qr.advSecret, signed),
      }).finish(),
    };
  }

  confirm(ref: string, deviceIdentity: Uint8Array): ConfirmedLink {
    const offer = this.#open.get(ref);
    if (!offer) throw new LinkError('this phone has no open link for that ref; scan the QR code again');
    const answer = decodeSignedIdentity(deviceIdentity);
    const { details, accountSignature, deviceSignature } = answer;
    if (!details || !accountSignature || !deviceSignature || !sameBytes(details, offer.details)) {
      throw new LinkError('the companion answered with another device identity than the one offered');
    }
    const accountSignatureKey = this.#device.identity.publicKey;
    const accountSigned = concat(ACCOUNT_SIGNATURE, details, offer.identityKey);
    const deviceSigned = concat(DEVICE_SIGNATURE, details, offer.identityKey, accountSignatureKey);
    if (!verify(accountSignatureKey, accountSigned, accountSignature)) {
      throw new LinkError("the companion's answer does not carry this phone's signature");
    }
    if (!verify(offer.identityKey, deviceSigned, deviceSignature)) {
      throw new LinkError('the device signature of the companion is not valid');
    }
    this.#open.delete(ref);
    return {
      keyIndex: offer.keyIndex,
      companionIdentityKey: offer.identityKey,
      signedIdentity: proto.ADVSignedDeviceIdentity.encode({ ...answer, accountSignatureKey }).finish(),
    };
  }

  #nextKeyIndex(): number {
    const stored = this.#store.get('link', 'key-index');
    const keyIndex = (stored ? Buffer.from(stored).readUInt32BE() : 0) + 1;
    const next = Buffer.alloc(4);
    next.writeUInt32BE(keyIndex);
    this.#store.set('link', 'key-index', next);
    return keyIndex;
  }
}

function decodeSignedIdentity(bytes: Uint8Array): ReturnType<typeof proto.ADVSignedDeviceIdentity.decode> {
  try {
    return proto.ADVSignedDeviceIdentity.decode(bytes);
  } catch (cause) {
    throw new LinkError('the companion answered with bytes that are no device identity', { cause });
  }
}

function key(base64: string, name: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length !== 32) throw new LinkError(`qr: the ${name} must be 32 bytes in base64`);
  return Uint8Array.from(bytes);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
