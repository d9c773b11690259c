import { BufferJSON, proto } from '../baileys.ts';

/**
 * Turns one kind of key into bytes and back. Values are Baileys' own (Types/Auth.d.ts
 * SignalDataTypeMap).
 */
interface Codec {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

const raw: Codec = {
  encode: (value) => expectBytes(value),
  decode: (bytes) => Buffer.from(bytes),
};

const plainText: Codec = {
  encode: (value) => utf8(String(value)),
  decode: textOf,
};

/**
 * Structures without bytes in them. libsignal's session record is one: base64 strings, the order of
 * its keys matters.
 */
const json: Codec = {
  encode: (value) => utf8(JSON.stringify(value)),
  decode: (bytes): unknown => JSON.parse(textOf(bytes)),
};

/** Structures with some bytes in them. */
const jsonWithBytes: Codec = {
  encode: (value) => utf8(JSON.stringify(value, BufferJSON.replacer)),
  decode: (bytes): unknown => JSON.parse(textOf(bytes), BufferJSON.reviver),
};

const KEY_BYTES = 32;

const keyPair: Codec = {
  encode: (value) => {
    if (typeof value !== 'object' || value === null || !('public' in value) || !('private' in value)) {
      throw new Error('this is no key pair');
    }
    return Buffer.concat([expectKey(value.public), expectKey(value.private)]);
  },
  decode: (bytes) => {
    if (bytes.length !== 2 * KEY_BYTES) throw new Error('a stored key pair has the wrong length');
    const both = Buffer.from(bytes);
    return { public: both.subarray(0, KEY_BYTES), private: both.subarray(KEY_BYTES) };
  },
};

const appStateKey: Codec = {
  encode: (value) =>
    proto.Message.AppStateSyncKeyData.encode(proto.Message.AppStateSyncKeyData.fromObject(Object(value))).finish(),
  decode: (bytes) => proto.Message.AppStateSyncKeyData.decode(bytes),
};

const CODECS: Record<string, Codec> = {
  'pre-key': keyPair,
  session: json,
  'sender-key': raw,
  'sender-key-memory': json,
  'app-state-sync-key': appStateKey,
  'app-state-sync-version': jsonWithBytes,
  'lid-mapping': plainText,
  'device-list': json,
  tctoken: jsonWithBytes,
  'identity-key': raw,
  // Not Baileys' own: what this account shows of itself and whom it watches
  // (account/presence-wish.ts).
  'presence-wish': json,
  // Addresses that WhatsApp called out of date (outbound/fresh-lids.ts); the salt for strangers and
  // what the account is restricted in (outbound/cold-contacts.ts).
  'stale-lid': json,
  'nct-salt': raw,
  restriction: json,
  // How often this device has logged in (login/login-counter.ts).
  'login-counter': json,
};

/**
 * The bytes to store for a key. Throws for a kind that this version of Baileys does not have, and
 * for values of another shape.
 */
export function encodeKey(kind: string, value: unknown): Uint8Array {
  return codec(kind).encode(value);
}

/** The key that `encodeKey` stored. Throws when the bytes cannot be it. */
export function decodeKey(kind: string, bytes: Uint8Array): unknown {
  return codec(kind).decode(bytes);
}

function codec(kind: string): Codec {
  const found = Object.hasOwn(CODECS, kind) ? CODECS[kind] : undefined;
  if (!found) throw new Error(`no codec for keys of kind ${kind}`);
  return found;
}

function expectBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new Error('bytes expected');
}

function expectKey(value: unknown): Uint8Array {
  const bytes = expectBytes(value);
  if (bytes.length !== KEY_BYTES) throw new Error('a key must have 32 bytes');
  return bytes;
}
