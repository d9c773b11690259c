import { CREDENTIALS_KIND } from '@ponte/engine';
import { type AuthenticationCreds, BufferJSON, proto } from '../baileys.ts';
import { withOwnBytes } from './own-bytes.ts';

export const CREDS_KIND = CREDENTIALS_KIND;
export const CREDS_ID = 'creds';

/**
 * Baileys appends one entry per history chunk and never takes one away; it only asks whether there
 * is any.
 */
const HISTORY_MARKS_KEPT = 20;

/** Credentials of a paired line: Baileys' own, plus the certainty that the pairing is complete. */
export type PairedCreds = AuthenticationCreds & {
  me: NonNullable<AuthenticationCreds['me']>;
  account: NonNullable<AuthenticationCreds['account']>;
};

/** True when these credentials can log in. */
export function isPaired(creds: AuthenticationCreds): creds is PairedCreds {
  return creds.me?.id !== undefined && creds.account !== undefined;
}

/**
 * The credentials as bytes: JSON, byte strings in base64, the account's signed identity as its
 * protobuf.
 */
export function encodeCreds(creds: AuthenticationCreds): Uint8Array {
  const account = creds.account && Buffer.from(proto.ADVSignedDeviceIdentity.encode(creds.account).finish());
  const stored = {
    ...creds,
    account,
    processedHistoryMessages: creds.processedHistoryMessages.slice(-HISTORY_MARKS_KEPT),
  };
  return Buffer.from(JSON.stringify(stored, BufferJSON.replacer), 'utf8');
}

/** Reads what `encodeCreds` wrote. Throws when it is anything less than complete credentials. */
export function decodeCreds(bytes: Uint8Array): PairedCreds {
  const stored: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'), BufferJSON.reviver);
  if (typeof stored !== 'object' || stored === null) throw new Error('the stored credentials are no object');
  for (const path of KEYS)
    if (!isKey(pick(stored, path))) throw new Error(`the stored credentials lack ${path.join('.')}`);
  const account = pick(stored, ['account']);
  if (!(account instanceof Uint8Array)) throw new Error('the stored credentials lack account');
  if (typeof pick(stored, ['me', 'id']) !== 'string') throw new Error('the stored credentials lack me.id');
  // Every field that is used for identity or encryption has been looked at; the rest is Baileys'
  // own bookkeeping.
  const creds = { ...stored, account: proto.ADVSignedDeviceIdentity.decode(account) } as unknown as AuthenticationCreds;
  if (!isPaired(creds)) throw new Error('the stored credentials are not those of a paired line');
  return withOwnBytes(creds);
}

const KEYS = [
  ['noiseKey', 'private'],
  ['noiseKey', 'public'],
  ['signedIdentityKey', 'private'],
  ['signedIdentityKey', 'public'],
  ['signedPreKey', 'keyPair', 'private'],
  ['signedPreKey', 'keyPair', 'public'],
];

function pick(value: unknown, path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  );
}

const isKey = (value: unknown): boolean => value instanceof Uint8Array && value.length === 32;
