import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createWebhookWorld, type WebhookWorld } from '../../../test/support/webhook-world.ts';
import { silentLog } from '../../observe/logger.ts';
import { knownProblems } from '../../store/problems/problems.ts';
import { type ProblemWatch, watchProblems } from './watch-problems.ts';

forEachStore((openStore) => {
  let opened: TestStore;
  let world: WebhookWorld;
  let clock: ManualClock;
  let watch: ProblemWatch;
  let told: number;
  beforeEach(async () => {
    opened = await openStore();
    world = await createWebhookWorld(opened.store);
    clock = new ManualClock();
    told = 0;
    watch = begin();
  });
  afterEach(async () => {
    watch.close();
    await opened.close();
  });

  const begin = () =>
    watchProblems({
      store: world.store,
      clock,
      log: silentLog,
      nudgeDeliveries: () => {},
      onChange: () => {
        told += 1;
      },
    });
  const turn = (status: string, status_reason: string | null) =>
    world.store.db
      .updateTable('lines')
      .set({ status, status_reason, phone: '15550001111' })
      .where('id', '=', world.lineId)
      .execute();
  const events = async () => {
    const rows = await world.store.db
      .selectFrom('events')
      .select('payload')
      .where('type', '=', 'line.problem')
      .orderBy('seq')
      .execute();
    return rows.map(({ payload }) => JSON.parse(payload) as { problem: string; reason: string; resolved: boolean });
  };
  const pass = async (ms: number) => {
    await clock.advance(ms);
    await watch.look();
  };

  test('a line that is away is told after a minute, once, also across a restart, and once when it is back', async () => {
    const { id } = await world.addWebhook('https://example.com/', { events: ['line.problem'] });
    await turn('disconnected', 'connection_lost');
    await watch.look();
    expect(await events()).toEqual([]);
    await pass(60_000);
    await pass(60_000);
    watch.close();
    watch = begin();
    await pass(60_000);
    expect(await events()).toMatchObject([{ problem: 'line_down', reason: 'connection_lost', resolved: false }]);
    expect(await knownProblems(world.store.db)).toMatchObject([{ subject: world.lineId, toldAt: expect.any(Number) }]);
    await turn('connected', null);
    await pass(15_000);
    expect((await events()).map(({ resolved }) => resolved)).toEqual([false, true]);
    expect(await knownProblems(world.store.db)).toEqual([]);
    expect(told).toBe(2);
    const deliveries = await world.store.db
      .selectFrom('deliveries')
      .select('id')
      .where('webhook_id', '=', id)
      .execute();
    expect(deliveries).toHaveLength(2);
  });

  test('what mends itself within the minute is not worth a word', async () => {
    await turn('disconnected', 'connection_lost');
    await watch.look();
    await turn('connected', null);
    await pass(15_000);
    expect(await events()).toEqual([]);
    expect(told).toBe(0);
  });

  test('what nothing is tried against is told at once', async () => {
    await turn('logged_out', 'logged_out');
    await watch.look();
    expect(await events()).toMatchObject([{ problem: 'line_down', reason: 'logged_out', resolved: false }]);
  });

  test('a line that nobody paired, or that was deleted, is no problem', async () => {
    await world.store.db.updateTable('lines').set({ status: 'unpaired', phone: null }).execute();
    await watch.look();
    expect(await knownProblems(world.store.db)).toEqual([]);
    await turn('logged_out', 'logged_out');
    await world.store.db.updateTable('lines').set({ deleted_at: clock.now() }).execute();
    await watch.look();
    expect(await knownProblems(world.store.db)).toEqual([]);
  });

  test('a webhook that fails, and one that was switched off for it, are kept; one that a person switched off is not', async () => {
    const { id } = await world.addWebhook('https://example.com/one', { events: ['message.received'] });
    const { id: off } = await world.addWebhook('https://example.com/two', { events: ['message.received'] });
    const set = (webhookId: string, values: object) =>
      world.store.db.updateTable('webhooks').set(values).where('id', '=', webhookId).execute();
    await set(id, { failing_since: clock.now() });
    await set(off, { status: 'disabled', disabled_reason: 'gone' });
    await watch.look();
    await pass(60_000);
    const known = await knownProblems(world.store.db);
    expect(known.map(({ subject, reason }) => [subject, reason]).toSorted()).toEqual(
      [
        [id, null],
        [off, 'gone'],
      ].toSorted(),
    );
    await set(id, { status: 'disabled', disabled_reason: 'asked' });
    await pass(15_000);
    expect((await knownProblems(world.store.db)).map(({ subject }) => subject)).toEqual([off]);
  });
});
