import type { Party } from '@ponte/engine';
import { describe, expect, it } from 'vitest';
import {
  ALICE,
  BY_LID,
  DELIVERY,
  event,
  GROUP,
  LINE,
  MESSAGE,
  SAMPLES,
  samples,
  UNDISCLOSED,
} from '../../test/support/event-samples.ts';
import type { EventPayloads, JournalEvent } from '../core/events.ts';
import { LINE_REASONS } from '../core/line-reasons.ts';
import { selectorsFor, selects } from '../webhooks/format.ts';
import { BRIDGES_EVENT_NAMES, bridgesWebhookFormat, PUBLISHED_EVENTS } from './bridges/webhook-format.ts';
import { EVENT_NAMES, linesWebhookFormat } from './lines/webhook-format.ts';

const bridges = (of: JournalEvent, asked: readonly string[] = []): string | undefined =>
  bridgesWebhookFormat.render(of, LINE, { ...DELIVERY, events: asked })?.body;

const status = (
  now: EventPayloads['line.status']['status'],
  previous: EventPayloads['line.status']['previous'],
): JournalEvent => event('line.status', { status: now, previous, phone: '15550001234', reason: null });

describe('the bodies of the Bridges API', () => {
  it.each([
    [
      'message.received',
      '{"event":"message","message_id":"ACE41E...","contact_id":"15550001234@s.whatsapp.net","phone":"15550001234","chat_id":"15550001234@s.whatsapp.net","name":"Alice","body":"Hello!","type":"text","media_type":"","is_group":false,"from_me":false,"timestamp":1777180605}',
    ],
    ['line.status', '{"event":"connected","phone":"15550001234"}'],
    [
      'typing',
      '{"event":"typing","contact_id":"15550001234@s.whatsapp.net","chat_id":"15550001234@s.whatsapp.net","state":"composing","mode":"text"}',
    ],
    [
      'poll.vote',
      '{"event":"poll_vote","contact_id":"15550001234@s.whatsapp.net","phone":"15550001234","chat_id":"15550001234@s.whatsapp.net","poll_id":"ACPOLL0001","message_id":"ACVOTE0001","name":"Alice","from_me":false,"timestamp":1777330500,"selected_options":["Red"]}',
    ],
    [
      'event.response',
      '{"event":"event_response","contact_id":"15550001234@s.whatsapp.net","phone":"15550001234","chat_id":"15550009999@g.us","event_id":"ACEVENT0001","message_id":"ACEVRESP0001","name":"Alice","from_me":false,"timestamp":1777330700,"response":"going","extra_guest_count":0}',
    ],
    [
      'call.incoming',
      '{"event":"call_incoming","call_id":"ABCDEF123456","contact_id":"15550001234@s.whatsapp.net","platform":"android","timestamp":1777180605}',
    ],
    [
      'call.terminated',
      '{"event":"call_terminated","call_id":"ABCDEF123456","contact_id":"15550001234@s.whatsapp.net","reason":"hangup","timestamp":1777180720}',
    ],
    [
      'offline.preview',
      '{"event":"offline_sync_preview","total":142,"messages":120,"notifications":8,"receipts":14,"app_data_changes":0}',
    ],
    ['offline.completed', '{"event":"offline_sync_completed","count":142}'],
    [
      'picture.updated',
      '{"event":"profile_picture_updated","remove":false,"picture_id":"12345678901","timestamp":1777180605}',
    ],
  ] as const)('%s is the published example, byte for byte', (type, published) => {
    expect(bridges(event(type, SAMPLES[type]))).toBe(published);
  });

  it('leave out the picture_id of a removed picture', () => {
    const body = bridges(event('picture.updated', { of: ALICE, removed: true, pictureId: null, timestamp: 5 }));
    expect(body).toBe('{"event":"profile_picture_updated","remove":true,"timestamp":5}');
  });

  it('name people by their number also when WhatsApp used the LID, and never make a number of a LID', () => {
    const body = (sender: Party, chat: Party) =>
      JSON.parse(bridges(event('message.received', { ...MESSAGE, sender, chat })) ?? '{}') as Record<string, unknown>;
    expect(body(BY_LID, BY_LID)).toMatchObject({
      contact_id: '15550001234@s.whatsapp.net',
      phone: '15550001234',
      chat_id: '15550001234@s.whatsapp.net',
    });
    expect(body(UNDISCLOSED, GROUP)).toMatchObject({
      contact_id: '9007199@lid',
      phone: '',
      chat_id: '120363000000000000@g.us',
    });
    expect(body({ jid: '15550001234:17@s.whatsapp.net' }, ALICE).contact_id).toBe('15550001234@s.whatsapp.net');
  });

  it('say disconnected once, when a connected bridge stops being it', () => {
    expect(bridges(status('disconnected', 'connected'))).toBe('{"event":"disconnected"}');
    expect(bridges(status('unpaired', 'connected'))).toBe('{"event":"disconnected"}');
    expect(bridges(status('logged_out', 'connected'))).toBe('{"event":"disconnected"}');
    expect(bridges(status('logged_out', 'disconnected'))).toBeUndefined();
    expect(bridges(status('unpaired', 'pairing'))).toBeUndefined();
    expect(bridges(status('logged_out', 'connected'), ['logged_out'])).toBe('{"event":"logged_out"}');
  });

  it('carry the bridge in a header, when it has a name', () => {
    expect(bridgesWebhookFormat.render(event('message.received', MESSAGE), LINE, DELIVERY)?.headers).toEqual({
      'X-Customer-Ref': 'user-123',
    });
    const nameless = { ...LINE, customerRef: null };
    expect(bridgesWebhookFormat.render(event('message.received', MESSAGE), nameless, DELIVERY)?.headers).toEqual({});
  });
});

