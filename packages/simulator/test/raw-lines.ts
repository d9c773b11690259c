import { randomBytes } from 'node:crypto';
import { formatJid, SERVER_PN } from '@ponte/engine';
import { generateKeyPair, type KeyPair } from '../src/signal/curve.ts';
import type { Simulator } from '../src/simulator.ts';

/** A linked device that was not paired but written down: for many lines at once. */
export interface RawLine {
  lineId: string;
  pn: string;
  jid: string;
  noiseKey: KeyPair;
}

const FIRST_NUMBER = 15_550_000_000;

/**
 * Writes `count` accounts, each with one linked device, straight into the world. The keys of their
 * Signal identity are nonsense.
 */
export function seedLines(simulator: Simulator, tenant: string, count: number): RawLine[] {
  const { tenant: t } = simulator.world.network(tenant);
  const lines: RawLine[] = [];
  t.db.transaction(() => {
    for (let i = 0; i < count; i++) lines.push(seedLine(t, `line_${i}`, String(FIRST_NUMBER + i)));
  })();
  return lines;
}

type Tenant = ReturnType<Simulator['world']['network']>['tenant'];

export function seedLine(tenant: Tenant, lineId: string, pn: string): RawLine {
  const random = (length: number): Uint8Array => randomBytes(length);
  const noiseKey = generateKeyPair(random);
  tenant.createAccount(pn, { name: `Line ${pn}` });
  const identity = random(32);
  tenant.accounts.saveDevice({
    pn,
    id: 1,
    lineId,
    noiseKey: noiseKey.publicKey,
    identity,
    registrationId: 1,
    signedPreKey: { id: 1, key: random(32), signature: random(64) },
    keyIndex: 1,
    advIdentity: identity,
    platform: 'bench',
    linkedAt: 1,
  });
  return { lineId, pn, jid: formatJid(pn, SERVER_PN, 1), noiseKey };
}
