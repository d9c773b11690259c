import type { RandomBytes } from '../../signal/curve.ts';
import type { PhoneStore } from '../network.ts';
import type { Message } from '../wa-proto.ts';
import { PROTOCOL } from '../wa-proto.ts';
import type { SyncKey } from './mutation.ts';

const KIND = 'sync-key';
/** Old ones stay: records that were written with them are still there. */
const KEYS_MAX = 50;

/** The keys of app state: made by the phone, shared with its companions, the newest one writes. */
export class SyncKeys {
  readonly #store: PhoneStore;
  readonly #random: RandomBytes;

  constructor(store: PhoneStore, random: RandomBytes) {
    this.#store = store;
    this.#random = random;
  }

  /** Oldest first. */
  all(): SyncKey[] {
    const stored = this.#store.list(KIND).sort((a, b) => (a.id < b.id ? -1 : 1));
    return stored.map(({ id, value }) => ({ id: idOf(Number.parseInt(id, 16)), data: Uint8Array.from(value) }));
  }

  /** The key that writes; made when there is none. */
  current(): SyncKey {
    return this.all().at(-1) ?? this.rotate();
  }

  /** Makes a new key; what was written with the old ones stays readable. */
  rotate(): SyncKey {
    const known = this.#store.list(KIND).map(({ id }) => Number.parseInt(id, 16));
    const epoch = Math.max(0, ...known) + 1;
    const data = this.#random(32);
    this.#store.set(KIND, hexOf(epoch), data);
    const oldest = known.length >= KEYS_MAX ? Math.min(...known) : undefined;
    if (oldest !== undefined) this.#store.set(KIND, hexOf(oldest), null);
    return { id: idOf(epoch), data };
  }

  find(id: Uint8Array): SyncKey | undefined {
    if (id.length !== 6) return undefined;
    const data = this.#store.get(KIND, hexOf(Buffer.from(id).readUInt32BE(2)));
    return data && { id: Uint8Array.from(id), data: Uint8Array.from(data) };
  }

  /**
   * The message that gives companions keys (shape: whatsmeow appStateSyncKeyShare, Baileys
   * process-message.js).
   */
  share(keys: SyncKey[], nowMs: number): Message {
    return {
      protocolMessage: {
        type: PROTOCOL.appStateSyncKeyShare,
        appStateSyncKeyShare: {
          keys: keys.map(({ id, data }) => ({
            keyId: { keyId: id },
            keyData: {
              keyData: data,
              fingerprint: { rawId: 0, currentIndex: 0, deviceIndexes: [0] },
              timestamp: nowMs,
            },
          })),
        },
      },
    };
  }
}

// Two bytes of the device that made it (the phone: 0), four that count.
function idOf(epoch: number): Uint8Array {
  const out = Buffer.alloc(6);
  out.writeUInt32BE(epoch, 2);
  return Uint8Array.from(out);
}

function hexOf(epoch: number): string {
  return epoch.toString(16).padStart(8, '0');
}
