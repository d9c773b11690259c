import { afterEach, describe, expect, test } from 'vitest';
import { Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const OWNER = '15550001111';
const LINES = '/api/bridge/v1';
const CHATS = ['15550002222', '15550003333', '15550004444'];
const PER_CHAT = 500;
/**
 * What the phone hands over by itself (simulator phone/sync/history.ts); the rest comes when asked
 * for.
 */
const RECENT_PER_CHAT = 100;
const START = 1_700_000_000;

interface Chat {
  jid: string;
  phone: string | null;
  name: string | null;
  archived: boolean;
  unread_count: number;
  last_message: { id: string; body: string; timestamp: number } | null;
}
interface Message {
  message_id: string;
  jid: string;
  from_me: boolean;
  body: string;
  status: string;
  timestamp: number;
}

const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('history, on %s', (database) => {
  let rig: Rig;
  afterEach(() => rig?.close());

  const body = (chat: number, n: number) => `chat ${chat} message ${n}`;
  /** A phone with a past, whose line has a webhook of each kind. */
  const begin = async (perChat: number) => {
    rig = await Rig.start({ database });
    for (const [i, phone] of [OWNER, ...CHATS].entries()) await rig.sandbox.phone(phone, `Person ${i}`);
    await rig.api.expect(201, 'POST', `/api/sandbox/v1/phones/${OWNER}/history`, {
      chats: CHATS.map((phone, chat) => ({
        with: phone,
        name: `Friend ${chat}`,
        unread: chat,
        archived: chat === 2,
        messages: Array.from({ length: perChat }, (_, n) => ({
          from_me: n % 3 === 0,
          timestamp: START + n * 60 + chat,
          body: body(chat, n),
        })),
      })),
    });
    return rig.linkLine('demo', OWNER);
  };
  const chatsOf = async (lineId: string, query = '') =>
    (await rig.api.expect<{ chats: Chat[] }>(200, 'GET', `${LINES}/chats?line_id=${lineId}${query}`)).chats;
  /** Every message of a chat, page by page. */
  const messagesOf = async (lineId: string, phone: string, limit = 70) => {
    const all: Message[] = [];
    for (let before: string | null = ''; before !== null; ) {
      const query: string = `line_id=${lineId}&phone=%2B${phone}&limit=${limit}${before === '' ? '' : `&before=${before}`}`;
      const page: { messages: Message[]; next_before: string | null } = await rig.api.expect(
        200,
        'GET',
        `${LINES}/messages?${query}`,
      );
      all.push(...page.messages);
      before = page.next_before && encodeURIComponent(page.next_before);
    }
    return all;
  };
  const complete = async (lineId: string, count: number) => {
    for (const phone of CHATS) {
      await until(`${count} messages with ${phone}`, async () => {
        const known = await chatsOf(lineId);
        return known.length >= CHATS.length && (await messagesOf(lineId, phone, 200)).length >= count;
      });
    }
  };

  test('the past fills chats, messages and contacts; nothing of it is told as news', async () => {
    const { lineId } = await begin(20);
    await complete(lineId, 20);
    const chats = await chatsOf(lineId);
    expect(chats.map(({ phone, name, archived, unread_count }) => [phone, name, archived, unread_count])).toEqual([
      [`+${CHATS[2]}`, 'Friend 2', true, 2],
      [`+${CHATS[1]}`, 'Friend 1', false, 1],
      [`+${CHATS[0]}`, 'Friend 0', false, 0],
    ]);
    expect(chats[0]?.last_message).toMatchObject({ body: body(2, 19), timestamp: START + 19 * 60 + 2 });
    const messages = await messagesOf(lineId, CHATS[0] ?? '');
    expect(messages.map((message) => message.body)).toEqual(Array.from({ length: 20 }, (_, n) => body(0, 19 - n)));
    expect(messages.find((message) => message.from_me)).toMatchObject({ status: 'read' });
    const found = await rig.api.expect<{ messages: Message[] }>(
      200,
      'GET',
      `${LINES}/messages?line_id=${lineId}&q=chat%201%20message%207`,
    );
    expect(found.messages.map((message) => message.body)).toContain(body(1, 7));
    const { contacts } = await rig.api.expect<{ contacts: { phone: string; name: string }[] }>(
      200,
      'GET',
      `${LINES}/contacts?line_id=${lineId}`,
    );
    expect(contacts.map(({ phone, name }) => [phone, name])).toEqual(
      expect.arrayContaining(CHATS.map((phone, i) => [`+${phone}`, `Friend ${i}`])),
    );
    await rig.sandbox.say(CHATS[0] ?? '', OWNER, 'news');
    await until('the news', () => rig.receiver.requests.some((request) => request.body.includes('"news"')));
    const told = rig.receiver.requests.filter((request) => request.body.includes('"event":"message"'));
    expect(told).toHaveLength(1);
    expect((await chatsOf(lineId))[0]).toMatchObject({ phone: `+${CHATS[0]}`, unread_count: 1, name: 'Friend 0' });
  });

  // On one database, for the time it takes; that the statements hold on both is the first test's.
  if (database !== 'sqlite') return;
  test('a kill in the middle loses none of it and doubles none of it; cursors stay', { timeout: 120_000 }, async () => {
    const { lineId } = await begin(PER_CHAT);
    await until('some of it', async () => (await chatsOf(lineId)).length > 0);
    await rig.killGateway();
    await rig.startGateway();
    await rig.untilConnected('demo');
    await complete(lineId, RECENT_PER_CHAT);
    const half = await rig.api.expect<{ messages: Message[]; next_before: string }>(
      200,
      'GET',
      `${LINES}/messages?line_id=${lineId}&phone=%2B${CHATS[1]}&limit=40`,
    );
    await rig.killGateway();
    await rig.startGateway();
    await rig.untilConnected('demo');
    const rest = await rig.api.expect<{ messages: Message[] }>(
      200,
      'GET',
      `${LINES}/messages?line_id=${lineId}&phone=%2B${CHATS[1]}&limit=200&before=${encodeURIComponent(half.next_before)}`,
    );
    const newestFirst = Array.from({ length: RECENT_PER_CHAT }, (_, n) => body(1, PER_CHAT - 1 - n));
    expect([...half.messages, ...rest.messages].map((message) => message.body)).toEqual(newestFirst);
    for (const [chat, phone] of CHATS.entries()) {
      const bodies = (await messagesOf(lineId, phone)).map((message) => message.body);
      expect(bodies).toEqual(Array.from({ length: RECENT_PER_CHAT }, (_, n) => body(chat, PER_CHAT - 1 - n)));
    }
    // Older ones come when the phone is asked for them.
    for (let known = RECENT_PER_CHAT; known < PER_CHAT; known += 200) {
      const asked = { line_id: lineId, phone: `+${CHATS[0]}`, count: 200 };
      await rig.api.expect(200, 'POST', `${LINES}/chats/history`, asked);
      await until(`${known} and 200 more`, async () => {
        const messages = await messagesOf(lineId, CHATS[0] ?? '', 200);
        return messages.length === Math.min(known + 200, PER_CHAT);
      });
    }
    const all = (await messagesOf(lineId, CHATS[0] ?? '', 200)).map((message) => message.body);
    expect(all).toEqual(Array.from({ length: PER_CHAT }, (_, n) => body(0, PER_CHAT - 1 - n)));
    expect(rig.receiver.requests.filter((request) => request.body.includes('"event":"message"'))).toEqual([]);
  });
});
