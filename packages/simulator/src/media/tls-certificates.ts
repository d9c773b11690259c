import { createECDH, createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bitString, boolean, explicit, implicit, integer, octets, oid, sequence, setOf, time, utf8 } from './der.ts';

/** A key of the curve P-256 and the certificate for it. */
export interface TlsIdentity {
  privateKey: KeyObject;
  certificate: Uint8Array;
}

const DAY_MS = 24 * 3600 * 1000;
const CA_YEARS_MS = 3650 * DAY_MS;
const LEAF_MS = 820 * DAY_MS;
/** Clocks of test machines differ. */
const EARLY_MS = 2 * DAY_MS;

const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const CRITICAL = true;
const OID = {
  commonName: '2.5.4.3',
  subjectKey: '2.5.29.14',
  keyUsage: '2.5.29.15',
  altNames: '2.5.29.17',
  constraints: '2.5.29.19',
  authorityKey: '2.5.29.35',
  extendedUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const;

/**
 * The private key for these 32 bytes; every value a rng can draw is one (the chance of 0 or too
 * large is 2^-32).
 */
export function privateKeyFrom(scalar: Uint8Array): KeyObject {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(scalar);
  const point = curve.getPublicKey();
  const part = (from: number): string => point.subarray(from, from + 32).toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', d: Buffer.from(scalar).toString('base64url'), x: part(1), y: part(33) };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}

/** A certificate authority of our own, for ten years. */
export function createAuthority(name: string, scalar: Uint8Array, serial: Uint8Array, nowMs: number): TlsIdentity {
  const privateKey = privateKeyFrom(scalar);
  const key = spkiOf(privateKey);
  const certificate = issue({
    serial,
    issuer: name,
    subject: name,
    notBeforeMs: nowMs - EARLY_MS,
    notAfterMs: nowMs + CA_YEARS_MS,
    key,
    signer: privateKey,
    extensions: [
      extension(OID.constraints, sequence(boolean(true), integer(0)), CRITICAL),
      // keyCertSign
      extension(OID.keyUsage, bitString(Uint8Array.of(0x04), 2), CRITICAL),
      extension(OID.subjectKey, octets(keyIdOf(key))),
    ],
  });
  return { privateKey, certificate };
}

/** A server certificate for these DNS names and IP addresses, signed by the authority. */
export function issueServer(options: {
  authority: TlsIdentity;
  authorityName: string;
  names: readonly string[];
  scalar: Uint8Array;
  serial: Uint8Array;
  nowMs: number;
}): TlsIdentity {
  const { authority, authorityName, names, scalar, serial, nowMs } = options;
  const privateKey = privateKeyFrom(scalar);
  const certificate = issue({
    serial,
    issuer: authorityName,
    subject: names[0] ?? 'localhost',
    notBeforeMs: nowMs - EARLY_MS,
    notAfterMs: nowMs + LEAF_MS,
    key: spkiOf(privateKey),
    signer: authority.privateKey,
    extensions: [
      // digitalSignature
      extension(OID.keyUsage, bitString(Uint8Array.of(0x80), 7), CRITICAL),
      extension(OID.extendedUsage, sequence(oid(OID.serverAuth))),
      extension(OID.altNames, sequence(...names.map(altName))),
      extension(OID.authorityKey, sequence(implicit(0, keyIdOf(spkiOf(authority.privateKey))))),
    ],
  });
  return { privateKey, certificate };
}

export function pemOf(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

interface Wanted {
  serial: Uint8Array;
  issuer: string;
  subject: string;
  notBeforeMs: number;
  notAfterMs: number;
  /** SubjectPublicKeyInfo. */
  key: Uint8Array;
  signer: KeyObject;
  extensions: Uint8Array[];
}

/** X.509 version 3 (RFC 5280, 4.1). */
function issue(wanted: Wanted): Uint8Array {
  const body = sequence(
    explicit(0, integer(2)),
    integer(wanted.serial),
    ECDSA_SHA256,
    nameOf(wanted.issuer),
    sequence(time(wanted.notBeforeMs), time(wanted.notAfterMs)),
    nameOf(wanted.subject),
    wanted.key,
    explicit(3, sequence(...wanted.extensions)),
  );
  return sequence(body, ECDSA_SHA256, bitString(sign('sha256', body, wanted.signer)));
}

function nameOf(commonName: string): Uint8Array {
  return sequence(setOf(sequence(oid(OID.commonName), utf8(commonName))));
}

function extension(id: string, value: Uint8Array, isCritical = false): Uint8Array {
  return isCritical ? sequence(oid(id), boolean(true), octets(value)) : sequence(oid(id), octets(value));
}

function altName(name: string): Uint8Array {
  const version = isIP(name);
  if (version === 0) return implicit(2, Buffer.from(name, 'ascii'));
  return implicit(7, version === 4 ? Uint8Array.from(name.split('.').map(Number)) : ipv6Bytes(name));
}

function ipv6Bytes(address: string): Uint8Array {
  const [head = '', tail] = address.split('::');
  const groups = (text: string | undefined): number[] =>
    text ? text.split(':').map((group) => Number.parseInt(group, 16)) : [];
  const [before, after] = [groups(head), groups(tail)];
  const middle = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => 0);
  return Uint8Array.from([...before, ...middle, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}

function spkiOf(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey.export({ format: 'pem', type: 'pkcs8' })).export({ format: 'der', type: 'spki' });
}

// Any stable name of the key will do (RFC 5280, 4.2.1.2); method 1 hashes the bits of the key, here
// all of its encoding.
function keyIdOf(spki: Uint8Array): Uint8Array {
  return createHash('sha1').update(spki).digest();
}
