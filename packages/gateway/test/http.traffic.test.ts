import { afterEach, beforeEach, expect, it } from 'vitest';
import { countLineTraffic, countWebhookTraffic, pruneTraffic } from '../src/store/lines/traffic.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { ManualClock } from './support/manual-clock.ts';

const BASE = '/api/bridge/v1';
const HOUR_MS = 3_600_000;

interface Point {
  at: string;
  messages: { received: number; sent: number; failed: number };
  send_ms: { average: number | null; slowest: number | null };
  deliveries: { delivered: number; failed_attempts: number };
  answer_ms: { average: number | null; slowest: number | null };
}

forEachStore((open) => {
  let h: HttpHarness;
  let clock: ManualClock;
  beforeEach(async () => {
    clock = new ManualClock();
    h = await openHttp({ open, clock });
  });
  afterEach(() => h.close());

  const newLine = async (key = h.keys.test) =>
    String((await h.call('POST', `${BASE}/lines`, { key, body: {} })).body.line_id);
  const newWebhook = async (line?: string) => {
    const body = { url: 'https://example.com/hook', events: ['*'], ...(line ? { line_id: line } : {}) };
    return String((await h.call('POST', `${BASE}/webhooks`, { body })).body.id);
  };
  const carried = (line: string, traffic: Parameters<typeof countLineTraffic>[2], agoMs = 0) =>
    h.db.store.transaction(({ db }) => countLineTraffic(db, line, traffic, clock.now() - agoMs));
  const told = (
    webhook: string,
    delivered: number,
    failedAttempts: number,
    answerMs: number,
    slowestAnswerMs: number,
  ) =>
    h.db.store.transaction(({ db }) =>
      countWebhookTraffic(
        db,
        new Map([[webhook, { delivered, failedAttempts, answerMs, slowestAnswerMs }]]),
        clock.now(),
      ),
    );
  const series = async (query = '', key = h.keys.test) => {
    const reply = await h.call('GET', `${BASE}/usage/series?${query}`, { key });
    expect([reply.status, reply.text]).toEqual([200, reply.text]);
    return reply.body.points as Point[];
  };

  it('counts up, keeps hours and days apart, and averages', async () => {
    const [one, two] = [await newLine(), await newLine()];
    await carried(one, { sent: 1, sendMs: 100, slowestSendMs: 100 });
    await carried(one, { sent: 1, sendMs: 300, slowestSendMs: 300 });
    await carried(one, { sent: 1, sendMs: 50, slowestSendMs: 50 });
    await carried(two, { received: 4, failed: 1 });
    await carried(two, { received: 2 }, 3 * HOUR_MS);
    await told(await newWebhook(), 3, 1, 400, 250);
    const hours = await series('step=hour');
    expect(hours).toHaveLength(24);
    expect(hours.at(-1)).toMatchObject({
      messages: { received: 4, sent: 3, failed: 1 },
      send_ms: { average: 150, slowest: 300 },
      deliveries: { delivered: 3, failed_attempts: 1 },
      answer_ms: { average: 100, slowest: 250 },
    });
    expect(hours.at(-4)?.messages).toEqual({ received: 2, sent: 0, failed: 0 });
    expect(hours.at(-2)).toMatchObject({ messages: { received: 0 }, send_ms: { average: null, slowest: null } });
    const days = await series();
    expect(days).toHaveLength(30);
    const received = days.reduce((sum, { messages }) => sum + messages.received, 0);
    expect(received).toBe(6);
  });

  it('shows one line or one webhook when asked, and nobody elses', async () => {
    const [one, two] = [await newLine(), await newLine()];
    const live = await newLine(h.keys.live);
    await carried(one, { received: 1 });
    await carried(two, { received: 10 });
    await carried(live, { received: 100 });
    const ofOne = await newWebhook(one);
    await told(ofOne, 1, 0, 5, 5);
    await told(await newWebhook(), 10, 0, 5, 5);
    const last = async (query: string, key?: string) => (await series(query, key)).at(-1);
    expect((await last('step=hour'))?.messages.received).toBe(11);
    expect((await last('step=hour', h.keys.live))?.messages.received).toBe(100);
    expect((await last('step=hour', h.keys.stranger))?.messages.received).toBe(0);
    expect(await last(`step=hour&line_id=${one}`)).toMatchObject({
      messages: { received: 1 },
      deliveries: { delivered: 1 },
    });
    expect(await last(`step=hour&webhook_id=${ofOne}`)).toMatchObject({
      messages: { received: 0 },
      deliveries: { delivered: 1 },
    });
    for (const query of [`line_id=${live}`, 'webhook_id=whk_nobodys']) {
      expect((await h.call('GET', `${BASE}/usage/series?${query}`)).status).toBe(404);
    }
  });

  it('refuses series that are too long, and those that end before they begin', async () => {
    for (const query of [
      'step=hour&from=2020-01-01T00:00:00Z',
      'from=2040-01-01T00:00:00Z',
      'step=week',
      'from=soon',
    ]) {
      expect([query, (await h.call('GET', `${BASE}/usage/series?${query}`)).status]).toEqual([query, 400]);
    }
    const from = Math.floor((clock.now() - 2 * HOUR_MS) / 1_000);
    expect(await series(`step=hour&from=${from}`)).toHaveLength(3);
  });

  it('forgets hours after eight days and keeps the days', async () => {
    const line = await newLine();
    await carried(line, { received: 7 });
    await clock.advance(9 * 24 * HOUR_MS);
    await carried(line, { received: 1 });
    await h.db.store.transaction(({ db }) => pruneTraffic(db, clock.now()));
    const rows = await h.db.store.db.selectFrom('line_traffic').select(['step', 'received']).execute();
    expect(rows.map(({ step, received }) => [Number(step) / HOUR_MS, Number(received)]).sort()).toEqual([
      [1, 1],
      [24, 1],
      [24, 7],
    ]);
    expect((await series()).reduce((sum, { messages }) => sum + messages.received, 0)).toBe(8);
  });

  it('restarts a line: ends it, then starts it', async () => {
    const line = await newLine();
    h.router.started.length = 0;
    const reply = await h.call('POST', `${BASE}/lines/${line}/restart`);
    expect(reply).toMatchObject({ status: 200, body: { ok: true, line_id: line, restarted: true } });
    expect([h.router.stopped, h.router.started]).toEqual([[line], [line]]);
    expect((await h.call('POST', `${BASE}/lines/${line}/restart`, { key: h.keys.stranger })).status).toBe(404);
  });
});
