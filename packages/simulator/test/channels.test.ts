import { child, childrenOf, type Node } from '@ponte/engine';
import { expect, it, vi } from 'vitest';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, CAROL, Fixture } from './fixture.ts';

interface Item {
  message_id: string;
  body?: string;
  status: string;
}

it('a line follows a channel and reads its posts; its own channel is read by phones that follow it', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  for (const digits of [BOB, CAROL]) await net.phone(digits);
  const news = await call('POST /channels', { name: 'News', owner: BOB });
  expect(await line.sock?.newsletterMetadata('invite', news.invite_code)).toMatchObject({
    id: news.jid,
    thread_metadata: { name: { text: 'News' } },
    viewer_metadata: { role: 'GUEST' },
  });
  await call(`POST /channels/${news.jid}/messages`, { type: 'text', body: 'before anybody follows' });
  await line.sock?.newsletterFollow(news.jid);
  expect((await call(`GET /channels/${news.jid}`)).followers).toEqual([ALICE]);
  const { message_id } = await call(`POST /channels/${news.jid}/messages`, { type: 'text', body: 'extra, extra' });
  const received = await line.text('extra, extra');
  expect(received.key).toMatchObject({ remoteJid: news.jid, id: message_id, fromMe: false });
  const serverId = line.stanzas.find(({ attrs }) => attrs.id === message_id)?.attrs.server_id ?? '';
  await line.sock?.newsletterReactMessage(news.jid, serverId, '👍');
  const fetched: Node = await line.sock?.newsletterFetchMessages(news.jid, 10, 0, 0);
  const posts = childrenOf(child(child(fetched, 'message_updates'), 'messages'), 'message');
  expect(posts.map(({ attrs }) => attrs.server_id)).toEqual([String(Number(serverId) - 1), serverId]);
  expect(child(child(posts[1], 'reactions'), 'reaction')?.attrs).toMatchObject({ code: '👍', count: '1' });
  await line.sock?.newsletterUnfollow(news.jid);
  expect((await call(`GET /channels/${news.jid}`)).followers).toEqual([]);

  const own = await line.sock?.newsletterCreate('Line news', 'Written by a line');
  const jid = own?.id ?? '';
  await call(`POST /channels/${jid}/followers`, { phone: CAROL });
  const id = await line.sendText(jid, 'from the line');
  expect(await line.ack(id)).toMatchObject({ server_id: '101' });
  const seen = async (): Promise<Item[]> => call(`GET /phones/${CAROL}/inbox?chat=${jid}`);
  await vi.waitFor(async () => expect(await seen()).toMatchObject([{ message_id: id, body: 'from the line' }]));
  const refused = await line.sendText(news.jid, 'may I?');
  expect((await line.ack(refused)).error).toBe('403');
});
