import { expect, it, vi } from 'vitest';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, CAROL, Fixture, pnJid, TENANT } from './fixture.ts';

const STATUS = 'status@broadcast';

it('statuses of a phone reach the lines and phones of its audience, those of a line the phones it names, and nobody else', async () => {
  const net = await Fixture.open();
  net.world.demands(TENANT, { statusStanzas: false });
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  await net.phone(CAROL);
  const seen = async (phone: string): Promise<{ body: string }[]> => call(`GET /phones/${phone}/inbox?chat=${STATUS}`);
  const { message_id } = await call(`POST /phones/${BOB}/status`, { type: 'text', body: 'at the sea', to: [ALICE] });
  const received = await line.text('at the sea');
  expect(received.key).toMatchObject({ remoteJid: STATUS, participant: bob.lid, id: message_id });
  await vi.waitFor(async () => expect(await seen(ALICE)).toMatchObject([{ body: 'at the sea', from: pnJid(BOB) }]));
  expect(await seen(CAROL)).toEqual([]);
  await call(`POST /phones/${BOB}/status`, { type: 'text', body: 'still there', to: [ALICE] });
  await line.text('still there');
  const sent = await line.sock?.sendMessage(STATUS, { text: 'from the line' }, { statusJidList: [bob.lid, bob.jid] });
  await vi.waitFor(async () =>
    expect(await seen(BOB)).toMatchObject([{ body: 'from the line', from: pnJid(ALICE), message_id: sent?.key.id }]),
  );
  expect(await seen(CAROL)).toEqual([]);
  await line.sock?.readMessages([received.key]);
  await vi.waitFor(async () => {
    const own: { message_id: string }[] = await call(`GET /phones/${BOB}/inbox?chat=${STATUS}&sent=true`);
    expect(own.find((item) => item.message_id === message_id)).toMatchObject({ status: 'read' });
  });
});
