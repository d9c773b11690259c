import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, settle } from '../../../test/support/manual-clock.ts';
import { DEFAULT_PACING, type Pacing } from '../../core/pacing.ts';
import { Mailbox, type MailboxJob, type StepResult } from './mailbox.ts';
import { createPacer } from './pacing.ts';

type End = Exclude<StepResult, { type: 'ready' }>;

class Harness {
  readonly clock = new ManualClock();
  readonly prepared: string[] = [];
  /** Ids as they went on the wire, with the time. */
  readonly wire: { id: string; atMs: number }[] = [];
  readonly faults: string[] = [];
  readonly acks = new Map<string, (end: End) => void>();
  readonly releases = new Map<string, () => void>();
  readonly mailbox: Mailbox;

  constructor(options: { pacing?: Pacing | null; capacity?: number; maxInFlight?: number } = {}) {
    this.mailbox = new Mailbox({
      clock: this.clock,
      pacer: createPacer(options.pacing ?? null, this.clock),
      capacity: options.capacity ?? 100,
      maxInFlight: options.maxInFlight ?? 16,
      onFault: (error, id) => this.faults.push(`${id}: ${String(error)}`),
    });
  }

  job(
    order: number,
    options: { chat?: string; rank?: number; prepare?: () => Promise<StepResult>; manual?: boolean } = {},
  ): MailboxJob {
    const id = `out_${order}`;
    return {
      id,
      rank: options.rank ?? 1,
      order,
      chat: options.chat ?? `chat${order}`,
      prepare: async () => {
        this.prepared.push(id);
        return options.prepare ? options.prepare() : { type: 'ready' };
      },
      transmit: (release) => {
        this.releases.set(id, release);
        this.wire.push({ id, atMs: this.clock.monotonic() });
        if (!options.manual) return Promise.resolve({ type: 'ended' });
        return new Promise((resolve) => this.acks.set(id, resolve));
      },
    };
  }

  ack(order: number, end: End = { type: 'ended' }): Promise<void> {
    this.acks.get(`out_${order}`)?.(end);
    return settle();
  }

  /** WhatsApp has it; its end is still to be committed. */
  release(order: number): void {
    this.releases.get(`out_${order}`)?.();
  }

  get order(): string[] {
    return this.wire.map((entry) => entry.id);
  }
}

