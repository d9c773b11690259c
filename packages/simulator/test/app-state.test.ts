import type { BaileysEventMap } from 'baileys';
import { describe, expect, it, vi } from 'vitest';
import type { BaileysLine } from './baileys-line.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, Fixture, pnJid } from './fixture.ts';

/** Alice's phone with a linked line that has the keys of app state, and Bob, who wrote once. */
async function linked() {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  const updates = eventsOf(line, 'chats.update');
  await bob.sendText(pnJid(ALICE), 'hello');
  await line.text('hello');
  await hasKeys(line);
  const chat = async () =>
    (await call(`GET /phones/${ALICE}/chats`)).find((entry: { chat: string }) => entry.chat === pnJid(BOB));
  const shows = (wanted: object) => vi.waitFor(async () => expect(await chat()).toMatchObject(wanted));
  const lastMessages = [
    { key: { remoteJid: bob.lid, id: 'X', fromMe: false }, messageTimestamp: Math.floor(Date.now() / 1000) },
  ];
  return { net, call, line, bob, updates, chat, shows, lastMessages };
}

function eventsOf<E extends keyof BaileysEventMap>(line: BaileysLine, event: E): BaileysEventMap[E][] {
  const events: BaileysEventMap[E][] = [];
  line.sock?.ev.on(event, (payload) => events.push(payload));
  return events;
}

const hasKeys = (line: BaileysLine) =>
  vi.waitFor(() => expect(line.auth.creds.myAppStateKeyId).toMatch(/./), { timeout: 5000 });

