import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { createWebhookWorld, messageTo, plainFormat, type WebhookWorld } from '../../test/support/webhook-world.ts';
import { customHeadersProblem } from './custom-headers.ts';
import { refreshSelectors } from './subscriptions.ts';

forEachStore((openStore) => {
  let opened: TestStore;
  let world: WebhookWorld;
  beforeEach(async () => {
    opened = await openStore();
    world = await createWebhookWorld(opened.store);
  });
  afterEach(() => opened.close());

  const receivers = async () =>
    (await world.store.db.selectFrom('deliveries').select('webhook_id').orderBy('seq').execute()).map(
      (row) => row.webhook_id,
    );

  test('goes to the webhooks of the account and mode, of the line or of all, that are enabled and ask for it', async () => {
    const other = await world.addLine();
    const live = await world.addLine({ mode: 'live' });
    const foreign = await world.addLine({ accountId: 'acc_foreign' });
    const url = 'https://example.com/';
    const all = await world.addWebhook(url);
    const ofLine = await world.addWebhook(url, { lineId: world.lineId });
    await world.addWebhook(url, { lineId: other });
    await world.addWebhook(url, { mode: 'live' });
    await world.addWebhook(url, { mode: 'live', lineId: live });
    await world.addWebhook(url, { accountId: 'acc_foreign', lineId: foreign });
    await world.addWebhook(url, { events: ['typing'] });
    const off = await world.addWebhook(url);
    await world.store.db.updateTable('webhooks').set({ status: 'disabled' }).where('id', '=', off.id).execute();
    await world.emitMessages(1);
    expect((await receivers()).sort()).toEqual([all.id, ofLine.id].sort());
  });

  test('a state of the line goes to those who named that state', async () => {
    const connected = await world.addWebhook('https://example.com/', { events: ['connected'] });
    const status = (to: 'connected' | 'disconnected') =>
      ({ status: to, previous: 'connecting', phone: null, reason: null }) as const;
    await world.emit('line.status', [status('connected'), status('disconnected')]);
    expect(await receivers()).toEqual([connected.id]);
  });

  test('an opt-in event is not covered by *', async () => {
    await world.addWebhook('https://example.com/');
    const named = await world.addWebhook('https://example.com/', { events: ['loud'] });
    const payload = { messageId: '1', chat: { jid: 'a@lid' }, status: 'read', timestamp: 1, error: null } as const;
    await world.emit('message.status', [payload]);
    expect(await receivers()).toEqual([named.id]);
  });

  test('filters narrow by chat in every form of its address, by direction and by kind', async () => {
    const url = 'https://example.com/';
    const chat = await world.addWebhook(url, { filters: { chats: ['1@s.whatsapp.net'] } });
    const out = await world.addWebhook(url, { filters: { direction: 'out' } });
    const images = await world.addWebhook(url, { filters: { kinds: ['image'] } });
    await world.emit('message.received', [
      { ...messageTo('9@lid', 'x'), chat: { jid: '9@lid', pn: '1@s.whatsapp.net' } },
    ]);
    expect(await receivers()).toEqual([chat.id]);
    await world.emit('message.received', [{ ...messageTo('2@s.whatsapp.net', 'x'), fromMe: true }]);
    expect(await receivers()).toEqual([chat.id, out.id]);
    await world.emit('message.received', [
      { ...messageTo('2@s.whatsapp.net', ''), content: { kind: 'image', body: '' } },
    ]);
    expect(await receivers()).toEqual([chat.id, out.id, images.id]);
  });

  test('a newer version widens what * selects, and leaves named events alone', async () => {
    await world.addWebhook('https://example.com/');
    await world.addWebhook('https://example.com/', { events: ['typing'] });
    const lines = plainFormat('lines');
    const newer = { ...lines, events: { ...lines.events, 'call.incoming': { selects: ['call.incoming'] } } } as const;
    expect(await refreshSelectors(world.store, { bridges: plainFormat('bridges'), lines: newer })).toBe(1);
    expect(await refreshSelectors(world.store, { bridges: plainFormat('bridges'), lines: newer })).toBe(0);
    await world.emit('call.incoming', [
      { callId: '1', from: { jid: 'a@lid' }, platform: 'android', video: false, timestamp: 1 },
    ]);
    expect((await receivers()).length).toBe(1);
  });
});

test.each([
  [{ 'X-Mine': 'ok', Authorization: 'Bearer x' }, undefined],
  [{ Host: 'x' }, 'set by the gateway itself'],
  [{ 'webhook-Signature': 'x' }, 'set by the gateway itself'],
  [{ 'X-WAzion-Bridge-Event': 'x' }, 'set by the gateway itself'],
  [{ 'bad name': 'x' }, 'not a header name'],
  [{ 'X-A': 'line\r\nbreak' }, 'printable ASCII'],
  [{ 'X-A': '1', 'x-a': '2' }, 'named twice'],
])('own headers %j: %s', (headers, problem) => {
  const found = customHeadersProblem(headers as Record<string, string>);
  if (problem === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(problem);
});
