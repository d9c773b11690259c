import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import {
  type SessionBuilder,
  type SessionCipher,
  sessionBuilderClass,
  sessionCipherClass,
} from './libsignal-modules.ts';

const requireAsBaileys = createRequire(createRequire(import.meta.url).resolve('baileys'));
const { ProtocolAddress } = requireAsBaileys('libsignal');

const never = () => new Promise<never>(() => {});
type Made<T> = new (storage: object, address: object) => T;

test('work of a dead connection that never ends holds nothing of the same address', async () => {
  const Cipher = sessionCipherClass as unknown as Made<SessionCipher>;
  const address = new ProtocolAddress('15550002222', 0);
  void new Cipher({}, address).queueJob(never);
  await expect(new Cipher({}, address).queueJob(async () => 'done')).resolves.toBe('done');
});

test('nor does a session that is begun', async () => {
  const Builder = sessionBuilderClass as unknown as Made<
    SessionBuilder & { initOutgoing(device: object): Promise<void> }
  >;
  const address = new ProtocolAddress('15550003333', 0);
  void new Builder({ isTrustedIdentity: never }, address).initOutgoing({});
  const other = new Builder({ isTrustedIdentity: async () => false }, address).initOutgoing({});
  await expect(other).rejects.toMatchObject({ name: 'UntrustedIdentityKeyError' });
});
