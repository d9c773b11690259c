import { expect, it } from 'vitest';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, Fixture } from './fixture.ts';

const MEMBERS = 1024;

it('a group of 1 024 is as large as it gets; a line knows all of its members and reads it', {
  timeout: 90_000,
}, async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  const others = Array.from({ length: MEMBERS - 2 }, (_, i) => `1777${1_000_000 + i}`);
  for (const digits of [BOB, ...others]) await net.phone(digits);
  // Most of these phones are not looked at.
  for (const digits of others) await call(`PUT /phones/${digits}/settings`, { online: false });
  const { jid, participants } = await call('POST /groups', {
    subject: 'Everybody',
    owner: BOB,
    participants: [ALICE, ...others],
  });
  expect(participants).toHaveLength(MEMBERS);
  const late = '15550009999';
  await net.phone(late);
  const refused = await call.raw(`POST /groups/${jid}/participants`, { participants: [late] });
  expect([refused.status, refused.body.message]).toEqual([409, expect.stringContaining('419 resource-limit')]);
  const metadata = await line.sock?.groupMetadata(jid);
  expect([metadata?.size, metadata?.participants.length]).toEqual([MEMBERS, MEMBERS]);
  await call(`POST /phones/${BOB}/messages`, { to: jid, type: 'text', body: 'hello everybody' });
  await line.text('hello everybody');
  const { queue } = net.world.network('test').tenant;
  expect(queue.counts(others.at(-1) ?? '', 0).message).toBe(1);
});
