import type { Party } from '@ponte/engine';
import type { EventPayloads, EventType, JournalEvent } from '../../src/core/events.ts';

export const LINE = { id: 'line_xxx', number: 42, customerRef: 'user-123', label: null, phone: '15550001234' };
export const ALICE: Party = { jid: '15550001234@s.whatsapp.net', pn: '15550001234@s.whatsapp.net' };
export const BY_LID: Party = { jid: '9007199@lid', lid: '9007199@lid', pn: '15550001234@s.whatsapp.net' };
export const UNDISCLOSED: Party = { jid: '9007199@lid', lid: '9007199@lid' };
export const GROUP: Party = { jid: '120363000000000000@g.us' };
export const DELIVERY = { id: 'dlv_1', attempt: 1 };

export const event = <T extends EventType>(type: T, payload: EventPayloads[T]): JournalEvent =>
  ({
    id: 'evt_1',
    seq: 1,
    accountId: 'acc_1',
    lineId: LINE.id,
    type,
    payload,
    createdAt: Date.UTC(2026, 3, 26),
  }) as JournalEvent;

export const MESSAGE: EventPayloads['message.received'] = {
  messageId: 'ACE41E...',
  chat: ALICE,
  sender: ALICE,
  fromMe: false,
  isGroup: false,
  pushName: 'Alice',
  timestamp: 1777180605,
  content: { kind: 'text', body: 'Hello!' },
  quotedId: null,
  mentions: [],
};
/** One event of every type of the journal. */
export const SAMPLES: { [T in EventType]: EventPayloads[T] } = {
  'message.received': MESSAGE,
  'message.sent': { ...MESSAGE, fromMe: true },
  'message.status': { messageId: 'M1', chat: ALICE, status: 'read', timestamp: 5, error: null },
  'message.receipt': { messageId: 'M1', chat: GROUP, by: ALICE, status: 'read', timestamp: 5 },
  'message.edited': { messageId: 'M1', chat: ALICE, sender: ALICE, fromMe: false, body: 'new', timestamp: 5 },
  'message.revoked': { messageId: 'M1', chat: ALICE, sender: ALICE, fromMe: false, byAdmin: false, timestamp: 5 },
  'message.reaction': {
    messageId: 'M2',
    targetId: 'M1',
    chat: ALICE,
    sender: ALICE,
    fromMe: false,
    emoji: '👍',
    pushName: 'Alice',
    timestamp: 5,
  },
  'poll.vote': {
    messageId: 'ACVOTE0001',
    pollId: 'ACPOLL0001',
    chat: ALICE,
    sender: ALICE,
    fromMe: false,
    pushName: 'Alice',
    options: ['Red'],
    timestamp: 1777330500,
  },
  'event.response': {
    messageId: 'ACEVRESP0001',
    eventId: 'ACEVENT0001',
    chat: { jid: '15550009999@g.us' },
    sender: ALICE,
    fromMe: false,
    pushName: 'Alice',
    response: 'going',
    extraGuestCount: 0,
    timestamp: 1777330700,
  },
  'message.undecryptable': {
    messageId: 'M1',
    chat: ALICE,
    sender: ALICE,
    fromMe: false,
    isGroup: false,
    pushName: 'Alice',
    timestamp: 5,
    isAnswer: false,
    cause: 'decryption_failed',
    reason: 'no session',
  },
  'line.status': { status: 'connected', previous: 'connecting', phone: '15550001234', reason: null },
  'line.restricted': {
    cause: 'reachout_timelock',
    isActive: true,
    until: 1777190000,
    detail: 'WEB_COMPANION_ONLY',
    timestamp: 1777180605,
  },
  typing: { chat: ALICE, sender: ALICE, state: 'composing', mode: 'text' },
  'call.incoming': { callId: 'ABCDEF123456', from: ALICE, platform: 'android', video: false, timestamp: 1777180605 },
  'call.terminated': { callId: 'ABCDEF123456', from: ALICE, reason: 'hangup', timestamp: 1777180720 },
  'offline.preview': { total: 142, messages: 120, notifications: 8, receipts: 14, appDataChanges: 0 },
  'offline.completed': { count: 142 },
  'picture.updated': { of: ALICE, removed: false, pictureId: '12345678901', timestamp: 1777180605 },
  'chat.archived': { chat: ALICE, archived: true, timestamp: 1777180605 },
  'group.updated': {
    group: '15550009999@g.us',
    by: ALICE,
    change: { kind: 'promoted', members: [ALICE] },
    timestamp: 5,
  },
  'line.problem': {
    problem: 'line_down',
    status: 'disconnected',
    reason: 'connection_lost',
    since: 1777180000000,
    resolved: false,
  },
  'approval.requested': {
    approvalId: 'apr_1',
    operation: 'sendMessage',
    to: '+15550001234',
    askedBy: 'agent',
    expiresAt: 1777180600000,
  },
  'webhook.test': { note: 'hello' },
  'webhook.disabled': { webhookId: 'whk_1', reason: 'failing', failingSince: 0 },
};

/** The same as events. */
export const samples = (Object.keys(SAMPLES) as EventType[]).map((type) => event(type, SAMPLES[type]));
