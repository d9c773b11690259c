import { expect, it, vi } from 'vitest';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, Fixture } from './fixture.ts';

const MEMBERS = 256;
const ASKED = new Set(['w:g2', 'usync', 'encrypt']);

it('a message to a group of 256 costs a line three queries the first time and one after that', {
  timeout: 60_000,
}, async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  const others = Array.from({ length: MEMBERS - 2 }, (_, i) => `1666${1_000_000 + i}`);
  for (const digits of [BOB, ...others]) await net.phone(digits);
  const { jid, participants } = await call('POST /groups', {
    subject: 'Everybody',
    owner: BOB,
    participants: [ALICE, ...others],
  });
  expect(participants).toHaveLength(MEMBERS);
  const wire = async (after: number) => {
    const log: { seq: number; tag: string; direction: string; attrs: Record<string, string> }[] = await call(
      `GET /lines/line_a/wire?after=${after}`,
    );
    return { last: log.at(-1)?.seq ?? after, queries: log.filter((s) => ASKED.has(s.attrs.xmlns ?? '')) };
  };
  const everybodyHas = (body: string) =>
    vi.waitFor(
      async () => {
        for (const digits of [BOB, others[0], others.at(-1)]) {
          const inbox = await call(`GET /phones/${digits}/inbox`);
          expect(inbox.map((item: { body: string }) => item.body)).toContain(body);
        }
      },
      { timeout: 30_000 },
    );
  const { last: start } = await wire(0);
  // Looked at as soon as the message is taken: the receipts of so many push it out of the log.
  await line.ack(await line.sendText(jid, 'first'));
  const first = await wire(start);
  await everybodyHas('first');
  expect(first.queries.map(({ attrs }) => attrs.xmlns)).toEqual(['w:g2', 'usync', 'encrypt']);
  const { last: before } = await wire(0);
  await line.ack(await line.sendText(jid, 'second'));
  const second = await wire(before);
  await everybodyHas('second');
  expect(second.queries.map(({ attrs }) => attrs.xmlns)).toEqual(['w:g2']);
  await call(`POST /phones/${BOB}/messages`, { to: jid, type: 'text', body: 'from a phone' });
  await line.text('from a phone');
});
