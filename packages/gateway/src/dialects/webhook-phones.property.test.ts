import type { Party } from '@ponte/engine';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { EventType, JournalEvent } from '../core/events.ts';
import type { WebhookFormat } from '../webhooks/format.ts';
import { BRIDGES_EVENT_NAMES, bridgesWebhookFormat } from './bridges/webhook-format.ts';
import { linesWebhookFormat } from './lines/webhook-format.ts';

/*
 * Both APIs promise: `phone` is a number that WhatsApp disclosed, or nothing. Whatever happens, to
 * whomever, it is never made of a LID's digits.
 */

const LINE = { id: 'line_xxx', number: 42, customerRef: 'user-123', label: null, phone: '15550001234' };
const DELIVERY = { id: 'dlv_1', attempt: 1, events: BRIDGES_EVENT_NAMES };

const digits = (first: string) => fc.stringMatching(/^[0-9]{7,13}$/).map((rest) => first + rest);
/**
 * A person as WhatsApp may name them. Numbers begin with 1, LIDs with 9; nothing else tells the two
 * apart.
 */
const party = fc
  .tuple(digits('1'), digits('9'), fc.constantFrom('number', 'lid', 'both', 'lid of a device'))
  .map(([number, lid, how]): Party => {
    const pn = `${number}@s.whatsapp.net`;
    if (how === 'number') return { jid: pn, pn };
    if (how === 'both') return { jid: `${lid}@lid`, lid: `${lid}@lid`, pn };
    if (how === 'lid of a device') return { jid: `${lid}:7@lid`, lid: `${lid}@lid` };
    return { jid: `${lid}@lid`, lid: `${lid}@lid` };
  });
const chat = fc.oneof(party, fc.constant<Party>({ jid: '120363000000000000@g.us' }));

const happened = { messageId: 'M1', fromMe: false, pushName: 'Alice', timestamp: 5 };
const EVENTS: readonly [EventType, (sender: Party, chat: Party) => object][] = [
  ['message.received', (sender, of) => ({ ...message(sender, of), isGroup: of.jid.endsWith('@g.us') })],
  ['message.sent', (sender, of) => ({ ...message(sender, of), fromMe: true })],
  ['message.status', (_, of) => ({ ...happened, chat: of, status: 'read', error: null })],
  ['message.edited', (sender, of) => ({ ...happened, sender, chat: of, body: 'new' })],
  ['message.revoked', (sender, of) => ({ ...happened, sender, chat: of, byAdmin: false })],
  ['message.reaction', (sender, of) => ({ ...happened, sender, chat: of, targetId: 'M0', emoji: '👍' })],
  ['poll.vote', (sender, of) => ({ ...happened, sender, chat: of, pollId: 'P1', options: ['Red'] })],
  [
    'event.response',
    (sender, of) => ({ ...happened, sender, chat: of, eventId: 'E1', response: 'going', extraGuestCount: 0 }),
  ],
  ['typing', (sender, of) => ({ sender, chat: of, state: 'composing', mode: 'text' })],
  ['call.incoming', (from) => ({ callId: 'C1', from, platform: 'android', video: false, timestamp: 5 })],
  ['call.terminated', (from) => ({ callId: 'C1', from, reason: 'hangup', timestamp: 5 })],
  ['picture.updated', (of) => ({ of, removed: true, pictureId: null, timestamp: 5 })],
  ['chat.archived', (_, of) => ({ chat: of, archived: true, timestamp: 5 })],
];
const message = (sender: Party, of: Party) => ({
  ...happened,
  sender,
  chat: of,
  isGroup: false,
  content: { kind: 'text', body: 'Hello!' },
  quotedId: null,
  mentions: [],
});

/** Every member of this name, however deep. */
function members(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => (key === name ? [member] : members(member, name)));
}

it.each<[string, WebhookFormat]>([
  ['Bridges', bridgesWebhookFormat],
  ['Lines', linesWebhookFormat],
])('in the %s API no phone is made of a LID', (_name, format) => {
  let seen = 0;
  fc.assert(
    fc.property(fc.constantFrom(...EVENTS), party, chat, ([type, payloadOf], sender, of) => {
      const event = {
        id: 'evt_1',
        seq: 1,
        accountId: 'acc_1',
        lineId: LINE.id,
        type,
        payload: payloadOf(sender, of),
        createdAt: 5,
      };
      const body = format.render(event as unknown as JournalEvent, LINE, DELIVERY)?.body;
      const disclosed = [sender, of].flatMap(({ pn }) => (pn === undefined ? [] : [pn.split('@')[0]]));
      for (const phone of members(JSON.parse(body ?? 'null'), 'phone')) {
        seen += 1;
        expect(['', null, ...disclosed, ...disclosed.map((number) => `+${number}`)]).toContain(phone);
      }
    }),
    { numRuns: 500 },
  );
  expect(seen).toBeGreaterThan(100);
});
