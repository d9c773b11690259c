import { type Channel, channelJid } from '../channels/channels.ts';
import { postNode } from '../channels/posts.ts';
import { nowSeconds } from '../clock.ts';
import { el } from '../stanzas.ts';
import { type IqAnswer, type IqHandler, type IqRequest, notFound } from './iq-handler.ts';

const POSTS_PER_ANSWER_MAX = 100;
/** How long a subscription to live updates lasts, as WhatsApp says it. */
const LIVE_UPDATES_S = '300';

/**
 * `<iq xmlns="newsletter">`: posts of a channel (shapes: whatsmeow newsletter.go, Baileys
 * newsletter.js).
 */
export const channelHandlers: IqHandler[] = [
  { xmlns: 'newsletter', type: 'get', child: 'messages', answer: (request) => posts(request, request.child.attrs.jid) },
  { xmlns: 'newsletter', type: 'get', child: 'message_updates', answer: updates },
  { xmlns: 'newsletter', type: 'set', child: 'live_updates', answer: liveUpdates },
];

function posts(request: IqRequest, jid: string | undefined): IqAnswer {
  const channel = known(request, jid ?? request.iq.attrs.to);
  return { content: [list(request, channel)], from: channelJid(channel) };
}

function updates(request: IqRequest): IqAnswer {
  const channel = known(request, request.iq.attrs.to);
  return { content: [el('message_updates', {}, [list(request, channel)])], from: channelJid(channel) };
}

// Updates are delivered as posts in any case here: the answer only keeps clients content.
function liveUpdates(request: IqRequest): IqAnswer {
  const channel = known(request, request.iq.attrs.to);
  return { content: [el('live_updates', { duration: LIVE_UPDATES_S })], from: channelJid(channel) };
}

function list({ tenant, child }: IqRequest, channel: Channel) {
  const { count = '50', before, after, since } = child.attrs;
  const limit = Math.min(POSTS_PER_ANSWER_MAX, Math.max(1, Number(count) || 1));
  const newest = tenant.channels.posts(channel.id, Number(before) || Number.MAX_SAFE_INTEGER, limit);
  const wanted = newest.filter((post) => post.serverId > Number(after ?? 0) && post.postedAt >= Number(since ?? 0));
  const attrs = { jid: channelJid(channel), t: String(nowSeconds(tenant.clock)) };
  return el('messages', attrs, wanted.toReversed().map(postNode));
}

function known({ tenant }: IqRequest, jid: string | undefined): Channel {
  const channel = tenant.channels.resolve(jid);
  if (!channel) throw notFound();
  return channel;
}