describe('app state', () => {
  it('of the phone reaches the line: archive, pin, mute, mark as unread, names', async () => {
    const { call, line, bob, updates, chat } = await linked();
    const contacts = eventsOf(line, 'contacts.upsert');
    const sees = (wanted: object) =>
      vi.waitFor(() => expect(updates.flat()).toContainEqual(expect.objectContaining({ id: bob.lid, ...wanted })));
    const patch = (body: object) => call(`PATCH /phones/${ALICE}/chats/${BOB}`, body);
    expect(await patch({ archived: true })).toMatchObject({ chat: pnJid(BOB), archived: true });
    await sees({ archived: true });
    await patch({ archived: false, pinned: true });
    await sees({ archived: false });
    await sees({ pinned: expect.any(Number) });
    await patch({ muted_until: 2_000_000_000, unread: true });
    await sees({ muteEndTime: 2_000_000_000_000 });
    await sees({ unreadCount: -1 });
    await patch({ name: 'Bob the Builder' });
    const named = { id: bob.lid, name: 'Bob the Builder' };
    await vi.waitFor(() => expect(contacts.flat()).toContainEqual(expect.objectContaining(named)));
    expect(await chat()).toMatchObject({
      name: 'Bob the Builder',
      archived: false,
      pinned: true,
      muted_until: 2_000_000_000,
      marked_unread: true,
    });
    expect(await call(`GET /phones/${ALICE}/app-state`)).toMatchObject({
      versions: { regular_low: 3, regular_high: 1, critical_unblock_low: 1 },
      problems: [],
    });
  });

  it('of the line reaches the phone', async () => {
    const { line, bob, shows, lastMessages } = await linked();
    await shows({ unread: 1, archived: false });
    await line.sock?.chatModify({ archive: true, lastMessages }, bob.lid);
    await shows({ archived: true });
    await line.sock?.chatModify({ archive: false, lastMessages }, bob.lid);
    await shows({ archived: false });
    await line.sock?.chatModify({ pin: true }, bob.lid);
    await line.sock?.chatModify({ mute: 2_000_000_000_000 }, bob.lid);
    await shows({ pinned: true, muted_until: 2_000_000_000 });
    await line.sock?.chatModify({ markRead: true, lastMessages }, bob.lid);
    await shows({ unread: 0, marked_unread: false });
    await line.sock?.chatModify({ markRead: false, lastMessages }, bob.lid);
    await shows({ marked_unread: true });
    await line.sock?.addOrEditContact(bob.lid, {
      fullName: 'Robert',
      firstName: 'Robert',
      saveOnPrimaryAddressbook: true,
    });
    await shows({ name: 'Robert' });
  });

  it('that both change at once is kept in one order: the loser of a version is told 409 and what it missed', async () => {
    const { call, line, bob, shows, net } = await linked();
    await call(`PATCH /phones/${ALICE}/chats/${BOB}`, { pinned: true });
    const phone = await net.phone(ALICE);
    const attrs = { name: 'regular_low', version: '0', return_snapshot: 'false' };
    const patch = { tag: 'patch', attrs: {}, content: await somePatch(net) };
    const answer = await line.sock?.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', xmlns: 'w:sync:app:state', type: 'set' },
      content: [{ tag: 'sync', attrs: {}, content: [{ tag: 'collection', attrs, content: [patch] }] }],
    });
    const collection = JSON.parse(JSON.stringify(answer)).content[0].content[0];
    expect(collection.attrs).toMatchObject({ name: 'regular_low', type: 'error' });
    expect(collection.content[0]).toMatchObject({ tag: 'error', attrs: { code: '409' } });
    expect(collection.content[1]).toMatchObject({ tag: 'patches', content: [{ tag: 'patch' }] });
    await Promise.all([
      line.sock?.chatModify({ mute: 2_000_000_000_000 }, bob.lid),
      phone.sync.changeChat(pnJid(BOB), { mutedUntilMs: -1 }),
      phone.sync.changeChat(pnJid('15557770000'), { mutedUntilMs: -1 }),
    ]);
    await vi.waitFor(async () => {
      const { versions } = await call(`GET /phones/${ALICE}/app-state`);
      expect(versions.regular_high).toBeGreaterThanOrEqual(2);
    });
    await shows({ pinned: true });
  });

  it('begins for a new line with a snapshot when there is much, and with a file when one change is large', async () => {
    const { net, call, bob } = await linked();
    const people = Array.from({ length: 150 }, (_, i) => ({ phone: `1777${1_000_000 + i}`, name: `Person ${i}` }));
    await call(`POST /phones/${ALICE}/contacts`, { contacts: people });
    const phone = await net.phone(ALICE);
    for (let i = 0; i < 25; i++) await phone.sync.changeChat(pnJid(BOB), { isPinned: i % 2 === 0 });
    const second = net.line('line_b');
    second.connect();
    const updates = eventsOf(second, 'chats.update');
    const qr = await second.until('a QR code', () => second.qr);
    await call(`POST /phones/${ALICE}/scan`, { qr });
    await second.until('the login', () => second.isOpen && second.isDrained);
    await hasKeys(second);
    const later = eventsOf(second, 'chats.update');
    const contacts = eventsOf(second, 'contacts.upsert');
    await second.sock?.resyncAppState(['regular_low', 'critical_unblock_low'], false);
    await vi.waitFor(() => {
      const pinned = expect.objectContaining({ id: bob.lid, pinned: expect.any(Number) });
      expect([...updates, ...later].flat()).toContainEqual(pinned);
      expect(contacts.flat()).toHaveLength(150);
    });
    // The phone checks snapshots strictly (Baileys only warns): one that lost everything gets all
    // of it back.
    const { db } = net.world.network('test').tenant;
    db.prepare("delete from phone_state where pn = ? and (kind = 'sync-state' or kind like 'sync %')").run(ALICE);
    expect((await call(`GET /phones/${ALICE}/app-state`)).versions.regular_low).toBe(0);
    await phone.sync.appState.pull(['regular_low', 'critical_unblock_low']);
    const { versions, problems } = await call(`GET /phones/${ALICE}/app-state`);
    expect({ versions, problems }).toMatchObject({
      versions: { regular_low: 25, critical_unblock_low: 1 },
      problems: [],
    });
  });

  it('is shared with new keys when a line is unlinked, and a key can be asked for again', async () => {
    const { net, call, line, bob, updates } = await linked();
    const first = line.auth.creds.myAppStateKeyId;
    await call(`PATCH /phones/${ALICE}/chats/${BOB}`, { archived: true });
    const second = await net.linked('line_b', ALICE);
    await hasKeys(second);
    expect(second.auth.creds.myAppStateKeyId).toBe(first);
    await call(`POST /phones/${ALICE}/unlink`, { line_id: 'line_b' });
    await vi.waitFor(() => expect(line.auth.creds.myAppStateKeyId).not.toBe(first));
    await call(`PATCH /phones/${ALICE}/chats/${BOB}`, { archived: false, pinned: true });
    await vi.waitFor(() =>
      expect(updates.flat()).toContainEqual(expect.objectContaining({ id: bob.lid, pinned: expect.any(Number) })),
    );
    const { keys } = await call(`GET /phones/${ALICE}/app-state`);
    expect(keys).toHaveLength(2);
    const keyId = Buffer.from(keys[0], 'hex');
    const request = { type: 7, appStateSyncKeyRequest: { keyIds: [{ keyId }] } };
    const before = line.peer.length;
    await line.sock?.relayMessage(
      pnJid(ALICE),
      { protocolMessage: request },
      {
        additionalAttributes: { category: 'peer', push_priority: 'high_force' },
      },
    );
    await line.until('the key', () =>
      line.peer.slice(before).find(({ message }) => message?.protocolMessage?.appStateSyncKeyShare),
    );
  });

  it('that does not fit its keys is refused by the phone, and named', async () => {
    const { net, call, bob, line, shows, lastMessages } = await linked();
    const { tenant } = net.world.network('test');
    await line.sock?.chatModify({ archive: true, lastMessages }, bob.lid);
    await shows({ archived: true });
    const { patch } = tenant.db.prepare("select patch from app_state_patch where name = 'regular_low'").get() as {
      patch: Buffer;
    };
    const forged = Buffer.from(patch);
    // The last bytes are the patch MAC, the key id and such: any changed byte of the value must be
    // found.
    forged[40] = (forged[40] ?? 0) ^ 1;
    tenant.db.prepare("insert into app_state_patch values ('test', ?, 'regular', 1, ?)").run(ALICE, forged);
    tenant.db
      .prepare("insert into app_state values ('test', ?, 'regular', 1, ?, ?)")
      .run(ALICE, Buffer.alloc(32), Buffer.alloc(6));
    const phone = await net.phone(ALICE);
    await phone.sync.appState.pull(['regular']);
    const { problems, versions } = await call(`GET /phones/${ALICE}/app-state`);
    expect(problems).not.toEqual([]);
    expect(versions.regular).toBe(0);
  });
});

async function somePatch(net: Fixture): Promise<Uint8Array> {
  const { db } = net.world.network('test').tenant;
  const row = db.prepare("select patch from app_state_patch where name = 'regular_low'").get() as { patch: Buffer };
  return row.patch;
}
