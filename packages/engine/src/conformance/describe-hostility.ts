import { describe, expect, it } from 'vitest';
import { EngineLine } from './line.ts';
import { HOSTILE_PAIRINGS, HOSTILE_SERVERS } from './network.ts';
import type { Suite } from './suite.ts';

export function describeHostility(suite: Suite): void {
  describe('a network that lies', () => {
    for (const variant of HOSTILE_SERVERS) {
      it(`tells a server nothing whose certificate has ${variant}`, async () => {
        const phone = await suite.network().phone(suite.number());
        const line = await EngineLine.paired(suite.network(), suite.lineId(), phone);
        await line.engine.close();
        const { length } = suite.network().wire(line.id);
        const { writes } = line.handle;
        line.forget();
        suite.network().fault(line.id, { kind: 'hostile', variant });
        await line.engine.connect();
        await line.closed('untrusted_server');
        const later = suite.network().wire(line.id).slice(length);
        expect(later.filter(({ direction }) => direction === 'in')).toEqual([]);
        expect(line.handle.writes).toBe(writes);
        await line.login();
      });
    }

    for (const variant of HOSTILE_PAIRINGS) {
      it(`is not paired by a pairing with ${variant}`, async () => {
        const phone = await suite.network().phone(suite.number());
        const line = await EngineLine.open(suite.network(), suite.lineId());
        suite.network().fault(line.id, { kind: 'hostile', variant });
        await line.engine.connect({ kind: 'qr' });
        const { data } = await line.change('qr');
        await expect(phone.scan(data)).rejects.toThrow();
        await line.closed('untrusted_server');
        expect(line.engine.self()).toBeUndefined();
        expect(line.handle.writes).toBe(0);
      });
    }

    it('sends nothing to keys that their owner did not sign', async () => {
      const phone = await suite.network().phone(suite.number());
      const bob = await suite.network().phone(suite.number());
      const line = await EngineLine.paired(suite.network(), suite.lineId(), phone);
      const prepared = await line.engine.prepare({ kind: 'text', body: 'for Bob only' }, bob.pn, '3EB0HOSTILE');
      suite.network().fault(line.id, { kind: 'hostile', variant: 'bad_signed_prekey' });
      await expect(line.engine.transmit(prepared)).rejects.toMatchObject({ code: 'rejected' });
      await line.roundTrip();
      expect(line.sent('message', { id: prepared.id })).toEqual([]);
      await line.engine.transmit(prepared);
    });
  });
}
