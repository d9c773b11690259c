import { expect, test } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import { FaultError } from '../src/faults/rules.ts';
import { SystemClock } from '../src/world/clock.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, bodies, Fixture, pnJid, TENANT } from './fixture.ts';

test('a second login of the same device replaces the first', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const twin = net.line('line_twin');
  twin.auth.creds = line.auth.creds;
  twin.auth.keys = line.auth.keys;
  twin.connect();
  await twin.until('the second login', () => twin.isOpen);
  await line.until('the end of the first', () => line.closes.at(-1) === 440);
});

test('whoever logs in with the address of a line but another key is refused', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const thief = net.line('line_thief');
  thief.auth.creds.me = line.auth.creds.me;
  thief.connect();
  await thief.until('the refusal', () => thief.closes.at(-1) === 401);
  expect(thief.isOpen).toBe(false);
  expect(line.isOpen).toBe(true);
});

test('a line that its phone unlinks is logged out at once and for good', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const { deviceJid } = net.world.lineDevice(TENANT, 'line_a') ?? { deviceJid: '' };
  await net.world.unlink(TENANT, ALICE, deviceJid);
  await line.until('the log-out', () => line.closes.at(-1) === 401);
  line.connect();
  await line.until('the refused login', () => line.closes.length === 3);
  expect(line.closes).toEqual([515, 401, 401]);
});

test('a line that logs itself out is gone from the account', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  await line.sock?.logout();
  await until('the end of the link', () => net.world.lineDevice(TENANT, 'line_a') === undefined);
});

test('faults that end a connection: cut, stream errors, replaced, logged out', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const wanted: [Record<string, unknown>, number][] = [
    [{ kind: 'cut' }, 428],
    [{ kind: 'stream_error', code: 503 }, 503],
    [{ kind: 'stream_error', code: 405 }, 405],
    [{ kind: 'replaced' }, 440],
  ];
  for (const [fault, code] of wanted) {
    net.fault('line_a', fault);
    await line.until(JSON.stringify(fault), () => line.closes.at(-1) === code && !line.isOpen);
    line.connect();
    await line.until('the next login', () => line.isOpen && line.isDrained);
  }
  await line.close();
  net.fault('line_a', { kind: 'stream_error', code: 403 });
  line.connect();
  await line.until('a failed login', () => line.closes.at(-1) === 403);
  line.connect();
  await line.until('the login after it', () => line.isOpen);
  net.fault('line_a', { kind: 'logged_out' });
  await line.until('the log-out', () => line.closes.at(-1) === 401);
});

test('refuse keeps a line out for its time', async () => {
  const clock = new SystemClock();
  const net = await Fixture.open({ clock });
  const line = await net.linked('line_a', ALICE);
  net.fault('line_a', { kind: 'refuse', for_ms: 60_000 });
  net.fault('line_a', { kind: 'cut' });
  await line.until('the cut', () => line.closes.length === 2);
  line.connect();
  await line.until('the refusal', () => line.closes.length === 3);
  clock.advance(60_000);
  line.connect();
  await line.until('the login', () => line.isOpen);
  await net.close();
  clock.close();
});

test('lose_acks: the message arrives, its ack never does', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  net.fault('line_a', { kind: 'lose_acks', count: 1 });
  const lost = await line.sendText(pnJid(BOB), 'no answer');
  await until('the text', () => bodies(bob).includes('no answer'));
  const next = await line.sendText(pnJid(BOB), 'answered');
  await line.ack(next);
  expect(line.stanzas.some((n) => n.tag === 'ack' && n.attrs.id === lost)).toBe(false);
});

test('slow_acks: acks come late, on the clock of the network', async () => {
  const clock = new SystemClock();
  const net = await Fixture.open({ clock });
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  net.fault('line_a', { kind: 'slow_acks', ms: 30_000, for_ms: 60_000 });
  const id = await line.sendText(pnJid(BOB), 'slow');
  await until('the text', () => bodies(bob).includes('slow'));
  expect(line.stanzas.some((n) => n.tag === 'ack' && n.attrs.id === id)).toBe(false);
  clock.advance(30_000);
  await line.ack(id);
  await net.close();
  clock.close();
});

test('reject_sends: the ack carries the code and nobody gets the message', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  net.fault('line_a', { kind: 'reject_sends', code: 463, count: 1 });
  const id = await line.sendText(pnJid(BOB), 'refused');
  expect((await line.ack(id)).error).toBe('463');
  const next = await line.sendText(pnJid(BOB), 'taken');
  expect((await line.ack(next)).error).toBeUndefined();
  await until('the second text', () => bodies(bob).includes('taken'));
  expect(bodies(bob)).toEqual(['taken']);
});

