import { bytes, child, type Node } from '@ponte/engine';
import type { Parcel } from '../delivery.ts';
import { ackOf, COPY_MAX_BYTES, type MessageOutcome, refuse } from '../message-parts.ts';
import { el } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { type Channel, channelJid, type Post } from './channels.ts';

/**
 * Takes a post of a channel's owner (`<plaintext>`, not encrypted) or any account's reaction to one
 * (`<reaction code>`, Baileys newsletter.js). A post goes to every follower's devices and the
 * owner's other ones; its ack carries the `server_id` (whatsmeow newsletter.go). Refusals are acks
 * with `error`: 404 no such channel or post, 403 for all but the owner.
 */
export function routePost(tenant: Tenant, from: Sender, message: Node): MessageOutcome {
  const channel = tenant.channels.resolve(message.attrs.to);
  if (!channel || !message.attrs.id) return refuse(message, 404, 'no such channel');
  const reaction = child(message, 'reaction');
  if (reaction) return react(tenant, from, channel, message, reaction.attrs.code ?? '');
  const plaintext = child(message, 'plaintext');
  const body = bytes(plaintext);
  if (channel.owner !== from.pn) return refuse(message, 403, 'only the owner posts to a channel');
  if (!plaintext || !body || body.length > COPY_MAX_BYTES) return refuse(message, 400, 'a post without content');
  const type = message.attrs.type ?? 'text';
  const serverId = String(tenant.channels.post(channel.id, { messageId: message.attrs.id, type, body }));
  const { id, t = '' } = message.attrs;
  const attrs = { id, from: channelJid(channel), server_id: serverId, type, t };
  const node = el('message', attrs, [plaintext]);
  const ack = ackOf(message, {});
  return {
    ack: { ...ack, attrs: { ...ack.attrs, server_id: serverId } },
    parcels: parcelsFor(tenant, from, channel, node),
    note: undefined,
  };
}

/** A post as lists of posts show it. */
export function postNode(post: Post): Node {
  const attrs = { id: post.messageId, server_id: String(post.serverId), type: post.type, t: String(post.postedAt) };
  const counts = post.reactions.map(({ code, count }) => el('reaction', { code, count: String(count) }));
  return el('message', attrs, [
    el('plaintext', {}, post.body),
    el('views_count', { count: '0' }),
    ...(counts.length > 0 ? [el('reactions', {}, counts)] : []),
  ]);
}

function react(tenant: Tenant, from: Sender, channel: Channel, message: Node, code: string): MessageOutcome {
  const serverId = Number(message.attrs.server_id);
  const [post] = tenant.channels.posts(channel.id, serverId + 1, 1);
  if (post?.serverId !== serverId) return refuse(message, 404, 'no such post');
  tenant.channels.react(channel.id, serverId, from.pn, code);
  return { ack: ackOf(message, {}), parcels: [], note: undefined };
}

function parcelsFor(tenant: Tenant, from: Sender, channel: Channel, node: Node): Parcel[] {
  const readers = new Set([channel.owner, ...tenant.channels.followers(channel.id)]);
  return [...readers].flatMap((pn) =>
    tenant.accounts
      .devices(pn)
      .filter(({ id, identity }) => identity !== undefined && !(pn === from.pn && id === from.device))
      .filter(({ id }) => !tenant.delivery.isFull(pn, id))
      .map(({ id }) => ({ pn, device: id, stanzaClass: 'message' as const, sender: from.pn, node })),
  );
}
