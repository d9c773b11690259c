import { describe, expect, it } from 'vitest';
import type { Prepared } from '../engine.ts';
import { EngineLine } from './line.ts';
import type { MemoryStore, StoreWrite, WriteFate } from './memory-store.ts';
import type { ConformancePhone } from './network.ts';
import type { Suite } from './suite.ts';
import { until } from './until.ts';

/** More write boundaries than any scenario here has. */
const WRITES_MAX = 400;
const DEATHS: readonly WriteFate[] = ['dies_before', 'dies_after'];
const SCENARIO_MS = 240_000;

export function describeKills(suite: Suite): void {
  describe('death of the process', () => {
    for (const death of DEATHS) {
      const dies = death.replace('_', ' ');
      const conversation = async () => {
        const phone = await suite.network().phone(suite.number());
        const bob = await suite.network().phone(suite.number());
        const line = await EngineLine.paired(suite.network(), suite.lineId(), phone);
        await line.close();
        for (let at = 1; at <= WRITES_MAX; at++) {
          const parts = { suite, id: line.id, store: line.store, phone, bob, fate: dieAt(at, death) };
          if (await converse(parts, `${death} ${at}`)) return;
        }
        throw new Error('the conversation has no end');
      };
      it(`loses nothing when it ${dies} any write of a conversation`, conversation, SCENARIO_MS);

      const firstLogins = async () => {
        for (let at = 1; at <= WRITES_MAX; at++) if (await firstLogin(suite, dieAt(at, death))) return;
        throw new Error('the login has no end');
      };
      it(`pairs again or goes on when it ${dies} any write of pairing and first login`, firstLogins, SCENARIO_MS);
    }
  });
}

const dieAt =
  (at: number, death: WriteFate) =>
  ({ index }: StoreWrite): WriteFate =>
    index === at ? death : 'done';

interface Conversation {
  suite: Suite;
  id: string;
  store: MemoryStore;
  phone: ConformancePhone;
  bob: ConformancePhone;
  fate: (write: StoreWrite) => WriteFate;
}

/**
 * Mail in both directions, with a death in between; then a new process finishes. True when the
 * death never came.
 */
async function converse({ suite, id, store, phone, bob, fate }: Conversation, round: string): Promise<boolean> {
  const bodies = ['waiting', 'live one', 'live two'].map((text) => `${text} (${round})`);
  const [waiting = '', ...live] = bodies;
  const sentId = `3EB0${round.replace(/\W/g, '').toUpperCase()}`;
  await bob.sendText(phone.pn, waiting);
  const victim = await EngineLine.open(suite.network(), id, store, fate);
  let prepared: Prepared | undefined;
  let isAlive = await survives(victim, async () => {
    await victim.login();
    prepared = await victim.engine.prepare({ kind: 'text', body: sentId }, bob.pn, sentId);
    await victim.engine.transmit(prepared);
  });
  for (const body of live) await bob.sendText(phone.pn, body);
  isAlive &&= await survives(victim, async () => {
    for (const body of bodies) await victim.text(body);
    await victim.event('receipt', ({ ids }) => ids.includes(sentId));
  });
  await victim.kill();
  const survivor = await EngineLine.open(suite.network(), id, store);
  await survivor.login();
  prepared ??= await survivor.engine.prepare({ kind: 'text', body: sentId }, bob.pn, sentId);
  await survivor.engine.transmit(prepared);
  const received = async () => [...victim.told(), ...(await survivor.messages())];
  await until(`all of ${round}`, async () => (await received()).length >= bodies.length);
  await survivor.roundTrip();
  expect((await received()).map(({ content }) => content.body).sort()).toEqual([...bodies].sort());
  await until('Bob to read it', () => bob.seen().find((message) => message.id === sentId)?.body === sentId);
  expect(bob.seen().filter(({ body }) => body === undefined)).toEqual([]);
  await survivor.close();
  return isAlive;
}

/**
 * Pairs, logs in and exchanges a first message, with a death of the process in between; then a new
 * process finishes. True when the death never came.
 */
async function firstLogin(suite: Suite, fate: (write: StoreWrite) => WriteFate): Promise<boolean> {
  const phone = await suite.network().phone(suite.number());
  const bob = await suite.network().phone(suite.number());
  const victim = await EngineLine.open(suite.network(), suite.lineId(), undefined, fate);
  const isAlive = await survives(victim, async () => {
    await victim.pair(phone).catch((error: unknown) => {
      // The phone hears that its link was not confirmed.
      if (!victim.handle.isDead) throw error;
    });
    await victim.login();
  });
  await victim.kill();
  const survivor = await EngineLine.open(suite.network(), victim.id, victim.store);
  if (survivor.engine.self() && !(await isLetIn(survivor))) await survivor.engine.logout(0);
  survivor.forget();
  if (!survivor.engine.self()) await survivor.pair(phone);
  await survivor.login();
  await bob.sendText(phone.pn, 'welcome');
  const { chat } = await survivor.text('welcome');
  const prepared = await survivor.engine.prepare({ kind: 'text', body: 'thanks' }, chat.jid, '3EB0THANKS');
  await survivor.engine.transmit(prepared);
  await until('Bob to read it', () => bob.seen().some(({ body }) => body === 'thanks'));
  await survivor.close();
  return isAlive;
}

/**
 * Logs in; false when WhatsApp does not know the device: the death came before the pairing was
 * confirmed.
 */
async function isLetIn(line: EngineLine): Promise<boolean> {
  await line.engine.connect();
  const change = await until('the answer to the login', () =>
    line.changes.find(({ type }) => type === 'open' || type === 'closed'),
  );
  if (change.type === 'closed') expect(change.reason).toBe('logged_out');
  else await line.engine.close();
  return change.type === 'open';
}

/** True when the work is done, false when the process died of it. */
async function survives(line: EngineLine, work: () => Promise<void>): Promise<boolean> {
  try {
    await Promise.race([work(), line.handle.died.then(() => Promise.reject(new Error('dead')))]);
    return !line.handle.isDead;
  } catch (error) {
    if (line.handle.isDead) return false;
    throw error;
  }
}
