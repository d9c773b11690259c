import { describe, expect, it } from 'vitest';
import { STATUS_BROADCAST } from '../address.ts';
import { EngineLine } from './line.ts';
import type { Suite } from './suite.ts';
import { until } from './until.ts';

const HOUR_MS = 3_600_000;

/** What WhatsApp demands of a client today (docs/live.md), beside what it always did. */
export function describeLive(suite: Suite): void {
  const pairedLine = async () => {
    const phone = await suite.network().phone(suite.number());
    const bob = await suite.network().phone(suite.number());
    return { phone, bob, line: await EngineLine.paired(suite.network(), suite.lineId(), phone) };
  };
  const acksOf = (line: EngineLine, id: string) => line.sent('ack', { id });

  describe('what WhatsApp demands today', () => {
    it('acknowledges a top-level status under that name, and reads it', async () => {
      const { line, phone, bob } = await pairedLine();
      const id = await bob.postStatus([phone.pn], 'at the sea');
      const message = await line.text('at the sea');
      expect(message).toMatchObject({ id, chat: { jid: STATUS_BROADCAST }, sender: { pn: bob.pn } });
      await until('the acknowledgement', () => acksOf(line, id).length > 0);
      expect(acksOf(line, id)).toMatchObject([{ class: 'status', to: STATUS_BROADCAST, participant: bob.lid }]);
      expect(acksOf(line, id)[0]?.error).toBeUndefined();
      await line.engine.close();
      await bob.sendText(phone.pn, 'the next mail');
      await line.login();
      await line.text('the next mail');
      const pushed = suite.network().wire(line.id);
      expect(pushed.filter(({ direction, tag }) => direction === 'out' && tag === 'status')).toHaveLength(1);
    });

    it('acknowledges a status that nobody can read plainly, and other mail goes on', async () => {
      const { line, phone, bob } = await pairedLine();
      await bob.postStatus([phone.pn], 'a first one');
      await line.text('a first one');
      suite.network().fault(line.id, { kind: 'bad_mac', count: 1 });
      const id = await bob.postStatus([phone.pn], 'damaged on its way');
      await until('the acknowledgement', () => acksOf(line, id).length > 0);
      expect(acksOf(line, id).map(({ error }) => error)).toEqual([undefined]);
      await until('the sender to be asked again', () => line.sent('receipt', { id, type: 'retry' }).length > 0);
      await line.engine.close();
      await bob.sendText(phone.pn, 'while away');
      await line.login();
      await line.text('while away');
    });

    it('opens a sealed edit, of others and of the own phone, and makes no message of it', async () => {
      const { line, phone, bob } = await pairedLine();
      const id = await bob.sendText(phone.pn, 'first words');
      await line.text('first words');
      const own = await phone.sendText(bob.pn, 'own first words');
      await line.text('own first words');
      const changeId = await bob.edit(phone.pn, id, 'better words');
      const edited = await line.event('message.edited', (event) => event.id === id);
      expect(edited).toMatchObject({ changeId, body: 'better words', sender: { pn: bob.pn }, fromMe: false });
      await phone.edit(bob.pn, own, 'own better words');
      const ownEdit = await line.event('message.edited', (event) => event.id === own);
      expect(ownEdit).toMatchObject({ body: 'own better words', fromMe: true, chat: { pn: bob.pn } });
      expect(line.told().map(({ content }) => content.body)).toEqual(['first words', 'own first words']);
    });

    it('says the same of itself in every pairing, and counts its logins over restarts', async () => {
      const { line } = await pairedLine();
      await line.engine.close();
      await line.login();
      await line.kill();
      const again = await EngineLine.open(suite.network(), line.id, line.store);
      await again.login();
      expect(again.sent('registration', {})).toMatchObject([{ os: 'Windows', os_version: '10.0.0', type: '1' }]);
      const counts = again.sent('login', {}).map(({ lc }) => Number(lc));
      expect(counts.length).toBeGreaterThanOrEqual(3);
      expect(counts).toEqual(counts.map((_, index) => index + 1));
    });

    it('keeps the secret of a code that the phone took, also when WhatsApp asks for another one late', async () => {
      const phone = await suite.network().phone(suite.number());
      const line = await EngineLine.open(suite.network(), suite.lineId());
      suite.network().fault(line.id, { kind: 'late_reg_refresh', count: 1 });
      await line.engine.connect({ kind: 'code', phone: phone.phone });
      const { code } = await line.change('code');
      await phone.enterCode(code);
      await line.closed('restart_required');
      await line.login();
      expect(line.engine.self()).toMatchObject({ pn: phone.pn });
    });

    it('shows strangers a token made with the salt of the history', async () => {
      const { line, bob } = await pairedLine();
      suite.network().fault(line.id, { kind: 'cold_contacts', for_ms: HOUR_MS });
      const hello = await line.engine.prepare({ kind: 'text', body: 'hello' }, bob.pn, 'COLDCONTACT1');
      await expect(line.engine.transmit(hello)).rejects.toMatchObject({ code: 'rejected', serverCode: 463 });
      const { part } = await line.event('history.offered', (offer) => offer.part.kind === 'bootstrap');
      for await (const _piece of line.engine.readHistory(part, AbortSignal.timeout(HOUR_MS)));
      await line.engine.transmit({ ...hello, id: 'COLDCONTACT2' });
      await until('the message', () => bob.seen().some(({ id }) => id === 'COLDCONTACT2'));
    });

    it.each(['before', 'after'])('shows them one with the salt that the phone set %s the login', async (when) => {
      const { line, phone, bob } = await pairedLine();
      await line.change('settings_readable');
      suite.network().fault(line.id, { kind: 'cold_contacts', for_ms: HOUR_MS });
      const hello = await line.engine.prepare({ kind: 'text', body: 'hello' }, bob.pn, `SALT-${when}-1`);
      await expect(line.engine.transmit(hello)).rejects.toMatchObject({ serverCode: 463 });
      if (when === 'before') {
        await line.engine.close();
        await phone.storeContactSalt();
        await line.login();
        await line.engine.account.syncSettings({ isFresh: false });
      } else await phone.storeContactSalt();
      await until('the phone’s salt to be used', async () => {
        const again = { ...hello, id: `SALT-${when}-${performance.now()}` };
        return line.engine.transmit(again).then(
          () => bob.seen().some(({ id }) => id === again.id),
          () => false,
        );
      });
    });

    it.each([403, 404])('asks the phone for a file of history again that WhatsApp answers %d for', async (status) => {
      const phone = await suite.network().phone(suite.number());
      const bob = await suite.network().phone(suite.number());
      await bob.sendText(phone.pn, 'long ago');
      await until('the message', () => phone.seen().length === 1);
      const line = await EngineLine.paired(suite.network(), suite.lineId(), phone);
      const { part } = await line.event('history.offered', (offer) => offer.part.kind === 'names');
      suite.network().fault(line.id, { kind: 'media_fail', status, count: 1 });
      const names: string[] = [];
      for await (const piece of line.engine.readHistory(part, AbortSignal.timeout(HOUR_MS))) {
        if (piece.type === 'names') names.push(...piece.names.map(({ pushName }) => pushName));
      }
      expect(names).toEqual([`Phone ${bob.phone}`]);
      expect(line.sent('receipt', { id: part.id, type: 'server-error' })).toHaveLength(1);
    });

    it('tells a time-lock, and tries no stranger while it lasts', async () => {
      const { line, bob } = await pairedLine();
      suite.network().fault(line.id, { kind: 'restricted', for_ms: HOUR_MS });
      const told = await line.event('restricted');
      expect(told).toMatchObject({ cause: 'reachout_timelock', isActive: true, detail: 'WEB_COMPANION_ONLY' });
      const hello = await line.engine.prepare({ kind: 'text', body: 'hello' }, bob.pn, 'TIMELOCKED');
      const refused = await line.engine.transmit(hello).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'rejected', serverCode: 463 });
      await line.roundTrip();
      expect(line.sent('message', { id: 'TIMELOCKED' })).toEqual([]);
      await line.engine.close();
      line.events.length = 0;
      await line.login();
      expect(await line.event('restricted')).toMatchObject({ isActive: true, until: told.until });
    });

    it('looks an address up again that WhatsApp calls out of date, and sends nothing more to it', async () => {
      const { line, bob } = await pairedLine();
      const hello = await line.engine.prepare({ kind: 'text', body: 'hello' }, bob.pn, 'STALELID1');
      suite.network().fault(line.id, { kind: 'refresh_lid', count: 1 });
      const questions = () => line.sent('iq', { xmlns: 'usync' }).length;
      const before = questions();
      await line.engine.transmit(hello);
      expect(questions()).toBeGreaterThan(before);
      await expect(line.engine.transmit({ ...hello, id: 'STALELID2' })).rejects.toMatchObject({ code: 'rejected' });
      await line.roundTrip();
      expect(line.sent('message', { id: 'STALELID2' })).toEqual([]);
    });

    it('sends again to the device that asks, and to no other', async () => {
      const { line, bob } = await pairedLine();
      const carol = await suite.network().phone(suite.number());
      const { group } = await line.engine.groups.create({ subject: 'Both', people: [bob.pn, carol.pn] });
      const places: { to: string; id: string; attrs: Record<string, string> }[] = [
        { to: bob.pn, id: 'AGAIN1', attrs: { from: bob.lid } },
        { to: group.jid, id: 'AGAIN2', attrs: { from: group.jid, participant: bob.lid } },
      ];
      for (const { to, id, attrs } of places) {
        await line.say(id, to, id);
        await until(`${id} at bob`, () => bob.seen().some((seen) => seen.id === id));
        const retry = { tag: 'retry', attrs: { count: '1', id, v: '1' } };
        suite.network().push(line.id, { tag: 'receipt', attrs: { id, type: 'retry', ...attrs }, content: [retry] });
        await until(`${id} again`, () => bob.seen().some((seen) => seen.id === id && seen.copies === 2));
        await until('the acknowledgement', () => line.sent('ack', { id, class: 'receipt', type: 'retry' }).length > 0);
        expect(line.sent('message', { id })).toHaveLength(2);
      }
      expect(line.sent('message', { id: 'AGAIN1' })[1]).toMatchObject({ device_fanout: 'false', to: bob.lid });
      expect(line.sent('message', { id: 'AGAIN2' })[1]).toMatchObject({ participant: bob.lid, to: group.jid });
      expect(carol.seen()).toMatchObject([{ id: 'AGAIN2', copies: 1 }]);
    });

    it('acknowledges what the phone asked a bot with a receipt that names the bot', async () => {
      const { line, phone } = await pairedLine();
      const bot = '867051314767696@bot';
      const id = await phone.sendText(bot, 'what is new?');
      expect(await line.text('what is new?')).toMatchObject({ id, chat: { jid: bot }, fromMe: true });
      await until('the receipt', () => line.answersTo(id).length > 0);
      await line.roundTrip();
      expect(line.answersTo(id)).toMatchObject([{ type: 'sender', recipient: bot, to: phone.lid }]);
    });

    it('keeps and acknowledges a stanza of a kind that nobody knows', async () => {
      const { line, bob } = await pairedLine();
      const stanza = { tag: 'novelty', attrs: { id: 'NOVEL1', from: bob.lid, t: '1780000000', type: 'text' } };
      suite.network().push(line.id, stanza);
      await until('the acknowledgement', () => acksOf(line, 'NOVEL1').length > 0);
      expect(acksOf(line, 'NOVEL1')).toMatchObject([{ class: 'novelty', to: bob.lid, type: 'text' }]);
      expect(line.store.rows.some(({ entry }) => entry.kind === 'stanza' && entry.tag === 'novelty')).toBe(true);
    });
  });
}