describe('the bodies of the Lines API', () => {
  const lines = (of: JournalEvent) => {
    const rendered = linesWebhookFormat.render(of, LINE, DELIVERY);
    return rendered && { ...rendered, json: JSON.parse(rendered.body) as Record<string, unknown> };
  };

  it('begin with event, line_id and data, and name the event in a header', () => {
    const rendered = lines(event('message.received', MESSAGE));
    expect(Object.keys(rendered?.json ?? {})).toEqual(['event', 'line_id', 'data', 'id', 'created_at']);
    expect(rendered?.json).toMatchObject({
      event: 'message.received',
      line_id: 'line_xxx',
      id: 'evt_1',
      created_at: '2026-04-26T00:00:00.000Z',
    });
    expect(rendered?.headers).toEqual({ 'X-WAzion-Bridge-Event': 'message.received' });
    expect(linesWebhookFormat.legacySignatureHeader).toBe('X-WAzion-Bridge-Signature');
  });

  it('describe a message with the published members', () => {
    const media = { mimeType: 'image/jpeg', sizeBytes: 10, fileName: 'a.jpg', sha256: 'AA==' };
    const data = lines(
      event('message.received', { ...MESSAGE, sender: BY_LID, content: { kind: 'image', body: 'look', media } }),
    )?.json.data;
    expect(data).toEqual({
      message_id: 'ACE41E...',
      chat_id: '15550001234@s.whatsapp.net',
      from: '15550001234@s.whatsapp.net',
      phone: '+15550001234',
      name: 'Alice',
      from_me: false,
      is_group: false,
      type: 'image',
      body: 'look',
      media: { mime_type: 'image/jpeg', size: 10, filename: 'a.jpg', sha256: 'AA==', url: null },
      quoted_message_id: null,
      mentions: [],
      timestamp: 1777180605,
      content: { image: { width: null, height: null } },
      mentions_me: false,
      forwarded: false,
      view_once: false,
      expires_in_seconds: null,
      edited: false,
      revoked: false,
    });
    expect(Object.keys(data as object)).toEqual([
      'message_id',
      'chat_id',
      'from',
      'phone',
      'name',
      'from_me',
      'is_group',
      'type',
      'body',
      'media',
      'quoted_message_id',
      'mentions',
      'timestamp',
      'content',
      'mentions_me',
      'forwarded',
      'view_once',
      'expires_in_seconds',
      'edited',
      'revoked',
    ]);
    expect(lines(event('message.received', { ...MESSAGE, sender: UNDISCLOSED }))?.json.data).toMatchObject({
      from: '9007199@lid',
      phone: null,
    });
  });

  it('describe states of messages and lines', () => {
    expect(lines(event('message.status', SAMPLES['message.status']))?.json.data).toEqual({
      message_id: 'M1',
      chat_id: '15550001234@s.whatsapp.net',
      status: 'read',
      timestamp: 5,
    });
    const error = { code: 'whatsapp_error', message: 'refused', whatsappCode: 463 };
    const failed = event('message.status', { ...SAMPLES['message.status'], status: 'failed', error });
    expect(lines(failed)?.json.data).toMatchObject({
      status: 'failed',
      error: { code: 'whatsapp_error', message: 'refused', whatsapp_code: 463 },
    });
    expect(lines(status('disconnected', 'connected'))?.json.data).toEqual({
      status: 'disconnected',
      previous: 'connected',
      phone: '+15550001234',
      reason: null,
      until: null,
      whatsapp_code: null,
      remedy: null,
    });
  });

  it('say why a line is not connected, until when, and what to do; bridges hear of it when they ask', () => {
    const banned = event('line.status', {
      ...{ status: 'disconnected', previous: 'connected', phone: '15550001234' },
      ...{ reason: 'temporarily_banned', until: Date.UTC(2027, 0, 2), whatsappCode: 402 },
    });
    const why = {
      reason: 'temporarily_banned',
      until: '2027-01-02T00:00:00.000Z',
      whatsapp_code: 402,
      remedy: LINE_REASONS.temporarily_banned.remedy,
    };
    expect(lines(banned)?.json.data).toMatchObject(why);
    expect(bridges(banned)).toBe('{"event":"disconnected"}');
    const asked = bridges(banned, ['disconnected', 'line_status']);
    const told = { event: 'line_status', status: 'disconnected', previous: 'connected', phone: '15550001234', ...why };
    expect(JSON.parse(asked ?? '')).toEqual(told);
  });

  it('tell a bridge nothing new when a connected line stays connected', () => {
    expect(bridges(status('connected', 'connected'))).toBeUndefined();
  });
});

