import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../src/core/clock.ts';
import type { MessageFacts } from '../src/core/events.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { insertMessage } from './support/rows.ts';

const CHAT = '15550002222@s.whatsapp.net';
const GROUP = '120363000000000000@g.us';
const MINUTE_S = 60;
const me = { jid: '15550001111@s.whatsapp.net', pn: '15550001111@s.whatsapp.net' };
const alice = { jid: '901@lid', lid: '901@lid', pn: CHAT };

forEachStore((open) => {
  let h: HttpHarness;
  let lineId: string;
  const sent: unknown[] = [];

  beforeAll(async () => {
    h = await openHttp({ open });
    await h.call('POST', '/api/instances', { body: { customer_ref: 'known' } });
    lineId = String((await h.call('GET', '/api/instances/known')).body.line_id);
    await h.setLine(lineId, { status: 'connected', phone: '15550001111', jid: me.jid, name: 'x' });
    h.router.scriptSends(async ({ outboxId }) => {
      const row = await h.db.store.db.selectFrom('outbox').select('content').where('id', '=', outboxId).execute();
      sent.push(JSON.parse(row[0]?.content ?? '{}'));
      return { state: 'sent', timestamp: 1_777_180_605 };
    });
  });
  afterAll(() => h.close());

  const store = (facts: Partial<MessageFacts> & { messageId: string }) =>
    insertMessage(h.db.store, lineId, { chat: alice, sender: me, ...facts });
  const nowSeconds = () => Math.floor(systemClock.now() / 1_000);
  const edit = (id: string) =>
    h.call('PATCH', `/api/instances/known/proxy/messages/${id}/edit`, { body: { chat: '15550002222', body: 'right' } });
  const editLine = (id: string) =>
    h.call('POST', '/api/bridge/v1/messages/edit', {
      body: { line_id: lineId, jid: CHAT, message_id: id, message: 'right' },
    });

  it('edits within twenty minutes only', async () => {
    await store({ messageId: 'FRESH', timestamp: nowSeconds() - 19 * MINUTE_S });
    await store({ messageId: 'OLD', timestamp: nowSeconds() - 21 * MINUTE_S });
    expect((await edit('FRESH')).status).toBe(200);
    expect(sent.at(-1)).toEqual({ kind: 'edit', targetId: 'FRESH', body: 'right' });
    for (const answer of [await edit('OLD'), await editLine('OLD')]) {
      expect([answer.status, answer.body.error]).toEqual([422, 'edit_window_closed']);
    }
  });

  it('edits own texts and captions only', async () => {
    await store({ messageId: 'POLL', content: { kind: 'poll', body: 'q' } });
    await store({ messageId: 'PHOTO', content: { kind: 'image', body: 'wrong' } });
    await store({ messageId: 'HERS', fromMe: false, sender: alice });
    expect((await edit('PHOTO')).status).toBe(200);
    for (const id of ['POLL', 'HERS']) {
      const answer = await edit(id);
      expect([id, answer.status, answer.body.error]).toEqual([id, 400, 'validation_error']);
    }
  });

  it('deletes once per Idempotency-Key, and takes another chat of the query for another request', async () => {
    await store({ messageId: 'GONE' });
    const headers = { 'idempotency-key': 'delete-1' };
    const remove = (query: string) =>
      h.call('DELETE', `/api/instances/known/proxy/messages/GONE?${query}`, { headers });
    const first = await remove('chat=15550002222');
    const again = await remove('chat=15550002222&wait=5');
    expect([first.status, again.text, again.headers['idempotent-replayed']]).toEqual([200, first.text, 'true']);
    const other = await remove(`chat=${GROUP}`);
    expect([other.status, other.body.error]).toEqual([409, 'idempotency_conflict']);
  });

  it('finds a message in its own chat only, whatever address names it', async () => {
    await store({ messageId: 'MINE' });
    const react = (chat: string) =>
      h.call('POST', '/api/instances/known/proxy/send/reaction', { body: { chat, message_id: 'MINE', emoji: '👍' } });
    for (const chat of ['+1 555 000 2222', CHAT, '901@lid']) expect((await react(chat)).status).toBe(200);
    const elsewhere = await react('15550009999');
    expect([elsewhere.status, elsewhere.body.error]).toEqual([404, 'message_not_found']);
  });

  it('deletes messages of others in groups, by their author', async () => {
    await store({ messageId: 'THEIRS', chat: { jid: GROUP }, isGroup: true, fromMe: false, sender: alice });
    const path = '/api/instances/known/proxy/messages';
    expect((await h.call('DELETE', `${path}/THEIRS?chat=${GROUP}`)).status).toBe(200);
    expect(sent.at(-1)).toEqual({ kind: 'revoke', targetId: 'THEIRS', author: '901@lid' });
    expect((await h.call('DELETE', `${path}/NEVERSEEN?chat=${GROUP}&sender=902@lid`)).status).toBe(200);
    expect(sent.at(-1)).toEqual({ kind: 'revoke', targetId: 'NEVERSEEN', author: '902@lid' });
    const direct = await h.call('DELETE', `${path}/X?chat=15550002222&sender=15550002222`);
    expect([direct.status, direct.body.error]).toEqual([400, 'validation_error']);
    const unknown = await h.call('DELETE', `${path}/NEVERSEEN?chat=${GROUP}`);
    expect([unknown.status, unknown.body.error]).toEqual([404, 'message_not_found']);
  });
});