test('duplicate: the same stanza comes twice', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  net.fault('line_a', { kind: 'duplicate', count: 1 });
  const { messageId } = await bob.sendText(pnJid(ALICE), 'twice');
  const copies = () => line.stanzas.filter((n) => n.tag === 'message' && n.attrs.id === messageId);
  await line.until('both copies', () => copies().length === 2);
});

test('reorder: messages arrive last first', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  net.fault('line_a', { kind: 'reorder', count: 3 });
  const ids: string[] = [];
  line.stanzas.length = 0;
  for (const body of ['1', '2', '3']) ids.push((await bob.sendText(pnJid(ALICE), body)).messageId);
  const arrived = () => line.stanzas.filter((n) => n.tag === 'message').map((n) => n.attrs.id);
  await line.until('all three', () => arrived().length === 3);
  expect(arrived()).toEqual(ids.reverse());
  await line.text('1');
});

test('bad_mac: the line asks again and gets the message on the second try', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  await bob.sendText(pnJid(ALICE), 'good');
  await line.text('good');
  net.fault('line_a', { kind: 'bad_mac', count: 1 });
  await bob.sendText(pnJid(ALICE), 'spoilt');
  await line.text('spoilt');
});

test('bad_mac: a damaged first message of a session is asked for again, too, and one of a group', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  const spoil = async (to: string, body: string, type: string) => {
    net.fault('line_a', { kind: 'bad_mac', count: 1 });
    const { messageId } = await bob.sendText(to, body);
    await line.text(body);
    const [first] = line.stanzas.filter((n) => n.tag === 'message' && n.attrs.id === messageId);
    const parts = Array.isArray(first?.content) ? first.content : [];
    expect(parts.flatMap(({ tag, attrs }) => (tag === 'enc' ? [attrs.type] : []))).toContain(type);
    const asked = net.world.wire(TENANT, 'line_a', 0).filter(({ direction, tag, attrs }) => {
      return direction === 'in' && tag === 'receipt' && attrs.type === 'retry' && attrs.id === messageId;
    });
    expect(asked.length).toBeGreaterThan(0);
  };
  await spoil(pnJid(ALICE), 'spoilt pkmsg', 'pkmsg');
  const call = controlOf(net);
  const { jid } = await call('POST /groups', { subject: 'Team', owner: BOB, participants: [ALICE] });
  await call(`POST /phones/${BOB}/messages`, { to: jid, type: 'text', body: 'good' });
  await line.text('good');
  await spoil(jid, 'spoilt skmsg', 'skmsg');
});

test('black_hole: nothing passes until it is over, and then everything does', async () => {
  const clock = new SystemClock();
  const net = await Fixture.open({ clock });
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  await line.ack(await line.sendText(pnJid(BOB), 'before'));
  net.fault('line_a', { kind: 'black_hole', for_ms: 60_000 });
  await bob.sendText(pnJid(ALICE), 'from outside');
  const id = await line.sendText(pnJid(BOB), 'from inside');
  // Another line pairs meanwhile; nothing of the first one has passed.
  await net.linked('line_b', BOB);
  expect(bodies(bob)).toEqual(['before']);
  expect(line.received).toEqual([]);
  clock.advance(60_000);
  await line.text('from outside');
  await line.ack(id);
  await until('what the line sent', () => bodies(bob).includes('from inside'));
  await net.close();
  clock.close();
});

test('reg_refresh reaches a line that shows a QR, and is refused for any other', async () => {
  const net = await Fixture.open();
  const line = net.line('line_a');
  expect(() => net.fault('line_a', { kind: 'reg_refresh' })).toThrow(FaultError);
  line.connect();
  await line.until('a QR', () => line.qr);
  net.fault('line_a', { kind: 'reg_refresh' });
  await line.until('the notification', () =>
    line.stanzas.some((n) => n.tag === 'notification' && n.attrs.type === 'companion_reg_refresh'),
  );
});

test('a fault that makes no sense is refused with the field and the remedy', async () => {
  const net = await Fixture.open();
  expect(() => net.fault('line_a', { kind: 'explode' })).toThrow(/^kind: must be one of cut, /);
  expect(() => net.fault('line_a', { kind: 'stream_error' })).toThrow('code: must be a whole number from 100 to 999');
  expect(() => net.fault('line_a', { kind: 'hostile', variant: 'rude' })).toThrow(
    /^variant: must be one of wrong_root/,
  );
});
