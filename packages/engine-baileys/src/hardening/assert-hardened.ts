import type * as Baileys from 'baileys';

/**
 * Throws unless the Baileys given really runs on the hardening: its Curve refuses a wrong
 * signature, and its certificate decoder refuses a chain that no handshake vouches for. Costs about
 * a millisecond; meant for once per process, before the first socket.
 *
 * It finds Baileys loaded too early, and a Baileys or Node release that no longer takes these
 * functions from where they were replaced.
 */
export function assertHardened({ Curve, proto }: Pick<typeof Baileys, 'Curve' | 'proto'>): void {
  const { private: privateKey, public: publicKey } = Curve.generateKeyPair();
  const message = Buffer.from('assertHardened');
  const signature = Buffer.from(Curve.sign(privateKey, message));
  if (!Curve.verify(publicKey, message, signature)) fail('a valid signature was refused');
  signature[0] = (signature[0] ?? 0) ^ 1;
  if (Curve.verify(publicKey, message, signature)) fail('a wrong signature was accepted');
  if (!refuses(() => proto.CertChain.decode(new Uint8Array(0)))) fail('server certificates are not bound to their key');
}

function refuses(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch (error) {
    return error instanceof Error && error.name === 'NoiseCertificateError';
  }
}

function fail(what: string): never {
  throw new Error(
    `Baileys runs without its hardening (${what}): import hardening/install.ts before anything imports baileys`,
  );
}
