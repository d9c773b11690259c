import { bytes, isGroup, type Node } from '@ponte/engine';
import type { Account } from '../accounts.ts';
import { publicJid, tellContacts, tellOwnDevices } from '../announcements.ts';
import { nowSeconds } from '../clock.ts';
import { type Group, groupJid } from '../groups/groups.ts';
import { maySee } from '../privacy.ts';
import { hexId } from '../rng.ts';
import { el } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { badRequest, type IqAnswer, type IqHandler, IqRefusal, type IqRequest, notFound } from './iq-handler.ts';

/**
 * `<iq xmlns="w:profile:picture">`: pictures of people and groups (shapes: Baileys chats.js,
 * whatsmeow user.go and notification.go).
 */
export const pictureHandlers: IqHandler[] = [
  { xmlns: 'w:profile:picture', type: 'get', child: 'picture', answer: getPicture },
  { xmlns: 'w:profile:picture', type: 'set', child: 'picture', answer: setPicture },
  // Without a child: the picture is removed.
  { xmlns: 'w:profile:picture', type: 'set', child: '', answer: removePicture },
];

function getPicture({ tenant, from, iq, child }: IqRequest): IqAnswer {
  const target = iq.attrs.target ?? '';
  const group = tenant.groups.resolve(target);
  const account = tenant.accounts.resolve(target)?.account;
  if (group && tenant.groups.role(group.id, from.pn) === undefined) throw new IqRefusal(401, 'not-authorized');
  if (account && !maySee(tenant, from.pn, account.pn, 'profile', child)) throw new IqRefusal(401, 'not-authorized');
  const picture = tenant.pictures.of(group?.id ?? account?.pn ?? '');
  if (!picture) throw notFound();
  const { id, hash } = picture;
  if (child.attrs.id === id) return { content: [] };
  const path = tenant.pictures.pathOf(picture);
  const attrs = { id, type: child.attrs.type ?? 'image', url: tenant.media.urlOf(path), direct_path: path, hash };
  return { content: [el('picture', attrs)] };
}

function setPicture(request: IqRequest): IqAnswer {
  const { tenant, child } = request;
  const jpeg = bytes(child);
  if (!jpeg || jpeg.length === 0) return removePicture(request);
  const owner = ownerOf(request);
  const picture = tenant.pictures.set(owner.id, jpeg);
  if (!picture) throw new IqRefusal(406, 'not-acceptable');
  return { content: [el('picture', { id: picture.id })], afterwards: () => owner.tell('set', picture) };
}

function removePicture(request: IqRequest): IqAnswer {
  const owner = ownerOf(request);
  const isGone = request.tenant.pictures.remove(owner.id);
  return { content: [], afterwards: () => (isGone ? owner.tell('delete', undefined) : undefined) };
}

interface Owner {
  id: string;
  tell(change: 'set' | 'delete', picture: { id: string; hash: string } | undefined): void;
}

/** Whose picture the sender changes: their own, or that of a group in which they may. */
function ownerOf({ tenant, from, iq }: IqRequest): Owner {
  const target = iq.attrs.target;
  const me = tenant.accounts.byPn(from.pn);
  if (!me) throw notFound();
  if (isGroup(target)) return groupOwner(tenant, from, me, tenant.groups.resolve(target));
  if (target !== undefined && tenant.accounts.resolve(target)?.account.pn !== from.pn) throw badRequest();
  return {
    id: me.pn,
    tell(change, picture) {
      const jid = publicJid(me);
      tellContacts(tenant, me, 'picture', [el(change, { jid, author: jid, id: picture?.id, hash: picture?.hash })]);
      tellOwnDevices(tenant, from, [el('picture', { id: picture?.id })]);
    },
  };
}

function groupOwner(tenant: Tenant, from: Sender, me: Account, group: Group | undefined): Owner {
  const role = group && tenant.groups.role(group.id, from.pn);
  if (!group || role === undefined) throw notFound();
  if (group.isLocked && role === '') throw new IqRefusal(403, 'forbidden');
  return {
    id: group.id,
    tell(change, picture) {
      const jid = groupJid(group);
      const content: Node[] = [el(change, { jid, author: publicJid(me), id: picture?.id, hash: picture?.hash })];
      const attrs = { from: jid, id: hexId(tenant.rng, 8), t: String(nowSeconds(tenant.clock)), type: 'picture' };
      const node = el('notification', { ...attrs, participant: publicJid(me) }, content);
      const others = tenant.groups.devices(group.id).filter((d) => d.pn !== from.pn || d.device !== from.device);
      tenant.post(
        others
          .filter(({ pn, device }) => !tenant.delivery.isFull(pn, device))
          .map(({ pn, device }) => ({ pn, device, stanzaClass: 'notification' as const, sender: from.pn, node })),
      );
    },
  };
}