describe.each([bridgesWebhookFormat, linesWebhookFormat])('the format $name', (format) => {
  it('renders something for everything that one of its names selects, under one of those names', () => {
    for (const [name, { selects: selectors }] of Object.entries(format.events)) {
      const picked = samples.filter((sample) => selects(new Set(selectors), sample));
      for (const sample of picked) {
        const rendered = format.render(sample, LINE, { ...DELIVERY, events: [name] });
        expect((JSON.parse(rendered?.body ?? '{}') as { event: string }).event, name).toBe(name);
      }
      if (!name.startsWith('disconnected') && name !== 'logged_out') expect(picked.length, name).toBeGreaterThan(0);
    }
  });

  it('gives the same bytes for the same event at every attempt', () => {
    for (const sample of samples) {
      const first = format.render(sample, LINE, { id: 'dlv_1', attempt: 1 });
      expect(format.render(sample, LINE, { id: 'dlv_1', attempt: 7 })).toEqual(first);
    }
  });
});

describe('subscriptions', () => {
  it('of a bridge: the published names without being asked, the further ones only by name', () => {
    expect(BRIDGES_EVENT_NAMES.length).toBeGreaterThan(PUBLISHED_EVENTS.length);
    const published = selectorsFor(bridgesWebhookFormat, PUBLISHED_EVENTS);
    expect(new Set(selectorsFor(bridgesWebhookFormat, ['*']))).toEqual(new Set(published));
    expect(published).not.toContain('message.status');
    expect(selectorsFor(bridgesWebhookFormat, ['message_status'])).toEqual(['message.status']);
  });

  it('of the Lines API: the four published names exist, and * is every name but those to be asked for', () => {
    for (const name of ['message.received', 'message.sent', 'message.status', 'line.status'])
      expect(EVENT_NAMES).toContain(name);
    const all = selectorsFor(linesWebhookFormat, ['*']);
    expect(all).toHaveLength(EVENT_NAMES.length - 1);
    expect(all).not.toContain('message.receipt');
    expect(selectorsFor(linesWebhookFormat, ['message.receipt'])).toEqual(['message.receipt']);
  });
});
