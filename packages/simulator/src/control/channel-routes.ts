import { child, type Jid, text } from '@ponte/engine';
import { InputError } from '../phone/content/input.ts';
import { KINDS } from '../phone/content/kinds.ts';
import type { Phone } from '../phone/phone.ts';
import { phoneNamed } from './addresses.ts';
import { ControlError } from './control-error.ts';
import type { ChannelFacts } from './control-world.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

const CREATE = '8823471724422422';
const FOLLOW = '24404358912487870';
const UNFOLLOW = '9767147403369991';

/**
 * Channels: made and written by their owner's phone, followed by others, read in their inboxes
 * (`chat={jid}`).
 */
export const CHANNEL_ROUTES: readonly Route[] = [
  ['POST', '/channels', createChannel],
  ['GET', '/channels/{jid}', (call) => ({ status: 200, body: channelItem(channelOf(call)) })],
  ['POST', '/channels/{jid}/messages', post],
  ['POST', '/channels/{jid}/followers', (call) => follow(call, FOLLOW)],
  ['DELETE', '/channels/{jid}/followers', (call) => follow(call, UNFOLLOW)],
];

async function createChannel(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const input = { name: body.text('name', 100), description: body.optionalText('description', 2048) ?? '' };
  const answer = await ask(await phoneNamed(call, 'owner'), CREATE, { input });
  const { id } = answer.xwa2_newsletter_create ?? {};
  const channel = id === undefined ? undefined : call.world.channel(call.tenant, id);
  if (!channel) throw new Error('a channel was created and is not there');
  return { status: 201, body: channelItem(channel) };
}

async function post(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const channel = channelOf(call);
  const types = KINDS.map((kind) => kind.type);
  const type = body.choice('type', types);
  const kind = KINDS.find((candidate) => candidate.type === type);
  if (!kind) throw new InputError('type', 'is not known');
  const owner = await call.world.phone(call.tenant, channel.owner);
  if (!owner) throw new ControlError('phone_not_found', 'the owner of this channel is gone');
  const sent = await owner.publishing.postToChannel(channel.jid, kind, body);
  return { status: 201, body: { message_id: sent.messageId, timestamp: sent.timestamp } };
}

async function follow(call: ControlCall, query: string): Promise<ControlAnswer> {
  const { jid } = channelOf(call);
  await ask(await phoneNamed(call, 'phone'), query, { newsletter_id: jid });
  return { status: 200, body: channelItem(channelOf(call)) };
}

async function ask(phone: Phone, queryId: string, variables: object): Promise<Record<string, { id?: Jid }>> {
  const content = Buffer.from(JSON.stringify({ variables }));
  const attrs = { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:mex' };
  const answer = await phone.query({
    tag: 'iq',
    attrs,
    content: [{ tag: 'query', attrs: { query_id: queryId }, content }],
  });
  const { data } = JSON.parse(text(child(answer, 'result')) ?? '{}');
  return data ?? {};
}

function channelOf(call: ControlCall): ChannelFacts {
  const channel = call.world.channel(call.tenant, call.params.jid ?? '');
  if (channel) return channel;
  throw new ControlError('channel_not_found', `there is no channel ${call.params.jid}; create it with POST /channels`);
}

function channelItem({ jid, name, description, owner, invite, followers }: ChannelFacts): Record<string, unknown> {
  return { jid, name, description, owner, invite_code: invite, followers };
}