describe('the mailbox', () => {
  it('sends in the order of acceptance, however the commands arrive', async () => {
    const h = new Harness();
    for (const order of [3, 1, 2, 5, 4]) h.mailbox.offer(h.job(order));
    h.mailbox.open();
    await settle();
    expect(h.order).toEqual(['out_1', 'out_2', 'out_3', 'out_4', 'out_5']);
    expect(h.mailbox.size).toBe(0);
  });

  it('keeps jobs while it is shut, and sends them when it opens', async () => {
    const h = new Harness();
    h.mailbox.offer(h.job(1));
    await settle();
    expect(h.order).toEqual([]);
    h.mailbox.open();
    await settle();
    expect(h.order).toEqual(['out_1']);
  });

  it('refuses what exceeds its bound, and takes one again when there is room', async () => {
    const h = new Harness({ capacity: 2 });
    expect([1, 2, 3].map((order) => h.mailbox.offer(h.job(order)))).toEqual(['queued', 'queued', 'full']);
    h.mailbox.open();
    await settle();
    expect(h.mailbox.offer(h.job(3))).toBe('queued');
  });

  it('takes one job of an id until it ended', async () => {
    const h = new Harness();
    h.mailbox.open();
    h.mailbox.offer(h.job(1, { manual: true }));
    await settle();
    expect(h.mailbox.offer(h.job(1))).toBe('known');
    await h.ack(1);
    expect(h.mailbox.offer(h.job(1))).toBe('queued');
  });

  it('keeps several on the wire up to its limit, in order', async () => {
    const h = new Harness({ maxInFlight: 3 });
    h.mailbox.open();
    for (const order of [1, 2, 3, 4, 5]) h.mailbox.offer(h.job(order, { manual: true }));
    await settle();
    expect(h.order).toEqual(['out_1', 'out_2', 'out_3']);
    await h.ack(2);
    expect(h.order).toEqual(['out_1', 'out_2', 'out_3', 'out_4']);
    await h.ack(1);
    expect(h.order).toHaveLength(5);
  });

  it('keeps the messages of one chat one after the other on the wire, and makes the next ones ready meanwhile', async () => {
    const h = new Harness();
    h.mailbox.open();
    for (const order of [1, 2, 3]) h.mailbox.offer(h.job(order, { chat: 'a', manual: true }));
    h.mailbox.offer(h.job(4, { chat: 'b', manual: true }));
    await settle();
    expect(h.prepared).toEqual(['out_1', 'out_2', 'out_3', 'out_4']);
    expect(h.order).toEqual(['out_1', 'out_4']);
    h.release(1);
    expect(h.order).toEqual(['out_1', 'out_4', 'out_2']);
    await h.ack(2);
    expect(h.order).toEqual(['out_1', 'out_4', 'out_2', 'out_3']);
    await h.ack(1);
    await h.ack(3);
    await h.ack(4);
    expect(h.mailbox.size).toBe(0);
    await h.mailbox.settled();
  });

  it('keeps ready messages of a busy chat when the connection goes', async () => {
    const h = new Harness();
    h.mailbox.open();
    for (const order of [1, 2, 3]) h.mailbox.offer(h.job(order, { chat: 'a', manual: true }));
    await settle();
    h.mailbox.shut();
    await h.ack(1, { type: 'again', afterMs: 1_000 });
    await h.mailbox.settled();
    expect(h.order).toEqual(['out_1']);
    h.mailbox.open();
    await settle();
    for (const order of [1, 2, 3]) await h.ack(order);
    expect(h.order).toEqual(['out_1', 'out_1', 'out_2', 'out_3']);
  });

  it('repeats what lost its connection before anything newer, in order', async () => {
    const h = new Harness();
    h.mailbox.open();
    for (const order of [1, 2]) h.mailbox.offer(h.job(order, { manual: true }));
    await settle();
    h.mailbox.shut();
    h.mailbox.offer(h.job(3));
    await h.ack(2, { type: 'again', afterMs: 60_000 });
    await h.ack(1, { type: 'again', afterMs: 60_000 });
    expect(h.order).toEqual(['out_1', 'out_2']);
    h.mailbox.open();
    await settle();
    expect(h.order.slice(2)).toEqual(['out_1', 'out_2', 'out_3']);
  });

  it('holds back only the chat of a job that must wait', async () => {
    const h = new Harness();
    let tries = 0;
    const prepare = async (): Promise<StepResult> => {
      tries += 1;
      return tries === 1 ? { type: 'again', afterMs: 1_000 } : { type: 'ready' };
    };
    h.mailbox.open();
    h.mailbox.offer(h.job(1, { chat: 'a', prepare }));
    h.mailbox.offer(h.job(2, { chat: 'a' }));
    h.mailbox.offer(h.job(3, { chat: 'b' }));
    await settle();
    expect(h.order).toEqual(['out_3']);
    await h.clock.advance(999);
    expect(h.order).toEqual(['out_3']);
    await h.clock.advance(1);
    expect(h.order).toEqual(['out_3', 'out_1', 'out_2']);
  });

  it('does not send what was made ready when the connection went meanwhile', async () => {
    const h = new Harness();
    const prepared = Promise.withResolvers<{ type: 'ready' }>();
    h.mailbox.open();
    h.mailbox.offer(h.job(1, { prepare: () => prepared.promise }));
    await settle();
    h.mailbox.shut();
    prepared.resolve({ type: 'ready' });
    await settle();
    expect(h.order).toEqual([]);
    expect(h.mailbox.size).toBe(1);
  });

  it('survives a step that throws: it is told and tried again later', async () => {
    const h = new Harness();
    let tries = 0;
    const prepare = async (): Promise<StepResult> => {
      tries += 1;
      if (tries === 1) throw new Error('defect');
      return { type: 'ready' };
    };
    h.mailbox.open();
    h.mailbox.offer(h.job(1, { prepare }));
    await settle();
    expect(h.faults).toEqual(['out_1: Error: defect']);
    await h.clock.advance(5_000);
    expect(h.order).toEqual(['out_1']);
  });

  it('gives its waiting jobs back, and settles when the wire is quiet', async () => {
    const h = new Harness({ maxInFlight: 1 });
    h.mailbox.open();
    h.mailbox.offer(h.job(1, { manual: true }));
    h.mailbox.offer(h.job(2));
    await settle();
    h.mailbox.shut();
    expect(h.mailbox.clear().map((job) => job.id)).toEqual(['out_2']);
    let settled = false;
    const done = h.mailbox.settled().then(() => {
      settled = true;
    });
    await settle();
    expect(settled).toBe(false);
    await h.ack(1);
    await done;
    expect(h.mailbox.size).toBe(0);
  });
});

