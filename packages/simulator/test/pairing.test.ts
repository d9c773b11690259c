import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { forgeAccountSignature, forgeHmac } from '../src/faults/forged-identity.ts';
import { proto } from '../src/phone/wa-proto.ts';
import { hmacSha256 } from '../src/signal/kdf.ts';
import { SystemClock } from '../src/world/clock.ts';
import { ALICE, BOB, Fixture, TENANT } from './fixture.ts';
import { scan } from './pair-line.ts';

test('a QR that went off the screen cannot be scanned any more', async () => {
  const clock = new SystemClock();
  const net = await Fixture.open({ clock });
  await net.phone(ALICE);
  const line = net.line('line_a');
  line.connect();
  const first = await line.until('a QR', () => line.qr);
  clock.advance(66_000);
  await expect(scan(net.simulator, ALICE, first)).rejects.toThrow('qr: this code has expired');
  await net.close();
  clock.close();
});

test('the keys in a QR must be those of the connection that got its ref', async () => {
  const net = await Fixture.open();
  await net.phone(ALICE);
  const line = net.line('line_a');
  line.connect();
  const qr = await line.until('a QR', () => line.qr);
  const [ref, , ...rest] = qr.split(',');
  const forged = [ref, randomBytes(32).toString('base64'), ...rest].join(',');
  await expect(scan(net.simulator, ALICE, forged)).rejects.toThrow('qr: the keys in the code');
  await scan(net.simulator, ALICE, qr);
  await line.until('the login', () => line.isOpen);
});

test('bad_hmac: the line does not let itself be linked, and is not', async () => {
  const net = await Fixture.open();
  await net.phone(ALICE);
  const line = net.line('line_a');
  net.fault('line_a', { kind: 'hostile', variant: 'bad_hmac' });
  line.connect();
  const qr = await line.until('a QR', () => line.qr);
  await expect(scan(net.simulator, ALICE, qr)).rejects.toThrow('not linked');
  expect(net.world.lineDevice(TENANT, 'line_a')).toBeUndefined();
  expect(net.world.network(TENANT).tenant.accounts.devices(ALICE)).toHaveLength(1);
});

test('a forged account signature comes under an HMAC that is right, a forged HMAC around a signature that is', () => {
  const secret = randomBytes(32);
  const details = proto.ADVSignedDeviceIdentity.encode({
    details: Buffer.from('details'),
    accountSignature: randomBytes(64),
    accountSignatureKey: randomBytes(32),
  }).finish();
  const honest = proto.ADVSignedDeviceIdentityHMAC.encode({ details, hmac: hmacSha256(secret, details) }).finish();
  const isRight = (bytes: Uint8Array): boolean => {
    const { details: d, hmac } = proto.ADVSignedDeviceIdentityHMAC.decode(bytes);
    return Buffer.compare(hmacSha256(secret, d ?? Buffer.alloc(0)), hmac ?? Buffer.alloc(0)) === 0;
  };
  const signatureOf = (bytes: Uint8Array): string => {
    const inner = proto.ADVSignedDeviceIdentityHMAC.decode(bytes).details ?? Buffer.alloc(0);
    return Buffer.from(proto.ADVSignedDeviceIdentity.decode(inner).accountSignature ?? []).toString('hex');
  };
  const forgedSignature = forgeAccountSignature(honest, secret);
  expect([isRight(honest), isRight(forgedSignature), isRight(forgeHmac(honest))]).toEqual([true, true, false]);
  expect(signatureOf(forgedSignature)).not.toBe(signatureOf(honest));
  expect(signatureOf(forgeHmac(honest))).toBe(signatureOf(honest));
});

test('a line that is linked to another phone belongs to that phone', async () => {
  const net = await Fixture.open();
  await net.linked('line_a', ALICE);
  await net.phone(BOB);
  const again = net.line('line_a');
  again.connect();
  await scan(net.simulator, BOB, await again.until('a QR', () => again.qr));
  await again.until('the login', () => again.isOpen);
  expect(net.world.lineDevice(TENANT, 'line_a')).toEqual({ phone: BOB, deviceJid: `${BOB}:1@s.whatsapp.net` });
});
