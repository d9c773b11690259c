import { bytes, child, childrenOf, formatJid, type Node, SERVER_PN } from '@ponte/engine';
import { openFile } from '../../phone/media/media-cipher.ts';
import { sealExternal } from '../../phone/sync/app-state.ts';
import { type SyncdMutation, type SyncdPatch, syncProto } from '../../phone/sync/sync-proto.ts';
import { el } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { badRequest, type IqAnswer, type IqHandler, type IqRequest } from './iq-handler.ts';

const NAMES = new Set(['critical_block', 'critical_unblock_low', 'regular_high', 'regular_low', 'regular']);
const PATCHES_PER_ANSWER = 50;
/**
 * A device that begins gets so many patches as they are; with more, what they come to is a file on
 * the media host (a snapshot). WhatsApp itself answers `return_snapshot` with a snapshot at once;
 * the short way spares small worlds the media host.
 */
const PATCHES_INSTEAD_OF_SNAPSHOT = 20;
const PATCH_MAX_BYTES = 512 * 1024;
const MUTATIONS_MAX = 10_000;

/** `<iq xmlns="w:sync:app:state">` (shapes: whatsmeow appstate.go, Baileys chats.js). */
export const appStateHandlers: IqHandler[] = [{ xmlns: 'w:sync:app:state', type: 'set', child: 'sync', answer: sync }];

async function sync({ tenant, from, child: syncNode }: IqRequest): Promise<IqAnswer> {
  const wanted = childrenOf(syncNode, 'collection');
  if (wanted.length === 0 || wanted.length > NAMES.size || wanted.some(({ attrs }) => !NAMES.has(attrs.name ?? ''))) {
    throw badRequest();
  }
  const changed: { name: string; version: number }[] = [];
  const answers: Node[] = [];
  for (const collection of wanted) answers.push(await answerFor(tenant, from, collection, changed));
  return {
    content: [el('sync', {}, answers)],
    afterwards: () => changed.length > 0 && tellDevices(tenant, from, changed),
  };
}

async function answerFor(
  tenant: Tenant,
  from: Sender,
  collection: Node,
  changed: { name: string; version: number }[],
): Promise<Node> {
  const { name = '', version: since = '0', return_snapshot: isWhole } = collection.attrs;
  const version = Number(since);
  if (!Number.isSafeInteger(version) || version < 0) throw badRequest();
  const patch = child(collection, 'patch') ?? child(child(collection, 'patches'), 'patch');
  if (!patch)
    return isWhole === 'true'
      ? await fromScratch(tenant, from.pn, name)
      : await missing(tenant, from.pn, name, version);
  const decoded = decodePatch(bytes(patch));
  const mutations = await mutationsOf(tenant, decoded);
  // From here on nothing waits: what is decided is stored.
  const current = tenant.appStates.version(from.pn, name);
  if (version !== current) {
    const answer = await missing(tenant, from.pn, name, version);
    const error = el('error', { code: '409', text: 'conflict' });
    return { ...answer, attrs: { ...answer.attrs, type: 'error' }, content: [error, ...contentOf(answer)] };
  }
  if (tenant.appStates.isFull(from.pn, name))
    return el('collection', { name, type: 'error' }, [el('error', { code: '400', text: 'bad-request' })]);
  const now = tenant.appStates.append(from.pn, name, decoded, mutations);
  changed.push({ name, version: now });
  return el('collection', { name, version: String(now) });
}

async function fromScratch(tenant: Tenant, pn: string, name: string): Promise<Node> {
  const version = tenant.appStates.version(pn, name);
  const patches = tenant.appStates.patchesAfter(pn, name, 0, PATCHES_INSTEAD_OF_SNAPSHOT + 1);
  if (patches && patches.length <= PATCHES_INSTEAD_OF_SNAPSHOT) return patchesNode(name, 0, version, patches);
  return snapshotNode(tenant, pn, name);
}

async function missing(tenant: Tenant, pn: string, name: string, since: number): Promise<Node> {
  const patches = tenant.appStates.patchesAfter(pn, name, since, PATCHES_PER_ANSWER);
  if (!patches) return snapshotNode(tenant, pn, name);
  return patchesNode(name, since, tenant.appStates.version(pn, name), patches);
}

function patchesNode(
  name: string,
  since: number,
  version: number,
  patches: { version: number; patch: Uint8Array }[],
): Node {
  const last = patches.at(-1)?.version ?? version;
  const hasMore = last < version ? { has_more_patches: 'true' } : {};
  const list = patches.map(({ patch }) => el('patch', {}, patch));
  // Baileys counts patches without a version of their own from here.
  const attrs = { name, version: String(patches.length > 0 ? since : version), ...hasMore };
  return el('collection', attrs, list.length > 0 ? [el('patches', {}, list)] : []);
}

async function snapshotNode(tenant: Tenant, pn: string, name: string): Promise<Node> {
  const snapshot = tenant.appStates.snapshot(pn, name);
  if (!snapshot) return el('collection', { name, version: '0' }, []);
  const plain = syncProto.SyncdSnapshot.encode(snapshot).finish();
  const reference = await sealExternal(plain, tenant.media, (length) => tenant.rng.bytes(length));
  const version = String(Number(snapshot.version?.version ?? 0));
  return el('collection', { name, version }, [
    el('snapshot', {}, syncProto.ExternalBlobReference.encode(reference).finish()),
  ]);
}

function decodePatch(patch: Uint8Array | undefined): SyncdPatch {
  if (!patch || patch.length > PATCH_MAX_BYTES) throw badRequest();
  try {
    return syncProto.SyncdPatch.decode(patch);
  } catch {
    // Whatever the decoder found wrong: the answer is the same.
    throw badRequest();
  }
}

async function mutationsOf(tenant: Tenant, patch: SyncdPatch): Promise<SyncdMutation[]> {
  const own = patch.mutations ?? [];
  const reference = patch.externalMutations;
  const outside = reference?.directPath ? await tenant.media.download(reference.directPath) : undefined;
  if (reference && !outside) throw badRequest();
  const file =
    reference && outside && openFile(outside, reference.mediaKey ?? new Uint8Array(), 'App State', reference);
  const all = [...own, ...(file ? (syncProto.SyncdMutations.decode(file).mutations ?? []) : [])];
  if (all.length > MUTATIONS_MAX || !patch.snapshotMac || !patch.keyId?.id) throw badRequest();
  return all;
}

/** `<notification type="server_sync">` to the account's other devices: they pull. */
function tellDevices(tenant: Tenant, from: Sender, changed: { name: string; version: number }[]): void {
  const content = changed.map(({ name, version }) => el('collection', { name, version: String(version) }));
  const attrs = { from: formatJid(from.pn, SERVER_PN) };
  const others = tenant.accounts
    .devices(from.pn)
    .filter(({ id, identity }) => id !== from.device && identity !== undefined);
  tenant.post(
    others
      .filter(({ pn, id }) => !tenant.delivery.isFull(pn, id))
      .map(({ pn, id }) => ({ ...tenant.notification({ pn, device: id }, 'server_sync', content, attrs), sender: pn })),
  );
}

function contentOf(node: Node): Node[] {
  return Array.isArray(node.content) ? node.content : [];
}
