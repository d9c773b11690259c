import { isGroup, parseChat } from '@ponte/engine';
import { InputError } from '../phone/content/input.ts';
import { KINDS } from '../phone/content/kinds.ts';
import { contactOf, onlinePhoneOf } from './addresses.ts';
import type { ControlAnswer, ControlCall, Route } from './route.ts';

const AUDIENCE_MAX = 1000;

/**
 * Statuses: `{type, …}` as a message; `to` names the audience, else all people this phone has a
 * chat with. They are read in the inbox (`chat=status@broadcast`).
 */
export const STATUS_ROUTES: readonly Route[] = [['POST', '/phones/{phone}/status', postStatus]];

async function postStatus(call: ControlCall): Promise<ControlAnswer> {
  const { body } = call;
  const types = KINDS.map((kind) => kind.type);
  const type = body.choice('type', types);
  const kind = KINDS.find((candidate) => candidate.type === type);
  if (!kind) throw new InputError('type', 'is not known');
  const phone = await onlinePhoneOf(call);
  const named = body.optionalTexts('to', AUDIENCE_MAX).map((name, index) => contactOf(name, `to[${index}]`));
  const people = phone.sync.chats().map(({ chat }) => chat);
  const audience = body.has('to')
    ? named
    : people.filter((jid) => !isGroup(jid) && parseChat(jid) === jid && !jid.endsWith('@broadcast'));
  const sent = await phone.publishing.postStatus(audience, kind, body);
  return { status: 201, body: { message_id: sent.messageId, timestamp: sent.timestamp, audience: audience.length } };
}
