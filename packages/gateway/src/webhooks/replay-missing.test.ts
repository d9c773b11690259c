import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { createWebhookWorld, type WebhookWorld } from '../../test/support/webhook-world.ts';
import { findWebhook, updateWebhook } from '../store/webhooks/webhooks.ts';
import { replayMissing } from './replay-missing.ts';

forEachStore((openStore) => {
  let opened: TestStore;
  let world: WebhookWorld;
  beforeEach(async () => {
    opened = await openStore();
    world = await createWebhookWorld(opened.store);
  });
  afterEach(() => opened.close());

  test('brings exactly what a webhook missed while it was off, once, in the order of the events', async () => {
    const { id } = await world.addWebhook('https://example.com/', { events: ['message.received'] });
    const target = { accountId: world.accountId, mode: 'test', id } as const;
    const other = await world.addLine({ mode: 'live' });
    const set = (status: 'enabled' | 'disabled') => updateWebhook(world.store.db, world.box, target, { status }, 1);
    const before = await world.emitMessages(3);
    await set('disabled');
    const missed = await world.emitMessages(1_100);
    await world.emitMessages(5, { lineId: other });
    await world.emit('picture.updated', [{ of: { jid: 'a@lid' }, removed: true, pictureId: null, timestamp: 1 }]);
    await set('enabled');
    const after = await world.emitMessages(2);
    const webhook = await findWebhook(world.store.db, target, id);
    if (!webhook) return expect.unreachable();
    expect(await replayMissing(world.store, webhook, { since: 0 })).toBe(1_100);
    expect(await replayMissing(world.store, webhook, { since: 0 })).toBe(0);
    const rows = await world.store.db.selectFrom('deliveries').select('event_seq').orderBy('event_seq').execute();
    expect(rows.map((row) => Number(row.event_seq))).toEqual(
      [...before, ...missed, ...after].map((event) => event.seq),
    );
  });

  test('keeps to the time it is given, and to the line of the webhook', async () => {
    const line = await world.addLine();
    const events = await world.emitMessages(4, { lineId: line });
    await world.emitMessages(4);
    for (const [i, event] of events.entries()) {
      await world.store.db
        .updateTable('events')
        .set({ created_at: i * 10 })
        .where('seq', '=', event.seq)
        .execute();
    }
    const { id } = await world.addWebhook('https://example.com/', { lineId: line });
    const webhook = await findWebhook(world.store.db, { accountId: world.accountId, mode: 'test' }, id);
    if (!webhook) return expect.unreachable();
    expect(await replayMissing(world.store, webhook, { since: 10, until: 30 })).toBe(2);
    expect(await replayMissing(world.store, webhook, { since: 0 })).toBe(2);
  });
});
