import { bytes, child, childrenOf, type Jid, type Node } from '@ponte/engine';
import { withoutPrefix } from '../signal/curve.ts';
import type { PreKeyBundle } from '../signal/session.ts';
import type { SignalDevice } from '../signal/signal-device.ts';

const SERVER: Jid = '@s.whatsapp.net';
const KEY_TYPE = Uint8Array.of(5);

interface PublicPreKey {
  keyId: number;
  publicKey: Uint8Array;
}

/** `iq set encrypt`: our identity, signed pre-key and new one-time pre-keys. */
export function uploadQuery(device: SignalDevice, preKeys: PublicPreKey[]): Node {
  return {
    tag: 'iq',
    attrs: { to: SERVER, type: 'set', xmlns: 'encrypt' },
    content: [
      { tag: 'registration', attrs: {}, content: bigEndian(device.registrationId, 4) },
      { tag: 'type', attrs: {}, content: KEY_TYPE },
      { tag: 'identity', attrs: {}, content: device.identity.publicKey },
      { tag: 'list', attrs: {}, content: preKeys.map(preKeyNode) },
      signedPreKeyNode(device),
    ],
  };
}

/** `iq get encrypt`: the key bundles of these devices. */
export function bundleQuery(devices: Jid[]): Node {
  return {
    tag: 'iq',
    attrs: { to: SERVER, type: 'get', xmlns: 'encrypt' },
    content: [{ tag: 'key', attrs: {}, content: devices.map((jid) => ({ tag: 'user', attrs: { jid } })) }],
  };
}

/**
 * The bundles of an answer to bundleQuery. Devices whose entry is an error or incomplete are left
 * out.
 */
export function readBundles(answer: Node): { jid: Jid; bundle: PreKeyBundle }[] {
  return childrenOf(child(answer, 'list'), 'user').flatMap((user) => {
    const bundle = readBundle(user, child(user, 'registration'));
    return bundle && user.attrs.jid ? [{ jid: user.attrs.jid, bundle }] : [];
  });
}

/**
 * `<keys>` of a retry receipt: what the other side needs to open a session with us without asking
 * the server.
 */
export function keysNode(device: SignalDevice, preKey: PublicPreKey | undefined): Node {
  return {
    tag: 'keys',
    attrs: {},
    content: [
      { tag: 'type', attrs: {}, content: KEY_TYPE },
      { tag: 'identity', attrs: {}, content: device.identity.publicKey },
      ...(preKey ? [preKeyNode(preKey)] : []),
      signedPreKeyNode(device),
    ],
  };
}

/** The bundle inside a retry receipt; undefined when it carries none. */
export function bundleOfRetry(receipt: Node): PreKeyBundle | undefined {
  const keys = child(receipt, 'keys');
  return keys && readBundle(keys, child(receipt, 'registration'));
}

export function registrationNode(device: SignalDevice): Node {
  return { tag: 'registration', attrs: {}, content: bigEndian(device.registrationId, 4) };
}

function readBundle(node: Node, registration: Node | undefined): PreKeyBundle | undefined {
  const identityKey = bytes(child(node, 'identity'));
  const skey = child(node, 'skey');
  const signed = skey && readPreKey(skey);
  const signature = bytes(child(skey, 'signature'));
  const registrationId = bytes(registration);
  if (!identityKey || !isKey(identityKey) || !signed || !signature || !registrationId) return undefined;
  const key = child(node, 'key');
  return {
    registrationId: fromBigEndian(registrationId),
    identityKey: withoutPrefix(identityKey),
    signedPreKey: { ...signed, signature },
    preKey: key && readPreKey(key),
  };
}

function readPreKey(node: Node): PublicPreKey | undefined {
  const id = bytes(child(node, 'id'));
  const value = bytes(child(node, 'value'));
  return id && value && isKey(value) ? { keyId: fromBigEndian(id), publicKey: withoutPrefix(value) } : undefined;
}

function isKey(value: Uint8Array): boolean {
  return value.length === 32 || (value.length === 33 && value[0] === KEY_TYPE[0]);
}

function preKeyNode(preKey: PublicPreKey): Node {
  return {
    tag: 'key',
    attrs: {},
    content: [
      { tag: 'id', attrs: {}, content: bigEndian(preKey.keyId, 3) },
      { tag: 'value', attrs: {}, content: preKey.publicKey },
    ],
  };
}

function signedPreKeyNode(device: SignalDevice): Node {
  const { keyId, publicKey, signature } = device.signedPreKey;
  return {
    tag: 'skey',
    attrs: {},
    content: [
      { tag: 'id', attrs: {}, content: bigEndian(keyId, 3) },
      { tag: 'value', attrs: {}, content: publicKey },
      { tag: 'signature', attrs: {}, content: signature },
    ],
  };
}

function bigEndian(value: number, length: number): Uint8Array {
  const out = Buffer.alloc(length);
  out.writeUIntBE(value, 0, length);
  return Uint8Array.from(out);
}

function fromBigEndian(value: Uint8Array): number {
  return value.reduce((sum, byte) => sum * 256 + byte, 0);
}
