import { generateKeyPair, type KeyPair, sign } from '../signal/curve.ts';
import type { Clock } from '../world/clock.ts';
import type { Rng } from '../world/rng.ts';
import { proto } from './wire-proto.ts';

const DAY_SECONDS = 24 * 3600;
const INTERMEDIATE_SERIAL = 1;
const LEAF_SERIAL = 2;

/**
 * Keys that give the simulated network its identity. Made once and kept, or every paired line would
 * meet a stranger.
 */
export interface ServerIdentity {
  /**
   * Signs the intermediate certificate; clients are told its public half (WhatsApp's own is
   * compiled into them).
   */
  root: KeyPair;
  intermediate: KeyPair;
  /** The server's Noise static key; the leaf certificate binds it. */
  leaf: KeyPair;
}

/**
 * Ways in which a certificate chain can lie. A client that connects in spite of one has not checked
 * it.
 */
export type CertificateFlaw =
  | 'wrong_root'
  | 'bad_intermediate_signature'
  | 'bad_leaf_signature'
  | 'leaf_not_bound'
  | 'expired_leaf';

export function createServerIdentity(rng: Rng): ServerIdentity {
  const random = (length: number): Uint8Array => rng.bytes(length);
  return { root: generateKeyPair(random), intermediate: generateKeyPair(random), leaf: generateKeyPair(random) };
}

/**
 * The `CertChain` protobuf of the server hello: root (serial 0) signs the intermediate, the
 * intermediate signs the leaf, the leaf's key is the server's static key (whatsmeow handshake.go
 * checks all of it; Baileys 7.0.0-rc14 the signatures and the issuer only). Valid from a year ago
 * to a year from now, on the world's clock.
 */
export function certificateChain(identity: ServerIdentity, clock: Clock, rng: Rng, flaw?: CertificateFlaw): Uint8Array {
  const random = (length: number): Uint8Array => rng.bytes(length);
  const now = Math.floor(clock.nowMs() / 1000);
  const year = 365 * DAY_SECONDS;
  const root = flaw === 'wrong_root' ? generateKeyPair(random) : identity.root;
  const leafKey = flaw === 'leaf_not_bound' ? generateKeyPair(random) : identity.leaf;
  const expired = flaw === 'expired_leaf';
  const intermediate = proto.CertChain.NoiseCertificate.Details.encode({
    serial: INTERMEDIATE_SERIAL,
    issuerSerial: 0,
    key: identity.intermediate.publicKey,
    notBefore: now - year,
    notAfter: now + year,
  }).finish();
  const leaf = proto.CertChain.NoiseCertificate.Details.encode({
    serial: LEAF_SERIAL,
    issuerSerial: INTERMEDIATE_SERIAL,
    key: leafKey.publicKey,
    notBefore: now - year,
    notAfter: expired ? now - DAY_SECONDS : now + year,
  }).finish();
  const intermediateSignature = sign(root.privateKey, intermediate, random);
  const leafSignature = sign(identity.intermediate.privateKey, leaf, random);
  if (flaw === 'bad_intermediate_signature') flipBit(intermediateSignature);
  if (flaw === 'bad_leaf_signature') flipBit(leafSignature);
  return proto.CertChain.encode({
    intermediate: { details: intermediate, signature: intermediateSignature },
    leaf: { details: leaf, signature: leafSignature },
  }).finish();
}

/** The chain for each new connection: signed once a day, and afresh for a flaw. */
export function createCertificates(
  identity: ServerIdentity,
  clock: Clock,
  rng: Rng,
): (flaw?: CertificateFlaw) => Uint8Array {
  let honest: { chain: Uint8Array; signedAtMs: number } | undefined;
  return (flaw) => {
    if (flaw) return certificateChain(identity, clock, rng, flaw);
    const now = clock.nowMs();
    if (!honest || now - honest.signedAtMs > DAY_SECONDS * 1000) {
      honest = { chain: certificateChain(identity, clock, rng), signedAtMs: now };
    }
    return honest.chain;
  };
}

function flipBit(bytes: Uint8Array): void {
  bytes[8] = (bytes[8] ?? 0) ^ 1;
}
