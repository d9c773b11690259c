import { children } from '@ponte/engine';
import { expect, test, vi } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, CAROL, Fixture, pnJid, TENANT } from './fixture.ts';

interface Item {
  message_id: string;
  body?: string;
  status: string;
  receipts?: { from: string; status: string }[];
}

async function network() {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  for (const digits of [BOB, CAROL]) await net.phone(digits);
  const inbox = (phone: string): Promise<Item[]> => call(`GET /phones/${phone}/inbox?sent=true`);
  const shows = (phone: string, body: string): Promise<Item> =>
    vi.waitFor(async () => {
      const item = (await inbox(phone)).find((entry) => entry.body === body);
      if (!item) throw new Error(`${phone} does not show "${body}"`);
      return item;
    });
  return { net, call, line, inbox, shows };
}

test('one receipt tells of several messages: what a phone has read reaches the line, and what a line has read the phone', async () => {
  const { call, line, inbox, shows } = await network();
  const ids: string[] = [];
  for (const body of ['1', '2', '3']) ids.push(await line.sendText(pnJid(BOB), body));
  await shows(BOB, '3');
  await call(`POST /phones/${BOB}/receipts`, { to: ALICE, message_ids: ids, type: 'read' });
  const receipt = await line.until('the receipt', () =>
    line.stanzas.find(({ tag, attrs }) => tag === 'receipt' && attrs.type === 'read'),
  );
  const [list] = Array.isArray(receipt.content) ? receipt.content : [];
  expect([receipt.attrs.id, ...children(list).map(({ attrs }) => attrs.id)]).toEqual(ids);
  await line.until('the updates', () => {
    const read = line.updates.filter(({ update }) => update.status === 4).map(({ key }) => key.id);
    return ids.every((id) => read.includes(id));
  });
  for (const body of ['a', 'b', 'c']) await call(`POST /phones/${BOB}/messages`, { to: ALICE, type: 'text', body });
  const keys = [];
  for (const body of ['a', 'b', 'c']) keys.push((await line.text(body)).key);
  await line.sock?.readMessages(keys);
  await vi.waitFor(async () => {
    const own = (await inbox(BOB)).filter(({ body }) => ['a', 'b', 'c'].includes(body ?? ''));
    expect(own.map(({ status }) => status)).toEqual(['read', 'read', 'read']);
  });
});

test('what members read while the author is away comes to it as one receipt with all of them', async () => {
  const { net, call, line, shows } = await network();
  const { jid } = await call('POST /groups', { subject: 'Team', owner: ALICE, participants: [BOB, CAROL] });
  const id = await line.sendText(jid, 'who reads this');
  for (const phone of [BOB, CAROL]) await shows(phone, 'who reads this');
  await until(
    'both deliveries',
    () => line.stanzas.filter(({ tag, attrs }) => tag === 'receipt' && attrs.id === id).length >= 2,
  );
  await line.close();
  for (const phone of [BOB, CAROL]) {
    await call(`POST /phones/${phone}/receipts`, { to: jid, message_ids: [id], type: 'read' });
  }
  line.stanzas.length = 0;
  line.connect();
  await line.until('the mail', () => line.isDrained);
  const sums = line.stanzas.filter(({ tag, attrs }) => tag === 'receipt' && attrs.id === id);
  expect(sums).toHaveLength(1);
  const [sum] = sums;
  expect(sum?.attrs).toMatchObject({ from: jid, type: 'read', offline: expect.any(String) });
  expect(sum?.attrs.participant).toBeUndefined();
  const [participants] = Array.isArray(sum?.content) ? sum.content : [];
  expect(participants.attrs.key).toBe(id);
  const lids = [];
  for (const phone of [BOB, CAROL]) lids.push((await call(`GET /phones/${phone}`)).lid);
  expect(children(participants).map(({ tag, attrs }) => [tag, attrs.jid, Number(attrs.t) > 0])).toEqual(
    lids.map((lid) => ['user', lid, true]),
  );
  // It leaves the mailbox with one ack; the author's phone, which was there, heard of each of them.
  await until('the ack', () => net.world.network(TENANT).tenant.queue.counts(ALICE, 1).receipt === undefined);
  const read = [BOB, CAROL].map((phone) => ({ from: pnJid(phone), status: 'read' }));
  await vi.waitFor(async () => {
    const { receipts = [] } = await shows(ALICE, 'who reads this');
    expect(receipts.toSorted((a, b) => a.from.localeCompare(b.from))).toEqual(read);
  });
});
