import type { CloseReason } from '@ponte/engine';
import { describe, expect, it } from 'vitest';
import type { LineStatus } from '../../core/lines.ts';
import { initialModel, isHopeless, isNews, type LineModel, type LineSignal, nextState } from './line-state.ts';

const connected: LineModel = { ...initialModel('connected', null), isPaired: true, openedAt: 0 };
const closed = (reason: CloseReason, extra: Partial<Extract<LineSignal, { type: 'closed' }>> = {}): LineSignal => ({
  type: 'closed',
  reason,
  atMs: 1_000,
  random: 0.5,
  ...extra,
});
const run = (model: LineModel, ...signals: LineSignal[]) =>
  signals.reduce<ReturnType<typeof nextState>>((at, signal) => nextState(at.model, signal), {
    model,
    step: { type: 'stay' },
  });

describe('a paired line whose connection ended', () => {
  const table: [CloseReason, LineStatus, string | null, string, number | undefined][] = [
    ['restart_required', 'connected', null, 'connect', 0],
    ['connection_lost', 'disconnected', 'connection_lost', 'connect', 500],
    ['server_unavailable', 'disconnected', 'server_unavailable', 'connect', 500],
    ['store_failed', 'disconnected', 'store_failed', 'probe_store', 500],
    ['replaced', 'disconnected', 'replaced', 'connect', 75_000],
    ['logged_out', 'logged_out', 'logged_out', 'stay', undefined],
    ['banned', 'disconnected', 'banned', 'stay', undefined],
    ['client_outdated', 'disconnected', 'client_outdated', 'stay', undefined],
    ['untrusted_server', 'disconnected', 'untrusted_server', 'stay', undefined],
    ['pairing_failed', 'disconnected', 'server_unavailable', 'connect', 500],
    ['pairing_expired', 'disconnected', 'server_unavailable', 'connect', 500],
    ['passkey_required', 'disconnected', 'server_unavailable', 'connect', 500],
    ['closed', 'connected', null, 'stay', undefined],
  ];
  it.each(table)('%s: %s, reason %s, then %s', (reason, status, why, step, delayMs) => {
    const next = nextState(connected, closed(reason));
    expect(next.model.status).toBe(status);
    expect(next.model.reason).toBe(why);
    expect(next.step).toEqual(delayMs === undefined ? { type: step } : { type: step, delayMs });
  });

  it('is no longer paired after a log-out, and stays paired after everything else', () => {
    for (const [reason] of table)
      expect(nextState(connected, closed(reason)).model.isPaired).toBe(reason !== 'logged_out');
  });

  it('honours the end of a temporary ban, and waits an hour when none was told', () => {
    const told = nextState(connected, closed('temporarily_banned', { retryInMs: 7_200_000, random: 0 }));
    expect(told.step).toEqual({ type: 'connect', delayMs: 7_200_000 });
    expect(told.model).toMatchObject({ status: 'disconnected', reason: 'temporarily_banned' });
    expect(nextState(connected, closed('temporarily_banned', { random: 0 })).step).toEqual({
      type: 'connect',
      delayMs: 3_600_000,
    });
    const past = nextState(connected, closed('temporarily_banned', { retryInMs: -5, random: 0 }));
    expect(past.step).toEqual({ type: 'connect', delayMs: 1_000 });
  });
});

describe('the way back', () => {
  it('grows its waits, caps them at five minutes, and makes no hot loop of a thousand refusals', () => {
    let model = connected;
    let elapsedMs = 0;
    let tries = 0;
    for (let i = 0; i < 1_000; i++) {
      const next = nextState(model, closed('server_unavailable', { atMs: 1_000 + elapsedMs, random: 0.999 }));
      model = next.model;
      if (next.step.type !== 'connect') throw new Error('gave up');
      expect(next.step.delayMs).toBeLessThanOrEqual(300_000);
      elapsedMs += next.step.delayMs;
      if (elapsedMs <= 600_000) tries += 1;
    }
    expect(tries).toBeLessThanOrEqual(12);
    expect(tries).toBeGreaterThan(5);
  });

  it('forgets failures only after a connection that held a minute', () => {
    const failed = { ...connected, failures: 6, openedAt: 0 };
    expect(nextState(failed, closed('connection_lost', { atMs: 59_999 })).model.failures).toBe(7);
    expect(nextState(failed, closed('connection_lost', { atMs: 60_000 })).model.failures).toBe(1);
  });

  it('takes a 515 as no failure, but not for ever', () => {
    let model = connected;
    for (let i = 0; i < 5; i++) {
      const next = nextState(model, closed('restart_required'));
      expect(next.step).toEqual({ type: 'connect', delayMs: 0 });
      expect(next.model).toMatchObject({ status: 'connected', failures: 0 });
      model = next.model;
    }
    const sixth = nextState(model, closed('restart_required'));
    expect(sixth.model).toMatchObject({ status: 'disconnected', reason: 'server_unavailable', failures: 1 });
  });

  it('tries twice after a take-over and leaves the third in ten minutes alone', () => {
    const first = nextState(connected, closed('replaced', { atMs: 0, random: 0 }));
    expect(first.step).toEqual({ type: 'connect', delayMs: 60_000 });
    const second = nextState(first.model, closed('replaced', { atMs: 100_000, random: 1 }));
    expect(second.step).toEqual({ type: 'connect', delayMs: 90_000 });
    const third = nextState(second.model, closed('replaced', { atMs: 599_000 }));
    expect(third).toMatchObject({ model: { status: 'disconnected', reason: 'conflict' }, step: { type: 'stay' } });
    const later = nextState(second.model, closed('replaced', { atMs: 700_001 }));
    expect(later.step.type).toBe('connect');
  });
});

