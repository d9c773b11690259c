import { expect, test, vi } from 'vitest';
import { SystemClock } from '../src/world/clock.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, CAROL, Fixture } from './fixture.ts';

interface Item {
  message_id: string;
  body?: string;
  revoked: boolean;
  ephemeral_seconds?: number;
}

const DAY_S = 86_400;

test('messages of a group where they disappear are wrapped, and gone when their time is over', async () => {
  const clock = new SystemClock();
  const net = await Fixture.open({ clock });
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  for (const digits of [BOB, CAROL]) await net.phone(digits);
  const { jid } = await call('POST /groups', {
    ...{ subject: 'Team', owner: BOB, participants: [ALICE, CAROL], ephemeral_seconds: DAY_S },
  });
  const { message_id: id } = await call(`POST /phones/${BOB}/messages`, { to: jid, type: 'text', body: 'for a day' });
  const received = await line.until('the message', () => line.received.find(({ key }) => key.id === id));
  const inner = received.message?.ephemeralMessage?.message?.extendedTextMessage;
  expect([inner?.text, inner?.contextInfo?.expiration]).toEqual(['for a day', DAY_S]);
  expect(line.stanzas.find(({ attrs }) => attrs.id === id)?.attrs.expiration).toBe(String(DAY_S));
  await line.sock?.sendMessage(jid, { text: 'fading' }, { ephemeralExpiration: DAY_S });
  const shown = async (phone: string): Promise<(string | undefined)[]> =>
    (await call(`GET /phones/${phone}/inbox?sent=true&chat=${jid}`)).map(({ body }: Item) => body);
  for (const phone of [BOB, CAROL]) await vi.waitFor(async () => expect(await shown(phone)).toContain('fading'));
  expect(await shown(BOB)).toEqual(['for a day', 'fading']);
  await call(`PATCH /groups/${jid}`, { ephemeral_seconds: 0 });
  await call(`POST /phones/${BOB}/messages`, { to: jid, type: 'text', body: 'staying' });
  await vi.waitFor(async () => expect(await shown(CAROL)).toContain('staying'));
  clock.advance((DAY_S + 1) * 1000);
  for (const phone of [BOB, CAROL]) expect(await shown(phone)).toEqual(['staying']);
  await net.close();
  clock.close();
});

test('an admin deletes the messages of others, nobody else does', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  for (const digits of [BOB, CAROL]) await net.phone(digits);
  const { jid } = await call('POST /groups', { subject: 'Team', owner: BOB, participants: [ALICE, CAROL] });
  const shown = (phone: string, id: string): Promise<Item> =>
    vi.waitFor(async () => {
      const inbox = await call(`GET /phones/${phone}/inbox?sent=true`);
      const item = inbox.find(({ message_id }: Item) => message_id === id);
      if (!item) throw new Error(`${phone} does not show ${id}`);
      return item;
    });
  const isRevoked = (phone: string, id: string) =>
    vi.waitFor(async () => expect((await shown(phone, id)).revoked).toBe(true));
  const id = await line.sendText(jid, 'off topic');
  for (const phone of [BOB, CAROL]) await shown(phone, id);
  const refused = await call.raw(`POST /phones/${CAROL}/revokes`, { to: jid, message_id: id });
  expect(refused).toMatchObject({ status: 400, body: { error: 'validation_error' } });
  expect(refused.body.message).toContain('no admin of this group');
  await call(`POST /phones/${BOB}/revokes`, { to: jid, message_id: id });
  for (const phone of [BOB, CAROL, ALICE]) await isRevoked(phone, id);
  const told = await line.until('the revocation', () =>
    line.stanzas.find(({ tag, attrs }) => tag === 'message' && attrs.edit === '8'),
  );
  expect(told.attrs.from).toBe(jid);

  // The line: refused while it is a member, obeyed when it is an admin.
  const { message_id: carols } = await call(`POST /phones/${CAROL}/messages`, { to: jid, type: 'text', body: 'mine' });
  const { key } = await line.text('mine');
  const early = await line.sock?.sendMessage(jid, { delete: key });
  expect((await line.ack(early?.key.id ?? '')).error).toBe('403');
  expect((await shown(CAROL, carols)).revoked).toBe(false);
  await call(`POST /groups/${jid}/participants`, { action: 'promote', participants: [ALICE] });
  await line.sock?.sendMessage(jid, { delete: key });
  for (const phone of [CAROL, BOB]) await isRevoked(phone, carols);
});
