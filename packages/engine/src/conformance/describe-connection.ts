import { describe, expect, it } from 'vitest';
import type { CloseReason } from '../engine.ts';
import { EngineLine } from './line.ts';
import { MemoryStore } from './memory-store.ts';
import type { Suite } from './suite.ts';
import { until } from './until.ts';

const STREAM_ERRORS: [number, CloseReason][] = [
  [515, 'restart_required'],
  [401, 'logged_out'],
  [403, 'banned'],
  [405, 'client_outdated'],
  [500, 'server_unavailable'],
  [503, 'server_unavailable'],
];

export function describeConnection(suite: Suite): void {
  describe('connection', () => {
    it('pairs by QR code and logs in with what it stored', async () => {
      const phone = await suite.network().phone(suite.number());
      const id = suite.lineId();
      const first = await EngineLine.open(suite.network(), id);
      const self = await first.pair(phone);
      expect(self).toMatchObject({ pn: phone.pn, lid: phone.lid });
      await first.close();
      const second = await EngineLine.open(suite.network(), id, first.store);
      expect(second.engine.self()).toMatchObject({ pn: phone.pn, lid: phone.lid });
      await second.login();
    });

    it('keeps nothing of a pairing that did not happen', async () => {
      const line = await EngineLine.open(suite.network(), suite.lineId());
      await line.engine.connect({ kind: 'qr' });
      const { expiresAt } = await line.change('qr');
      expect(expiresAt).toBeGreaterThan(Date.now());
      await line.engine.close();
      await line.closed('closed');
      expect(line.handle.writes).toBe(0);
      expect(line.engine.self()).toBeUndefined();
    });

    it('shows a new code when WhatsApp wants the secret replaced, and pairs with that one', async () => {
      const phone = await suite.network().phone(suite.number());
      const line = await EngineLine.open(suite.network(), suite.lineId());
      await line.engine.connect({ kind: 'qr' });
      const { data: old } = await line.change('qr');
      line.forget();
      suite.network().fault(line.id, { kind: 'reg_refresh' });
      const { data } = await line.change('qr');
      expect(data).not.toBe(old);
      await phone.scan(data);
      await line.change('paired');
      await line.closed('restart_required');
    });

    it('refuses to open on credentials that cannot be read', async () => {
      const phone = await suite.network().phone(suite.number());
      const line = await EngineLine.paired(suite.network(), suite.lineId(), phone);
      await line.close();
      const damaged = new MemoryStore();
      for (const [kind, values] of line.store.keys) {
        damaged.apply(
          [...values].map(([id, value]) => ({ kind, id, value: value.subarray(0, value.length >> 1) })),
          undefined,
        );
      }
      await expect(EngineLine.open(suite.network(), line.id, damaged)).rejects.toMatchObject({
        code: 'credentials_unreadable',
      });
    });

    it('refuses a second connection, and one without pairing or credentials', async () => {
      const line = await EngineLine.open(suite.network(), suite.lineId());
      await expect(line.engine.connect()).rejects.toMatchObject({ code: 'wrong_state' });
      await line.engine.connect({ kind: 'qr' });
      await expect(line.engine.connect({ kind: 'qr' })).rejects.toMatchObject({ code: 'wrong_state' });
    });

    it('says why a connection ended, once, and does not come back by itself', async () => {
      const phone = await suite.network().phone(suite.number());
      const line = await EngineLine.paired(suite.network(), suite.lineId(), phone);
      suite.network().cut(line.id);
      await line.closed('connection_lost');
      for (const [code, reason] of STREAM_ERRORS.filter(([code]) => code !== 401)) {
        await line.login();
        suite.network().fault(line.id, { kind: 'stream_error', code });
        await line.closed(reason);
      }
      await line.login();
      suite.network().fault(line.id, { kind: 'replaced' });
      await line.closed('replaced');
      expect(line.changes.filter(({ type }) => type === 'closed')).toHaveLength(1);
      await expect(line.engine.lookupNumbers(['15550999999'])).rejects.toMatchObject({ code: 'not_connected' });
      await line.login();
      suite.network().fault(line.id, { kind: 'logged_out' });
      await line.closed('logged_out');
    });

    it('unlinks at WhatsApp and forgets everything when logged out', async () => {
      const phone = await suite.network().phone(suite.number());
      const line = await EngineLine.paired(suite.network(), suite.lineId(), phone);
      await expect(line.engine.logout(5_000)).resolves.toEqual({ unlinked: true });
      await line.closed('logged_out');
      expect(line.engine.self()).toBeUndefined();
      expect(line.store.keys.size).toBe(0);
      await line.pair(phone);
      await line.login();
    });

    it('logs out locally when there is no connection', async () => {
      const phone = await suite.network().phone(suite.number());
      const line = await EngineLine.paired(suite.network(), suite.lineId(), phone);
      await line.engine.close();
      await expect(line.engine.logout(1_000)).resolves.toEqual({ unlinked: false });
      expect(line.store.keys.size).toBe(0);
    });

    it('says nothing more after close', async () => {
      const phone = await suite.network().phone(suite.number());
      const bob = await suite.network().phone(suite.number());
      const line = await EngineLine.paired(suite.network(), suite.lineId(), phone);
      await bob.sendText(phone.pn, 'on the way');
      await line.engine.close();
      const { length } = suite.network().wire(line.id);
      await until('the message to wait for the line', () => bob.seen() !== undefined);
      const later = suite.network().wire(line.id).slice(length);
      expect(later.filter(({ direction }) => direction === 'in')).toEqual([]);
      await line.login();
      await line.text('on the way');
    });
  });
}
