import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RandomBytes } from '../../signal/curve.ts';
import { decryptCbc, encryptCbc, hkdf, hmacSha256 } from '../../signal/kdf.ts';
import { type SyncAction, type SyncdMutation, syncProto } from './sync-proto.ts';

export const OPERATION = { set: 0, remove: 1 } as const;

const VALUE_MAC_BYTES = 32;
const IV_BYTES = 16;

/** A key of app state, as the phone shares it with its companions. */
export interface SyncKey {
  id: Uint8Array;
  data: Uint8Array;
}

/** A setting in the clear: `index` names what it is about (`["archive","…@lid"]`). */
export interface Setting {
  index: string[];
  /** Undefined takes the setting away. */
  action: SyncAction | undefined;
  /** Version of the action's format, as each action has its own. */
  version: number;
}

/** A mutation that was opened, with the MACs that go into the hashes. */
export interface OpenMutation extends Setting {
  indexMac: Uint8Array;
  valueMac: Uint8Array;
}

/** A patch of another device does not match its keys and must not be applied. */
export class AppStateError extends Error {
  override readonly name = 'AppStateError';
  readonly reason:
    | 'missing_key'
    | 'bad_value_mac'
    | 'bad_index_mac'
    | 'bad_patch_mac'
    | 'bad_snapshot_mac'
    | 'malformed';

  constructor(reason: AppStateError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export type KeyFinder = (id: Uint8Array) => SyncKey | undefined;

/**
 * Keys of one app state key: HKDF "WhatsApp Mutation Keys", 160 bytes (whatsmeow appstate/keys.go,
 * Baileys chat-utils.js).
 */
function expanded(key: SyncKey) {
  const bytes = hkdf(key.data, 'WhatsApp Mutation Keys', 160);
  const part = (n: number): Uint8Array => bytes.subarray(n * 32, n * 32 + 32);
  return { index: part(0), encryption: part(1), valueMac: part(2), snapshotMac: part(3), patchMac: part(4) };
}

/** Encrypts a setting (whatsmeow appstate/encode.go; a removal carries the action it removes). */
export function sealMutation(
  key: SyncKey,
  setting: Setting,
  random: RandomBytes,
): SyncdMutation & { macs: { index: Uint8Array; value: Uint8Array } } {
  const keys = expanded(key);
  const operation = setting.action ? OPERATION.set : OPERATION.remove;
  const index = Buffer.from(JSON.stringify(setting.index));
  const data = { index, value: setting.action ?? {}, padding: new Uint8Array(), version: setting.version };
  const iv = random(IV_BYTES);
  const encrypted = Buffer.concat([
    iv,
    encryptCbc(keys.encryption, iv, syncProto.SyncActionData.encode(data).finish()),
  ]);
  const value = valueMac(keys.valueMac, operation, key.id, encrypted);
  const indexMac = hmacSha256(keys.index, index);
  const record = {
    index: { blob: indexMac },
    value: { blob: Buffer.concat([encrypted, value]) },
    keyId: { id: key.id },
  };
  return { operation, record, macs: { index: indexMac, value } };
}

/** Checks and decrypts a mutation. Throws AppStateError. */
export function openMutation(keyOf: KeyFinder, mutation: SyncdMutation): OpenMutation {
  const { operation, record } = mutation;
  const [indexMac, blob, id] = [record?.index?.blob, record?.value?.blob, record?.keyId?.id];
  if (!indexMac || !blob || !id || blob.length < VALUE_MAC_BYTES + 2 * IV_BYTES) {
    throw new AppStateError('malformed', 'a mutation without index, value or key');
  }
  const keys = expanded(found(keyOf, id));
  const encrypted = blob.subarray(0, -VALUE_MAC_BYTES);
  const mac = blob.subarray(-VALUE_MAC_BYTES);
  const isSet = (operation ?? OPERATION.set) === OPERATION.set;
  if (!same(mac, valueMac(keys.valueMac, isSet ? OPERATION.set : OPERATION.remove, id, encrypted))) {
    throw new AppStateError('bad_value_mac', 'the value of a mutation has a wrong MAC');
  }
  const data = syncProto.SyncActionData.decode(
    decryptCbc(keys.encryption, encrypted.subarray(0, IV_BYTES), encrypted.subarray(IV_BYTES)),
  );
  if (!same(indexMac, hmacSha256(keys.index, data.index ?? new Uint8Array()))) {
    throw new AppStateError('bad_index_mac', 'the index of a mutation has a wrong MAC');
  }
  const index: unknown = JSON.parse(Buffer.from(data.index ?? []).toString('utf8'));
  if (!Array.isArray(index)) throw new AppStateError('malformed', 'the index of a mutation is no list');
  return {
    index: index.map(String),
    action: isSet ? (data.value ?? {}) : undefined,
    version: data.version ?? 0,
    indexMac: Uint8Array.from(indexMac),
    valueMac: Uint8Array.from(mac),
  };
}

/** MAC of a whole collection at a version. */
export function snapshotMac(key: SyncKey, name: string, version: number, hash: Uint8Array): Uint8Array {
  return hmacSha256(expanded(key).snapshotMac, hash, bigEndian64(version), Buffer.from(name));
}

/** MAC of one patch: of the collection after it, and of its values in order. */
export function patchMac(
  key: SyncKey,
  name: string,
  version: number,
  snapshot: Uint8Array,
  valueMacs: Uint8Array[],
): Uint8Array {
  return hmacSha256(expanded(key).patchMac, snapshot, ...valueMacs, bigEndian64(version), Buffer.from(name));
}

export function found(keyOf: KeyFinder, id: Uint8Array | null | undefined): SyncKey {
  const key = id ? keyOf(id) : undefined;
  if (key) return key;
  throw new AppStateError('missing_key', `no app state key ${Buffer.from(id ?? []).toString('hex')}`);
}

export function same(a: Uint8Array | null | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && timingSafeEqual(a, b);
}

// HMAC-SHA512 over operation, key id, ciphertext and the length of the first two; half of it is
// used.
function valueMac(key: Uint8Array, operation: number, keyId: Uint8Array, encrypted: Uint8Array): Uint8Array {
  const head = Buffer.concat([Uint8Array.of(operation === OPERATION.set ? 1 : 2), keyId]);
  const mac = createHmac('sha512', key).update(head).update(encrypted).update(bigEndian64(head.length)).digest();
  return Uint8Array.from(mac.subarray(0, VALUE_MAC_BYTES));
}

function bigEndian64(value: number): Uint8Array {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
}
