import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const OWNER = '15550001111';
const ALICE = '15550002222';
const BOB = '15550003333';
const LINES = '/api/bridge/v1';
const PROXY = '/api/instances/demo/proxy';

interface Told {
  path: string;
  event: string;
  data: Record<string, unknown>;
}

const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('what really happened to a message, on %s', (database) => {
  let rig: Rig;
  let line: LinkedLine;

  beforeAll(async () => {
    rig = await Rig.start({ database });
    await rig.sandbox.phone(ALICE, 'Alice');
    await rig.sandbox.phone(BOB, 'Bob');
    line = await rig.linkLine('demo', OWNER);
    await rig.api.expect(200, 'PATCH', '/api/instances/demo', {
      webhook_events: ['message', 'message_status', 'message_undecryptable'],
    });
    await rig.api.expect(200, 'POST', `${LINES}/webhooks`, { url: `${rig.receiver.url}/lines`, events: ['*'] });
  }, 60_000);
  afterAll(() => rig?.close());

  /** Everything told about a message, in the order of arrival. */
  const told = (messageId: string): Told[] =>
    rig.receiver.requests.flatMap(({ path, body }) => {
      const { event, data, ...flat } = JSON.parse(body) as { event: string; data?: Record<string, unknown> };
      const facts = data ?? flat;
      return (facts as { message_id?: string }).message_id === messageId ? [{ path, event, data: facts }] : [];
    });
  const arrived = (messageId: string, event: string) =>
    until(`${event} of ${messageId}`, () => told(messageId).find((one) => one.event === event));
  const message = (messageId: string) =>
    rig.api.expect<{ message: Record<string, unknown>; timeline: { state: string }[] }>(
      200,
      'GET',
      `${LINES}/messages/${messageId}?line_id=${line.lineId}`,
    );

  test('a message that cannot be read keeps its place until it comes again, readable; it is never made up', async () => {
    await rig.sandbox.say(ALICE, OWNER, 'hello');
    await until('the chat', async () => {
      const { chats } = await rig.api.expect<{ chats: unknown[] }>(200, 'GET', `${LINES}/chats?line_id=${line.lineId}`);
      return chats.length === 1;
    });
    await rig.sandbox.fault(line.lineId, { kind: 'bad_mac', count: 1 });
    const { message_id: id } = await rig.sandbox.say(ALICE, OWNER, 'read me');
    const placeholder = { type: 'undecryptable', reason: 'decryption_failed', from_me: false, is_group: false };
    expect((await arrived(id, 'message.undecryptable')).data).toMatchObject({ ...placeholder, phone: `+${ALICE}` });
    expect((await arrived(id, 'message_undecryptable')).data).toMatchObject({ ...placeholder, phone: ALICE });
    expect((await arrived(id, 'message.received')).data).toMatchObject({ type: 'text', body: 'read me' });
    await arrived(id, 'message');
    expect(
      told(id)
        .map(({ event }) => event)
        .sort(),
    ).toEqual(['message', 'message.received', 'message.undecryptable', 'message_undecryptable']);
    const { messages } = await rig.api.expect<{ messages: Record<string, unknown>[] }>(
      200,
      'GET',
      `${LINES}/messages?line_id=${line.lineId}&phone=%2B${ALICE}`,
    );
    expect(messages.map(({ type, body }) => [type, body])).toEqual([
      ['text', 'read me'],
      ['text', 'hello'],
    ]);
    const { chats } = await rig.api.expect<{ chats: { unread_count: number }[] }>(
      200,
      'GET',
      `${LINES}/chats?line_id=${line.lineId}`,
    );
    expect(chats[0]?.unread_count).toBe(2);
  });

  test('what WhatsApp refuses of a sender is said in both APIs and in the timeline', async () => {
    for (const [code, word] of [
      [463, 'recipient_restricted'],
      [479, 'message_malformed'],
    ] as const) {
      await rig.sandbox.fault(line.lineId, { kind: 'reject_sends', code, count: 1 });
      const refused = await rig.api.call('POST', `${PROXY}/send/text`, { chat: ALICE, body: `refused ${code}` });
      expect([refused.status, refused.body]).toMatchObject([502, { details: { whatsapp_code: code } }]);
      const failed = await until('the failure', () =>
        rig.receiver.requests
          .filter(({ path }) => path === '/lines')
          .map(({ body }) => JSON.parse(body) as { event: string; data: Record<string, unknown> })
          .find(({ data }) => (data.error as { whatsapp_code?: number } | undefined)?.whatsapp_code === code),
      );
      expect(failed.data).toMatchObject({ status: 'failed', error: { code: word } });
      const id = String(failed.data.message_id);
      expect((await arrived(id, 'message_status')).data).toMatchObject({ status: 'failed', error: word });
      const { timeline } = await message(id);
      expect(timeline.at(-1)).toMatchObject({ state: 'failed', error: { code: word } });
    }
  });

  test('a message to a group is delivered and read once somebody has it, whoever confirms it how', async () => {
    const made = await rig.api.expect<{ jid: string }>(200, 'POST', `${PROXY}/groups`, {
      subject: 'Readers',
      participants: [ALICE, BOB],
    });
    const { message_id: id } = await rig.api.expect<{ message_id: string }>(200, 'POST', `${PROXY}/send/text`, {
      chat: made.jid,
      body: 'to both',
    });
    const status = async (wanted: string) =>
      until(`it is ${wanted}`, () =>
        told(id).find(({ event, data }) => event === 'message.status' && data.status === wanted),
      );
    expect((await status('delivered')).data).toMatchObject({ chat_id: made.jid });
    for (const phone of [ALICE, BOB]) {
      await rig.api.expect(200, 'POST', `/api/sandbox/v1/phones/${phone}/receipts`, {
        to: made.jid,
        message_ids: [id],
        type: 'read',
      });
    }
    await status('read');
    const stages = told(id).filter(({ event }) => event === 'message.status');
    expect(stages.map(({ data }) => data.status)).toEqual(['delivered', 'read']);
    const { timeline } = await message(id);
    expect(timeline.map(({ state }) => state).slice(-3)).toEqual(['server_ack', 'delivered', 'read']);
  });
});
