import './install.ts';
import { aesEncryptGCM, Curve, hkdf, type KeyPair, makeNoiseHandler, proto, sha256, WA_CERT_DETAILS } from 'baileys';
import type { ILogger } from 'baileys/lib/Utils/logger.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { assertChainBinds, NoiseCertificateError } from './noise-certificate.ts';

const HEADER = Buffer.from('WA\x06\x03', 'latin1');
const NOISE_MODE = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0');
const NOW_SECONDS = Math.floor(Date.now() / 1000);
const DAY = 24 * 3600;
const silent: ILogger = {
  level: 'silent',
  child: () => silent,
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const root = Curve.generateKeyPair();
const intermediateKey = Curve.generateKeyPair();
const serverStatic = Curve.generateKeyPair();

interface Flaws {
  root?: KeyPair;
  leafSigner?: KeyPair;
  leafKey?: Uint8Array;
  leaf?: Partial<proto.CertChain.NoiseCertificate.IDetails>;
  intermediate?: Partial<proto.CertChain.NoiseCertificate.IDetails>;
}

function chain(flaws: Flaws = {}): proto.ICertChain {
  const { Details } = proto.CertChain.NoiseCertificate;
  const valid = { notBefore: NOW_SECONDS - DAY, notAfter: NOW_SECONDS + DAY };
  const intermediate = Details.encode({
    serial: 7,
    issuerSerial: 0,
    key: intermediateKey.public,
    ...valid,
    ...flaws.intermediate,
  }).finish();
  const leaf = Details.encode({
    serial: 8,
    issuerSerial: 7,
    key: flaws.leafKey ?? serverStatic.public,
    ...valid,
    ...flaws.leaf,
  }).finish();
  return {
    intermediate: { details: intermediate, signature: Curve.sign((flaws.root ?? root).private, intermediate) },
    leaf: { details: leaf, signature: Curve.sign((flaws.leafSigner ?? intermediateKey).private, leaf) },
  };
}

/**
 * Runs Baileys' own handshake against a responder that shows this chain, and gives Baileys' answer
 * or its refusal.
 */
function shakeHands(certificates: proto.ICertChain, responderStatic = serverStatic): Uint8Array {
  const client = Curve.generateKeyPair();
  const noise = makeNoiseHandler({ keyPair: client, NOISE_HEADER: HEADER, logger: silent });
  const ephemeral = Curve.generateKeyPair();
  let hash = sha256(Buffer.concat([sha256(Buffer.concat([NOISE_MODE, HEADER])), client.public]));
  let salt: Uint8Array = NOISE_MODE;
  let key: Uint8Array = NOISE_MODE;
  const mix = (secret: Uint8Array) => {
    const derived = hkdf(Buffer.from(secret), 64, { salt: Buffer.from(salt), info: '' });
    salt = derived.subarray(0, 32);
    key = derived.subarray(32);
  };
  const seal = (plaintext: Uint8Array) => {
    const sealed = aesEncryptGCM(plaintext, key, new Uint8Array(12), hash);
    hash = sha256(Buffer.concat([hash, sealed]));
    return sealed;
  };
  hash = sha256(Buffer.concat([hash, ephemeral.public]));
  mix(Curve.sharedKey(ephemeral.private, client.public));
  const sealedStatic = seal(responderStatic.public);
  mix(Curve.sharedKey(responderStatic.private, client.public));
  const payload = seal(proto.CertChain.encode(certificates).finish());
  const serverHello = { ephemeral: ephemeral.public, static: sealedStatic, payload };
  return noise.processHandshake(proto.HandshakeMessage.fromObject({ serverHello }), Curve.generateKeyPair());
}

const genuineRoot = WA_CERT_DETAILS.PUBLIC_KEY;

describe('a Noise handshake of Baileys', () => {
  beforeAll(() => {
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(root.public);
    return () => {
      WA_CERT_DETAILS.PUBLIC_KEY = genuineRoot;
    };
  });

  it('completes with a genuine chain for the server’s key', () => {
    expect(shakeHands(chain())).toHaveLength(48);
    expect(shakeHands(chain())).toHaveLength(48);
  });

  it('refuses a genuine chain replayed by a server with a key of its own', () => {
    expect(() => shakeHands(chain(), Curve.generateKeyPair())).toThrow(/another key than the one the server uses/);
  });

  const strangerKey = Curve.generateKeyPair();
  const refused: [string, Flaws, RegExp][] = [
    ['an intermediate of another root', { root: strangerKey }, /intermediate certificate signature invalid/],
    ['a leaf of another intermediate', { leafSigner: strangerKey }, /noise certificate signature invalid/],
    ['a leaf for another key', { leafKey: strangerKey.public }, /another key/],
    ['a leaf for a longer key', { leafKey: Buffer.concat([serverStatic.public, Buffer.of(0)]) }, /another key/],
    ['a leaf without a key', { leaf: { key: null } }, /another key/],
    ['a leaf of another issuer serial', { leaf: { issuerSerial: 6 } }, /issued by serial 6, the intermediate has 7/],
    ['an intermediate not issued by the root', { intermediate: { issuerSerial: 1 } }, /certification match failed/],
    ['an expired leaf', { leaf: { notAfter: NOW_SECONDS - 60 } }, /the leaf certificate is valid from .*set the clock/],
    ['a leaf of the future', { leaf: { notBefore: NOW_SECONDS + 3600 } }, /the leaf certificate is valid from/],
    ['a leaf without an end', { leaf: { notAfter: null } }, /the leaf certificate is valid from/],
    [
      'an expired intermediate',
      { intermediate: { notAfter: NOW_SECONDS - 60 } },
      /the intermediate certificate is valid/,
    ],
    [
      'an intermediate of the future',
      { intermediate: { notBefore: NOW_SECONDS + 3600 } },
      /the intermediate certificate/,
    ],
  ];
  it.each(refused)('refuses %s', (_name, flaws, message) => {
    expect(() => shakeHands(chain(flaws))).toThrow(message);
  });

  it('refuses a chain without a leaf, without an intermediate, and an empty one', () => {
    const { leaf, intermediate } = chain();
    expect(() => shakeHands({ intermediate })).toThrow(/leaf certificate is missing/);
    expect(() => shakeHands({ leaf })).toThrow(/intermediate certificate is missing/);
    expect(() => shakeHands({})).toThrow(NoiseCertificateError);
  });

  it('lets one agreement vouch for one chain only', () => {
    const bytes = proto.CertChain.encode(chain()).finish();
    Curve.sharedKey(Curve.generateKeyPair().private, serverStatic.public);
    expect(proto.CertChain.decode(bytes).leaf?.signature).toHaveLength(64);
    expect(() => proto.CertChain.decode(bytes)).toThrow(/without a key agreement/);
  });

  it('takes the bounds of the validity as valid and a clock beyond them as not', () => {
    const certificates = chain();
    const check = (seconds: number) => assertChainBinds(certificates, serverStatic.public, seconds * 1000);
    expect(() => check(NOW_SECONDS - DAY)).not.toThrow();
    expect(() => check(NOW_SECONDS + DAY)).not.toThrow();
    expect(() => check(NOW_SECONDS - DAY - 1)).toThrow(NoiseCertificateError);
    expect(() => check(NOW_SECONDS + DAY + 1)).toThrow(NoiseCertificateError);
  });
});
