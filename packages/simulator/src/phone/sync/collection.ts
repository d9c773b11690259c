import type { RandomBytes } from '../../signal/curve.ts';
import type { PhoneStore } from '../network.ts';
import { changedHash, emptyHash } from './lt-hash.ts';
import {
  AppStateError,
  found,
  type KeyFinder,
  OPERATION,
  type OpenMutation,
  openMutation,
  patchMac,
  type Setting,
  type SyncKey,
  same,
  sealMutation,
  snapshotMac,
} from './mutation.ts';
import { type SyncdMutation, type SyncdPatch, type SyncdSnapshot, syncProto } from './sync-proto.ts';

interface StoredRecord {
  /** SyncActionData, base64. */
  data: string;
  valueMac: string;
}

/**
 * One collection of app state as this phone knows it: version, hash and records, all in the store.
 * Nothing is taken over before every MAC fits: after an AppStateError nothing has changed.
 */
export class Collection {
  readonly name: string;
  readonly #store: PhoneStore;

  constructor(store: PhoneStore, name: string) {
    this.#store = store;
    this.name = name;
  }

  get version(): number {
    return this.#state().version;
  }

  /** Every setting that is there. */
  settings(): Setting[] {
    return this.#store.list(this.#kind).map(({ value }) => {
      const { data } = parsed(value);
      const { index, value: action, version } = syncProto.SyncActionData.decode(Buffer.from(data, 'base64'));
      const names: string[] = JSON.parse(Buffer.from(index ?? []).toString('utf8'));
      return { index: names, action: action ?? {}, version: version ?? 0 };
    });
  }

  /**
   * Applies another device's patch; `mutations` are those of its external file when it has one.
   * Throws AppStateError.
   */
  applyPatch(keyOf: KeyFinder, patch: SyncdPatch, version: number, mutations: SyncdMutation[]): OpenMutation[] {
    const before = this.#state();
    if (version !== before.version + 1) {
      throw new AppStateError('malformed', `patch ${version} of ${this.name} does not follow ${before.version}`);
    }
    const key = found(keyOf, patch.keyId?.id);
    const opened = mutations.map((mutation) => openMutation(keyOf, mutation));
    const macs = opened.map(({ valueMac }) => valueMac);
    const claimed = patch.snapshotMac ?? new Uint8Array();
    if (!same(patch.patchMac, patchMac(key, this.name, version, claimed, macs))) {
      throw new AppStateError('bad_patch_mac', `patch ${version} of ${this.name} has a wrong MAC`);
    }
    this.#store.transaction(() => {
      const hash = this.#write(before.hash, opened);
      this.#check(key, version, hash, claimed);
      this.#save(version, hash);
    });
    return opened;
  }

  /** Begins anew with a snapshot. Throws AppStateError. */
  applySnapshot(keyOf: KeyFinder, snapshot: SyncdSnapshot): OpenMutation[] {
    const version = Number(snapshot.version?.version ?? 0);
    const key = found(keyOf, snapshot.keyId?.id);
    const opened = (snapshot.records ?? []).map((record) => openMutation(keyOf, { operation: OPERATION.set, record }));
    this.#store.transaction(() => {
      for (const { id } of this.#store.list(this.#kind)) this.#store.set(this.#kind, id, null);
      const hash = this.#write(emptyHash(), opened);
      this.#check(key, version, hash, snapshot.mac ?? new Uint8Array());
      this.#save(version, hash);
    });
    return opened;
  }

  /** Forgets everything: all patches will come again. */
  clear(): void {
    this.#store.transaction(() => {
      for (const { id } of this.#store.list(this.#kind)) this.#store.set(this.#kind, id, null);
      this.#store.set('sync-state', this.name, null);
    });
  }

  /**
   * A patch with these settings on top of what is here; `commit` takes it over once the server has
   * it.
   */
  seal(key: SyncKey, settings: Setting[], random: RandomBytes): { patch: SyncdPatch; commit: () => void } {
    const version = this.version + 1;
    const sealed = settings.map((setting) => sealMutation(key, setting, random));
    const opened = sealed.map(({ macs }, i): OpenMutation => {
      const setting = settings[i] as Setting;
      return { ...setting, indexMac: macs.index, valueMac: macs.value };
    });
    // The same arithmetic as commit(), without keeping it.
    const hash = this.#hashAfter(opened);
    const snapshot = snapshotMac(key, this.name, version, hash);
    const patch: SyncdPatch = {
      mutations: sealed.map(({ operation, record }) => ({ operation, record })),
      snapshotMac: snapshot,
      patchMac: patchMac(
        key,
        this.name,
        version,
        snapshot,
        sealed.map(({ macs }) => macs.value),
      ),
      keyId: { id: key.id },
      deviceIndex: 0,
    };
    const commit = (): void => {
      this.#store.transaction(() => this.#save(version, this.#write(this.#state().hash, opened)));
    };
    return { patch, commit };
  }

  get #kind(): string {
    return `sync ${this.name}`;
  }

  #hashAfter(opened: OpenMutation[]): Uint8Array {
    const known = new Map<string, Uint8Array | undefined>();
    const removed: Uint8Array[] = [];
    const added: Uint8Array[] = [];
    for (const { indexMac, valueMac, action } of opened) {
      const id = Buffer.from(indexMac).toString('hex');
      const before = known.has(id) ? known.get(id) : this.#valueMac(id);
      if (before) removed.push(before);
      if (action) added.push(valueMac);
      known.set(id, action ? valueMac : undefined);
    }
    return changedHash(this.#state().hash, { removed, added });
  }

  #write(hash: Uint8Array, opened: OpenMutation[]): Uint8Array {
    const removed: Uint8Array[] = [];
    const added: Uint8Array[] = [];
    for (const { indexMac, valueMac, index, action, version } of opened) {
      const id = Buffer.from(indexMac).toString('hex');
      const before = this.#valueMac(id);
      if (before) removed.push(before);
      if (action) added.push(valueMac);
      const data = { index: Buffer.from(JSON.stringify(index)), value: action ?? {}, version };
      const stored: StoredRecord = {
        data: Buffer.from(syncProto.SyncActionData.encode(data).finish()).toString('base64'),
        valueMac: Buffer.from(valueMac).toString('base64'),
      };
      this.#store.set(this.#kind, id, action ? new TextEncoder().encode(JSON.stringify(stored)) : null);
    }
    return changedHash(hash, { removed, added });
  }

  #valueMac(id: string): Uint8Array | undefined {
    const stored = this.#store.get(this.#kind, id);
    return stored && Buffer.from(parsed(stored).valueMac, 'base64');
  }

  #check(key: SyncKey, version: number, hash: Uint8Array, claimed: Uint8Array): void {
    if (same(claimed, snapshotMac(key, this.name, version, hash))) return;
    throw new AppStateError('bad_snapshot_mac', `the hash of ${this.name} at version ${version} does not fit its MAC`);
  }

  #state(): { version: number; hash: Uint8Array } {
    const stored = this.#store.get('sync-state', this.name);
    if (!stored) return { version: 0, hash: emptyHash() };
    return { version: Buffer.from(stored).readUInt32BE(), hash: Uint8Array.from(stored.subarray(4)) };
  }

  #save(version: number, hash: Uint8Array): void {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(version);
    this.#store.set('sync-state', this.name, Buffer.concat([head, hash]));
  }
}

function parsed(stored: Uint8Array): StoredRecord {
  return JSON.parse(new TextDecoder().decode(stored)) as StoredRecord;
}
