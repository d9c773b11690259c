import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { childrenOf, type Node } from '@ponte/engine';
import { type AuthenticationCreds, extractSyncdPatches, hkdf, proto } from '../baileys.ts';
import { fieldsOf } from '../inbound/unknown-fields.ts';
import { forgetContactSalt, hasContactSalt, keepContactSalt } from '../outbound/cold-contacts.ts';
import type { KeyVault } from '../store/key-vault.ts';

/** Where the phone keeps it, and under which name (whatsapp-rust, zapo: `nct_salt_sync`). */
const COLLECTION = 'regular_high';
const INDEX = '["nct_salt_sync"]';
/** SyncActionData.value; its nctSaltSyncAction, newer than the library; the salt of that. */
const PATH = [2, 80, 1] as const;
const MAC_BYTES = 32;
const IV_BYTES = 16;
/** The collection changes with every muted chat; the salt hardly ever. */
const AGAIN_MS = 60 * 60_000;

export interface ContactSaltParts {
  creds: AuthenticationCreds;
  vault: KeyVault;
  /** For files of app state on the media hosts, as Baileys has it. */
  mediaOptions: RequestInit;
  query(node: Node): Promise<Node>;
  nowMs(): number;
}

/**
 * The salt of tokens for strangers, from the phone's app state: history brings it once, at the
 * pairing, and some accounts get it later, or another one. Baileys reads the collection as well,
 * but does not know the setting.
 */
export class ContactSalt {
  readonly #parts: ContactSaltParts;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ContactSaltParts) {
    this.#parts = parts;
  }

  /** Reads it when none is known. Rejects when WhatsApp does not answer. */
  async ensure(): Promise<void> {
    if (!(await hasContactSalt(this.#parts.vault))) await this.#read();
  }

  /** The phone changed settings: reads it again when they may be these, once an hour at most. */
  async changed(notification: Node): Promise<void> {
    const { type } = notification.attrs;
    const names = childrenOf(notification, 'collection').map(({ attrs }) => attrs.name);
    if (type !== 'server_sync' || !names.includes(COLLECTION)) return;
    if (this.#parts.nowMs() - this.#readAt >= AGAIN_MS) await this.#read();
  }

  async #read(): Promise<void> {
    const { creds, query, mediaOptions, nowMs, vault } = this.#parts;
    if (!creds.myAppStateKeyId) return;
    this.#readAt = nowMs();
    const collection = { tag: 'collection', attrs: { name: COLLECTION, version: '0', return_snapshot: 'true' } };
    const attrs = { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:sync:app:state' };
    const answer = await query({ tag: 'iq', attrs, content: [{ tag: 'sync', attrs: {}, content: [collection] }] });
    const { snapshot, patches = [] } = (await extractSyncdPatches(answer, mediaOptions))[COLLECTION] ?? {};
    const mutations: proto.ISyncdMutation[] = (snapshot?.records ?? []).map((record) => ({ record }));
    for (const patch of patches) mutations.push(...(patch.mutations ?? []));
    for (const { operation, record } of mutations) {
      const keys = await this.#keysOf(record);
      if (!record || !keys || !isSame(record.index?.blob, hmac('sha256', keys.index, Buffer.from(INDEX)))) continue;
      if (operation === proto.SyncdMutation.SyncdOperation.REMOVE) await forgetContactSalt(vault);
      else await keepContactSalt(vault, open(record, keys) ?? new Uint8Array());
    }
  }

  async #keysOf(record: proto.ISyncdRecord | null | undefined): Promise<Keys | undefined> {
    const id = record?.keyId?.id;
    if (!id) return undefined;
    const name = Buffer.from(id).toString('base64');
    const stored = (await this.#parts.vault.get('app-state-sync-key', [name]))[name];
    const data = stored instanceof proto.Message.AppStateSyncKeyData ? stored.keyData : undefined;
    if (!data) return undefined;
    // As of every mutation (whatsmeow appstate/keys.go).
    const all = hkdf(data, 160, { info: 'WhatsApp Mutation Keys' });
    return { index: all.subarray(0, 32), cipher: all.subarray(32, 64), mac: all.subarray(64, 96) };
  }
}

interface Keys {
  index: Uint8Array;
  cipher: Uint8Array;
  mac: Uint8Array;
}

/** The salt of a record that is what its MAC says (whatsmeow appstate/hash.go); else undefined. */
function open({ value, keyId }: proto.ISyncdRecord, keys: Keys): Uint8Array | undefined {
  const blob = value?.blob;
  const id = keyId?.id;
  if (!blob || !id || blob.length < MAC_BYTES + 2 * IV_BYTES) return undefined;
  const sealed = blob.subarray(0, -MAC_BYTES);
  const length = Buffer.alloc(8);
  length[7] = id.length + 1;
  const mac = hmac('sha512', keys.mac, Uint8Array.of(1), id, sealed, length).subarray(0, MAC_BYTES);
  if (!isSame(blob.subarray(-MAC_BYTES), mac)) return undefined;
  const decipher = createDecipheriv('aes-256-cbc', keys.cipher, sealed.subarray(0, IV_BYTES));
  let plain: Uint8Array = Buffer.concat([decipher.update(sealed.subarray(IV_BYTES)), decipher.final()]);
  for (const number of PATH) {
    const field = fieldsOf(plain).findLast((one) => one.number === number);
    if (!field) return undefined;
    plain = field.content;
  }
  return plain;
}

function hmac(kind: string, key: Uint8Array, ...parts: Uint8Array[]): Buffer {
  const made = createHmac(kind, key);
  for (const part of parts) made.update(part);
  return made.digest();
}

const isSame = (one: Uint8Array | null | undefined, other: Uint8Array): boolean =>
  one?.length === other.length && timingSafeEqual(one, other);
