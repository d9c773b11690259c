import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReceivedRequest } from './receiver.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const BASE = '/api/bridge/v1';
const OWNER = '15550001111';
const ALICE = '15550002222';

const bodyOf = (request: ReceivedRequest) =>
  JSON.parse(request.body) as { event: string; data: Record<string, unknown> };

const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('archiving, as the owner’s phone shows it, on %s', (database) => {
  let rig: Rig;
  let line: LinkedLine;

  beforeAll(async () => {
    rig = await Rig.start({ database });
    await rig.sandbox.phone(ALICE, 'Alice');
    line = await rig.linkLine('archive', OWNER);
    await rig.api.expect(200, 'POST', `${BASE}/webhooks`, {
      url: `${rig.receiver.url}/lines`,
      events: ['chat.archived', 'message.received'],
    });
    await rig.sandbox.say(ALICE, OWNER, 'hello');
    await until('the line has the chat', async () => (await chat()) !== undefined);
  }, 60_000);
  afterAll(() => rig?.close());

  const chat = async () => {
    const { chats } = await rig.api.expect<{ chats: { phone: string; archived: boolean }[] }>(
      200,
      'GET',
      `${BASE}/chats?line_id=${line.lineId}`,
    );
    return chats.find(({ phone }) => phone === `+${ALICE}`);
  };
  /** What the phone's own chat list says. */
  const onPhone = async (): Promise<boolean> => {
    const chats = await rig.api.expect<{ archived: boolean }[]>(200, 'GET', `/api/sandbox/v1/phones/${OWNER}/chats`);
    return chats.some(({ archived }) => archived);
  };
  const isArchived = (wanted: boolean) =>
    until(
      `the chat is ${wanted ? '' : 'not '}archived, here and on the phone`,
      async () => (await onPhone()) === wanted && (await chat())?.archived === wanted,
    );
  const archive = (wanted: boolean) =>
    until('the phone takes it', async () => {
      const answer = await rig.api.call('POST', `${BASE}/chats/archive`, {
        line_id: line.lineId,
        phone: `+${ALICE}`,
        archive: wanted,
      });
      // Right after the pairing the phone has not shared its keys yet.
      if (answer.status === 504) return false;
      expect([answer.status, answer.raw]).toEqual([200, answer.raw]);
      return true;
    });
  const send = (archive_policy?: string) =>
    rig.api.expect(200, 'POST', `${BASE}/messages/send`, {
      line_id: line.lineId,
      to: `+${ALICE}`,
      message: `policy ${archive_policy}`,
      archive_policy,
    });

  test('POST /chats/archive puts the chat into the archive of the phone, and takes it out again', async () => {
    await archive(true);
    await isArchived(true);
    await archive(false);
    await isArchived(false);
    const unknown = await rig.api.call('POST', `${BASE}/chats/archive`, {
      line_id: line.lineId,
      phone: '+15559998888',
    });
    expect(unknown).toMatchObject({ status: 404, body: { error: 'chat_not_found' } });
  });

  test('never: a send leaves a chat where it is; always: it is archived after the send', async () => {
    await send('never');
    await send();
    expect(await onPhone()).toBe(false);
    await send('always');
    await isArchived(true);
    await until('the event', () =>
      rig.receiver.requests.map(bodyOf).find(({ event, data }) => event === 'chat.archived' && data.archived === true),
    );
  });

  test('preserve_if_previously_archived: an archived chat stays archived, one that is not stays out', async () => {
    await archive(true);
    await isArchived(true);
    await send('preserve_if_previously_archived');
    await isArchived(true);
    await archive(false);
    await isArchived(false);
    await send('preserve_if_previously_archived');
    expect(await onPhone()).toBe(false);
    await isArchived(false);
  });

  test('what the owner archives on the phone is archived here', async () => {
    await rig.world('PATCH', `/phones/${OWNER}/chats/${ALICE}`, { archived: true });
    await isArchived(true);
  });

  test('what the owner changes on the phone while the line is away is noted when it is back', async () => {
    await rig.killGateway();
    await rig.world('PATCH', `/phones/${OWNER}/chats/${ALICE}`, { archived: false });
    await rig.startGateway();
    await isArchived(false);
  });
});
