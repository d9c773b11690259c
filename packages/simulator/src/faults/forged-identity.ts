import { createHmac } from 'node:crypto';
import { proto } from '../phone/wa-proto.ts';

/**
 * A device identity whose HMAC does not match: the companion must see that its QR was not scanned.
 */
export function forgeHmac(deviceIdentityHmac: Uint8Array): Uint8Array {
  const wrapped = proto.ADVSignedDeviceIdentityHMAC.decode(deviceIdentityHmac);
  return proto.ADVSignedDeviceIdentityHMAC.encode({ ...wrapped, hmac: flipped(wrapped.hmac) }).finish();
}

/**
 * A device identity with a right HMAC around a wrong account signature: only a companion that
 * checks both notices.
 */
export function forgeAccountSignature(deviceIdentityHmac: Uint8Array, advSecret: Uint8Array): Uint8Array {
  const wrapped = proto.ADVSignedDeviceIdentityHMAC.decode(deviceIdentityHmac);
  const signed = proto.ADVSignedDeviceIdentity.decode(wrapped.details ?? new Uint8Array());
  const details = proto.ADVSignedDeviceIdentity.encode({
    ...signed,
    accountSignature: flipped(signed.accountSignature),
  }).finish();
  const hmac = createHmac('sha256', advSecret).update(details).digest();
  return proto.ADVSignedDeviceIdentityHMAC.encode({ ...wrapped, details, hmac }).finish();
}

function flipped(signature: Uint8Array | null | undefined): Uint8Array {
  const out = Uint8Array.from(signature ?? []);
  out[8] = (out[8] ?? 0) ^ 1;
  return out;
}