describe('pacing', () => {
  it('lets five leave at once after a pause, then spaces by one to three seconds', async () => {
    const h = new Harness({ pacing: DEFAULT_PACING });
    h.mailbox.open();
    for (let order = 1; order <= 9; order++) h.mailbox.offer(h.job(order));
    await h.clock.advance(0);
    expect(h.wire.map((entry) => entry.atMs)).toEqual([0, 0, 0, 0, 0]);
    h.clock.randomValue = 0;
    await h.clock.advance(60_000);
    // The gap after the fifth was drawn with 0.5, the later ones with 0.
    expect(h.wire.slice(5).map((entry) => entry.atMs)).toEqual([2_000, 3_000, 4_000, 5_000]);
  });

  it('keeps every gap within its bounds, whatever is drawn', async () => {
    const h = new Harness({ pacing: { ...DEFAULT_PACING, burst: 0 } });
    h.mailbox.open();
    for (let order = 1; order <= 50; order++) h.mailbox.offer(h.job(order));
    for (let i = 0; i < 200; i++) {
      h.clock.randomValue = (i * 0.618) % 1;
      await h.clock.advance(1_000);
    }
    const gaps = h.wire.slice(1).map((entry, i) => entry.atMs - (h.wire[i]?.atMs ?? 0));
    expect(gaps).toHaveLength(49);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(3_000);
    expect(new Set(gaps).size).toBeGreaterThan(10);
  });

  it('whatever comes in, what waits leaves by rank, then in the order of acceptance, never closer than the gap', async () => {
    const arrivals = fc.array(fc.record({ rank: fc.nat(2), afterMs: fc.nat(3_000), drop: fc.boolean() }), {
      minLength: 2,
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.double({ min: 0, max: 0.999, noNaN: true }), async (all, random) => {
        const h = new Harness({ pacing: { ...DEFAULT_PACING, burst: 1 }, maxInFlight: 1 });
        h.clock.randomValue = random;
        h.mailbox.open();
        const waiting: { order: number; rank: number }[] = [];
        const left: string[] = [];
        const note = () => {
          for (const { id } of h.wire.slice(left.length)) {
            // The best of what waited when it left.
            const best = [...waiting].sort((a, b) => a.rank - b.rank || a.order - b.order)[0];
            expect(id).toBe(`out_${best?.order}`);
            waiting.splice(
              waiting.findIndex(({ order }) => order === best?.order),
              1,
            );
            left.push(id);
          }
        };
        for (const [order, { rank, afterMs, drop }] of all.entries()) {
          for (let ms = 0; ms < afterMs; ms += 100) {
            await h.clock.advance(Math.min(100, afterMs - ms));
            note();
          }
          if (h.mailbox.offer(h.job(order, { rank, chat: 'a' })) === 'queued') waiting.push({ order, rank });
          await h.clock.advance(0);
          note();
          if (drop && h.mailbox.remove(`out_${order}`))
            waiting.splice(
              waiting.findIndex((one) => one.order === order),
              1,
            );
        }
        while (waiting.length > 0) {
          await h.clock.advance(100);
          note();
        }
        const gaps = h.wire.slice(1).map(({ atMs }, n) => atMs - (h.wire[n]?.atMs ?? 0));
        for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(DEFAULT_PACING.minGapMs);
        expect(h.mailbox.size).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('gives no second burst without a pause', async () => {
    const h = new Harness({ pacing: DEFAULT_PACING });
    h.mailbox.open();
    for (let order = 1; order <= 6; order++) h.mailbox.offer(h.job(order));
    await h.clock.advance(9_000);
    expect(h.wire).toHaveLength(6);
    for (let order = 7; order <= 12; order++) h.mailbox.offer(h.job(order));
    await h.clock.advance(0);
    expect(h.wire).toHaveLength(7);
    await h.clock.advance(60_000);
    for (let order = 13; order <= 20; order++) h.mailbox.offer(h.job(order));
    await h.clock.advance(0);
    expect(h.wire).toHaveLength(12 + 5);
  });
});

describe('a full wire', () => {
  it('leaves the event loop alone until an acknowledgement comes', async () => {
    const harness = new Harness({ maxInFlight: 2 });
    harness.mailbox.open();
    for (let order = 1; order <= 3; order += 1) harness.mailbox.offer(harness.job(order, { manual: true }));
    // Would never come when the pump woke itself up for ever: timers wait for the end of all
    // microtasks.
    await new Promise((resolve) => setImmediate(resolve));
    expect(harness.wire.map(({ id }) => id)).toEqual(['out_1', 'out_2']);
    harness.mailbox.offer(harness.job(4, { manual: true }));
    await new Promise((resolve) => setImmediate(resolve));
    await harness.ack(1);
    expect(harness.wire.map(({ id }) => id)).toEqual(['out_1', 'out_2', 'out_3']);
  });
});
