import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReceivedRequest } from './receiver.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

type Body = Record<string, unknown> & { data?: Record<string, unknown> };
const bodyOf = (request: ReceivedRequest) => JSON.parse(request.body) as Body;

const OWNER = '15550001111';
const ALICE = '15550002222';
const BOB = '15550003333';
const SHY = '15550004444';
const NOBODY = '15559999999';
const LINES = '/api/bridge/v1';
const PROXY = '/api/instances/demo/proxy';
const SANDBOX = '/api/sandbox/v1';

interface Member {
  jid: string;
  phone: string | null;
  lid: string | null;
  role: string;
}
interface Group {
  jid: string;
  subject: string;
  description: string;
  size: number;
  own_role: string;
  announce: boolean;
  participants: Member[];
}
interface Outcome {
  phone: string;
  status: string;
  code: number;
  invite: { code: string; expires_at: string } | null;
}

describe('groups, through both APIs', () => {
  let rig: Rig;
  let line: LinkedLine;

  beforeAll(async () => {
    rig = await Rig.start();
    for (const [phone, name] of [
      [ALICE, 'Alice'],
      [BOB, 'Bob'],
      [SHY, 'Shy'],
    ] as const)
      await rig.sandbox.phone(phone, name);
    await rig.api.expect(200, 'PUT', `${SANDBOX}/phones/${SHY}/privacy`, { groups: 'none' });
    line = await rig.linkLine('demo', OWNER);
    await rig.api.expect(200, 'PATCH', '/api/instances/demo', { webhook_events: ['message', 'group_update'] });
    await rig.api.expect(200, 'POST', `${LINES}/webhooks`, {
      url: `${rig.receiver.url}/lines`,
      events: ['group.updated', 'message.received'],
    });
  }, 60_000);
  afterAll(() => rig?.close());

  const get = <T>(path: string, query = '') =>
    rig.api.expect<T>(200, 'GET', `${LINES}/${path}?line_id=${line.lineId}${query}`);
  const post = <T>(path: string, body: Record<string, unknown> = {}) =>
    rig.api.expect<T>(200, 'POST', `${LINES}/${path}`, { line_id: line.lineId, ...body });
  const create = async (subject: string, participants: string[]) =>
    (await post<{ group: Group; refused: Outcome[] }>('groups', { subject, participants })).group;
  const told = async (group: string, change: string) =>
    (
      await until(`${change} of ${group}`, () =>
        rig.receiver.requests
          .filter(({ path }) => path === '/lines')
          .map(bodyOf)
          .find(({ data }) => data?.group_id === group && data.change === change),
      )
    ).data;
  const toldBridge = (group: string, change: string) =>
    until(`${change} of ${group} at the bridge`, () =>
      rig.receiver.requests
        .filter(({ path }) => path === '/bridges/demo')
        .map(bodyOf)
        .find((body) => body.chat_id === group && body.change === change),
    );
  const world = <T = Record<string, unknown>>(status: number, method: string, path: string, body?: unknown) =>
    rig.api.expect<T>(status, method, `${SANDBOX}${path}`, body);

  test('a group is made; who cannot be taken in is said, each with the reason', async () => {
    const made = await post<{ group: Group; refused: Outcome[] }>('groups', {
      subject: 'Neighbours',
      participants: [ALICE, `+${BOB}`, SHY, NOBODY],
    });
    expect(made.group).toMatchObject({ subject: 'Neighbours', size: 3, own_role: 'superadmin', announce: false });
    expect(made.group.participants.map(({ phone }) => phone).sort()).toEqual([`+${OWNER}`, `+${ALICE}`, `+${BOB}`]);
    expect(made.refused.map(({ phone, status, code }) => [phone, status, code])).toEqual([
      [`+${SHY}`, 'invite_needed', 403],
      [`+${NOBODY}`, 'not_found', 404],
    ]);
    expect(made.refused[0]?.invite?.code).toMatch(/^[\w-]{22}$/);
    const alice = made.group.participants.find(({ phone }) => phone === `+${ALICE}`);
    expect(alice).toMatchObject({ jid: `${ALICE}@s.whatsapp.net`, role: 'member' });
    expect(alice?.lid).toMatch(/@lid$/);
    const listed = await get<{ groups: Group[] }>('groups');
    expect(listed.groups.map(({ jid, subject }) => [jid, subject])).toContainEqual([made.group.jid, 'Neighbours']);
    const ofBridge = await rig.api.expect<Group[]>(200, 'GET', `${PROXY}/groups`);
    expect(ofBridge.find(({ jid }) => jid === made.group.jid)).toMatchObject({ size: 3, own_role: 'superadmin' });
    const one = await rig.api.expect<Group>(200, 'GET', `${PROXY}/groups/${made.group.jid}`);
    expect(one.participants.find(({ phone }) => phone === ALICE)).toMatchObject({ lid: alice?.lid });
  });

  test('members are added, made admins, and removed; each says what became of it', async () => {
    const { jid } = await create('Changes', [ALICE]);
    const change = async (action: string, participants: string[]) => {
      const answer = await post<{ participants: Outcome[] }>(`groups/${jid}/participants`, { action, participants });
      return answer.participants.map(({ phone, status }) => [phone, status]);
    };
    expect(await change('add', [ALICE, BOB, SHY, NOBODY])).toEqual([
      [`+${ALICE}`, 'already_member'],
      [`+${BOB}`, 'ok'],
      [`+${SHY}`, 'invite_needed'],
      [`+${NOBODY}`, 'not_found'],
    ]);
    expect(await change('promote', [BOB, SHY])).toEqual([
      [`+${BOB}`, 'ok'],
      [`+${SHY}`, 'not_found'],
    ]);
    const roles = async () => {
      const { participants } = await get<{ participants: Member[] }>(`groups/${jid}/participants`);
      return Object.fromEntries(participants.map(({ phone, role }) => [phone, role]));
    };
    expect(await roles()).toEqual({ [`+${OWNER}`]: 'superadmin', [`+${ALICE}`]: 'member', [`+${BOB}`]: 'admin' });
    expect(await change('demote', [BOB])).toEqual([[`+${BOB}`, 'ok']]);
    const removed = await rig.api.expect<Outcome[]>(200, 'POST', `${PROXY}/groups/${jid}/participants`, {
      action: 'remove',
      participants: [ALICE],
    });
    expect(removed.map(({ phone, status }) => [phone, status])).toEqual([[ALICE, 'ok']]);
    expect(await roles()).toEqual({ [`+${OWNER}`]: 'superadmin', [`+${BOB}`]: 'member' });
  });

  test('subject, description and settings are changed together, and read back', async () => {
    const { jid } = await create('Before', [ALICE]);
    const changed = await rig.api.expect<{ group: Group }>(200, 'PATCH', `${LINES}/groups/${jid}`, {
      line_id: line.lineId,
      subject: 'After',
      description: 'What it is for',
      announce: true,
      locked: true,
      join_approval: true,
      member_add: 'admins',
      ephemeral_seconds: 604_800,
    });
    expect(changed.group).toMatchObject({
      subject: 'After',
      description: 'What it is for',
      announce: true,
      locked: true,
      join_approval: true,
      member_add: 'admins',
      ephemeral_seconds: 604_800,
    });
    const back = await rig.api.expect<Group>(200, 'PATCH', `${PROXY}/groups/${jid}`, {
      description: '',
      announce: false,
      locked: false,
      join_approval: false,
      member_add: 'all',
      ephemeral_seconds: 0,
    });
    expect(back).toMatchObject({ subject: 'After', description: '', announce: false, member_add: 'all' });
    const none = await rig.api.call('PATCH', `${LINES}/groups/${jid}`, { line_id: line.lineId });
    expect([none.status, none.body.error]).toEqual([400, 'validation_error']);
  });

  test('the link leads in: looked at, joined, with an admin’s leave, revoked', async () => {
    const made = await world<{ jid: string }>(201, 'POST', '/groups', {
      subject: 'Open house',
      owner: ALICE,
      participants: [BOB],
    });
    const { invite_code: code } = await world<{ invite_code: string }>(200, 'POST', `/groups/${made.jid}/invite`, {});
    const link = `https://chat.whatsapp.com/${code}`;
    const preview = await get<{ group: Group }>('groups/invite-info', `&link=${encodeURIComponent(link)}`);
    expect(preview.group).toMatchObject({ jid: made.jid, subject: 'Open house', size: 2 });
    await world(200, 'PATCH', `/groups/${made.jid}`, { membership_approval: true });
    expect(await post('groups/join', { link })).toMatchObject({ jid: made.jid, status: 'requested' });
    await world(200, 'POST', `/groups/${made.jid}/requests`, { action: 'approve', participants: [OWNER] });
    expect(await told(made.jid, 'joined_by_line')).toMatchObject({ subject: 'Open house' });
    const forbidden = await rig.api.call('GET', `${LINES}/groups/${made.jid}/invite?line_id=${line.lineId}`);
    expect([forbidden.status, forbidden.body.error]).toEqual([403, 'group_forbidden']);
    await world(200, 'POST', `/groups/${made.jid}/invite`, {});
    const late = await rig.api.call('POST', `${PROXY}/groups/join`, { link });
    expect([late.status, late.body.error]).toEqual([422, 'invite_invalid']);
    await post(`groups/${made.jid}/leave`);
    expect(await world<{ participants: unknown[] }>(200, 'GET', `/groups/${made.jid}`)).toMatchObject({
      participants: expect.not.arrayContaining([expect.objectContaining({ phone: OWNER })]),
    });
    const gone = await rig.api.call('GET', `${LINES}/groups/${made.jid}?line_id=${line.lineId}`);
    expect([gone.status, gone.body.error]).toEqual([403, 'group_forbidden']);
    const never = await rig.api.call('GET', `${PROXY}/groups/120363000000000000@g.us`);
    expect([never.status, never.body.error]).toEqual([404, 'group_not_found']);
  });

  test('who asks to be let in is listed, let in or not', async () => {
    const { jid } = await create('By leave', [ALICE]);
    await rig.api.expect(200, 'PATCH', `${PROXY}/groups/${jid}`, { join_approval: true });
    const { link } = await rig.api.expect<{ link: string }>(200, 'GET', `${PROXY}/groups/${jid}/invite`);
    for (const phone of [BOB, SHY]) {
      const answer = await world<{ state: string }>(200, 'POST', `/phones/${phone}/join`, { invite_code: link });
      expect(answer.state).toBe('requested');
    }
    expect(await told(jid, 'participants_requested')).toMatchObject({ participants: [{ phone: `+${BOB}` }] });
    const { requests } = await get<{ requests: { phone: string; requested_at: string }[] }>(`groups/${jid}/requests`);
    expect(requests.map(({ phone }) => phone).sort()).toEqual([`+${BOB}`, `+${SHY}`]);
    expect(requests[0]?.requested_at).toMatch(/^\d{4}-/);
    const let1 = await post<{ participants: Outcome[] }>(`groups/${jid}/requests`, {
      action: 'approve',
      participants: [BOB, ALICE],
    });
    expect(let1.participants.map(({ phone, status }) => [phone, status])).toEqual([
      [`+${BOB}`, 'ok'],
      [`+${ALICE}`, 'not_found'],
    ]);
    const refused = await rig.api.expect<Outcome[]>(200, 'POST', `${PROXY}/groups/${jid}/requests`, {
      action: 'reject',
      participants: [SHY],
    });
    expect(refused).toMatchObject([{ phone: SHY, status: 'ok' }]);
    const { participants } = await get<{ participants: Member[] }>(`groups/${jid}/participants`);
    expect(participants.map(({ phone }) => phone).sort()).toEqual([`+${OWNER}`, `+${ALICE}`, `+${BOB}`]);
  });

  test('what others change is told once, in both APIs, also what happened while the line was away', async () => {
    const made = await world<{ jid: string }>(201, 'POST', '/groups', {
      subject: 'Events',
      owner: ALICE,
      participants: [OWNER],
    });
    expect(await told(made.jid, 'created')).toMatchObject({ subject: 'Events', by: { phone: `+${ALICE}` } });
    await world(200, 'PATCH', `/groups/${made.jid}`, { subject: 'Renamed', description: 'New', announce: true });
    expect(await told(made.jid, 'subject')).toMatchObject({ subject: 'Renamed', by: { phone: `+${ALICE}` } });
    expect(await told(made.jid, 'description')).toMatchObject({ description: 'New' });
    expect(await told(made.jid, 'announce')).toMatchObject({ announce: true });
    expect(await toldBridge(made.jid, 'subject')).toEqual({
      event: 'group_update',
      chat_id: made.jid,
      contact_id: `${ALICE}@s.whatsapp.net`,
      phone: ALICE,
      change: 'subject',
      subject: 'Renamed',
      timestamp: expect.any(Number),
    });
    await rig.stopGateway();
    const settings = { announce: false, locked: true, member_add: 'admins', ephemeral_seconds: 86_400 };
    await rig.world('PATCH', `/groups/${made.jid}`, settings);
    const members = (action: string) =>
      rig.world('POST', `/groups/${made.jid}/participants`, { action, participants: [BOB] });
    for (const action of ['add', 'promote', 'demote', 'remove']) await members(action);
    await rig.world('POST', `/groups/${made.jid}/participants`, { action: 'add', participants: [BOB] });
    await rig.world('POST', `/groups/${made.jid}/leave`, { phone: BOB });
    await rig.world('POST', `/groups/${made.jid}/invite`, {});
    await rig.startGateway();
    for (const change of [
      'announce',
      'locked',
      'member_add',
      'ephemeral',
      'participants_added',
      'participants_promoted',
      'participants_demoted',
      'participants_removed',
      'participants_left',
      'invite_revoked',
    ])
      await toldBridge(made.jid, change);
    expect(await told(made.jid, 'participants_left')).toMatchObject({
      by: { phone: `+${BOB}` },
      participants: [{ jid: `${BOB}@s.whatsapp.net`, phone: `+${BOB}` }],
    });
    const events = rig.receiver.requests.filter(({ path }) => path === '/lines').map(bodyOf);
    const ids = events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(events.filter(({ data }) => data?.group_id === made.jid && data.change === 'subject')).toHaveLength(1);
  });

  test('the chat list calls groups by their subject, also those the line was in before', async () => {
    await rig.sandbox.phone('15550007777', 'Second owner');
    const made = await world<{ jid: string }>(201, 'POST', '/groups', {
      subject: 'Old friends',
      owner: ALICE,
      participants: ['15550007777'],
    });
    const second = await rig.linkLine('second', '15550007777');
    await rig.sandbox.say(ALICE, made.jid, 'hello all');
    const nameOf = async () => {
      const answer = await rig.api.expect<{ chats: { jid: string; name: string; is_group: boolean }[] }>(
        200,
        'GET',
        `${LINES}/chats?line_id=${second.lineId}`,
      );
      return answer.chats.find(({ jid }) => jid === made.jid)?.name;
    };
    await until('the name', async () => (await nameOf()) === 'Old friends');
    await world(200, 'PATCH', `/groups/${made.jid}`, { subject: 'New friends' });
    await until('the new name', async () => (await nameOf()) === 'New friends');
  });

  test('a group of 1 024 is listed and written to; the second message asks WhatsApp for nothing', {
    timeout: 180_000,
  }, async () => {
    const size = 1_024;
    const phones = Array.from({ length: size - 2 }, (_, i) => `1666${1_000_000 + i}`);
    for (const phone of phones) await rig.world('POST', '/phones', { phone, name: phone });
    const made = await rig.world<{ jid: string }>('POST', '/groups', {
      subject: 'Everybody',
      owner: ALICE,
      participants: [OWNER, ...phones],
    });
    const { participants } = await get<{ participants: Member[] }>(`groups/${made.jid}/participants`);
    expect(participants).toHaveLength(size);
    expect(participants.every(({ phone, lid }) => phone !== null && lid !== null)).toBe(true);
    const send = (body: string) =>
      rig.api.expect<{ message_id: string }>(200, 'POST', `${PROXY}/send/text?wait=60`, { chat: made.jid, body });
    const wire = (after: number) =>
      rig.world<{ seq: number; attrs: Record<string, string> }[]>('GET', `/lines/${line.lineId}/wire?after=${after}`);
    const first = await send('to all');
    for (const phone of [ALICE, phones[0] ?? '', phones.at(-1) ?? '']) {
      await until(`${phone} reads it`, async () => {
        const inbox = await rig.sandbox.inbox(phone);
        return inbox.some(({ message_id: id, body }) => id === first.message_id && body === 'to all');
      });
    }
    const before = (await wire(0)).at(-1)?.seq ?? 0;
    await send('again');
    const asked = (await wire(before)).flatMap(({ attrs }) => attrs.xmlns ?? []);
    expect(asked.filter((xmlns) => ['w:g2', 'usync', 'encrypt'].includes(xmlns))).toEqual([]);
  });
});