describe('pairing', () => {
  it('goes from unpaired over the 515 to connected', () => {
    const statuses: string[] = [];
    let model = initialModel('unpaired', null);
    const signals: LineSignal[] = [
      { type: 'started', isPaired: false },
      { type: 'pairing_requested' },
      { type: 'paired' },
      closed('restart_required'),
      { type: 'opened', atMs: 5 },
    ];
    for (const signal of signals) {
      const next = nextState(model, signal);
      model = next.model;
      statuses.push(`${model.status}:${next.step.type}`);
    }
    expect(statuses).toEqual([
      'unpaired:stay',
      'pairing:stay',
      'connecting:stay',
      'connecting:connect',
      'connected:stay',
    ]);
  });

  it.each(['pairing_expired', 'pairing_failed', 'passkey_required', 'connection_lost', 'untrusted_server'] as const)(
    'that ends with %s leaves the line unpaired, says why, and does not try again by itself',
    (reason) => {
      const next = run(initialModel('unpaired', null), { type: 'pairing_requested' }, closed(reason));
      expect(next).toMatchObject({ model: { status: 'unpaired', reason, isPaired: false }, step: { type: 'stay' } });
    },
  );

  it('can begin again after a log-out', () => {
    const next = run(connected, closed('logged_out'), { type: 'pairing_requested' });
    expect(next.model).toMatchObject({ status: 'pairing', reason: null });
  });

  it('forgets everything when the caller unlinks', () => {
    expect(run(connected, { type: 'unlinked' }).model).toEqual(initialModel('unpaired', null));
  });
});

describe('a line that starts', () => {
  it('connects when it is paired', () => {
    const next = run(initialModel('disconnected', 'connection_lost'), { type: 'started', isPaired: true });
    expect(next).toMatchObject({
      model: { status: 'connecting', reason: null, isPaired: true },
      step: { type: 'connect', delayMs: 0 },
    });
  });

  it.each([
    ['logged_out', 'logged_out', 'logged_out', 'logged_out'],
    ['connected', null, 'unpaired', null],
    ['pairing', null, 'unpaired', null],
    ['unpaired', 'pairing_expired', 'unpaired', 'pairing_expired'],
  ] as const)('was %s (%s), is not paired: %s (%s)', (status, reason, expected, why) => {
    const next = run(initialModel(status, reason), { type: 'started', isPaired: false });
    expect(next).toMatchObject({ model: { status: expected, reason: why }, step: { type: 'stay' } });
  });
});

describe('what the journal hears', () => {
  it.each([
    [null, 'unpaired', null, false],
    [null, 'pairing', null, true],
    ['pairing', 'connecting', null, false],
    ['pairing', 'connected', null, true],
    ['connected', 'connecting', null, false],
    ['connected', 'connected', null, false],
    ['connected', 'disconnected', 'connection_lost', true],
    ['disconnected', 'disconnected', 'server_unavailable', false],
    ['disconnected', 'disconnected', 'conflict', true],
    ['disconnected', 'connected', null, true],
    ['connected', 'logged_out', 'logged_out', true],
  ] as const)('after %s: %s (%s) is news: %s', (told, status, reason, news) => {
    expect(isNews(told === null ? null : { status: told, reason: null }, { status, reason })).toBe(news);
  });

  it('tells a final reason once', () => {
    expect(isNews({ status: 'disconnected', reason: 'banned' }, { status: 'disconnected', reason: 'banned' })).toBe(
      false,
    );
  });
});

it('gives waiting sends up only when no connection can come', () => {
  expect(isHopeless(initialModel('unpaired', null))).toBe(true);
  expect(isHopeless(nextState(connected, closed('banned')).model)).toBe(true);
  for (const reason of ['connection_lost', 'replaced', 'store_failed', 'temporarily_banned'] as const)
    expect(isHopeless(nextState(connected, closed(reason)).model)).toBe(false);
});
