import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock as clock } from '../src/core/clock.ts';
import { forEachStore } from './store-harness.ts';
import { type CallOptions, type HttpHarness, openHttp } from './support/http-harness.ts';

const BASE = '/api/bridge/v1';
const NEXT_AT = Date.UTC(2030, 0, 1);

let h: HttpHarness;
let lineId: string;

const send = (body: Record<string, unknown>, options: CallOptions = {}) =>
  h.call('POST', `${BASE}/messages/send?wait=0`, {
    body: { line_id: lineId, to: '+34600000000', message: 'x', ...body },
    ...options,
  });
const queue = async () => (await h.call('GET', `${BASE}/lines/${lineId}/queue`)).body;
const cancel = (id: string, key?: string) => h.call('DELETE', `${BASE}/lines/${lineId}/queue/${id}`, { key });
const used = async () =>
  ((await h.call('GET', `${BASE}/usage`)).body.metrics as { sent_messages: { used: number } }).sent_messages.used;

forEachStore((open) => {
  beforeEach(async () => {
    h = await openHttp({ open, maxWaitingSends: 10 });
    lineId = String((await h.call('POST', `${BASE}/lines`, { body: {} })).body.line_id);
    await h.setLine(lineId, { status: 'connected', phone: '34611', jid: '34611@s.whatsapp.net', name: 'Shop' });
    // A worker that takes everything and ends nothing.
    h.router.handlers.send = () => new Promise(() => {});
    h.router.handlers['queue.refresh'] = async () => ({});
    h.router.handlers['queue.look'] = async () => ({ nextAt: NEXT_AT, inFlight: 1 });
  });
  afterEach(() => h.close());

  it('shows what waits in the order in which it leaves: priority, age, then what is scheduled', async () => {
    const at = new Date(clock.now() + 3_600_000).toISOString();
    const ids: Record<string, unknown> = {};
    for (const [name, body] of [
      ['later', { send_at: at }],
      ['bulk', { priority: 'bulk' }],
      ['normal', {}],
      ['high', { priority: 'high' }],
      ['normal2', { priority: 'normal' }],
    ] as const) {
      const sent = await send(body);
      expect([sent.status, sent.body.status]).toEqual([202, 'queued']);
      ids[name] = sent.body.message_id;
    }
    const seen = await queue();
    expect(seen).toMatchObject({ ok: true, line_id: lineId, depth: 4, scheduled: 1, in_flight: 1, pacing: null });
    expect(seen.next_send_at).toBe(new Date(NEXT_AT).toISOString());
    const items = seen.items as { message_id: string; state: string; send_at: string | null }[];
    expect(items.map((item) => item.message_id)).toEqual(
      ['high', 'normal', 'normal2', 'bulk', 'later'].map((name) => ids[name]),
    );
    expect(items.at(-1)).toMatchObject({ state: 'scheduled', send_at: at, to: '+34600000000', type: 'text' });
    expect(items[0]).toMatchObject({ state: 'queued', priority: 'high' });
  });

  it('cancels what has not left: it does not count, its state is failed with message_cancelled, and an event says so', async () => {
    const id = String((await send({})).body.message_id);
    expect(await used()).toBe(1);
    expect((await cancel(id)).body).toEqual({ ok: true, line_id: lineId, message_id: id, status: 'cancelled' });
    expect((await cancel(id)).status).toBe(200);
    expect(await used()).toBe(0);
    expect((await queue()).depth).toBe(0);
    expect(h.router.count('queue.refresh')).toBeGreaterThan(0);
    const message = await h.call('GET', `${BASE}/messages/${id}?line_id=${lineId}`);
    expect(message.body).toMatchObject({ status: 'failed', error: { code: 'message_cancelled' } });
    const events = await h.db.store.db.selectFrom('events').selectAll().where('type', '=', 'message.status').execute();
    expect(events.map((event) => JSON.parse(event.payload))).toMatchObject([
      { messageId: id, status: 'failed', error: { code: 'message_cancelled' } },
    ]);
    expect((await cancel('NOBODY')).body.error).toBe('message_not_found');
    expect((await cancel(id, h.keys.stranger)).body.error).toBe('line_not_found');
  });

  it('does not cancel what was made ready to leave', async () => {
    const id = String((await send({})).body.message_id);
    await h.db.store.db.updateTable('outbox').set({ state: 'sending' }).where('message_id', '=', id).execute();
    expect(await cancel(id)).toMatchObject({ status: 409, body: { error: 'message_left' } });
  });

  it('a cancelled message with an Idempotency-Key stays cancelled for whoever repeats it', async () => {
    const headers = { 'idempotency-key': 'k' };
    const send_at = Math.floor(clock.now() / 1_000) + 600;
    const first = await send({ send_at }, { headers });
    expect(first.status).toBe(202);
    await cancel(String(first.body.message_id));
    const again = await send({ send_at }, { headers });
    expect([again.status, again.text]).toEqual([202, first.text]);
    expect(await h.db.store.db.selectFrom('outbox').selectAll().execute()).toHaveLength(1);
  });

  it('schedules on a line that is paired and away, and refuses on one that is not paired', async () => {
    const later = { send_at: new Date(clock.now() + 60_000).toISOString() };
    await h.setLine(lineId, { status: 'disconnected' });
    expect((await send({})).body).toMatchObject({ error: 'line_not_connected' });
    expect((await send(later)).status).toBe(202);
    // The line is told, so that its alarm is set; no request waits for a message that is due
    // tomorrow.
    expect(h.router.count('send')).toBe(0);
    expect(h.router.count('queue.refresh')).toBe(1);
    await h.setLine(lineId, { status: 'unpaired' });
    expect((await send(later)).body).toMatchObject({ error: 'line_not_connected', status: 'unpaired' });
  });

  it('a time that has passed means now; one that cannot be meant is refused', async () => {
    expect((await send({ send_at: '2020-01-01T00:00:00Z' })).status).toBe(202);
    expect((await queue()).scheduled).toBe(0);
    for (const send_at of [
      'tomorrow',
      '2030-01-01 10:00',
      '2030-01-01T10:00:00',
      -1,
      1e15,
      null,
      '2999-01-01T00:00:00Z',
    ]) {
      const reply = await send({ send_at });
      expect([send_at, reply.status, reply.body.error]).toEqual([send_at, 400, 'validation_error']);
    }
  });

  it('a queue full of bulk still takes a tenth more of what is urgent', async () => {
    for (let n = 0; n < 10; n += 1) expect((await send({ priority: 'bulk' })).status).toBe(202);
    expect((await send({ priority: 'bulk' })).status).toBe(429);
    expect((await send({})).status).toBe(429);
    expect((await send({ priority: 'high' })).status).toBe(202);
    expect((await send({ priority: 'high' })).status).toBe(429);
    expect(await used()).toBe(11);
  });

  it('pacing is set per line, told to its worker, shown, and taken back', async () => {
    const patch = (pacing: unknown) => h.call('PATCH', `${BASE}/lines/${lineId}`, { body: { pacing } });
    expect((await patch({ min_gap_ms: 200, max_gap_ms: 400, burst: 1 })).status).toBe(200);
    expect(h.router.count('queue.refresh')).toBe(1);
    expect((await queue()).pacing).toEqual({ min_gap_ms: 200, max_gap_ms: 400, burst: 1, pause_ms: 10_000 });
    expect((await patch({ max_gap_ms: 0 })).status).toBe(200);
    expect((await queue()).pacing).toMatchObject({ min_gap_ms: 0, max_gap_ms: 0 });
    expect(await patch({ min_gap_ms: 500, max_gap_ms: 400 })).toMatchObject({
      status: 400,
      body: { error: 'validation_error' },
    });
    expect((await patch({ burst: -1 })).status).toBe(400);
    expect((await patch(null)).status).toBe(200);
    expect((await queue()).pacing).toBeNull();
  });
});
