import { beforeEach, expect, test } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import { SystemClock } from '../src/world/clock.ts';
import type { BaileysLine } from './baileys-line.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, bodies, Fixture, pnJid, TENANT } from './fixture.ts';

let net: Fixture;
beforeEach(async () => {
  net = await Fixture.open();
});

/** A line that shows a link code for Alice's phone. */
async function showing(id: string): Promise<{ line: BaileysLine; code: string }> {
  const line = net.line(id);
  line.connect();
  await line.until('the registration', () => line.qr);
  const code = (await line.sock?.requestPairingCode(ALICE)) ?? '';
  await until('companion_hello', () =>
    net.world.wire(TENANT, id, 0).some(({ children }) => children.includes('link_code_companion_reg')),
  );
  return { line, code };
}

test('a code that is typed on the phone links the line that shows it', async () => {
  const call = controlOf(net);
  const bob = await net.phone(BOB);
  await net.phone(ALICE);
  const { line, code } = await showing('line_a');
  const typed = `${code.slice(0, 4)}-${code.slice(4)}`.toLowerCase();
  expect(await call(`POST /phones/${ALICE}/enter-code`, { code: typed })).toEqual({
    device_jid: `${ALICE}:1@s.whatsapp.net`,
  });
  await line.until('the login', () => line.isOpen && line.isDrained);
  await line.sendText(pnJid(BOB), 'linked by code');
  await until('the text', () => bodies(bob).includes('linked by code'));
});

test('a wrong code links nothing, and the right one still works after it', async () => {
  const call = controlOf(net);
  await net.phone(ALICE);
  const { line, code } = await showing('line_a');
  const wrong = await call.raw(`POST /phones/${ALICE}/enter-code`, {
    code: code === 'AAAA1111' ? 'BBBB1111' : 'AAAA1111',
  });
  expect(wrong).toMatchObject({ status: 409, body: { error: 'code_mismatch' } });
  expect(net.world.lineDevice(TENANT, 'line_a')).toBeUndefined();
  await call(`POST /phones/${ALICE}/enter-code`, { code });
  await line.until('the login', () => line.isOpen && line.isDrained);
});

test('a code is refused when nobody shows one, when it is too old, and when it cannot be one', async () => {
  const clock = new SystemClock();
  net = await Fixture.open({ clock });
  const call = controlOf(net);
  await net.phone(ALICE);
  const enter = (code: string) => call.raw(`POST /phones/${ALICE}/enter-code`, { code });
  expect(await enter('ABCD-EFG')).toMatchObject({ status: 400, body: { error: 'validation_error' } });
  expect(await enter('ABCD-EFGH')).toMatchObject({ status: 409, body: { error: 'code_mismatch' } });
  const { code } = await showing('line_a');
  clock.advance(181_000);
  expect(await enter(code)).toMatchObject({ status: 409, body: { error: 'code_mismatch' } });
  await net.close();
  clock.close();
});

test('a line whose code was shown for three minutes is told to draw a new one', async () => {
  const clock = new SystemClock();
  net = await Fixture.open({ clock });
  const call = controlOf(net);
  await net.phone(ALICE);
  const { line } = await showing('line_a');
  clock.advance(180_000);
  const told = await line.until('refresh_code', () =>
    line.stanzas.find(({ attrs }) => attrs.type === 'link_code_companion_reg'),
  );
  const [reg] = Array.isArray(told.content) ? told.content : [];
  expect(reg).toMatchObject({ tag: 'link_code_companion_reg', attrs: { stage: 'refresh_code' } });
  expect(String(reg.content[0].content)).toMatch(/^2@/);
  const code = (await line.sock?.requestPairingCode(ALICE)) ?? '';
  await until('the new companion_hello', () => {
    const hellos = net.world.wire(TENANT, 'line_a', 0).filter(({ direction, children }) => {
      return direction === 'in' && children.includes('link_code_companion_reg');
    });
    return hellos.length === 2;
  });
  await call(`POST /phones/${ALICE}/enter-code`, { code });
  await line.until('the login', () => line.isOpen && line.isDrained);
  await net.close();
  clock.close();
});

test('a line cannot ask for a code for a number that is not on this network', async () => {
  const line = net.line('line_a');
  line.connect();
  await line.until('the registration', () => line.qr);
  await line.sock?.requestPairingCode(ALICE);
  const answer = await line.until('the answer', () =>
    line.stanzas.find((node) => node.tag === 'iq' && node.attrs.type === 'error'),
  );
  expect(answer.content).toMatchObject([{ tag: 'error', attrs: { code: '400' } }]);
});

test('passkey_required: the line is asked for a passkey and not linked; afterwards it is', async () => {
  const call = controlOf(net);
  await net.phone(ALICE);
  await call('POST /lines/line_a/faults', { kind: 'passkey_required' });
  const line = net.line('line_a');
  line.connect();
  const qr = await line.until('a QR', () => line.qr);
  const refused = await call.raw(`POST /phones/${ALICE}/scan`, { qr });
  expect(refused).toMatchObject({ status: 409, body: { error: 'not_linked' } });
  const asked = await line.until('the request', () =>
    line.stanzas.find((node) => node.attrs.type === 'passkey_prologue_request'),
  );
  expect(asked.attrs.from).toBe('@s.whatsapp.net');
  const [options] = Array.isArray(asked.content) ? asked.content : [];
  expect(JSON.parse(Buffer.from(options.content).toString())).toMatchObject({ rpId: 'whatsapp.com' });
  await call(`POST /phones/${ALICE}/scan`, { qr });
  await line.until('the login', () => line.isOpen);
});

test('a phone links four devices and refuses the fifth until one is gone', async () => {
  const call = controlOf(net);
  for (const id of ['line_1', 'line_2', 'line_3', 'line_4']) await net.linked(id, ALICE);
  const fifth = net.line('line_5');
  fifth.connect();
  const qr = await fifth.until('a QR', () => fifth.qr);
  expect(await call.raw(`POST /phones/${ALICE}/scan`, { qr })).toMatchObject({
    status: 409,
    body: { error: 'limit_reached' },
  });
  await call(`POST /phones/${ALICE}/unlink`, { line_id: 'line_2' });
  await call(`POST /phones/${ALICE}/scan`, { qr });
  await fifth.until('the login', () => fifth.isOpen);
});
