import { expect, test } from 'vitest';
import { verifyNoiseCertificateChain } from 'zapo-js/transport';
import { CERTIFICATE_FLAWS } from '../faults/rules.ts';
import { SystemClock } from '../world/clock.ts';
import { createRng } from '../world/rng.ts';
import { type CertificateFlaw, certificateChain, createServerIdentity } from './certificates.ts';
import { proto } from './wire-proto.ts';

const clock = new SystemClock();
const rng = createRng();
const identity = createServerIdentity(rng);
const chain = (flaw?: CertificateFlaw): Uint8Array => certificateChain(identity, clock, rng, flaw);
const verified = (bytes: Uint8Array): Promise<void> =>
  verifyNoiseCertificateChain(bytes, identity.leaf.publicKey, { publicKey: identity.root.publicKey, serial: 0 });

test('an independent client accepts the certificate chain', async () => {
  await expect(verified(chain())).resolves.toBeUndefined();
});

test.each(CERTIFICATE_FLAWS.filter((flaw) => flaw !== 'expired_leaf'))(
  'an independent client refuses %s',
  async (flaw) => {
    await expect(verified(chain(flaw))).rejects.toThrow();
  },
);

// The library above does not check the dates; a client that does must find them expired.
test('an expired leaf is signed correctly and over by now', async () => {
  const bytes = chain('expired_leaf');
  await expect(verified(bytes)).resolves.toBeUndefined();
  const leaf = proto.CertChain.decode(bytes).leaf;
  const { notBefore, notAfter } = proto.CertChain.NoiseCertificate.Details.decode(leaf?.details ?? new Uint8Array());
  const now = clock.nowMs() / 1000;
  expect(Number(notBefore)).toBeLessThan(Number(notAfter));
  expect(Number(notAfter)).toBeLessThan(now);
});
