import { createHash } from 'node:crypto';
import { bytes, child, childrenOf, type Node } from '@ponte/engine';
import { type Device, deviceJid } from '../accounts.ts';
import { announceIdentity } from '../companions.ts';
import type { PreKey } from '../prekeys.ts';
import { atomically } from '../shared-commit.ts';
import { bigEndian, el, readBigEndian } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { badRequest, type IqAnswer, type IqHandler, type IqRequest, notFound } from './iq-handler.ts';

/**
 * Below this many one-time keys a device is asked for more (Baileys uploads under 5,
 * `MIN_PREKEY_COUNT`).
 */
const PREKEYS_LOW = 5;
const KEYS_PER_FETCH_MAX = 3000;
const KEY_TYPE = Uint8Array.of(5);

/**
 * `<iq xmlns="encrypt">`: a device's public keys, up and down (shapes: Baileys socket.js,
 * Utils/signal.js; whatsmeow prekeys.go).
 */
export const encryptHandlers: IqHandler[] = [
  {
    xmlns: 'encrypt',
    type: 'get',
    child: 'count',
    answer: ({ tenant, from }) => ({
      content: [el('count', { value: String(tenant.preKeys.count(from.pn, from.device)) })],
    }),
  },
  { xmlns: 'encrypt', type: 'get', child: 'digest', answer: digest },
  { xmlns: 'encrypt', type: 'set', child: 'registration', answer: upload },
  { xmlns: 'encrypt', type: 'set', child: 'identity', answer: upload },
  { xmlns: 'encrypt', type: 'set', child: 'list', answer: upload },
  { xmlns: 'encrypt', type: 'set', child: 'rotate', answer: rotate },
  { xmlns: 'encrypt', type: 'get', child: 'key', answer: fetchKeys },
];

function upload({ tenant, from, iq }: IqRequest): IqAnswer {
  const device = ownDevice(tenant, from);
  const identity = key32(bytes(child(iq, 'identity'))) ?? device.identity;
  const registrationId = readBigEndian(bytes(child(iq, 'registration'))) ?? device.registrationId;
  const signed = signedPreKey(child(iq, 'skey')) ?? device.signedPreKey;
  if (!identity || registrationId === undefined || !signed) throw badRequest();
  if (device.identity && !same(device.identity, identity)) throw badRequest();
  const keys = childrenOf(child(iq, 'list'), 'key').map(readPreKey);
  atomically(tenant.db, () => {
    tenant.accounts.saveDevice({ ...device, identity, registrationId, signedPreKey: signed });
    tenant.preKeys.add(from.pn, from.device, keys);
  });
  // A phone that uploads its first keys may be a number that came back: accounts that knew the old
  // one must forget its sessions.
  const isNewPhone = from.device === 0 && device.identity === undefined;
  return isNewPhone ? { afterwards: () => announceIdentity(tenant, from.pn) } : {};
}

function rotate({ tenant, from, child: rotateNode }: IqRequest): { content?: Node[] } {
  const signed = signedPreKey(child(rotateNode, 'skey'));
  if (!signed) throw badRequest();
  tenant.accounts.saveDevice({ ...ownDevice(tenant, from), signedPreKey: signed });
  return {};
}

function digest({ tenant, from }: IqRequest): { content: Node[] } {
  const device = ownDevice(tenant, from);
  const { identity, signedPreKey: signed, registrationId } = device;
  if (!identity || !signed || registrationId === undefined) throw notFound();
  const ids = tenant.preKeys.ids(from.pn, from.device);
  const hash = createHash('sha1').update(identity).update(signed.key).update(signed.signature);
  return {
    content: [
      el('digest', {}, [
        el('registration', {}, bigEndian(registrationId, 4)),
        el('type', {}, KEY_TYPE),
        el('identity', {}, identity),
        skeyNode(signed),
        el(
          'list',
          {},
          ids.map((id) => el('id', {}, bigEndian(id, 3))),
        ),
        el('hash', {}, hash.digest()),
      ]),
    ],
  };
}

