import { createHash, createHmac } from 'node:crypto';

const SHA256_BYTES = 32;
/** RFC 5869: the block counter is one byte. */
const HKDF_MAX_BYTES = 255 * SHA256_BYTES;
const NO_SALT = new Uint8Array(SHA256_BYTES);
const EMPTY = new Uint8Array(0);

const APP_STATE_INFO = 'WhatsApp Mutation Keys';
const LT_HASH_INFO = 'WhatsApp Patch Integrity';
const LT_HASH_BYTES = 128;

function assertBytes(value, name) {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`${name} must be a Uint8Array, got ${value === null ? 'null' : typeof value}`);
  }
}

export function hkdf(buffer, expandedLength, { salt, info }) {
  assertBytes(buffer, 'hkdf: buffer');
  if (!Number.isInteger(expandedLength) || expandedLength < 0 || expandedLength > HKDF_MAX_BYTES) {
    throw new RangeError(`hkdf: expanded length must be an integer from 0 to ${HKDF_MAX_BYTES}, got ${expandedLength}`);
  }
  // createHmac and not hkdfSync: node's own refuses an info of more than 1024 bytes.
  const extracted = createHmac('sha256', salt?.length ? salt : NO_SALT)
    .update(buffer)
    .digest();
  const infoBytes = info ? Buffer.from(info, 'utf8') : EMPTY;
  const out = new Uint8Array(expandedLength);
  let block = EMPTY;
  for (let offset = 0, counter = 1; offset < expandedLength; offset += SHA256_BYTES, counter++) {
    block = createHmac('sha256', extracted).update(block).update(infoBytes).update(Uint8Array.of(counter)).digest();
    out.set(block.subarray(0, expandedLength - offset), offset);
  }
  return out;
}

export function md5(buffer) {
  assertBytes(buffer, 'md5: buffer');
  return new Uint8Array(createHash('md5').update(buffer).digest());
}

export function expandAppStateKeys(keyData) {
  const keys = hkdf(keyData, 5 * 32, { info: APP_STATE_INFO });
  return {
    indexKey: keys.slice(0, 32),
    valueEncryptionKey: keys.slice(32, 64),
    valueMacKey: keys.slice(64, 96),
    snapshotMacKey: keys.slice(96, 128),
    patchMacKey: keys.slice(128, 160),
  };
}

/** Adds (sign 1) or subtracts (sign -1) one value MAC's expansion, as 64 little-endian 16-bit lanes without carry. */
function mix(hash, valueMac, sign) {
  const lanes = hkdf(valueMac, LT_HASH_BYTES, { info: LT_HASH_INFO });
  for (let i = 0; i < LT_HASH_BYTES; i += 2) {
    const sum = (hash[i] | (hash[i + 1] << 8)) + sign * (lanes[i] | (lanes[i + 1] << 8));
    hash[i] = sum & 0xff;
    hash[i + 1] = (sum >> 8) & 0xff;
  }
}

export class LTHashAntiTampering {
  subtractThenAdd(base, subtract, add) {
    assertBytes(base, 'subtractThenAdd: base');
    if (base.length !== LT_HASH_BYTES) {
      throw new RangeError(`subtractThenAdd: base hash must be ${LT_HASH_BYTES} bytes, got ${base.length}`);
    }
    const hash = Uint8Array.from(base);
    for (const valueMac of subtract) mix(hash, valueMac, -1);
    for (const valueMac of add) mix(hash, valueMac, 1);
    return hash;
  }
}
