import { expect, test } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import { ALICE, BOB, bodies, Fixture, pnJid, TENANT } from './fixture.ts';
import { scan } from './pair-line.ts';

test('a line pairs by QR, is told to restart, logs in and knows its own LID', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  expect(line.closes).toEqual([515]);
  expect(line.auth.creds.me?.id).toBe(`${ALICE}:1@s.whatsapp.net`);
  expect(line.auth.creds.me?.lid).toMatch(/^\d+:1@lid$/);
  expect(net.world.lineDevice(TENANT, 'line_a')).toEqual({ phone: ALICE, deviceJid: `${ALICE}:1@s.whatsapp.net` });
  // No <success> before the phone scanned: the first connection ends with pair-success and 515.
  const tags = line.stanzas.map((node) => node.tag);
  expect(tags.indexOf('success')).toBeGreaterThan(tags.indexOf('stream:error'));
});

test('a scanned ref works once, and not after it went off the screen', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const other = net.line('line_b');
  other.connect();
  const qr = await other.until('a QR', () => other.qr);
  await expect(scan(net.simulator, ALICE, qr.replace('2@', '2@x'))).rejects.toThrow('no line shows this code');
  await scan(net.simulator, ALICE, qr);
  await other.until('the login', () => other.isOpen);
  await expect(scan(net.simulator, ALICE, qr)).rejects.toThrow('no line shows this code');
  expect(other.auth.creds.me?.id).toBe(`${ALICE}:2@s.whatsapp.net`);
  expect(line.isOpen).toBe(true);
});

test('two lines write to each other, first by pkmsg, then by msg, and receipts come back', async () => {
  const net = await Fixture.open();
  const a = await net.linked('line_a', ALICE);
  const b = await net.linked('line_b', BOB);
  const first = await a.sendText(pnJid(BOB), 'one');
  expect(Number((await a.ack(first)).t)).toBeGreaterThan(1_600_000_000);
  const got = await b.text('one');
  expect([got.key.remoteJid, got.key.remoteJidAlt]).toEqual([pnJid(ALICE), expect.stringMatching(/@lid$/)]);
  expect(got.pushName).toBe(`Phone ${ALICE}`);
  await a.until('a delivery receipt', () => a.stanzas.some((n) => n.tag === 'receipt' && n.attrs.id === first));
  await b.sendText(pnJid(ALICE), 'two');
  await a.text('two');
  await a.sendText(pnJid(BOB), 'three');
  await b.text('three');
  const types = b.stanzas.filter((n) => n.tag === 'message' && n.attrs.from?.startsWith(`${ALICE}:`)).map(encType);
  expect(types).toEqual(['pkmsg', 'msg']);
});

test('a line and a phone write to each other, and the phone that owns the line sees both sides', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const alice = await net.phone(ALICE);
  const bob = await net.phone(BOB);
  const sent = await line.sendText(pnJid(BOB), 'hello phone');
  await until('the text on the phone of Bob', () => bodies(bob).includes('hello phone'));
  await until('the copy on the own phone', () => bodies(alice).includes('hello phone'));
  await line.until('a receipt of the phone', () =>
    line.updates.some((u) => u.key.id === sent && (u.update.status ?? 0) >= 3),
  );
  await bob.sendText(pnJid(ALICE), 'hello line');
  const got = await line.text('hello line');
  expect(got.key.fromMe).toBe(false);
  await alice.sendText(pnJid(BOB), 'from the own phone');
  const echo = await line.until('the copy of the own phone', () => line.received.find((m) => m.key.fromMe));
  expect(echo.key.remoteJid).toMatch(new RegExp(`^${BOB}@|@lid$`));
  await until('the other side', () => bodies(bob).includes('from the own phone'));
});

test('a line writes to a LID address, and the phone number travels along', async () => {
  const net = await Fixture.open();
  const a = await net.linked('line_a', ALICE);
  const b = await net.linked('line_b', BOB);
  const bob = await net.phone(BOB);
  const id = await a.sendText(bob.lid, 'to a LID');
  expect((await a.ack(id)).error).toBeUndefined();
  const got = await b.text('to a LID');
  expect(got.key.remoteJid).toMatch(/@lid$/);
  expect(got.key.remoteJidAlt).toBe(pnJid(ALICE));
});

test('a number that is not on this network is told so, and a message to it is refused', async () => {
  const net = await Fixture.open();
  const a = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  const known = await a.sock?.onWhatsApp(BOB, '15559999999');
  // Baileys leaves out who does not exist.
  expect(known).toEqual([{ jid: pnJid(BOB), exists: true }]);
  const id = await a.sendText(pnJid('15559999999'), 'anybody?');
  expect((await a.ack(id)).error).toBe('404');
});

test('every new link of a contact gets the next message', async () => {
  const net = await Fixture.open();
  const a = await net.linked('line_a', ALICE);
  const b = await net.linked('line_b', BOB);
  await a.sendText(pnJid(BOB), 'one');
  await b.text('one');
  const c = await net.linked('line_c', BOB);
  await a.until('the notification about the new device', () =>
    a.stanzas.some((n) => n.tag === 'notification' && n.attrs.type === 'devices'),
  );
  await a.sendText(pnJid(BOB), 'two');
  await Promise.all([b.text('two'), c.text('two')]);
});

test('tenants do not see each other', async () => {
  const net = await Fixture.open();
  await net.phone(ALICE);
  expect(net.world.profile('another', ALICE)).toBeUndefined();
  expect(await net.world.phone('another', ALICE)).toBeUndefined();
  await net.world.reset('another');
  expect(net.world.phones(TENANT).map((profile) => profile.phone)).toEqual([ALICE]);
});

function encType(node: { content?: unknown }): string | undefined {
  const content = node.content as { tag: string; attrs: Record<string, string> }[] | undefined;
  return content?.find((child) => child.tag === 'enc')?.attrs.type;
}
