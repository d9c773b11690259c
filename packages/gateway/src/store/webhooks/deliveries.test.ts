import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import { createWebhookWorld, type WebhookWorld } from '../../../test/support/webhook-world.ts';
import { sweepDeliveries } from '../../webhooks/retention.ts';
import { attemptsOfEvents } from '../journal/recent-log.ts';
import {
  attemptsOf,
  blockedOn,
  countOpen,
  findDelivery,
  giveUpDelivery,
  listDeliveries,
  replayDelivery,
  replayRange,
} from './deliveries.ts';
import { markDelivered, packAttempt } from './delivering-attempt.ts';
import { expirePending, insertAttempts, markFailed, pendingWebhooks, pullForward } from './delivery-queue.ts';
import { freeLanes, takeLanes } from './lanes.ts';
import {
  deleteWebhook,
  findEndpoint,
  findWebhook,
  finishRotation,
  listWebhooks,
  rotateSecret,
  updateWebhook,
} from './webhooks.ts';

const DAY = 24 * 3_600_000;
const ATTEMPT = packAttempt({ at: 1, durationMs: 2, statusCode: 200, responseExcerpt: 'ok' });

forEachStore((openStore) => {
  let opened: TestStore;
  let world: WebhookWorld;
  let owner: { accountId: string; mode: 'test' };
  beforeEach(async () => {
    opened = await openStore();
    world = await createWebhookWorld(opened.store);
    owner = { accountId: world.accountId, mode: 'test' };
  });
  afterEach(() => opened.close());

  const rows = () => world.store.db.selectFrom('deliveries').selectAll().orderBy('event_seq').execute();
  const stranger = { accountId: 'acc_other', mode: 'test' } as const;
  const attempt = (delivery_id: string, number: number, status_code: number) => ({
    delivery_id,
    number,
    at: 1_000 + number,
    duration_ms: 5,
    status_code,
    error_class: null,
    response_excerpt: 'no',
  });

  test('the log pages from the newest on, filters by state, and shows the last attempt', async () => {
    const { id } = await world.addWebhook('https://example.com/');
    const events = await world.emitMessages(5);
    const all = await rows();
    const [first, second] = all;
    if (!first || !second) return expect.unreachable();
    await markFailed(world.store.db, first.seq, { nextAt: null, at: 9 });
    await insertAttempts(world.store.db, [attempt(first.id, 1, 500)]);
    await insertAttempts(world.store.db, [attempt(first.id, 1, 200)]);
    await markDelivered(world.store.db, [{ seq: second.seq, attempt: ATTEMPT }], 10);
    const page = await listDeliveries(world.store.db, owner, { webhookId: id, limit: 3 });
    expect(page.deliveries.map((d) => d.event?.id)).toEqual([events[4]?.id, events[3]?.id, events[2]?.id]);
    const rest = await listDeliveries(world.store.db, owner, { webhookId: id, limit: 3, before: page.next ?? 0 });
    expect(rest.next).toBeNull();
    expect(rest.deliveries.map((d) => d.state)).toEqual(['delivered', 'dead']);
    const dead = await listDeliveries(world.store.db, owner, { webhookId: id, limit: 3, state: 'dead' });
    expect(dead.deliveries).toMatchObject([
      { id: first.id, attempts: 1, finishedAt: 9, lastAttempt: { number: 1, statusCode: 500 } },
    ]);
    expect(await attemptsOf(world.store.db, first.id)).toHaveLength(1);
    expect(await countOpen(world.store.db, id)).toEqual({ pending: 3, dead: 1 });
    expect(await findDelivery(world.store.db, stranger, first.id)).toBeUndefined();
    expect((await listDeliveries(world.store.db, stranger, { webhookId: id, limit: 3 })).deliveries).toEqual([]);
  });

  test('the log is searched by the id of a delivery or an event, and by time', async () => {
    const { id } = await world.addWebhook('https://example.com/');
    const events = await world.emitMessages(5);
    const all = await rows();
    for (const [i, { event_seq }] of all.entries()) {
      await world.store.db
        .updateTable('events')
        .set({ created_at: i * 1_000 })
        .where('seq', '=', event_seq)
        .execute();
    }
    const found = async (query: { of?: string; since?: number; until?: number }) =>
      (await listDeliveries(world.store.db, owner, { webhookId: id, limit: 9, ...query })).deliveries.map((d) => d.id);
    expect(await found({ of: all[2]?.id ?? '' })).toEqual([all[2]?.id]);
    expect(await found({ of: events[3]?.id ?? '' })).toEqual([all[3]?.id]);
    expect(await found({ of: 'dlv_none' })).toEqual([]);
    expect(await found({ since: 1_000, until: 3_000 })).toEqual([all[2]?.id, all[1]?.id]);
    expect(await found({ since: 3_000, of: all[2]?.id ?? '' })).toEqual([]);
  });

  test('replay by id and by range brings exactly what was asked back, with its own ids', async () => {
    const { id } = await world.addWebhook('https://example.com/');
    const quiet = await world.addWebhook('https://example.com/');
    await world.emitMessages(20);
    const all = (await rows()).filter((row) => row.webhook_id === id);
    for (const [i, row] of all.entries()) {
      await world.store.db
        .updateTable('events')
        .set({ created_at: i * 1_000 })
        .where('seq', '=', row.event_seq)
        .execute();
      if (i % 2 === 0) await markFailed(world.store.db, row.seq, { nextAt: null, at: 1 });
      else await markDelivered(world.store.db, [{ seq: row.seq, attempt: ATTEMPT }], 1);
    }
    expect(await replayRange(world.store, { webhookId: id, since: 4_000, until: 9_000 })).toBe(3);
    const pending = async () => (await rows()).filter((row) => row.state === 'pending' && row.webhook_id === id);
    expect((await pending()).map((row) => row.id)).toEqual([4, 6, 8].map((i) => all[i]?.id));
    expect(await pending()).toMatchObject([{ step: 0, next_at: 0, attempts: 1 }, {}, {}]);
    expect(await replayRange(world.store, { webhookId: id, since: 18_000, states: ['delivered', 'dead'] })).toBe(2);
    const one = all[1];
    expect(await replayDelivery(world.store, stranger, one?.id ?? '')).toBeUndefined();
    expect(await replayDelivery(world.store, owner, one?.id ?? '')).toEqual({ webhookId: id });
    expect((await pending()).length).toBe(6);
    expect((await rows()).filter((row) => row.webhook_id === quiet.id).every((row) => row.state === 'pending')).toBe(
      true,
    );
  });

  test('the attempt that delivered is logged like the others, many at once, and after a replay', async () => {
    const { id } = await world.addWebhook('https://example.com/');
    await world.emitMessages(12);
    const all = await rows();
    const ended = all.map((row) => ({ seq: row.seq, attempt: ATTEMPT }));
    await markDelivered(world.store.db, ended.slice(0, 11), 7);
    await markDelivered(world.store.db, ended.slice(11), 7);
    // Ended meanwhile: left alone.
    await markDelivered(world.store.db, ended.slice(11), 9);
    const told = { number: 1, at: 1, durationMs: 2, statusCode: 200, errorClass: null, responseExcerpt: 'ok' };
    for (const row of [all[0], all[11]]) {
      expect(await attemptsOf(world.store.db, row?.id ?? '')).toEqual([told]);
      expect(await findDelivery(world.store.db, owner, row?.id ?? '')).toMatchObject({
        ...{ state: 'delivered', attempts: 1, finishedAt: 7, lastAttempt: told },
      });
    }
    const first = all[0]?.id ?? '';
    await replayDelivery(world.store, owner, first);
    expect(await attemptsOf(world.store.db, first)).toEqual([told]);
    expect(await findDelivery(world.store.db, owner, first)).toMatchObject({ state: 'pending', lastAttempt: told });
    await markDelivered(world.store.db, ended.slice(0, 1), 11);
    expect(await attemptsOf(world.store.db, first)).toEqual([told, { ...told, number: 2 }]);
    await replayRange(world.store, { webhookId: id, since: 0, states: ['delivered'] });
    expect(await attemptsOf(world.store.db, first)).toEqual([told, { ...told, number: 2 }]);
    expect(await attemptsOf(world.store.db, all[11]?.id ?? '')).toEqual([told]);
    const seqs = all.map(({ event_seq: seq }) => seq);
    expect(await attemptsOfEvents(world.store.db, seqs, 100)).toHaveLength(13);
  });

  test('strict order says what it is blocked on, and goes on when that is given up', async () => {
    const { id } = await world.addWebhook('https://example.com/', { strictOrder: true });
    await world.emitMessages(3);
    const [first] = await rows();
    if (!first) return expect.unreachable();
    expect(await blockedOn(world.store.db, owner, id)).toBeUndefined();
    await markFailed(world.store.db, first.seq, { nextAt: 5_000, at: 1 });
    expect(await blockedOn(world.store.db, owner, id)).toMatchObject({ id: first.id, nextAt: 5_000, attempts: 1 });
    expect(await giveUpDelivery(world.store.db, stranger, first.id, 7)).toBe(false);
    expect(await giveUpDelivery(world.store.db, owner, first.id, 7)).toBe(true);
    expect(await giveUpDelivery(world.store.db, owner, first.id, 8)).toBe(false);
    expect(await blockedOn(world.store.db, owner, id)).toBeUndefined();
  });

  test('a lane has one holder; it is free after its lease, and when it is given back', async () => {
    const { id } = await world.addWebhook('https://example.com/');
    const take = async (holder: string, now: number) =>
      (await takeLanes(world.store.db, [id], { owner: holder, now, until: now + 60 })).length;
    expect(await take('a', 100)).toBe(1);
    expect(await take('b', 159)).toBe(0);
    expect(await take('a', 159)).toBe(1);
    expect(await take('b', 219)).toBe(1);
    await freeLanes(world.store.db, 'a');
    expect(await take('a', 220)).toBe(0);
    await freeLanes(world.store.db, 'b', [id]);
    expect(await take('a', 220)).toBe(1);
  });

  test('the look over names every webhook with something pending, and when its retries are due', async () => {
    const a = await world.addWebhook('https://example.com/');
    const off = await world.addWebhook('https://example.com/');
    const b = await world.addWebhook('https://example.com/', { strictOrder: true });
    await world.emitMessages(2);
    await world.store.db.updateTable('webhooks').set({ status: 'disabled' }).where('id', '=', off.id).execute();
    for (const row of await rows()) {
      if (row.webhook_id === b.id) await markFailed(world.store.db, row.seq, { nextAt: 7_000 + row.event_seq, at: 1 });
    }
    const found = new Map((await pendingWebhooks(world.store.db)).map((p) => [p.webhookId, p]));
    expect([...found.keys()].sort()).toEqual([a.id, b.id].sort());
    expect(found.get(a.id)).toMatchObject({ atOnce: true, retryAt: null });
    expect(found.get(b.id)).toMatchObject({ atOnce: false, retryAt: 7_000 + ((await rows())[0]?.event_seq ?? 0) });
  });

  test('pulling forward costs no step, and ends after twelve times', async () => {
    const { id } = await world.addWebhook('https://example.com/');
    await world.emitMessages(1);
    const only = async () => (await rows())[0];
    const seq = (await only())?.seq ?? 0;
    for (let i = 0; i < 5; i++) await markFailed(world.store.db, seq, { nextAt: 9_000, at: 1 });
    for (let i = 0; i < 12; i++) {
      expect(await pullForward(world.store.db, id)).toEqual({ pulled: 1, more: false });
      expect(await only()).toMatchObject({ next_at: 0, step: 4, pulls: i + 1 });
      await markFailed(world.store.db, seq, { nextAt: 9_000, at: 1 });
      expect(await only()).toMatchObject({ step: 5 });
    }
    expect(await pullForward(world.store.db, id)).toEqual({ pulled: 0, more: false });
  });

  test('retention: a fortnight, a month for dead letters, what waits too long expires', async () => {
    await world.addWebhook('https://example.com/');
    await world.emitMessages(6);
    const now = 100 * DAY;
    const [fresh, delivered, dead, waiting, oldDead, oldDelivered] = await rows();
    const age = (row: { event_seq: number } | undefined, days: number) =>
      world.store.db
        .updateTable('events')
        .set({ created_at: now - days * DAY })
        .where('seq', '=', row?.event_seq ?? 0)
        .execute();
    // Events get older with their number going down, as in life.
    for (const [row, days] of [
      [oldDelivered, 1],
      [oldDead, 13],
      [waiting, 15],
      [dead, 20],
      [delivered, 25],
      [fresh, 40],
    ] as const) {
      await age(row, days);
    }
    const db = world.store.db;
    await markFailed(db, fresh?.seq ?? 0, { nextAt: null, at: 1 });
    await markDelivered(
      db,
      [delivered, oldDelivered].map((row) => ({ seq: row?.seq ?? 0, attempt: ATTEMPT })),
      1,
    );
    await markFailed(db, dead?.seq ?? 0, { nextAt: null, at: 1 });
    await markFailed(db, oldDead?.seq ?? 0, { nextAt: null, at: 1 });
    expect(await sweepDeliveries(world.store, now)).toBe(true);
    expect((await rows()).map((row) => [row.id, row.state])).toEqual([
      [dead?.id, 'dead'],
      [waiting?.id, 'expired'],
      [oldDead?.id, 'dead'],
      [oldDelivered?.id, 'delivered'],
    ]);
    expect(await expirePending(db, now, now)).toBe(false);
  });

  test('secrets and own headers are sealed, shown once, and rotate with a grace', async () => {
    const { id, secret } = await world.addWebhook('https://example.com/', { headers: { 'X-Token': 'canary-token' } });
    const target = { ...owner, id };
    const secretsAt = async (now: number) => (await findEndpoint(world.store.db, world.box, target, now))?.secrets;
    expect(await findEndpoint(world.store.db, world.box, target, 0)).toMatchObject({
      headers: { 'X-Token': 'canary-token' },
    });
    const stored = JSON.stringify(
      (await world.store.db.selectFrom('webhooks').selectAll().execute()).map((row) =>
        Object.values(row).map((value) =>
          value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
        ),
      ),
    );
    expect(stored).not.toContain(secret.slice(10));
    expect(stored).not.toContain('canary-token');
    const rotated = await world.store.transaction((tx) => rotateSecret(tx.db, world.box, target, 5_000));
    expect(rotated?.webhook.rotatingUntil).toBe(5_000);
    expect(await secretsAt(4_999)).toEqual([rotated?.secret, secret]);
    expect(await secretsAt(5_000)).toEqual([rotated?.secret]);
    const again = await world.store.transaction((tx) => rotateSecret(tx.db, world.box, target, 9_000));
    expect(await secretsAt(6_000)).toEqual([again?.secret, rotated?.secret]);
    await finishRotation(world.store.db, target);
    expect(await secretsAt(6_000)).toEqual([again?.secret]);
    expect(await rotateSecret(world.store.db, world.box, { ...stranger, id }, 1)).toBeUndefined();
  });

  test('changes touch what is named only; a webhook of others is not there', async () => {
    const { id } = await world.addWebhook('https://example.com/', {
      description: 'mine',
      filters: { direction: 'in' },
    });
    const target = { ...owner, id };
    const change = (patch: Parameters<typeof updateWebhook>[3]) =>
      updateWebhook(world.store.db, world.box, target, patch, 77);
    expect(await change({})).toMatchObject({
      description: 'mine',
      filters: { direction: 'in' },
      url: 'https://example.com/',
    });
    expect(await change({ description: null, filters: null, strictOrder: true })).toMatchObject({
      description: null,
      filters: null,
      strictOrder: true,
    });
    expect(await change({ status: 'disabled' })).toMatchObject({
      status: 'disabled',
      disabledReason: 'by_owner',
      disabledAt: 77,
    });
    await world.store.db.updateTable('webhooks').set({ failing_since: 5, last_failure_at: 6 }).execute();
    expect(await change({ status: 'enabled' })).toMatchObject({
      status: 'enabled',
      disabledReason: null,
      failingSince: null,
    });
    expect(
      await updateWebhook(world.store.db, world.box, { ...stranger, id }, { url: 'https://x/' }, 1),
    ).toBeUndefined();
    expect(await findWebhook(world.store.db, { ...owner, mode: 'live' }, id)).toBeUndefined();
    expect(await listWebhooks(world.store.db, owner)).toHaveLength(1);
    await world.emitMessages(2);
    expect(await deleteWebhook(world.store.db, stranger, id)).toBe(false);
    expect(await deleteWebhook(world.store.db, owner, id)).toBe(true);
    expect(await rows()).toEqual([]);
  });
});
