import { timingSafeEqual } from 'node:crypto';
import { proto } from 'baileys/WAProto/index.js';
import { takeLastAgreedPeer } from './curve.ts';

/**
 * What Baileys 7.0.0-rc14 leaves out when it checks the server's Noise certificate chain.
 *
 * Its `processHandshake` (lib/Utils/noise-handler.js) is one synchronous function: agree on the
 * server's static key, decrypt the payload with the result, `proto.CertChain.decode(payload)`,
 * verify the leaf's and the intermediate's signature, compare the intermediate's issuer serial.
 * Nothing compares the leaf's key with the static key, so any genuine chain, replayed by a server
 * with a key of its own, is accepted. Baileys looks `proto.CertChain.decode` up on an object it
 * exports, and the handshake is the only place that decodes a chain. So the decoder is replaced by
 * one that also checks what it decodes, and learns the static key from the agreement that came
 * right before it.
 *
 * Together with `verifySignature` failing closed (`curve.ts`; Baileys does the two signature checks
 * itself), a handshake that completes guarantees: the root `WA_CERT_DETAILS.PUBLIC_KEY` signed the
 * intermediate and the intermediate the leaf; the serials form that chain; both are valid at this
 * moment; and the leaf's key is the very key whose private half the server proved by the payload's
 * authenticated encryption. whatsmeow checks the same (handshake.go, verifyServerCert).
 *
 * Not covered: revocation, which the protocol does not have.
 */
export class NoiseCertificateError extends Error {
  override readonly name = 'NoiseCertificateError';
}

/** Gives the current time in milliseconds since 1970. */
export type NowMs = () => number;

interface Certificate {
  serial: number;
  issuerSerial: number;
  key: Uint8Array;
  /** Seconds since 1970. */
  notBefore: number;
  notAfter: number;
}

/**
 * Throws NoiseCertificateError unless the leaf of `chain` certifies `serverStatic`, the leaf was
 * issued by the intermediate, and both are valid at `nowMs`. Does not check the signatures; Baileys
 * does that next, with the same bytes.
 */
export function assertChainBinds(
  chain: proto.ICertChain,
  serverStatic: Uint8Array | undefined,
  nowMs: number,
): asserts serverStatic is Uint8Array {
  if (serverStatic === undefined) {
    throw new NoiseCertificateError('a certificate chain was decoded without a key agreement before it');
  }
  const leaf = readCertificate(chain.leaf, 'leaf');
  const intermediate = readCertificate(chain.intermediate, 'intermediate');
  if (leaf.key.length !== serverStatic.length || !timingSafeEqual(leaf.key, serverStatic)) {
    throw new NoiseCertificateError('the leaf certificate is for another key than the one the server uses');
  }
  if (leaf.issuerSerial !== intermediate.serial) {
    throw new NoiseCertificateError(
      `the leaf certificate was issued by serial ${leaf.issuerSerial}, the intermediate has ${intermediate.serial}`,
    );
  }
  assertValidAt(intermediate, 'intermediate', nowMs);
  assertValidAt(leaf, 'leaf', nowMs);
}

/** Makes Baileys check every server certificate it decodes from now on, old sockets included. */
export function bindNoiseCertificates(nowMs: NowMs): void {
  const decode = proto.CertChain.decode;
  proto.CertChain.decode = (reader, length) => {
    const serverStatic = takeLastAgreedPeer();
    const chain = decode.call(proto.CertChain, reader, length);
    assertChainBinds(chain, serverStatic, nowMs());
    return chain;
  };
}

function readCertificate(certificate: proto.CertChain.INoiseCertificate | null | undefined, name: string): Certificate {
  if (!certificate?.details?.length || !certificate.signature?.length) {
    throw new NoiseCertificateError(`the ${name} certificate is missing`);
  }
  const details = proto.CertChain.NoiseCertificate.Details.decode(certificate.details);
  return {
    serial: details.serial ?? 0,
    issuerSerial: details.issuerSerial ?? 0,
    key: details.key ?? new Uint8Array(0),
    notBefore: toSeconds(details.notBefore),
    notAfter: toSeconds(details.notAfter),
  };
}

function assertValidAt(certificate: Certificate, name: string, nowMs: number): void {
  const nowSeconds = nowMs / 1000;
  if (nowSeconds >= certificate.notBefore && nowSeconds <= certificate.notAfter) return;
  const from = new Date(certificate.notBefore * 1000);
  const until = new Date(certificate.notAfter * 1000);
  throw new NoiseCertificateError(
    `the ${name} certificate is valid from ${describe(from)} to ${describe(until)}, but this machine's clock says ` +
      `${describe(new Date(nowMs))}: set the clock if it is wrong`,
  );
}

function describe(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'an impossible date' : date.toISOString();
}

/**
 * protobufjs gives 64-bit numbers as Long. Beyond 2^53 seconds the value is rounded, which no
 * comparison here minds.
 */
function toSeconds(value: number | { toString(): string } | null | undefined): number {
  return value === null || value === undefined ? 0 : Number(value.toString());
}
