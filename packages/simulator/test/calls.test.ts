import { children, type Node as Stanza } from '@ponte/engine';
import { beforeEach, expect, test, vi } from 'vitest';
import type { BaileysLine } from './baileys-line.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, CAROL, Fixture, pnJid } from './fixture.ts';

let net: Fixture;
let call: ReturnType<typeof controlOf>;
let line: BaileysLine;

beforeEach(async () => {
  net = await Fixture.open();
  call = controlOf(net);
  line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
});

/** The raw `<call>` with this event of this call, as the line got it. */
const signal = (on: BaileysLine, callId: string, tag: string): Promise<{ node: Stanza; event: Stanza }> =>
  on.until(`${tag} of ${callId}`, () => {
    for (const node of on.stanzas as Stanza[]) {
      const [event] = node.tag === 'call' ? children(node) : [];
      if (event?.tag === tag && event.attrs['call-id'] === callId) return { node, event };
    }
    return undefined;
  });

/** The phone rings, too; it may learn of the call after the line. */
const ringsOn = (phone: string, callId: string): Promise<void> =>
  vi.waitFor(async () => {
    expect(await call(`GET /phones/${phone}/calls`)).toContainEqual(
      expect.objectContaining({ call_id: callId, state: 'ringing' }),
    );
  });

test('a call rings the line with who, from where and whether with video', async () => {
  const { lid } = await call(`GET /phones/${BOB}`);
  const { call_id: id } = await call(`POST /phones/${BOB}/calls`, { to: ALICE, video: true, platform: 'iphone' });
  const { node, event } = await signal(line, id, 'offer');
  expect(node.attrs).toMatchObject({ platform: 'iphone', version: expect.any(String), t: expect.any(String) });
  expect([node.attrs.from, event.attrs['call-creator']]).toEqual([expect.stringMatching(/@/), lid]);
  expect(children(event).map(({ tag }) => tag)).toContain('video');
  const [ringing] = await vi.waitFor(() => {
    expect(line.calls).toHaveLength(1);
    return line.calls;
  });
  expect(ringing).toMatchObject({ id, status: 'offer', isVideo: true });
  const voice = await call(`POST /phones/${BOB}/calls`, { to: ALICE });
  expect(children((await signal(line, voice.call_id, 'offer')).event).map(({ tag }) => tag)).not.toContain('video');
});

test.each([
  ['timeout', 'timeout'],
  ['hangup', 'hangup'],
  ['decline', 'rejected_elsewhere'],
  ['busy', 'busy'],
])('a call that ends by %s says so', async (reason, said) => {
  const { call_id: id } = await call(`POST /phones/${BOB}/calls`, { to: ALICE });
  await signal(line, id, 'offer');
  expect(await call(`DELETE /phones/${BOB}/calls/${id}`, { reason })).toMatchObject({ call_id: id, state: 'ended' });
  expect((await signal(line, id, 'terminate')).event.attrs.reason).toBe(said);
  expect(await call.raw(`DELETE /phones/${BOB}/calls/${id}`)).toMatchObject({
    status: 404,
    body: { error: 'call_not_found' },
  });
});

test("the line's own phone takes a call up, or declines it: the line stops ringing", async () => {
  const taken = await call(`POST /phones/${BOB}/calls`, { to: ALICE });
  await signal(line, taken.call_id, 'offer');
  await ringsOn(ALICE, taken.call_id);
  await call(`POST /phones/${ALICE}/calls/${taken.call_id}/accept`);
  expect((await signal(line, taken.call_id, 'terminate')).event.attrs.reason).toBe('accepted_elsewhere');
  await vi.waitFor(async () => {
    expect(await call(`GET /phones/${BOB}/calls`)).toMatchObject([{ call_id: taken.call_id, state: 'accepted' }]);
  });
  const declined = await call(`POST /phones/${BOB}/calls`, { to: ALICE });
  await signal(line, declined.call_id, 'offer');
  await ringsOn(ALICE, declined.call_id);
  await call(`DELETE /phones/${ALICE}/calls/${declined.call_id}`, { reason: 'decline' });
  expect((await signal(line, declined.call_id, 'terminate')).event.attrs.reason).toBe('rejected_elsewhere');
  await vi.waitFor(async () => {
    expect((await call(`GET /phones/${BOB}/calls`)).at(-1)).toMatchObject({ state: 'rejected' });
  });
});

test('the line rejects a call: caller and own phone hear of it', async () => {
  const { call_id: id } = await call(`POST /phones/${BOB}/calls`, { to: ALICE });
  const { node } = await signal(line, id, 'offer');
  await ringsOn(ALICE, id);
  await line.sock?.rejectCall(id, node.attrs.from ?? '');
  await vi.waitFor(async () => {
    expect(await call(`GET /phones/${BOB}/calls`)).toMatchObject([{ call_id: id, state: 'rejected' }]);
    expect(await call(`GET /phones/${ALICE}/calls`)).toMatchObject([
      { call_id: id, state: 'ended', reason: 'rejected_elsewhere', with: pnJid(BOB), incoming: true },
    ]);
  });
});

test('a call to a line that is away waits for it; one from somebody who is not wanted does not ring', async () => {
  await line.close();
  const missed = await call(`POST /phones/${BOB}/calls`, { to: ALICE });
  await call(`DELETE /phones/${BOB}/calls/${missed.call_id}`, { reason: 'timeout' });
  line.connect();
  const { node } = await signal(line, missed.call_id, 'offer');
  expect(node.attrs.offline).toBeDefined();
  await signal(line, missed.call_id, 'terminate');
  await net.phone(CAROL);
  await call(`PUT /phones/${ALICE}/privacy`, { calls: 'known' });
  await call(`POST /phones/${CAROL}/calls`, { to: ALICE });
  await call(`POST /phones/${CAROL}/messages`, { to: ALICE, type: 'text', body: 'hi' });
  await line.text('hi');
  const known = await call(`POST /phones/${CAROL}/calls`, { to: ALICE });
  await signal(line, known.call_id, 'offer');
  const offers = (line.stanzas as Stanza[]).filter((n) => n.tag === 'call' && children(n)[0]?.tag === 'offer');
  expect(offers).toHaveLength(2);
});

test('a line gets a link to a call, and so does a phone that invites to an event with one', async () => {
  const token = await line.sock?.createCallLink('video', { startTime: 1_790_000_000 });
  expect(token).toMatch(/^[A-Za-z0-9]{22}$/);
  expect(await line.sock?.createCallLink('audio')).not.toBe(token);
  const event = { type: 'event', name: 'Stand-up', start_time: 1_790_000_000, call: 'voice' };
  const { message_id: id } = await call(`POST /phones/${BOB}/messages`, { to: ALICE, ...event });
  const invited = await line.until('the event', () => line.received.find(({ key }) => key.id === id));
  expect(invited.message?.eventMessage).toMatchObject({ name: 'Stand-up', isScheduleCall: true });
  const link = invited.message?.eventMessage?.joinLink;
  expect(link).toMatch(/^https:\/\/call\.whatsapp\.com\/voice\/[A-Za-z0-9]{22}$/);
  const [shown] = (await call(`GET /phones/${ALICE}/inbox`)).slice(-1);
  expect(shown).toMatchObject({ type: 'event', name: 'Stand-up', join_link: link });
});
