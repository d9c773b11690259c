import { type AddressPair, asPair, formatJid, isLid, isPn, parseJid, personJid } from '@ponte/engine';
import { type LIDMapping, LIDMappingStore, type SignalKeyStoreWithTransaction, type SocketConfig } from '../baileys.ts';
import type { LidMap } from '../store/lid-map.ts';
import type { StoreGuard } from '../store/store-guard.ts';

/**
 * Our LID map as Baileys wants it. Baileys' own keeps an unbounded cache with a timer per entry,
 * and asks the network while it decrypts; this one is local, and a store that fails ends the
 * connection instead of making Baileys reject the message.
 */
export class GuardedLidMapping extends LIDMappingStore {
  readonly #map: LidMap;
  readonly #guard: StoreGuard;

  constructor(map: LidMap, guard: StoreGuard, keys: SignalKeyStoreWithTransaction, logger: SocketConfig['logger']) {
    super(keys, logger);
    this.#map = map;
    this.#guard = guard;
  }

  override async storeLIDPNMappings(pairs: LIDMapping[]): Promise<void> {
    const valid: AddressPair[] = pairs.flatMap(({ lid, pn }) => asPair(lid, pn) ?? []);
    await this.#guard.durable(() => this.#map.learn(valid));
  }

  override async getLIDForPN(pn: string): Promise<string | null> {
    return (await this.getLIDsForPNs([pn]))?.[0]?.lid ?? null;
  }

  override async getPNForLID(lid: string): Promise<string | null> {
    return (await this.getPNsForLIDs([lid]))?.[0]?.pn ?? null;
  }

  override async getLIDsForPNs(pns: string[]): Promise<LIDMapping[] | null> {
    const found: LIDMapping[] = [];
    for (const pn of pns) {
      const person = personJid(pn);
      const lid = isPn(person) ? await this.#guard.durable(() => this.#map.lidOf(person)) : undefined;
      if (lid !== undefined) found.push({ pn, lid: withDeviceOf(pn, lid) });
    }
    return found.length === 0 ? null : found;
  }

  override async getPNsForLIDs(lids: string[]): Promise<LIDMapping[] | null> {
    const found: LIDMapping[] = [];
    for (const lid of lids) {
      const person = personJid(lid);
      const pn = isLid(person) ? await this.#guard.durable(() => this.#map.pnOf(person)) : undefined;
      if (pn !== undefined) found.push({ lid, pn: withDeviceOf(lid, pn) });
    }
    return found.length === 0 ? null : found;
  }
}

/**
 * The same device of the same person under the other address; hosted devices keep their own server
 * (Baileys lid-mapping.js).
 */
function withDeviceOf(deviceJid: string, person: string): string {
  const device = parseJid(deviceJid);
  const parts = parseJid(person);
  if (!device || !parts) return person;
  const isHosted = device.server.startsWith('hosted');
  const server = !isHosted ? parts.server : parts.server === 'lid' ? 'hosted.lid' : 'hosted';
  return formatJid(parts.user, server, device.device);
}
