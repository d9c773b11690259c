import { afterAll, beforeAll, expect, it } from 'vitest';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { insertMessage } from './support/rows.ts';

/* What phones would not show is refused before it leaves, in both APIs; what they show is not. */

const CHAT = '15550002222';
const GROUP = '120363000000000000@g.us';
const me = { jid: '15550001111@s.whatsapp.net', pn: '15550001111@s.whatsapp.net' };
const alice = { jid: '901@lid', lid: '901@lid', pn: `${CHAT}@s.whatsapp.net` };
const CARD = ['BEGIN:VCARD', 'VERSION:3.0', 'N:Doe;Jane;;;', 'FN:Jane Doe', 'TEL;waid=1555:+1555', 'END:VCARD'];

forEachStore((open) => {
  let h: HttpHarness;
  let lineId: string;
  const reads: unknown[] = [];

  beforeAll(async () => {
    h = await openHttp({ open });
    await h.call('POST', '/api/instances', { body: { customer_ref: 'known' } });
    lineId = String((await h.call('GET', '/api/instances/known')).body.line_id);
    await h.setLine(lineId, { status: 'connected', phone: '15550001111', jid: me.jid, name: 'x' });
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1_777_180_605 }));
    h.router.handlers['messages.read'] = async (_line, input) => {
      reads.push(input);
      return {};
    };
    await insertMessage(h.db.store, lineId, { messageId: 'HERS', chat: alice, sender: alice, fromMe: false });
    const inGroup = { chat: { jid: GROUP }, isGroup: true, fromMe: false, sender: alice };
    await insertMessage(h.db.store, lineId, { messageId: 'THERE', ...inGroup });
  });
  afterAll(() => h.close());

  const bridges = (path: string, body: unknown) =>
    h.call('POST', `/api/instances/known/proxy/${path}`, { body: { chat: CHAT, ...(body as object) } });
  const lines = (path: string, body: unknown, to = 'to') =>
    h.call('POST', `/api/bridge/v1/messages/${path}`, { body: { line_id: lineId, [to]: CHAT, ...(body as object) } });
  const verdict = ({ status, body }: { status: number; body: Record<string, unknown> }) => [
    status,
    (body.details as { path: string }[] | undefined)?.[0]?.path,
  ];

  it.each(['👍', '❤️', '❤', '👍🏽', '🇩🇪', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '👨‍👩‍👧‍👦', '1️⃣', '☕', '🫶', ''])(
    'takes the reaction %j',
    async (emoji) => {
      expect((await bridges('send/reaction', { message_id: 'HERS', emoji })).status).toBe(200);
      expect((await lines('react', { message_id: 'HERS', emoji }, 'jid')).status).toBe(200);
    },
  );

  it.each(['abc', 'a', '1', '#', '👍👍', '👍 ', ' ', '👍a', ':)', '\u200d', '\ufe0f', '🇩', '<3', 'ok👍'])(
    'refuses the reaction %j',
    async (emoji) => {
      expect(verdict(await bridges('send/reaction', { message_id: 'HERS', emoji }))).toEqual([400, 'emoji']);
      expect(verdict(await lines('react', { message_id: 'HERS', emoji }, 'jid'))).toEqual([400, 'emoji']);
    },
  );

  it.each([
    CARD.join('\n'),
    CARD.join('\r\n'),
    ['begin:vcard', 'version:4.0', 'item1.FN:Jane', 'end:vcard', ''].join('\n'),
    ['BEGIN:VCARD', 'VERSION:2.1', 'N;CHARSET=UTF-8:Doe;', ' Jane;;;', 'END:VCARD'].join('\r\n'),
  ])('takes the vCard %#', async (vcard) => {
    const contacts = [{ name: 'Jane', vcard }];
    expect((await bridges('send/contact', { contacts })).status).toBe(200);
    expect((await lines('contact', { contacts })).status).toBe(200);
  });

  it.each([
    'not a vcard',
    'BEGIN:VCARD\nEND:VCARD',
    CARD.slice(1).join('\n'),
    CARD.slice(0, -1).join('\n'),
    CARD.filter((line) => !line.startsWith('VERSION')).join('\n'),
    CARD.filter((line) => !/^(?:FN|N):/.test(line)).join('\n'),
    ['BEGIN:VCARD', 'VERSION:3.0', 'N:;;;;', 'FN: ', 'END:VCARD'].join('\n'),
    [...CARD, ...CARD].join('\n'),
    `<b>${CARD.join('\n')}</b>`,
  ])('refuses the vCard %#', async (vcard) => {
    const contacts = [{ name: 'Jane', vcard }];
    expect(verdict(await bridges('send/contact', { contacts }))).toEqual([400, 'contacts.0.vcard']);
    expect(verdict(await lines('contact', { contacts }))).toEqual([400, 'contacts.0.vcard']);
  });

  it.each([' ', '\n\n', '\u200b', '\u2060\u00a0', '\ufeff', '\u202e \u202c'])(
    'refuses the blank text %j',
    async (blank) => {
      expect(verdict(await bridges('send/text', { body: blank }))).toEqual([400, 'body']);
      expect(verdict(await lines('send', { message: blank }))).toEqual([400, 'message']);
      expect(verdict(await bridges('send/poll', { question: blank, options: ['a', 'b'] }))).toEqual([400, 'question']);
      expect(verdict(await lines('poll', { question: 'q', options: ['a', blank] }))).toEqual([400, 'options.1']);
      expect(verdict(await bridges('send/event', { name: blank, start_time: 1_777_334_400 }))).toEqual([400, 'name']);
      expect(verdict(await lines('location', { lat: 1, lng: 1, name: blank }))).toEqual([400, 'name']);
      const contacts = [{ name: blank, phone: CHAT }];
      expect(verdict(await bridges('send/contact', { contacts }))).toEqual([400, 'contacts.0.name']);
    },
  );

  it('refuses polls whose options look the same', async () => {
    expect(verdict(await bridges('send/poll', { question: 'q', options: ['Red', 'Red '] }))).toEqual([400, 'options']);
  });

  it('marks only messages as read that are there, in that chat', async () => {
    const read = (id: string, body: Record<string, unknown>) => bridges(`messages/${id}/read`, body);
    const readLine = (ids: string[], chat: Record<string, unknown>) =>
      h.call('POST', '/api/bridge/v1/messages/read', { body: { line_id: lineId, message_ids: ids, ...chat } });
    for (const answer of [
      await read('NOPE', {}),
      await read('NOPE', { chat: GROUP }),
      await read('NOPE', { chat: GROUP, sender: '901@lid' }),
      await read('HERS', { chat: '15550003333' }),
      await read('HERS', { chat: GROUP }),
      await readLine(['HERS', 'NOPE'], { phone: `+${CHAT}` }),
      await readLine(['THERE'], { phone: `+${CHAT}` }),
    ]) {
      expect([answer.status, answer.body.error]).toEqual([404, 'message_not_found']);
    }
    expect(reads).toEqual([]);
    expect((await read('HERS', {})).status).toBe(200);
    expect((await read('HERS', { chat: '901@lid' })).status).toBe(200);
    expect((await read('THERE', { chat: GROUP })).status).toBe(200);
    expect((await readLine(['HERS'], { jid: '901@lid' })).status).toBe(200);
    expect(reads).toHaveLength(4);
    expect(reads[2]).toMatchObject({ chat: GROUP, ids: ['THERE'], sender: '901@lid' });
  });
});
