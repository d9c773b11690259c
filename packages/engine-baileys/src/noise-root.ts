import { WA_CERT_DETAILS } from './baileys.ts';

let claimed: Buffer | undefined;

/**
 * Makes `root` the key that server certificates must lead to, for the whole process and for good:
 * Baileys keeps it in a global (Defaults WA_CERT_DETAILS). Throws when the process already trusts
 * another one, so that test lines and live lines never share a process.
 */
export function claimNoiseRoot(root: Uint8Array): void {
  const wanted = Buffer.from(root);
  if (wanted.length !== 32)
    throw new Error('endpoint.noiseRoot must be 32 bytes: the public key of the certificate root');
  if (claimed && !claimed.equals(wanted)) {
    throw new Error(
      'this process already trusts another noise root; lines of different networks (live and test, or two test networks) need processes of their own',
    );
  }
  claimed = wanted;
  WA_CERT_DETAILS.PUBLIC_KEY = wanted;
}
