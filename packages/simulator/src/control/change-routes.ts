import { isGroup } from '@ponte/engine';
import { CHANGES } from '../phone/content/changes.ts';
import { InputError } from '../phone/content/input.ts';
import { chatField, onlinePhoneOf, phoneParam } from './addresses.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

/**
 * What a phone does to messages that are already there, and what others see of it while it writes.
 */
export const CHANGE_ROUTES: readonly Route[] = [
  ['POST', '/phones/{phone}/reactions', (call) => change(call, 'reaction', 'message_id')],
  ['POST', '/phones/{phone}/edits', (call) => change(call, 'edit', 'message_id')],
  ['POST', '/phones/{phone}/revokes', revoke],
  ['POST', '/phones/{phone}/votes', (call) => change(call, 'vote', 'poll_id')],
  ['POST', '/phones/{phone}/rsvps', (call) => change(call, 'rsvp', 'event_id')],
  ['POST', '/phones/{phone}/typing', typing],
  ['POST', '/phones/{phone}/presence', presence],
];

async function change(call: ControlCall, kind: keyof typeof CHANGES, target: string): Promise<ControlAnswer> {
  const { body } = call;
  const to = chatField(body, 'to');
  const messageId = body.text(target, 128);
  const phone = await onlinePhoneOf(call);
  const sent = await phone.change(to, messageId, CHANGES[kind], body);
  return { status: 201, body: { message_id: sent.messageId, timestamp: sent.timestamp } };
}

async function revoke(call: ControlCall): Promise<ControlAnswer> {
  const { body, tenant, world } = call;
  const to = chatField(body, 'to');
  const phone = await onlinePhoneOf(call);
  const group = isGroup(to) ? world.group(tenant, to) : undefined;
  const isOwn = phone.inbox.find(phone.shown(to), body.text('message_id', 128))?.fromMe ?? true;
  const isAdmin = group?.members.some(({ pn, role }) => pn === phoneParam(call) && role !== '') ?? false;
  if (group && !isOwn && !isAdmin) {
    throw new InputError('message_id', 'must be a message that this phone sent: it is no admin of this group');
  }
  return change(call, 'revoke', 'message_id');
}

async function typing(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const to = chatField(body, 'to');
  const state = body.choice('state', ['composing', 'paused'] as const);
  const mode = body.has('mode') ? body.choice('mode', ['text', 'voice'] as const) : 'text';
  const phone = await onlinePhoneOf(call);
  phone.sendActivity(to, { state, mode });
  return { status: 200, body: { ok: true } };
}

async function presence(call: ControlCall): Promise<ControlAnswer> {
  const state = call.body.choice('state', ['available', 'unavailable'] as const);
  const phone = await onlinePhoneOf(call);
  phone.sendPresence(state);
  return { status: 200, body: { ok: true } };
}