function fetchKeys({ tenant, from, child: keyNode }: IqRequest): { content: Node[]; afterwards: () => void } {
  const wanted = childrenOf(keyNode, 'user');
  if (wanted.length === 0 || wanted.length > KEYS_PER_FETCH_MAX) throw badRequest();
  const low = new Map<string, Device>();
  const users = atomically(tenant.db, () =>
    wanted.map((user) =>
      bundle(tenant, from, user.attrs.jid ?? '', (device) => low.set(`${device.pn}:${device.id}`, device)),
    ),
  );
  return {
    content: [el('list', {}, users)],
    afterwards: () => {
      for (const device of low.values()) askForPreKeys(tenant, device);
    },
  };
}

function bundle(tenant: Tenant, from: Sender, jid: string, isLow: (device: Device) => void): Node {
  const address = tenant.accounts.resolve(jid);
  const device = address && tenant.accounts.device(address.account.pn, address.device);
  if (!address || !device?.identity || !device.signedPreKey || device.registrationId === undefined) {
    return el('user', { jid }, [el('error', { code: '404', text: 'item-not-found' })]);
  }
  const oneTime = tenant.preKeys.take(device.pn, device.id);
  if (tenant.preKeys.count(device.pn, device.id) < PREKEYS_LOW) isLow(device);
  const isForged =
    from.lineId !== undefined && from.pn !== device.pn && tenant.faults(from.lineId).takeHostile('bad_signed_prekey');
  const content = [
    el('registration', {}, bigEndian(device.registrationId, 4)),
    el('type', {}, KEY_TYPE),
    el('identity', {}, device.identity),
    skeyNode(isForged ? { ...device.signedPreKey, signature: tenant.rng.bytes(64) } : device.signedPreKey),
  ];
  if (oneTime) content.push(el('key', {}, [el('id', {}, bigEndian(oneTime.id, 3)), el('value', {}, oneTime.key)]));
  if (device.advIdentity) content.push(el('device-identity', {}, device.advIdentity));
  return el('user', { jid: deviceJid(address.account, device.id, address.mode) }, content);
}

/** `<notification type="encrypt"><count/>`: one at a time per device. */
function askForPreKeys(tenant: Tenant, device: Device): void {
  const isAsk = (node: Node): boolean => node.attrs.type === 'encrypt' && child(node, 'count') !== undefined;
  if (tenant.queue.hasNotification(device.pn, device.id, isAsk)) return;
  const left = String(tenant.preKeys.count(device.pn, device.id));
  tenant.post([tenant.notification({ pn: device.pn, device: device.id }, 'encrypt', [el('count', { value: left })])]);
}

function ownDevice(tenant: Tenant, from: Sender): Device {
  const device = tenant.accounts.device(from.pn, from.device);
  if (!device) throw notFound();
  return device;
}

function skeyNode(signed: { id: number; key: Uint8Array; signature: Uint8Array }): Node {
  return el('skey', {}, [
    el('id', {}, bigEndian(signed.id, 3)),
    el('value', {}, signed.key),
    el('signature', {}, signed.signature),
  ]);
}

function signedPreKey(node: Node | undefined): Device['signedPreKey'] {
  const id = readBigEndian(bytes(child(node, 'id')));
  const key = key32(bytes(child(node, 'value')));
  const signature = bytes(child(node, 'signature'));
  return id !== undefined && key && signature?.length === 64 ? { id, key, signature } : undefined;
}

function readPreKey(node: Node): PreKey {
  const id = readBigEndian(bytes(child(node, 'id')));
  const key = key32(bytes(child(node, 'value')));
  if (id === undefined || !key) throw badRequest();
  return { id, key };
}

// Clients send the bare 32 bytes; the prefixed form some libraries hold is accepted too.
function key32(key: Uint8Array | undefined): Uint8Array | undefined {
  if (key?.length === 33 && key[0] === 5) return key.subarray(1);
  return key?.length === 32 ? key : undefined;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
