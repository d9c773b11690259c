import { randomBytes } from 'node:crypto';
import { EngineError, type EngineEvent, type Party } from '@ponte/engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { type FakeEngine, FakeFactory } from '../../test/support/fake-engine.ts';
import { ManualClock, settle } from '../../test/support/manual-clock.ts';
import { insertLine, insertSend, insertWebhook, readJournal } from '../../test/support/rows.ts';
import { until } from '../../test/support/until.ts';
import { openKeyRing } from '../access/open-key-ring.ts';
import type { Pacing } from '../core/pacing.ts';
import type { LineRef } from '../journal/accept.ts';
import type { LiveView } from '../journal/live.ts';
import { silentLog } from '../observe/logger.ts';
import type { Store } from '../store/db/store.ts';
import { createEngineStore } from '../store/engine/engine-store.ts';
import { loadLine } from '../store/lines/line-row.ts';
import { createConnectGate } from './connection/connect-gate.ts';
import { KeptRows } from './inbound/kept-rows.ts';
import { LineActor } from './line.ts';

const HOUR_MS = 3_600_000;
const alice: Party = { jid: '9001@lid', lid: '9001@lid', pn: '15550001111@s.whatsapp.net' };
const textFrom = (id: string): EngineEvent => ({
  type: 'message',
  message: {
    id,
    chat: alice,
    sender: alice,
    fromMe: false,
    isGroup: false,
    pushName: 'Alice',
    timestamp: 1_777_000_000,
    content: { kind: 'text', body: `text ${id}` },
    mentions: [],
    mentionsAll: false,
    mentionsMe: false,
    forwarded: false,
    viewOnce: false,
    proto: Uint8Array.of(),
  },
});

/** A store that can be told to fail its transactions. */
class BreakableStore {
  isBroken = false;
  readonly store: Store;

  constructor(inner: Store) {
    this.store = {
      ...inner,
      transaction: (work, durability) =>
        this.isBroken ? Promise.reject(new Error('disk full')) : inner.transaction(work, durability),
    };
  }
}

