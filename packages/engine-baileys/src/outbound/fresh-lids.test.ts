import type { AddressPair, UsyncNumber } from '@ponte/engine';
import { MemoryStore } from '@ponte/engine/conformance';
import { expect, test } from 'vitest';
import { KeyVault } from '../store/key-vault.ts';
import { FreshLids } from './fresh-lids.ts';

const OLD = '900@lid';
const NEW = '901@lid';
const PN = '15550001111@s.whatsapp.net';

function setUp() {
  const vault = new KeyVault(new MemoryStore().attach());
  const learned: AddressPair[] = [];
  const warnings: string[] = [];
  const answers: UsyncNumber[] = [];
  const fresh = new FreshLids({
    vault,
    askNumber: async (phone) => answers.shift() ?? { phone, registered: false, isBusiness: false },
    learn: async (pairs) => void learned.push(...pairs),
    warn: (message) => warnings.push(message),
  });
  const answer = (lid?: string) => answers.push({ phone: '15550001111', registered: true, isBusiness: false, lid });
  return { fresh, learned, warnings, answer };
}

test('what was meant for the old address goes to the new one, also later', async () => {
  const { fresh, learned, warnings, answer } = setUp();
  expect(await fresh.current(OLD, PN)).toBe(OLD);
  answer(NEW);
  await fresh.refresh(OLD, PN);
  expect([learned, warnings.length]).toEqual([[{ lid: NEW, pn: PN }], 1]);
  expect(await fresh.current(OLD, PN)).toBe(NEW);
  expect(await fresh.current(NEW, PN)).toBe(NEW);
});

test('nothing goes to an address that is out of date while WhatsApp names no other', async () => {
  const { fresh, answer } = setUp();
  answer(OLD);
  await fresh.refresh(OLD, PN);
  answer(OLD);
  await expect(fresh.current(OLD, PN)).rejects.toMatchObject({ code: 'rejected' });
  await expect(fresh.current(OLD, undefined)).rejects.toMatchObject({ code: 'rejected' });
  answer(NEW);
  expect(await fresh.current(OLD, PN)).toBe(NEW);
});

test('numbers and groups are never held back', async () => {
  const { fresh } = setUp();
  await fresh.refresh(PN, PN);
  expect(await fresh.current(PN, PN)).toBe(PN);
  expect(await fresh.current('1@g.us', undefined)).toBe('1@g.us');
});
