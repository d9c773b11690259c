import { bytes, child, childrenOf, type Node } from '@ponte/engine';
import type { RandomBytes } from '../../signal/curve.ts';
import { openFile, sealFile } from '../media/media-cipher.ts';
import type { DeviceLink, PhoneMedia, PhoneStore } from '../network.ts';
import { Collection } from './collection.ts';
import { AppStateError, type OpenMutation, type Setting } from './mutation.ts';
import { SyncKeys } from './sync-keys.ts';
import { type ExternalBlob, type SyncdMutation, type SyncdPatch, syncProto } from './sync-proto.ts';

export const COLLECTIONS = [
  'critical_block',
  'critical_unblock_low',
  'regular_high',
  'regular_low',
  'regular',
] as const;
export type CollectionName = (typeof COLLECTIONS)[number];

/** More mutations than this travel as a file, so that the patch stays small. */
const INLINE_MUTATIONS_MAX = 100;
const ATTEMPTS = 5;
const ROUNDS_MAX = 200;
const PROBLEMS_MAX = 20;

export interface AppStateParts {
  link: DeviceLink;
  store: PhoneStore;
  media: PhoneMedia;
  random: RandomBytes;
  nowMs: () => number;
  /** Called with changes by other devices. */
  changed: (mutations: OpenMutation[]) => void;
}

/** The server has a newer version: the patch was made on an old one. */
class Conflict extends Error {}

/**
 * The account's app state as this phone has it: pulled, verified (LTHash and all MACs) and changed
 * like any client does. Calls are done one after the other. Encoding of indexes and values follows
 * whatsmeow appstate/encode.go (Baileys' chat-utils.js agrees with it).
 */