forEachStore((open, databaseEngine) => {
  let test: TestStore;
  let ref: LineRef;
  let clock: ManualClock;
  let factory: FakeFactory;
  let breakable: BreakableStore;
  let running: LineActor[];
  const views: LiveView[] = [];
  let nudges = 0;

  beforeEach(async () => {
    test = await open();
    ref = await insertLine(test.store);
    clock = new ManualClock();
    factory = new FakeFactory();
    breakable = new BreakableStore(test.store);
    running = [];
    views.length = 0;
    nudges = 0;
  });
  afterEach(async () => {
    for (const line of running) await stop(line);
    await test.close();
  });

  const ring = () => openKeyRing({ masterKey, store: test.store, clock });
  const masterKey = randomBytes(32);

  async function start(options: { pacing?: Pacing | null; capacity?: number } = {}): Promise<LineActor> {
    const row = await loadLine(test.store.db, ref.id);
    if (!row) throw new Error('no such line');
    const box = await (await ring()).box(ref.id);
    const kept = new KeptRows();
    const line = await LineActor.open({
      row,
      store: breakable.store,
      box,
      engineStore: createEngineStore({
        ...{ store: test.store, box, lineId: ref.id, clock },
        onKept: (entry) => kept.put(entry),
        // What journals fails with the store of the line: then the row waits.
        onKeeping: (entry, place) => (breakable.isBroken ? undefined : kept.keeping(entry, place)),
      }),
      kept,
      factory,
      endpoint: { wsUrl: 'ws://127.0.0.1:1', noiseRoot: new Uint8Array(32) },
      clock,
      log: silentLog,
      gate: createConnectGate(0, clock),
      pacing: options.pacing ?? null,
      mailboxCapacity: options.capacity ?? 1_000,
      sendExpiresMs: 24 * HOUR_MS,
      publish: (view) => views.push(view),
      nudge: () => {
        nudges += 1;
      },
    });
    running.push(line);
    return line;
  }
  /** Ends a line; its grace runs on the test's clock. */
  async function stop(line: LineActor): Promise<void> {
    const stopped = line.stop(1_000).then(() => true);
    let isDone = false;
    void stopped.then(() => (isDone = true));
    while (!isDone) await clock.advance(200);
    running = running.filter((each) => each !== line);
  }
  /** As kill -9 would: nothing of the line runs on, nothing is reported. */
  async function crash(line: LineActor): Promise<void> {
    engine().options.onChange = () => {};
    await stop(line);
  }
  const engine = (): FakeEngine => {
    const found = factory.engines.get(ref.id);
    if (!found) throw new Error('no engine yet');
    return found;
  };
  async function startPaired(options?: Parameters<typeof start>[0]): Promise<LineActor> {
    const line = await start(options);
    void line.run('pairing.qr', { waitMs: 1_000 }).catch(() => {});
    await until('pairing began', () => engine().connects.length > 0);
    await engine().scan();
    await until('connected', async () => (await row()).status === 'connected');
    return line;
  }
  const row = () => test.store.db.selectFrom('lines').selectAll().where('id', '=', ref.id).executeTakeFirstOrThrow();
  const outbox = () => test.store.db.selectFrom('outbox').selectAll().orderBy('seq').execute();
  const journal = async (type: string) => (await readJournal(test.store, ref.id)).filter((e) => e.type === type);
  const statuses = async () =>
    (await journal('line.status')).map(({ payload }) => `${payload.previous}>${payload.status}:${payload.reason}`);

  describe('pairing', () => {
    it('shows the QR, survives the 515 silently, and ends connected', async () => {
      const line = await start();
      expect(engine().connects).toEqual([]);
      const asked = line.run('pairing.qr', { waitMs: 5_000 });
      await until('pairing began', () => engine().connects.length > 0);
      engine().emit({ type: 'qr', data: 'QR-1', expiresAt: clock.now() + 20_000 });
      expect(await asked).toEqual({ data: 'QR-1', expiresAt: clock.now() + 20_000 });
      expect(await line.run('pairing.qr', { waitMs: 0 })).toMatchObject({ data: 'QR-1' });
      expect(views.at(-1)).toMatchObject({ status: 'pairing', qr: { data: 'QR-1' } });
      await engine().scan();
      await until('connected', async () => (await row()).status === 'connected');
      expect(engine().connects).toEqual([{ kind: 'qr' }, 'login']);
      expect(await statuses()).toEqual(['unpaired>pairing:null', 'pairing>connected:null']);
      expect(await row()).toMatchObject({
        phone: '15559990000',
        jid: '15559990000@s.whatsapp.net',
        lid: '7000@lid',
        name: 'Acme',
        connected_at: clock.now(),
      });
      expect(views.at(-1)).toMatchObject({ status: 'connected', phone: '15559990000', qr: null });
      await expect(line.run('pairing.qr', { waitMs: 0 })).rejects.toMatchObject({ code: 'already_paired' });
    });

    it('gives every caller the same QR and begins once', async () => {
      const line = await start();
      const asked = [1, 2, 3].map(() => line.run('pairing.qr', { waitMs: 5_000 }));
      await until('pairing began', () => engine().connects.length > 0);
      engine().emit({ type: 'qr', data: 'QR-1', expiresAt: clock.now() + 20_000 });
      expect((await Promise.all(asked)).map((qr) => qr.data)).toEqual(['QR-1', 'QR-1', 'QR-1']);
      expect(engine().connects).toHaveLength(1);
    });

    it('says when WhatsApp gave no QR in time, and why pairing ended', async () => {
      const line = await start();
      const late = line.run('pairing.qr', { waitMs: 2_000 });
      const refused = expect(late).rejects.toMatchObject({ code: 'whatsapp_timeout' });
      await until('pairing began', () => engine().connects.length > 0);
      await clock.advance(2_000);
      await refused;
      const ended = expect(line.run('pairing.qr', { waitMs: 2_000 })).rejects.toMatchObject({ code: 'whatsapp_error' });
      await settle();
      engine().drop('pairing_expired');
      await ended;
      await until('told', async () => (await statuses()).length === 2);
      expect(await statuses()).toEqual(['unpaired>pairing:null', 'pairing>unpaired:pairing_expired']);
    });

    it('replaces a code by the next one, and a QR by a code', async () => {
      const line = await start();
      void line.run('pairing.qr', { waitMs: 1_000 }).catch(() => {});
      await until('a QR was asked for', () => engine().connects.length === 1);
      for (const code of ['AAAA-1111', 'BBBB-2222']) {
        const before = engine().connects.length;
        const asked = line.run('pairing.code', { phone: '15559990000', waitMs: 5_000 });
        await until('a code was asked for', () => engine().connects.length > before);
        engine().emit({ type: 'code', code, expiresAt: clock.now() + 60_000 });
        expect(await asked).toMatchObject({ code });
      }
      expect(engine().connects).toEqual([
        { kind: 'qr' },
        { kind: 'code', phone: '15559990000' },
        { kind: 'code', phone: '15559990000' },
      ]);
      await until('told', async () => (await row()).status === 'pairing');
      expect(await statuses()).toEqual(['unpaired>pairing:null']);
    });

    it('can be asked for again after logging out, without a restart', async () => {
      const line = await startPaired();
      expect(await line.run('logout', { timeoutMs: 1_000 })).toEqual({ unlinked: true });
      await until('unpaired', async () => (await row()).status === 'unpaired');
      expect(await row()).toMatchObject({ phone: null, jid: null, connected_at: null });
      expect((await statuses()).at(-1)).toBe('connected>unpaired:null');
      const asked = line.run('pairing.qr', { waitMs: 5_000 });
      await until('pairing began', () => engine().isOpen);
      engine().emit({ type: 'qr', data: 'QR-2', expiresAt: clock.now() + 20_000 });
      expect(await asked).toMatchObject({ data: 'QR-2' });
    });
  });

  describe('the connection', () => {
    it('comes back after it was lost, and both are told once', async () => {
      await startPaired();
      const before = engine().connects.length;
      engine().drop('connection_lost');
      await until('disconnected', async () => (await row()).status === 'disconnected');
      await clock.advance(499);
      expect(engine().connects).toHaveLength(before);
      await clock.advance(1);
      await until('connected', async () => (await row()).status === 'connected');
      expect((await statuses()).slice(2)).toEqual([
        'connected>disconnected:connection_lost',
        'disconnected>connected:null',
      ]);
    });

    it('that is asked to restart says nothing to anybody', async () => {
      await startPaired();
      const before = await statuses();
      engine().drop('restart_required');
      await until('connected again', () => engine().isOpen);
      await settle();
      expect(await statuses()).toEqual(before);
      expect((await row()).status).toBe('connected');
    });

    it('lets commands wait for the end of a restart; one that does not end shows', async () => {
      const line = await startPaired();
      const self = engine().self();
      if (!self) throw new Error('not paired');
      engine().isWelcoming = false;
      engine().drop('restart_required');
      await until('asked for again', () => engine().isOpen);
      const patient = line.run('numbers.check', { phones: ['15550001111'] });
      await settle();
      engine().emit({ type: 'open', self });
      expect(await patient).toHaveLength(1);
      engine().drop('restart_required');
      const late = line.run('numbers.check', { phones: ['15550001111'] });
      const refused = expect(late).rejects.toMatchObject({
        code: 'line_not_connected',
        details: { status: 'connecting' },
      });
      await clock.advance(10_000);
      await refused;
      expect(clock.pending).toBe(0);
    });

    it('forgets its credentials when the owner removes the device, after reading what came in before', async () => {
      const line = await startPaired();
      breakable.isBroken = true;
      await engine().receive(textFrom('M1'));
      await settle();
      engine().drop('logged_out');
      breakable.isBroken = false;
      await until('journaled', async () => {
        await clock.advance(500);
        return (await journal('message.received')).length === 1;
      });
      await until('forgotten', async () => {
        const keys = await test.store.db.selectFrom('line_keys').select('id').execute();
        return keys.length === 0;
      });
      const asked = line.run('pairing.qr', { waitMs: 5_000 });
      await until('pairing began', () => engine().isOpen);
      engine().emit({ type: 'qr', data: 'QR-2', expiresAt: clock.now() + 20_000 });
      expect(await asked).toMatchObject({ data: 'QR-2' });
    });

    it('passes typing on to who wants it, and keeps it for nobody', async () => {
      await startPaired();
      const typing = { type: 'typing', chat: alice, sender: alice, state: 'composing', mode: 'text' } as const;
      engine().emit({ type: 'live', event: typing });
      await settle(20);
      expect(await journal('typing')).toEqual([]);
      await insertWebhook(test.store, ref, ['typing']);
      for (let i = 0; i < 100; i++) engine().emit({ type: 'live', event: typing });
      await until('passed on', async () => (await journal('typing')).length >= 19);
      await settle(20);
      expect((await journal('typing')).length).toBeLessThanOrEqual(20);
    });

    it('does not come back after a log-out, and says so with the number it was', async () => {
      await startPaired();
      engine().drop('logged_out');
      await until('logged out', async () => (await row()).status === 'logged_out');
      expect((await journal('line.status')).at(-1)?.payload).toEqual({
        status: 'logged_out',
        previous: 'connected',
        phone: '15559990000',
        reason: 'logged_out',
        until: null,
        whatsappCode: null,
      });
      expect(clock.pending).toBe(0);
    });

    it('is made again by the next process, without telling anybody who knew', async () => {
      const line = await startPaired();
      const told = await statuses();
      await crash(line);
      await start();
      await until('connected', () => views.at(-1)?.status === 'connected');
      await until('row', async () => (await row()).status === 'connected');
      expect(engine().connects).toEqual(['login']);
      expect(await statuses()).toEqual(told);
    });

    it('waits until the store takes writes again when the store made it end', async () => {
      await startPaired();
      const before = engine().connects.length;
      breakable.isBroken = true;
      engine().drop('store_failed');
      await clock.advance(20_000);
      expect(engine().connects).toHaveLength(before);
      breakable.isBroken = false;
      await until('told', async () => {
        await clock.advance(60_000);
        return (await statuses()).length === 4;
      });
      expect((await statuses()).slice(2)).toEqual([
        'connected>disconnected:store_failed',
        'disconnected>connected:null',
      ]);
    });

    it('is needed for what only WhatsApp can do', async () => {
      const line = await start();
      await expect(line.run('numbers.check', { phones: ['15550001111'] })).rejects.toMatchObject({
        code: 'line_not_connected',
        details: { status: 'unpaired' },
      });
    });

    it('carries read receipts and number checks', async () => {
      const line = await startPaired();
      expect(await line.run('numbers.check', { phones: ['15550001111'] })).toHaveLength(1);
      await line.run('messages.read', { chat: '9001@lid', ids: ['A'], played: false });
      expect(engine().reads).toEqual([['9001@lid', ['A'], undefined, false]]);
    });
  });

  describe('the inbox', () => {
    it('becomes the journal, in order, each stanza once', async () => {
      await insertWebhook(test.store, ref, ['message.received']);
      await startPaired();
      for (let i = 0; i < 100; i++) await engine().receive(textFrom(`M${i}`));
      await engine().receive(textFrom('M5'));
      await until('journaled', async () => (await pendingRows()) === 0);
      const ids = (await journal('message.received')).map((event) => event.payload.messageId);
      expect(ids).toEqual(Array.from({ length: 100 }, (_, i) => `M${i}`));
      expect(nudges).toBeGreaterThan(0);
    });

    it('that waited while nobody ran is journaled at the start, without a connection', async () => {
      await crash(await startPaired());
      await engine().options.store.appendStanza({
        stanza: Buffer.from(JSON.stringify([textFrom('M1')])),
        tag: 'message',
      });
      factory.shape = (each) => (each.isWelcoming = false);
      await start();
      await until('journaled', async () => (await journal('message.received')).length === 1);
    });

    it('outlives a store that fails for a while', async () => {
      await startPaired();
      breakable.isBroken = true;
      await engine().receive(textFrom('M1'));
      await settle();
      breakable.isBroken = false;
      await clock.advance(60_000);
      await until('journaled', async () => (await journal('message.received')).length === 1);
    });

    it('sets a row aside that never decodes, keeps it, and goes on with the next', async () => {
      await startPaired();
      let tries = 0;
      engine().decodeError = (entry) => {
        if (!Buffer.from(entry.stanza).includes('POISON')) return undefined;
        tries += 1;
        return new Error('cannot be read');
      };
      await engine().receive(textFrom('M1'));
      await engine().receive(textFrom('POISON'));
      await engine().receive(textFrom('M2'));
      await until('set aside', async () => {
        await clock.advance(200);
        return (await pendingRows()) === 0;
      });
      expect((await journal('message.received')).map((event) => event.payload.messageId)).toEqual(['M1', 'M2']);
      expect(tries).toBe(3);
      const kept = await test.store.db.selectFrom('inbox').selectAll().where('done', '=', 2).execute();
      expect(kept).toHaveLength(1);
      expect(kept[0]?.stanza).not.toBeNull();
    });

    it('sets a row aside that the store does not take, and goes on with the next', async () => {
      await startPaired();
      const bad = textFrom('BAD');
      // Not null in both databases: what a defect of ours might produce.
      if (bad.type === 'message') bad.message.timestamp = Number.NaN;
      breakable.isBroken = true;
      for (const event of [textFrom('M1'), bad, textFrom('M2'), textFrom('M3')]) await engine().receive(event);
      await settle(20);
      breakable.isBroken = false;
      await until('set aside', async () => {
        await clock.advance(1_000);
        return (await pendingRows()) === 0;
      });
      expect((await journal('message.received')).map((event) => event.payload.messageId)).toEqual(['M1', 'M2', 'M3']);
      expect(await test.store.db.selectFrom('inbox').select('stanza').where('done', '=', 2).execute()).toHaveLength(1);
    });

    it('takes text that a database would not', async () => {
      await startPaired();
      const odd = textFrom('M1');
      if (odd.type === 'message')
        Object.assign(odd.message, { pushName: 'A\0lice', content: { kind: 'text', body: 'a\0b\ud800' } });
      await engine().receive(odd);
      await until('journaled', async () => (await journal('message.received')).length === 1);
      expect((await journal('message.received'))[0]?.payload).toMatchObject({
        pushName: 'A\0lice',
        content: { body: 'a\0b\ud800' },
      });
      expect(await test.store.db.selectFrom('messages').select('body').execute()).toEqual([{ body: 'a\ufffdb\ufffd' }]);
    });

    it('sets a row aside that nobody can read any more', async () => {
      const line = await startPaired();
      await crash(line);
      for (const id of ['M1', 'M2', 'M3'])
        await engine().options.store.appendStanza({
          stanza: Buffer.from(JSON.stringify([textFrom(id)])),
          tag: 'message',
        });
      const rows = await test.store.db.selectFrom('inbox').select('seq').orderBy('seq').execute();
      await test.store.db
        .updateTable('inbox')
        .set({ stanza: randomBytes(60) })
        .where('seq', '=', rows[1]?.seq ?? 0)
        .execute();
      await start();
      await until('journaled', async () => (await pendingRows()) === 0);
      expect((await journal('message.received')).map((event) => event.payload.messageId)).toEqual(['M1', 'M3']);
    });

    const pendingRows = async () =>
      (await test.store.db.selectFrom('inbox').select('seq').where('done', '=', 0).execute()).length;
  });

  describe('sends', () => {
    it('leave in order of acceptance; each end is one transaction with its event', async () => {
      const hook = await insertWebhook(test.store, ref, ['message.sent']);
      const line = await startPaired();
      const sends = [];
      for (let i = 0; i < 20; i++) sends.push(await insertSend(test.store, ref, { body: `text ${i}` }));
      const outcomes = await Promise.all([...sends].reverse().map(({ id }) => line.run('send', { outboxId: id })));
      expect(outcomes.every((outcome) => outcome.state === 'sent' && outcome.timestamp === 1_777_000_001)).toBe(true);
      expect((await outbox()).map((each) => each.state)).toEqual(sends.map(() => 'sent'));
      const events = await journal('message.sent');
      expect(new Set(events.map((event) => event.payload.messageId))).toEqual(new Set(sends.map((s) => s.messageId)));
      expect(events[0]?.payload).toMatchObject({
        fromMe: true,
        chat: { pn: '15550001111@s.whatsapp.net' },
        sender: { pn: '15559990000@s.whatsapp.net', lid: '7000@lid' },
        content: { kind: 'text' },
        timestamp: 1_777_000_001,
      });
      const deliveries = await test.store.db.selectFrom('deliveries').selectAll().execute();
      expect(deliveries.map((each) => each.webhook_id)).toEqual(sends.map(() => hook));
      const repeated = await line.run('send', { outboxId: sends[0]?.id ?? '' });
      expect(repeated).toMatchObject({ state: 'sent' });
      expect(engine().wire).toHaveLength(20);
    });

    it('taken up at a start leave in order, with the bytes that were stored', async () => {
      const line = await startPaired();
      engine().isAcking = false;
      const sends = [];
      for (let i = 0; i < 5; i++) {
        sends.push(await insertSend(test.store, ref, { to: `1555000222${i}@s.whatsapp.net`, body: `text ${i}` }));
      }
      for (const [index, { id }] of sends.slice(0, 3).entries()) {
        void line.run('send', { outboxId: id }).catch(() => {});
        await until('on the wire', () => engine().wire.length === index + 1);
      }
      const first = [...engine().wire];
      await crash(line);
      expect((await outbox()).map((each) => each.state)).toEqual([
        'sending',
        'sending',
        'sending',
        'accepted',
        'accepted',
      ]);
      await start();
      await until('sent', async () => (await outbox()).every((each) => each.state === 'sent'));
      expect(engine().wire.map((each) => each.id)).toEqual(sends.map((each) => each.messageId));
      expect(engine().wire.slice(0, 3)).toEqual(first);
      expect(await journal('message.sent')).toHaveLength(5);
    });

    it('that have moved on since their row was read leave as they are now, or not at all', async () => {
      const line = await startPaired();
      const acceptedOf = ({ id, messageId }: { id: string; messageId: string }) => ({
        ...{ id, messageId, seq: 1, accountId: ref.accountId, lineId: ref.id, toJid: '15550001111@s.whatsapp.net' },
        content: JSON.stringify({ kind: 'text', body: 'as it was accepted' }),
        ...{ acceptedAt: clock.now(), rank: 1, sendAt: null, archives: false },
      });
      const prepared = await insertSend(test.store, ref, { body: 'as it was accepted' });
      const { proto: _proto, ...rest } = await engine().prepare(
        { kind: 'text', body: '' },
        alice.jid,
        prepared.messageId,
      );
      await test.store.db
        .updateTable('outbox')
        .set({ state: 'sending', proto: Buffer.from('other bytes'), prepared: JSON.stringify(rest) })
        .where('id', '=', prepared.id)
        .execute();
      const cancelled = await insertSend(test.store, ref, { body: 'as it was accepted' });
      await test.store.db
        .updateTable('outbox')
        .set({ state: 'failed', error_code: 'message_cancelled', finished_at: clock.now() })
        .where('id', '=', cancelled.id)
        .execute();
      const outcomes = await Promise.all(
        [prepared, cancelled].map((send) => line.run('send', { outboxId: send.id, accepted: acceptedOf(send) })),
      );
      expect(outcomes).toMatchObject([{ state: 'sent' }, { state: 'failed', code: 'message_cancelled' }]);
      expect(engine().wire).toMatchObject([
        { id: prepared.messageId, proto: Buffer.from('other bytes').toString('hex') },
      ]);
    });

    it('of one chat leave one after the other', async () => {
      const line = await startPaired();
      engine().isAcking = false;
      const sends = [];
      for (let i = 0; i < 3; i++) sends.push(await insertSend(test.store, ref, { body: `text ${i}` }));
      const ended = Promise.all(sends.map(({ id }) => line.run('send', { outboxId: id })));
      for (const [index, { messageId }] of sends.entries()) {
        await until('on the wire', () => engine().wire.length === index + 1);
        await settle();
        expect(engine().wire.map((each) => each.id)).toEqual(sends.slice(0, index + 1).map((each) => each.messageId));
        engine().ack(messageId);
      }
      expect((await ended).map((outcome) => outcome.state)).toEqual(['sent', 'sent', 'sent']);
    });

    it('whose connection went are sent again as the same message', async () => {
      const line = await startPaired();
      engine().isAcking = false;
      const send = await insertSend(test.store, ref, { body: 'hello' });
      const outcome = line.run('send', { outboxId: send.id });
      await until('on the wire', () => engine().wire.length === 1);
      engine().isAcking = true;
      engine().drop('connection_lost');
      await clock.advance(1_000);
      expect(await outcome).toMatchObject({ state: 'sent' });
      expect(engine().wire).toHaveLength(2);
      expect(engine().wire[1]).toEqual(engine().wire[0]);
      expect(await journal('message.sent')).toHaveLength(1);
      const counted = await test.store.db.selectFrom('line_traffic').select(['sent', 'send_ms']).execute();
      expect(counted.map(({ sent }) => Number(sent))).toEqual([1, 1]);
      expect(Number(counted[0]?.send_ms)).toBeGreaterThan(0);
    });

    it('that could not leave in time are given up, typed as such; what is scheduled counts from its time', async () => {
      const line = await startPaired();
      engine().isWelcoming = false;
      engine().drop('connection_lost');
      const [late, later] = [
        await insertSend(test.store, ref, { body: 'late' }),
        await insertSend(test.store, ref, { body: 'later' }),
      ];
      await test.store.db
        .updateTable('outbox')
        .set({ send_at: clock.now() + 20 * HOUR_MS })
        .where('id', '=', later.id)
        .execute();
      const outcome = line.run('send', { outboxId: late.id });
      await line.sweep();
      await clock.advance(23 * HOUR_MS);
      await line.sweep();
      expect((await outbox()).map(({ state }) => state)).toEqual(['accepted', 'accepted']);
      await clock.advance(2 * HOUR_MS);
      await line.sweep();
      expect(await outcome).toEqual({ state: 'failed', code: 'message_expired', details: {} });
      expect((await outbox()).map(({ state }) => state)).toEqual(['failed', 'accepted']);
      const failed = await journal('message.status');
      expect(failed.map(({ payload }) => [payload.messageId, payload.status])).toEqual([[late.messageId, 'failed']]);
      expect(failed[0]?.payload.error).toMatchObject({ code: 'message_expired' });
      engine().isWelcoming = true;
      engine().drop('connection_lost');
      await until('the other one leaves', async () => {
        await clock.advance(5_000);
        return engine().wire.length === 1;
      });
      expect(engine().wire[0]?.id).toBe(later.messageId);
    });

    it('without an answer are repeated while the connection stands, and fail at last', async () => {
      const line = await startPaired();
      engine().transmitError = new EngineError('timeout', 'no answer');
      const send = await insertSend(test.store, ref, { body: 'hello' });
      const outcome = line.run('send', { outboxId: send.id });
      let end: unknown;
      void outcome.then((value) => (end = value));
      await until('ended', async () => {
        await clock.advance(5_000);
        return end !== undefined;
      });
      expect(end).toEqual({ state: 'failed', code: 'whatsapp_timeout', details: {} });
      expect(engine().wire.length).toBe(8);
      expect(new Set(engine().wire.map((each) => each.proto)).size).toBe(1);
      const counted = await test.store.db.selectFrom('line_traffic').select(['sent', 'failed']).execute();
      expect(counted.map(({ sent, failed }) => [Number(sent), Number(failed)])).toEqual([
        [0, 1],
        [0, 1],
      ]);
    });

    it.each([
      ['not_on_whatsapp', undefined, 'not_on_whatsapp', {}],
      ['rejected', 463, 'recipient_restricted', { whatsapp_code: 463 }],
      ['rejected', 479, 'message_malformed', { whatsapp_code: 479 }],
      ['rejected', 500, 'whatsapp_error', { whatsapp_code: 500 }],
    ] as const)(
      'that WhatsApp refuses (%s) fail once, with an event, and hold nothing up',
      async (code, serverCode, appCode, details) => {
        const line = await startPaired();
        const error = new EngineError(code, 'no', { serverCode });
        if (code === 'rejected') engine().transmitError = error;
        else engine().prepareError = error;
        const bad = await insertSend(test.store, ref, { body: 'hello' });
        expect(await line.run('send', { outboxId: bad.id })).toEqual({ state: 'failed', code: appCode, details });
        engine().prepareError = undefined;
        engine().transmitError = undefined;
        const good = await insertSend(test.store, ref, { body: 'hello' });
        expect(await line.run('send', { outboxId: good.id })).toMatchObject({ state: 'sent' });
        const failed = await journal('message.status');
        expect(failed.map(({ payload }) => [payload.messageId, payload.status])).toEqual([[bad.messageId, 'failed']]);
        expect(failed[0]?.payload.error).toMatchObject({ code: appCode });
        expect((await outbox())[0]).toMatchObject({ state: 'failed', error_code: appCode });
      },
    );

    it('that cannot be stored do not leave', async () => {
      const line = await startPaired();
      const send = await insertSend(test.store, ref, { body: 'hello' });
      breakable.isBroken = true;
      const outcome = line.run('send', { outboxId: send.id });
      await settle(20);
      expect(engine().wire).toEqual([]);
      breakable.isBroken = false;
      await clock.advance(1_000);
      expect(await outcome).toMatchObject({ state: 'sent' });
    });

    it('that were acknowledged are not sent again only because the store hesitates', async () => {
      const line = await startPaired();
      engine().isAcking = false;
      const send = await insertSend(test.store, ref, { body: 'hello' });
      const outcome = line.run('send', { outboxId: send.id });
      await until('on the wire', () => engine().wire.length === 1);
      breakable.isBroken = true;
      engine().ack(send.messageId);
      await settle(20);
      breakable.isBroken = false;
      await clock.advance(10_000);
      expect(await outcome).toEqual({ state: 'sent', timestamp: 1_777_000_002 });
      expect(engine().wire).toHaveLength(1);
    });

    it('that wait when the line is logged out fail, instead of leaving under another number', async () => {
      const line = await startPaired();
      engine().drop('connection_lost');
      const send = await insertSend(test.store, ref, { body: 'hello' });
      const outcome = line.run('send', { outboxId: send.id });
      engine().isWelcoming = false;
      await clock.advance(1_000);
      engine().drop('logged_out');
      expect(await outcome).toEqual({
        state: 'failed',
        code: 'line_not_connected',
        details: { status: 'logged_out', status_reason: 'logged_out' },
      });
      const late = await insertSend(test.store, ref, { body: 'hello' });
      expect(await line.run('send', { outboxId: late.id })).toMatchObject({
        state: 'failed',
        code: 'line_not_connected',
      });
    });

    it('that left before the line was lost for good stay pending, then end unconfirmed; never failed after delivered', async () => {
      const line = await startPaired();
      engine().isAcking = false;
      const [lost, arrived, waiting] = [
        await insertSend(test.store, ref, { body: 'lost', to: '15550002222@s.whatsapp.net' }),
        await insertSend(test.store, ref, { body: 'arrived', to: '15550003333@s.whatsapp.net' }),
        await insertSend(test.store, ref, { body: 'reopened', to: '15550004444@s.whatsapp.net' }),
      ];
      const outcomes = [lost, arrived].map(({ id }) => line.run('send', { outboxId: id }));
      await until('on the wire', () => engine().wire.length === 2);
      engine().drop('logged_out');
      expect(await Promise.all(outcomes)).toEqual([{ state: 'unconfirmed' }, { state: 'unconfirmed' }]);
      expect(await line.run('send', { outboxId: waiting.id })).toMatchObject({ code: 'line_not_connected' });
      expect(await line.run('send', { outboxId: lost.id })).toEqual({ state: 'unconfirmed' });
      expect(await journal('message.status')).toMatchObject([{ payload: { messageId: waiting.messageId } }]);
      await test.store.db
        .updateTable('messages')
        .set({ status: 'delivered' })
        .where('message_id', '=', arrived.messageId)
        .execute();
      await line.sweep();
      await clock.advance(25 * HOUR_MS);
      await line.sweep();
      const ends = await test.store.db.selectFrom('outbox').select(['id', 'state', 'error_code']).execute();
      expect(new Map(ends.map(({ id, state, error_code: code }) => [id, [state, code]]))).toEqual(
        new Map([
          [lost.id, ['failed', 'unconfirmed']],
          [arrived.id, ['sent', null]],
          [waiting.id, ['failed', 'line_not_connected']],
        ]),
      );
      const failures = (await journal('message.status')).map(({ payload }) => [
        payload.messageId,
        (payload.error as { code?: string } | null)?.code,
      ]);
      expect(failures).toEqual([
        [waiting.messageId, 'line_not_connected'],
        [lost.messageId, 'unconfirmed'],
      ]);
      expect(engine().wire).toHaveLength(2);
    });

    it('wait in the store when the mailbox is full, and leave when there is room', async () => {
      const line = await startPaired({ capacity: 1 });
      engine().drop('connection_lost');
      const kept = await insertSend(test.store, ref, { body: 'one' });
      const more = await insertSend(test.store, ref, { body: 'two' });
      void line.run('send', { outboxId: kept.id });
      await settle();
      await expect(line.run('send', { outboxId: more.id })).rejects.toMatchObject({ code: 'queue_full' });
      await clock.advance(1_000);
      await until('one left', () => engine().wire.length === 1);
      await line.sweep();
      await until('both left', async () => (await outbox()).every((each) => each.state === 'sent'));
    });

    it('on the wire get their grace when the line stops', async () => {
      const line = await startPaired();
      engine().isAcking = false;
      const send = await insertSend(test.store, ref, { body: 'hello' });
      const outcome = line.run('send', { outboxId: send.id });
      await until('on the wire', () => engine().wire.length === 1);
      const stopped = line.stop(5_000);
      running = [];
      await settle();
      engine().ack(send.messageId);
      expect(await outcome).toMatchObject({ state: 'sent' });
      await stopped;
      expect(engine().isOpen).toBe(false);
      expect((await outbox())[0]?.state).toBe('sent');
    });
  });

  it.runIf(databaseEngine === 'sqlite')('refuses to start over credentials it cannot read', async () => {
    const line = await startPaired();
    await crash(line);
    await test.store.db
      .updateTable('line_keys')
      .set({ value: randomBytes(64) })
      .execute();
    await expect(start()).rejects.toThrow();
    expect((await row()).phone).toBe('15559990000');
  });
});
