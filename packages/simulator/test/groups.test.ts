import { child } from '@ponte/engine';
import { describe, expect, it, vi } from 'vitest';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, CAROL, Fixture, pnJid } from './fixture.ts';

const DAVE = '15550004444';

interface Item {
  message_id: string;
  body?: string;
  chat: string;
  from: string;
  [field: string]: unknown;
}

/** Alice's line, with Bob and Carol in a group that Bob owns. */
async function group(options: Record<string, unknown> = {}) {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  for (const digits of [BOB, CAROL, DAVE]) await net.phone(digits);
  const made = await call('POST /groups', { subject: 'Team', owner: BOB, participants: [ALICE, CAROL], ...options });
  const inbox = async (phone: string): Promise<Item[]> => call(`GET /phones/${phone}/inbox?sent=true`);
  const shows = (phone: string, body: string): Promise<Item> =>
    vi.waitFor(async () => {
      const item = (await inbox(phone)).find((entry) => entry.body === body);
      if (!item) throw new Error(`${phone} does not show "${body}"`);
      return item;
    });
  const say = (phone: string, body: string) =>
    call(`POST /phones/${phone}/messages`, { to: made.jid, type: 'text', body });
  const notice = (tag: string) =>
    line.until(`a ${tag} notification`, () =>
      line.stanzas.findLast(
        ({ attrs, content }) => attrs.type === 'w:gp2' && Array.isArray(content) && content[0]?.tag === tag,
      ),
    );
  return { net, call, line, jid: made.jid as string, made, inbox, shows, say, notice };
}

describe.each(['lid', 'pn'] as const)('a group that names its members by %s', (mode) => {
  it('carries messages of a line and of phones to every member, and to nobody else', async () => {
    const { call, line, jid, shows, say, inbox } = await group({ addressing_mode: mode });
    const metadata = await line.sock?.groupMetadata(jid);
    expect(metadata).toMatchObject({ subject: 'Team', addressingMode: mode, size: 3 });
    expect(metadata?.participants).toHaveLength(3);
    await say(BOB, 'from Bob');
    const received = await line.text('from Bob');
    expect(received.key).toMatchObject({ remoteJid: jid, fromMe: false });
    expect([received.key.participant, received.key.participantAlt]).toContain(pnJid(BOB));
    const id = await line.sendText(jid, 'from the line');
    expect((await line.ack(id)).error).toBeUndefined();
    const seen = await shows(CAROL, 'from the line');
    expect(seen).toMatchObject({ chat: jid, from: pnJid(ALICE), message_id: id, type: 'text' });
    expect(await shows(ALICE, 'from the line')).toMatchObject({ chat: jid, from_me: true });
    await say(CAROL, 'from Carol');
    await line.text('from Carol');
    await say(BOB, 'again');
    await line.text('again');
    expect(await shows(CAROL, 'again')).toMatchObject({ from: pnJid(BOB), copies: 1 });
    expect(await inbox(DAVE)).toEqual([]);
    const chats = await call(`GET /phones/${CAROL}/chats`);
    expect(chats).toMatchObject([{ chat: jid, unread: 3 }]);
  });

  it('takes receipts back to the author, with who sent them', async () => {
    const { call, line, jid, shows, say } = await group({ addressing_mode: mode });
    const id = await line.sendText(jid, 'hello');
    const { message_id } = await shows(CAROL, 'hello');
    await call(`POST /phones/${CAROL}/receipts`, { to: jid, message_ids: [message_id], type: 'read' });
    const receipt = await line.until('the read receipt', () =>
      line.stanzas.find(({ tag, attrs }) => tag === 'receipt' && attrs.id === id && attrs.type === 'read'),
    );
    expect(receipt.attrs.from).toBe(jid);
    const carol = await call(`GET /phones/${CAROL}`);
    expect(receipt.attrs.participant).toBe(mode === 'lid' ? carol.lid : carol.jid);
    await say(BOB, 'read this');
    const { key } = await line.text('read this');
    await line.sock?.readMessages([key]);
    const wanted = { from: pnJid(ALICE), status: 'read' };
    await vi.waitFor(async () => expect((await shows(BOB, 'read this')).receipts).toContainEqual(wanted));
  });
});

