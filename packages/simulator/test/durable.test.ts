import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, Fixture, pnJid } from './fixture.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

it('groups, sender keys, app state and history are there after a restart of the simulator', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'simulator-'));
  folders.push(folder);
  const options = { dataFile: join(folder, 'world.db') };
  const net = await Fixture.open(options);
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  const { jid } = await call('POST /groups', { subject: 'Kept', owner: BOB, participants: [ALICE] });
  const say = (body: string) => call(`POST /phones/${BOB}/messages`, { to: jid, type: 'text', body });
  await say('before');
  await line.text('before');
  await call(`PATCH /phones/${ALICE}/chats/${BOB}`, { archived: true, name: 'Bobby' });
  await call(`POST /phones/${ALICE}/history`, {
    chats: [{ with: BOB, messages: [{ body: 'old', timestamp: 1_700_000_000 }] }],
  });
  await line.close();
  await net.restart(options);
  line.connect();
  await line.until('the login', () => line.isOpen && line.isDrained);
  await say('after');
  await line.text('after');
  const id = await line.sendText(jid, 'still here');
  await vi.waitFor(async () => {
    const items: { message_id: string }[] = await call(`GET /phones/${BOB}/inbox`);
    expect(items.map((item) => item.message_id)).toContain(id);
  });
  expect((await call(`GET /groups/${jid}`)).participants).toHaveLength(2);
  const chats: { chat: string }[] = await call(`GET /phones/${ALICE}/chats`);
  expect(chats.find(({ chat }) => chat === pnJid(BOB))).toMatchObject({ archived: true, name: 'Bobby' });
  const second = await net.linked('line_b', ALICE, { isSyncing: true });
  await second.until('the old message', () =>
    second.history.some(({ messages }) => messages.some(({ message }) => message?.conversation === 'old')),
  );
});
