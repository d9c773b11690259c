import { proto } from 'baileys';
import { expect, it, vi } from 'vitest';
import type { BaileysLine } from './baileys-line.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, CAROL, Fixture } from './fixture.ts';

const { HistorySyncType } = proto.HistorySync;

const old = (n: number, fields: object = {}) => ({ body: `old ${n}`, timestamp: 1_700_000_000 + n, ...fields });

function parts(line: BaileysLine, type: number) {
  return line.history.filter(({ syncType }) => syncType === type);
}

it('the past of a phone reaches a line that is linked to it: bootstrap, names and recent parts, with numbers for LIDs', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  for (const digits of [ALICE, BOB, CAROL]) await net.phone(digits);
  const bob = await call(`GET /phones/${BOB}`);
  const many = Array.from({ length: 90 }, (_, i) => old(i, i % 3 === 0 ? { from_me: true } : { push_name: 'Bobby' }));
  const { jid } = await call('POST /groups', { subject: 'Old friends', owner: CAROL, participants: [ALICE, BOB] });
  const given = await call(`POST /phones/${ALICE}/history`, {
    chats: [
      { with: BOB, name: 'Bob', unread: 2, archived: true, messages: many },
      { with: jid, messages: [old(1000, { from: BOB }), old(1001, { from_me: true, type: 'text' })] },
    ],
  });
  expect(given).toEqual({ chats: 2, messages: 92 });
  const line = await net.linked('line_a', ALICE, { isSyncing: true });
  // Baileys makes one event of parts that come close together.
  const messages = () => line.history.flatMap((part) => part.messages);
  await line.until('everything', () => new Set(messages().map(({ key }) => key.id)).size === 92);
  const chats = line.history.flatMap((part) => part.chats.map(({ id, archived }) => ({ id, archived })));
  expect(chats).toContainEqual({ id: bob.lid, archived: true });
  const inGroup = messages().filter(({ key }) => key.remoteJid === jid);
  expect(inGroup.map(({ key }) => [key.fromMe, key.participant])).toContainEqual([false, bob.lid]);
  await line.until('the names', () =>
    line.history.some(({ contacts }) => contacts.some(({ notify }) => notify === 'Bobby')),
  );
  expect(await line.sock?.signalRepository.lidMapping.getPNForLID(bob.lid)).toMatch(BOB);
  await vi.waitFor(async () => {
    const sent: { type: string; state: string; inline: boolean }[] = await call(`GET /phones/${ALICE}/history`);
    expect(sent.map(({ type }) => type)).toEqual(['initialBootstrap', 'pushName', 'recent', 'nonBlockingData']);
    expect(sent.map(({ inline }) => inline)).toEqual([true, false, false, false]);
    expect(sent.map(({ state }) => state)).toEqual(['synced', 'synced', 'synced', 'synced']);
  });
});

it('a line asks the phone for older messages of a chat, for everything, and for one it could not read', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  for (const digits of [ALICE, BOB]) await net.phone(digits);
  const messages = Array.from({ length: 300 }, (_, i) => old(i, { message_id: `OLD${i}` }));
  await call(`POST /phones/${ALICE}/history`, { chats: [{ with: BOB, messages }] });
  const line = await net.linked('line_a', ALICE, { isSyncing: true });
  const { lid } = await call(`GET /phones/${BOB}`);
  const seen = () => new Set(line.history.flatMap((part) => part.messages.map(({ key }) => key.id)));
  await line.until('the recent part', () => seen().size === 100);
  const oldest = { remoteJid: lid, id: 'OLD200', fromMe: false };
  const session = await line.sock?.fetchMessageHistory(30, oldest, 1_700_000_200);
  const answer = await line.until('the answer', () => parts(line, HistorySyncType.ON_DEMAND)[0]);
  expect(answer.peerDataRequestSessionId).toBe(session);
  const ids = answer.messages.map(({ key }) => key.id);
  expect(ids).toHaveLength(30);
  expect([ids[0], ids.at(-1)]).toEqual(['OLD199', 'OLD170']);
  const { Message } = proto;
  await line.sock?.sendPeerDataOperationMessage({
    peerDataOperationRequestType: Message.PeerDataOperationRequestType.FULL_HISTORY_SYNC_ON_DEMAND,
  });
  // Baileys leaves out of an event what it was told before.
  await line.until('all of it', () => {
    return seen().size === 300;
  });
  await line.sock?.requestPlaceholderResend({ remoteJid: lid, id: 'OLD7', fromMe: false });
  const resent = await line.until('the resent message', () => line.received.find(({ key }) => key.id === 'OLD7'));
  expect(resent.message?.conversation).toBe('old 7');
});
