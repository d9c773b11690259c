import { EngineError, type Node } from '@ponte/engine';
import { describe, expect, it } from 'vitest';
import { AckWaiter } from './ack-waiter.ts';

const ack = (id: string, attrs: Record<string, string> = {}): Node => ({
  tag: 'ack',
  attrs: { id, class: 'message', ...attrs },
});

describe('acknowledgements', () => {
  it('resolve with the time of WhatsApp, also when they come first', async () => {
    const waiter = new AckWaiter();
    const early = waiter.expect('A');
    waiter.onAck(ack('A', { t: '170' }), 999);
    expect(await early.within(1_000, undefined)).toEqual({ timestamp: 170, isLidStale: false });
    early.stop();
  });

  it('say when WhatsApp calls the address out of date', async () => {
    const waiter = new AckWaiter();
    const expected = waiter.expect('A');
    waiter.onAck(ack('A', { t: '170', refresh_lid: 'true' }), 999);
    expect(await expected.within(1_000, undefined)).toEqual({ timestamp: 170, isLidStale: true });
  });

  it('reject with the code of WhatsApp, for everybody who waits for that message and nobody else', async () => {
    const waiter = new AckWaiter();
    const [one, two, other] = [waiter.expect('A'), waiter.expect('A'), waiter.expect('B')];
    waiter.onAck(ack('A', { error: '463' }), 999);
    for (const refused of [one, two]) {
      await expect(refused.within(1_000, undefined)).rejects.toMatchObject({ code: 'rejected', serverCode: 463 });
    }
    waiter.onAck(ack('B'), 999);
    expect(await other.within(1_000, undefined)).toEqual({ timestamp: 999, isLidStale: false });
  });

  it('time out, are given up, and end with the connection', async () => {
    const waiter = new AckWaiter();
    await expect(waiter.expect('A').within(1, undefined)).rejects.toMatchObject({ code: 'timeout' });
    await expect(waiter.expect('A').within(1_000, AbortSignal.abort())).rejects.toMatchObject({ code: 'timeout' });
    const last = waiter.expect('A');
    waiter.rejectAll(new EngineError('timeout', 'the connection ended'));
    await expect(last.within(1_000, undefined)).rejects.toThrow('the connection ended');
  });
});