describe('a group', () => {
  it('made by a line is seen by every member, and its changes reach them', async () => {
    const { net, call, line, shows } = await group();
    const bob = await net.phone(BOB);
    const made = await line.sock?.groupCreate('Friends', [pnJid(BOB), bob.lid, pnJid(DAVE), pnJid('15559990000')]);
    const jid = made?.id ?? '';
    const roles = async () =>
      (await call(`GET /groups/${jid}`)).participants.map((p: Item) => [p.phone, p.role]).sort();
    expect(await roles()).toEqual([
      [ALICE, 'superadmin'],
      [BOB, 'member'],
      [DAVE, 'member'],
    ]);
    expect(Object.keys((await line.sock?.groupFetchAllParticipating()) ?? {})).toContain(jid);
    const added = await line.sock?.groupParticipantsUpdate(jid, [pnJid(CAROL), pnJid(BOB)], 'add');
    expect(added?.map(({ status }) => status)).toEqual(['200', '409']);
    await line.sock?.groupParticipantsUpdate(jid, [pnJid(BOB)], 'promote');
    await line.sock?.groupUpdateSubject(jid, 'Best friends');
    await line.sock?.groupUpdateDescription(jid, 'Only the best');
    await line.sock?.groupToggleEphemeral(jid, 86_400);
    await line.sock?.groupSettingUpdate(jid, 'announcement');
    await line.sock?.groupSettingUpdate(jid, 'locked');
    await line.sock?.groupJoinApprovalMode(jid, 'on');
    await line.sock?.groupMemberAddMode(jid, 'admin_add');
    expect(await call(`GET /groups/${jid}`)).toMatchObject({
      subject: 'Best friends',
      description: 'Only the best',
      ephemeral_seconds: 86_400,
      announce: true,
      locked: true,
      membership_approval: true,
      member_add: 'admins',
    });
    expect(await line.sock?.groupMetadata(jid)).toMatchObject({
      desc: 'Only the best',
      ephemeralDuration: 86_400,
      announce: true,
      restrict: true,
      joinApprovalMode: true,
      memberAddMode: false,
    });
    await line.sendText(jid, 'welcome');
    await shows(CAROL, 'welcome');
    await line.sock?.groupLeave(jid);
    expect(await roles()).toEqual([
      [BOB, 'admin'],
      [CAROL, 'member'],
      [DAVE, 'member'],
    ]);
    await expect(line.sock?.groupMetadata(jid)).rejects.toThrow('forbidden');
  });

  it('tells a line what other members change', async () => {
    const { call, line, jid, notice } = await group();
    await call(`PATCH /groups/${jid}`, { subject: 'New name', announce: true });
    const subject = await notice('subject');
    const bob = await call(`GET /phones/${BOB}`);
    expect(subject.attrs).toMatchObject({ from: jid, participant: bob.lid, participant_pn: bob.jid });
    await notice('announcement');
    await call(`POST /groups/${jid}/participants`, { action: 'promote', participants: [ALICE] });
    await notice('promote');
    await call(`POST /groups/${jid}/participants`, { participants: [DAVE], by: CAROL });
    await notice('add');
    await call(`POST /groups/${jid}/leave`, { phone: CAROL });
    await notice('remove');
    await call(`POST /groups/${jid}/participants`, { action: 'remove', participants: [ALICE] });
    await vi.waitFor(async () => expect((await call(`GET /groups/${jid}`)).participants).toHaveLength(2));
    const enc = { tag: 'enc', attrs: { v: '2', type: 'skmsg' }, content: Buffer.from('anything') };
    await line.sock?.sendNode({ tag: 'message', attrs: { id: 'OUTSIDER', to: jid, type: 'text' }, content: [enc] });
    expect((await line.ack('OUTSIDER')).error).toBe('403');
  });

  it('is invited to by a link, which can be revoked, and may need an admin', async () => {
    const { call, line, jid, made } = await group({ participants: [CAROL] });
    await expect(line.sock?.groupAcceptInvite('nonsense')).rejects.toThrow('not-acceptable');
    expect((await line.sock?.groupGetInviteInfo(made.invite_code))?.subject).toBe('Team');
    expect(await line.sock?.groupAcceptInvite(made.invite_code)).toBe(jid);
    const { invite_code } = await call(`POST /groups/${jid}/invite`);
    await expect(line.sock?.groupAcceptInvite(made.invite_code)).rejects.toThrow('gone');
    await call(`PATCH /groups/${jid}`, { membership_approval: true });
    expect(await call(`POST /phones/${DAVE}/join`, { invite_code })).toMatchObject({ state: 'requested' });
    expect(await call(`GET /groups/${jid}`)).toMatchObject({ requests: [DAVE] });
    await call(`POST /groups/${jid}/participants`, { action: 'promote', participants: [ALICE] });
    const requests = await line.sock?.groupRequestParticipantsList(jid);
    expect(requests).toMatchObject([{ phone_number: pnJid(DAVE), request_method: 'invite_link' }]);
    const decided = await line.sock?.groupRequestParticipantsUpdate(jid, [requests?.[0]?.jid ?? ''], 'approve');
    expect(decided?.[0]?.status).toBe('200');
    expect((await call(`GET /groups/${jid}`)).participants).toHaveLength(4);
    expect(await line.sock?.groupInviteCode(jid)).toBe(invite_code);
    expect(await line.sock?.groupRevokeInvite(jid)).not.toBe(invite_code);
  });

  it('takes messages of members only, and in an announcement group of admins only', async () => {
    const { call, line, jid, say } = await group();
    const outsider = await call.raw(`POST /phones/${DAVE}/messages`, { to: jid, type: 'text', body: 'hi' });
    expect(outsider).toMatchObject({ status: 409, body: { error: 'not_in_group' } });
    await call(`PATCH /groups/${jid}`, { announce: true });
    const id = await line.sendText(jid, 'may I?');
    expect((await line.ack(id)).error).toBe('403');
    await say(BOB, 'no');
    await line.text('no');
    const plain = await call.raw(`PATCH /groups/${jid}`, { locked: true, by: CAROL });
    expect(plain).toMatchObject({ status: 409, body: { error: 'refused' } });
  });

  it('tells a sender whose list of devices is out of date the right hash, and delivers all the same', async () => {
    const { line } = await group();
    const { id: jid = '' } = (await line.sock?.groupCreate('Only me', [])) ?? {};
    const send = async (id: string, phash: string) => {
      const enc = { tag: 'enc', attrs: { v: '2', type: 'skmsg' }, content: Buffer.from('anything') };
      await line.sock?.sendNode({ tag: 'message', attrs: { id, to: jid, type: 'text', phash }, content: [enc] });
      return line.ack(id);
    };
    const { phash = '', error } = await send('WRONG', '2:AAAAAAAA');
    expect([phash.slice(0, 2), error]).toEqual(['2:', undefined]);
    expect((await send('RIGHT', phash)).phash).toBeUndefined();
  });

  it('asks somebody who does not want to be added, who may then accept', async () => {
    const { net, line, jid } = await group({ participants: [CAROL] });
    await line.sock?.updateGroupsAddPrivacy('contacts');
    const bob = await net.phone(BOB);
    const participant = { tag: 'participant', attrs: { jid: pnJid(ALICE) } };
    const content = [{ tag: 'add', attrs: {}, content: [participant] }];
    const answer = await bob.query({ tag: 'iq', attrs: { to: jid, type: 'set', xmlns: 'w:g2' }, content });
    const outcome = child(child(answer, 'add'), 'participant');
    const { code = '', expiration = '' } = child(outcome, 'add_request')?.attrs ?? {};
    expect(outcome?.attrs.error).toBe('403');
    const invite = { groupJid: jid, inviteCode: code, inviteExpiration: Number(expiration) };
    await expect(line.sock?.groupAcceptInviteV4(pnJid(CAROL), invite)).rejects.toThrow('gone');
    expect(await line.sock?.groupAcceptInviteV4(bob.lid, invite)).toBe(jid);
    expect((await line.sock?.groupMetadata(jid))?.size).toBe(3);
  });

  it('shows who types', async () => {
    const { call, line, jid, say, shows } = await group();
    await say(BOB, 'hi');
    await shows(CAROL, 'hi');
    await line.text('hi');
    if (line.auth.creds.me) line.auth.creds.me.name = 'Line';
    await line.sock?.sendPresenceUpdate('available');
    await vi.waitFor(async () =>
      expect(await call('GET /lines/line_a/wire')).toContainEqual(
        expect.objectContaining({ tag: 'presence', attrs: expect.objectContaining({ type: 'available' }) }),
      ),
    );
    const { lid } = await call(`GET /phones/${BOB}`);
    await call(`POST /phones/${BOB}/typing`, { to: jid, state: 'composing' });
    const seen = await line.until('the chat state', () => line.stanzas.find(({ tag }) => tag === 'chatstate'));
    expect(seen.attrs).toMatchObject({ from: jid, participant: lid });
    await line.sock?.sendPresenceUpdate('composing', jid);
    await vi.waitFor(async () =>
      expect(await call(`GET /phones/${CAROL}/chats`)).toMatchObject([{ chat: jid, typing: { state: 'composing' } }]),
    );
  });

  it('gets a new sender key from a phone when somebody leaves', async () => {
    const { net, call, line, jid, say, shows } = await group();
    await say(BOB, 'one');
    await line.text('one');
    await shows(CAROL, 'one');
    const stored = () => {
      const db = net.world.network('test').tenant.db;
      return db
        .prepare("select value from phone_state where pn = ? and kind = 'sender-key' and id = ?")
        .get(BOB, `${jid}|own`);
    };
    const before = stored();
    await call(`POST /groups/${jid}/participants`, { action: 'remove', participants: [CAROL] });
    await say(BOB, 'two');
    await line.text('two');
    expect(stored()).not.toEqual(before);
    await call(`POST /groups/${jid}/participants`, { participants: [CAROL] });
    await say(BOB, 'three');
    await line.text('three');
    expect(await shows(CAROL, 'three')).toMatchObject({ copies: 1 });
    expect((await call(`GET /phones/${CAROL}/inbox`)).map((item: Item) => item.body)).toEqual(['one', 'three']);
  });

  it('repairs itself: a member without the key asks for it, and reads', async () => {
    const { net, jid, line, say, shows } = await group();
    await line.sendText(jid, 'first');
    await shows(CAROL, 'first');
    const forget = (pn: string) =>
      net.world
        .network('test')
        .tenant.db.prepare("delete from phone_state where pn = ? and kind = 'sender-key' and id not like '%|own'")
        .run(pn);
    forget(CAROL);
    await line.sendText(jid, 'second');
    expect(await shows(CAROL, 'second')).toMatchObject({ type: 'text', from: pnJid(ALICE) });
    await say(BOB, 'third');
    await shows(CAROL, 'third');
    forget(CAROL);
    await say(BOB, 'fourth');
    expect(await shows(CAROL, 'fourth')).toMatchObject({ type: 'text', from: pnJid(BOB) });
  });

  it('knows reactions, quotes, edits and votes of its members', async () => {
    const { call, line, jid, shows, say } = await group();
    await say(BOB, 'react to me');
    const { key } = await line.text('react to me');
    await line.sock?.sendMessage(jid, { react: { text: '👍', key } });
    const liked = { reactions: [{ from: pnJid(ALICE), emoji: '👍' }] };
    await vi.waitFor(async () => expect(await shows(CAROL, 'react to me')).toMatchObject(liked));
    const poll = await line.sock?.sendMessage(jid, { poll: { name: 'Where?', values: ['Here', 'There'] } });
    const shown = await shows(CAROL, 'Where?');
    expect(shown.message_id).toBe(poll?.key.id);
    await call(`POST /phones/${CAROL}/votes`, { to: jid, poll_id: shown.message_id, options: ['There'] });
    const voted = { votes: [{ from: pnJid(CAROL), options: ['There'] }] };
    await vi.waitFor(async () => expect(await shows(BOB, 'Where?')).toMatchObject(voted));
  });
});