export class AppState {
  readonly keys: SyncKeys;
  /** What others wrote and this phone refused, newest last. */
  readonly problems: { at: number; collection: string; reason: string }[] = [];
  readonly #parts: AppStateParts;
  readonly #collections: Record<CollectionName, Collection>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: AppStateParts) {
    this.#parts = parts;
    this.keys = new SyncKeys(parts.store, parts.random);
    const make = (name: CollectionName): [CollectionName, Collection] => [name, new Collection(parts.store, name)];
    this.#collections = Object.fromEntries(COLLECTIONS.map(make)) as Record<CollectionName, Collection>;
  }

  versions(): Record<string, number> {
    return Object.fromEntries(COLLECTIONS.map((name) => [name, this.#collections[name].version]));
  }

  /** Every setting of the account. */
  settings(): Setting[] {
    return COLLECTIONS.flatMap((name) => this.#collections[name].settings());
  }

  /** Gets what others changed. Never rejects for what they wrote: see `problems`. */
  pull(names: readonly CollectionName[]): Promise<void> {
    return this.#inOrder(async () => {
      for (const name of names) await this.#pull(name);
    });
  }

  /** Writes settings. Rejects when the server refuses five times in a row. */
  push(name: CollectionName, settings: Setting[]): Promise<void> {
    return this.#inOrder(async () => {
      for (let attempt = 1; ; attempt++) {
        await this.#pull(name);
        try {
          return await this.#push(name, settings);
        } catch (error) {
          if (!(error instanceof Conflict) || attempt >= ATTEMPTS) throw error;
        }
      }
    });
  }

  async #push(name: CollectionName, settings: Setting[]): Promise<void> {
    const collection = this.#collections[name];
    const { patch, commit } = collection.seal(this.keys.current(), settings, this.#parts.random);
    const content = [
      { tag: 'patch', attrs: {}, content: syncProto.SyncdPatch.encode(await this.#outsourced(patch)).finish() },
    ];
    const attrs = { name, version: String(collection.version), return_snapshot: 'false' };
    const answer = await this.#ask([{ tag: 'collection', attrs, content }]);
    const error = child(answer, 'error');
    if (error?.attrs.code === '409') throw new Conflict(`${name} has changed meanwhile`);
    if (error) throw new Error(`the server refused a patch of ${name}: ${error.attrs.code} ${error.attrs.text ?? ''}`);
    commit();
  }

  async #pull(name: CollectionName): Promise<void> {
    try {
      await this.#rounds(name, this.#collections[name].version === 0);
    } catch (error) {
      if (!(error instanceof AppStateError)) throw error;
      this.#note(name, error);
      // As WhatsApp does: what does not fit is asked for as a whole, once.
      await this.#rounds(name, true).catch((again: unknown) => {
        if (!(again instanceof AppStateError)) throw again;
        this.#note(name, again);
      });
    }
  }

  async #rounds(name: CollectionName, isFromScratch: boolean): Promise<void> {
    const collection = this.#collections[name];
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const isWhole = isFromScratch && round === 0;
      const version = String(isWhole ? 0 : collection.version);
      const attrs = { name, version, return_snapshot: String(isWhole) };
      const answer = await this.#ask([{ tag: 'collection', attrs }]);
      await this.#take(collection, answer, isWhole).catch((cause: unknown) => {
        if (cause instanceof AppStateError) throw cause;
        // Any fault a decoder found in a patch of another device.
        throw new AppStateError('malformed', cause instanceof Error ? cause.message : String(cause));
      });
      if (answer.attrs.has_more_patches !== 'true') return;
    }
  }

  async #take(collection: Collection, answer: Node, isWhole: boolean): Promise<void> {
    const keyOf = (id: Uint8Array) => this.keys.find(id);
    const reference = bytes(child(answer, 'snapshot'));
    if (reference) {
      const blob = await this.#external(syncProto.ExternalBlobReference.decode(reference));
      this.#parts.changed(collection.applySnapshot(keyOf, syncProto.SyncdSnapshot.decode(blob)));
    } else if (isWhole) collection.clear();
    for (const node of childrenOf(child(answer, 'patches'), 'patch')) {
      const patch = syncProto.SyncdPatch.decode(bytes(node) ?? new Uint8Array());
      const outside = patch.externalMutations && (await this.#external(patch.externalMutations));
      const mutations = [
        ...(patch.mutations ?? []),
        ...(outside ? (syncProto.SyncdMutations.decode(outside).mutations ?? []) : []),
      ];
      const version = Number(patch.version?.version ?? collection.version + 1);
      if (version <= collection.version) continue;
      this.#parts.changed(collection.applyPatch(keyOf, patch, version, mutations));
    }
  }

  async #ask(collections: Node[]): Promise<Node> {
    const { link } = this.#parts;
    const attrs = { to: '@s.whatsapp.net', type: 'set', xmlns: 'w:sync:app:state' };
    const answer = await link.query({ tag: 'iq', attrs, content: [{ tag: 'sync', attrs: {}, content: collections }] });
    const found = child(child(answer, 'sync'), 'collection');
    if (!found) throw new Error('the server answered without a collection');
    return found;
  }

  async #external(reference: ExternalBlob): Promise<Uint8Array> {
    const bytesThere = await this.#parts.media.download(reference.directPath ?? '');
    if (!bytesThere) throw new AppStateError('malformed', 'a file of app state is not to be had');
    return openFile(bytesThere, reference.mediaKey ?? new Uint8Array(), 'App State', reference);
  }

  async #outsourced(patch: SyncdPatch): Promise<SyncdPatch> {
    const mutations: SyncdMutation[] = patch.mutations ?? [];
    if (mutations.length <= INLINE_MUTATIONS_MAX) return patch;
    const externalMutations = await sealExternal(
      syncProto.SyncdMutations.encode({ mutations }).finish(),
      this.#parts.media,
      this.#parts.random,
    );
    return { ...patch, mutations: [], externalMutations };
  }

  #note(collection: string, error: AppStateError): void {
    this.problems.push({ at: this.#parts.nowMs(), collection, reason: `${error.reason}: ${error.message}` });
    if (this.problems.length > PROBLEMS_MAX) this.problems.shift();
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** Puts bytes of app state on the media host; answers what a patch or a query says of them. */
export async function sealExternal(plain: Uint8Array, media: PhoneMedia, random: RandomBytes): Promise<ExternalBlob> {
  const mediaKey = random(32);
  const { bytes: sealed, fileSha256, fileEncSha256 } = sealFile(plain, mediaKey, 'App State');
  const { directPath } = await media.upload('md-app-state', sealed);
  return { mediaKey, directPath, fileSizeBytes: plain.length, fileSha256, fileEncSha256 };
}
