import sharp from 'sharp';
import { expect } from 'vitest';
import { type BridgesWalk, SENT } from './bridges-walk.ts';
import type { Rig } from './rig.ts';
import { until } from './until.ts';

type Json = Record<string, unknown>;
type Sent = { message_id: string; timestamp: number };

export const REF = 'user-123';
/** Who the reference writes to, and hears from. */
export const ALICE = '15550001234';
export const BOB = '15550002222';
/** Whose number the bridge has. */
export const OWNER = '15550009876';
const PHONES = '/api/sandbox/v1/phones';
const NUMBER = expect.any(Number);
const LID = expect.stringMatching(/^\d+@lid$/);
const jidOf = (phone: string) => `${phone}@s.whatsapp.net`;

/** What a part of the story works with. */
interface Scene {
  rig: Rig;
  walk: BridgesWalk;
  /** A virtual phone does something. */
  act<T = Json>(status: number, method: string, path: string, body?: Json): Promise<T>;
  lineId(): Promise<string>;
}

/** What a teller of the story may want to know. */
export interface Listener {
  /** The bridge is connected from now on, or is not any more. */
  paired?(is: boolean): void;
  /** All has happened but the deletion. */
  beforeDeletion?(lineId: string): Promise<void>;
}

/**
 * The whole reference as one story, from the first call to the last: a bridge is made and paired,
 * writes and is written to, looks around, and goes. Every operation and every webhook occurs.
 */
export async function bridgesStory(rig: Rig, walk: BridgesWalk, listener: Listener = {}): Promise<void> {
  const paired = (is: boolean) => listener.paired?.(is);
  const act: Scene['act'] = (status, method, path, body) => rig.api.expect(status, method, `${PHONES}/${path}`, body);
  const lineId = async () =>
    String((await rig.api.expect<{ line_id: string }>(200, 'GET', `/api/instances/${REF}`)).line_id);
  const scene: Scene = { rig, walk, act, lineId };
  await rig.api.expect(201, 'POST', PHONES, { phone: OWNER, name: 'My Name', about: 'Hey there!' });
  await rig.api.expect(201, 'POST', PHONES, { phone: ALICE, name: 'Alice', about: 'Hey!' });
  await rig.api.expect(201, 'POST', PHONES, { phone: BOB, name: 'Bob' });
  await serveMedia(rig);
  await beginning(scene, () => paired(true));
  await people(scene);
  await presence(scene);
  await messages(scene);
  await answers(scene, await groups(scene));
  await profile(scene);
  await calls(scene);
  await away(scene);
  paired(false);
  await end(scene, listener);
}

/** Serves pictures to the gateway; answers webhooks with 200. */
async function serveMedia(rig: Rig): Promise<void> {
  const jpeg = await sharp({ create: { width: 640, height: 480, channels: 3, background: '#36c' } })
    .jpeg()
    .toBuffer();
  rig.receiver.use(({ path }) =>
    path.endsWith('.jpg')
      ? { answer: 200, headers: { 'content-type': 'image/jpeg' }, body: jpeg }
      : { answer: 200, body: '{"ok":true}' },
  );
}

async function beginning({ rig, walk, act }: Scene, paired: () => void): Promise<void> {
  const webhookUrl = `${rig.receiver.url}/bridges/${REF}`;
  const made = await walk.call<{ id: number }>('provisionBridge', {
    request: { webhook_url: webhookUrl },
    answer: { id: NUMBER },
  });
  await walk.call('provisionBridge', { request: { webhook_url: webhookUrl }, answer: { id: made.id } });
  const listed = { id: made.id, customer_ref: REF, state: 'running', created_at: expect.stringMatching(/Z$/) };
  await walk.call('listBridges', { expected: [listed] });
  const manager = {
    health: expect.stringMatching(/^(healthy|degraded)$/),
    started_at: expect.stringMatching(/Z$/),
    fail_count: NUMBER,
    worker: expect.any(String),
  };
  const detailed = {
    ...{ ...listed, webhook_url: webhookUrl, line_id: expect.any(String), status: 'unpaired', manager },
    ...{ status_reason: null, status_until: null, status_code: null, status_remedy: null },
    webhook_details: false,
  };
  await walk.call('getBridge', { expected: detailed });
  await walk.call('bridgeStatus', { expected: { status: 'unpaired' } });
  await walk.call('bridgeQrPng');
  const { code } = await walk.call<{ code: string }>('pairBridge', {
    request: { phone: OWNER },
    answer: { code: expect.stringMatching(/^[1-9A-Z]{4}-[1-9A-Z]{4}$/) },
  });
  await act(200, 'POST', `${OWNER}/enter-code`, { code });
  await rig.untilConnected(REF);
  await walk.told('connected', { phone: OWNER });
  paired();
  // The name follows the login, also when that connection ends at once.
  await walk.between();
  await until('the line knows its name', async () => {
    const { name } = await rig.api.expect(200, 'GET', `/api/instances/${REF}/proxy/status`);
    return name === 'My Name';
  });
  await walk.call('bridgeStatus', { answer: { phone: OWNER, jid: jidOf(OWNER), name: 'My Name', lid: LID } });
  await walk.call('changeBridge', {
    request: { webhook_url: webhookUrl },
    expected: { ...detailed, status: 'connected' },
  });
}

async function people({ walk, act }: Scene): Promise<void> {
  await walk.call('bridgeCheckNumbers', {
    expected: [
      { phone: ALICE, registered: true, is_business: false, jid: jidOf(ALICE) },
      { phone: '00000000000', registered: false },
    ],
  });
  const hello = await act<Sent>(201, 'POST', `${ALICE}/messages`, { to: OWNER, type: 'text', body: 'Hello!' });
  // The phone's clock and the server's are two.
  await walk.told('message', { message_id: hello.message_id, timestamp: NUMBER });
  await walk.call('bridgeReadMessage', { path: `/:bridge/proxy/messages/${hello.message_id}/read` });
  await until('Alice sees that it was read', async () =>
    (await act<Json[]>(200, 'GET', `${ALICE}/inbox?sent=true`)).find(
      (item) => item.message_id === hello.message_id && item.status === 'read',
    ),
  );
  await walk.call('bridgeContacts');
  await walk.call('bridgeContact', { path: `/:bridge/proxy/contacts/${ALICE}`, answer: { jid: jidOf(ALICE) } });
  const { picture_id: pictureId } = await act<Json>(200, 'PUT', `${ALICE}/avatar`, {});
  await walk.told('profile_picture_updated', { picture_id: pictureId, timestamp: NUMBER });
  await walk.call('bridgeContactAvatar', { path: `/:bridge/proxy/contacts/${ALICE}/avatar` });
}

async function presence({ walk, act }: Scene): Promise<void> {
  await walk.call('bridgePresence');
  await walk.call('bridgeSubscribePresence');
  await act(200, 'POST', `${ALICE}/typing`, { to: OWNER, state: 'composing', mode: 'text' });
  await walk.told('typing');
  await walk.call('bridgeSendTyping');
}

/** Each kind of message, once on Alice's phone. */
async function messages({ rig, walk, act }: Scene): Promise<void> {
  const shown = (id: string, wanted: Json) =>
    until(`Alice's phone shows ${id}`, async () => {
      const items = await rig.sandbox.inbox(ALICE);
      const item = items.find(({ message_id }) => message_id === id);
      if (item) expect({ ...item, ...wanted }).toEqual(item);
      return item;
    });
  const text = await walk.call<Sent>('bridgeSendText', { answer: SENT });
  await shown(text.message_id, { body: 'Hello!', copies: 1 });
  const photo = await walk.call<Sent>('bridgeSendMedia', {
    request: { url: `${rig.receiver.url}/photo.jpg` },
    answer: SENT,
  });
  await shown(photo.message_id, { type: 'image', caption: 'check this out', copies: 1 });
  const sticker = await walk.call<Sent>('bridgeSendSticker', {
    request: { chat: ALICE, url: `${rig.receiver.url}/wave.jpg` },
    expected: {},
    answer: SENT,
  });
  await shown(sticker.message_id, { type: 'sticker', copies: 1 });
  // A status is for the people in the address book.
  await act(200, 'POST', `${OWNER}/contacts`, { contacts: [{ phone: ALICE, name: 'Alice' }] });
  await until('the line knows the address book', async () => {
    const early = { body: 'Good morning' };
    return (await rig.api.call('POST', `/api/instances/${REF}/proxy/send/status`, early)).status === 200;
  });
  await walk.call('bridgeSendStatus', { request: { body: 'Open until nine today' }, expected: {}, answer: SENT });
  await walk.call('bridgeSendReaction', { request: { message_id: text.message_id }, answer: SENT });
  const pin = await walk.call<Sent>('bridgeSendLocation', { answer: SENT });
  await shown(pin.message_id, { type: 'location', lat: 19.432608, name: 'Zócalo', copies: 1 });
  const card = await walk.call<Sent>('bridgeSendContact', {
    request: { chat: ALICE, contacts: [{ name: 'Bob', phone: BOB }] },
    expected: {},
    answer: SENT,
  });
  await shown(card.message_id, { type: 'contact', copies: 1 });
  await walk.call('bridgeGetMessage', {
    path: `/:bridge/proxy/messages/${pin.message_id}`,
    answer: { type: 'location', body: 'Zócalo', from_me: true },
  });
  const hers = await act<Sent>(201, 'POST', `${ALICE}/messages`, { to: OWNER, type: 'image', fixture: 'image' });
  await walk.heard(hers.message_id);
  await walk.call('bridgeGetMedia', { path: `/:bridge/proxy/messages/${hers.message_id}/media` });
  await walk.call('bridgeEditMessage', {
    path: `/:bridge/proxy/messages/${text.message_id}/edit`,
    answer: SENT,
  });
  await until('Alice sees the correction', async () =>
    (await rig.sandbox.inbox(ALICE)).some(
      (item) => item.message_id === text.message_id && item.body === 'corrected text',
    ),
  );
  await walk.call('bridgeRevokeMessage', {
    path: `/:bridge/proxy/messages/${text.message_id}`,
    query: `chat=${ALICE}`,
    answer: SENT,
  });
}

/** A vote on a poll in a chat, and an answer to an invitation in a group. */
async function answers({ rig, walk, act }: Scene, group: string): Promise<void> {
  const reaches = (id: string) =>
    until(`${id} is on Alice's phone`, async () =>
      (await rig.sandbox.inbox(ALICE)).some(({ message_id }) => message_id === id),
    );
  const poll = await walk.call<Sent>('bridgeSendPoll', { answer: SENT });
  await reaches(poll.message_id);
  const vote = await act<Sent>(201, 'POST', `${ALICE}/votes`, {
    to: OWNER,
    poll_id: poll.message_id,
    options: ['Red'],
  });
  await walk.told('poll_vote', { poll_id: poll.message_id, ...vote, timestamp: NUMBER });
  const event = await walk.call<Sent>('bridgeSendEvent', { request: { chat: group }, answer: SENT });
  await reaches(event.message_id);
  const rsvp = await act<Sent>(201, 'POST', `${ALICE}/rsvps`, {
    to: group,
    event_id: event.message_id,
    response: 'going',
  });
  await walk.told('event_response', { chat_id: group, event_id: event.message_id, ...rsvp, timestamp: NUMBER });
}

/**
 * A group of the bridge's own, with Alice in it and Bob at the door; and one that the bridge joins
 * by a link. Answers the first.
 */
async function groups({ rig, walk, act }: Scene): Promise<string> {
  const { jid } = await walk.call<{ jid: string }>('bridgeCreateGroup', {
    request: { subject: 'Team', participants: [ALICE] },
    answer: { subject: 'Team', size: 2, refused: [] },
  });
  const group = (rest = '') => ({ path: `/:bridge/proxy/groups/${jid}${rest}` });
  const settings = { announce: false, join_approval: true };
  await walk.call('bridgeChangeGroup', { ...group(), request: settings, answer: settings });
  const { link } = await walk.call<{ link: string }>('bridgeGroupInvite', group('/invite'));
  await act(200, 'POST', `${BOB}/join`, { invite_code: link });
  const person = expect.objectContaining({ phone: BOB });
  expect(await walk.call<unknown>('bridgeGroupRequests', group('/requests'))).toEqual([person]);
  await walk.call('bridgeDecideGroupRequests', {
    ...group('/requests'),
    request: { action: 'approve', participants: [BOB] },
  });
  expect(await walk.call<unknown[]>('bridgeGroupParticipants', group('/participants'))).toHaveLength(3);
  const remove = { action: 'remove', participants: [BOB] };
  await walk.call('bridgeChangeGroupParticipants', { ...group('/participants'), request: remove });
  await walk.call('bridgeSetGroupPicture', { ...group('/picture'), request: { url: `${rig.receiver.url}/group.jpg` } });
  await walk.call('bridgeGroupPicture', group('/picture'));
  await walk.call('bridgeRemoveGroupPicture', group('/picture'));
  await walk.call('bridgeRevokeGroupInvite', group('/invite/revoke'));
  await walk.call('bridgeGroup', { ...group(), answer: { subject: 'Team', size: 2 } });
  const sandbox = '/api/sandbox/v1/groups';
  const theirs = { subject: 'Neighbours', owner: BOB, participants: [ALICE] };
  const { jid: other } = await rig.api.expect<{ jid: string }>(201, 'POST', sandbox, theirs);
  const made = await rig.api.expect<{ invite_code: string }>(200, 'POST', `${sandbox}/${other}/invite`, {});
  const invite = `https://chat.whatsapp.com/${made.invite_code}`;
  await walk.call('bridgeGroupBehindLink', {
    query: `link=${encodeURIComponent(invite)}`,
    answer: { jid: other, subject: 'Neighbours' },
  });
  await walk.call('bridgeJoinGroup', { request: { link: invite }, answer: { jid: other, status: 'joined' } });
  await walk.call('bridgeLeaveGroup', { path: `/:bridge/proxy/groups/${other}/leave` });
  const left = await walk.call<{ jid: string }[]>('bridgeGroups');
  expect(left.map((one) => one.jid)).toEqual([jid]);
  return jid;
}

async function profile({ rig, walk }: Scene): Promise<void> {
  await walk.call('bridgeProfile', { answer: { jid: jidOf(OWNER), phone: OWNER, lid: LID } });
  await walk.call('bridgeSetAbout');
  await walk.call('bridgeSetAvatar', {
    request: { url: `${rig.receiver.url}/me.jpg` },
    answer: { picture_id: expect.stringMatching(/^\d+$/) },
  });
  await walk.call('bridgeAvatar');
  await walk.call('bridgeRemoveAvatar');
  await walk.call('bridgeContactQr', { answer: { link: expect.stringMatching(/^https:\/\/wa\.me\/qr\/[A-Z0-9]+$/i) } });
  await walk.call('bridgeStatusPrivacy');
  await walk.call('bridgeHealth', { key: false });
  // What Node cannot tell is null; the rest is a figure.
  const unknown = { goroutines: null, heap_objects: null, next_gc_mb: null };
  const own = { worker: expect.any(String), lines_in_worker: 1, event_loop_lag_ms: NUMBER };
  const stats = await walk.call('bridgeStats', {
    answer: {
      ...unknown,
      heap_alloc_mb: NUMBER,
      heap_sys_mb: NUMBER,
      total_alloc_mb: expect.toSatisfy((value) => value === null || typeof value === 'number'),
      gc_cycles: NUMBER,
      media_cache_size: 1,
      ...own,
    },
  });
  expect(stats.gc_cycles).toBeGreaterThan(0);
}

async function calls({ walk, act }: Scene): Promise<void> {
  const { call_id: id } = await act<{ call_id: string }>(201, 'POST', `${ALICE}/calls`, {
    to: OWNER,
    platform: 'android',
  });
  await walk.told('call_incoming', { call_id: id, timestamp: NUMBER });
  await act(200, 'DELETE', `${ALICE}/calls/${id}`, { reason: 'hangup' });
  await walk.told('call_terminated', { call_id: id, timestamp: NUMBER });
}

/** The bridge loses its connection, and hears afterwards what it missed. */
async function away({ rig, walk, act, lineId }: Scene): Promise<void> {
  const line = await lineId();
  walk.forgetTold();
  await rig.sandbox.fault(line, { kind: 'refuse', for_ms: 1_500 });
  await rig.sandbox.fault(line, { kind: 'cut' });
  await walk.told('disconnected');
  await act(201, 'POST', `${ALICE}/messages`, { to: OWNER, type: 'text', body: 'Are you there?' });
  await rig.untilConnected(REF);
  const counts = { total: NUMBER, messages: NUMBER, notifications: NUMBER, receipts: NUMBER, app_data_changes: NUMBER };
  const preview = await walk.told('offline_sync_preview', counts, ({ messages: n }) => Number(n) > 0);
  await walk.told('offline_sync_completed', { count: preview.total }, ({ count }) => count === preview.total);
}

async function end({ rig, walk, act, lineId }: Scene, { beforeDeletion }: Listener): Promise<void> {
  await walk.call('logoutBridge');
  await until('unpaired', async () => {
    const { status } = await rig.api.expect(200, 'GET', `/api/instances/${REF}/proxy/status`);
    return status === 'unpaired';
  });
  const line = await lineId();
  // Paired again: the deletion unlinks the phone by itself.
  await act(200, 'POST', `${OWNER}/scan`, { customer_ref: REF });
  await beforeDeletion?.(line);
  await walk.call('deleteBridge', { status: 204 });
  expect(await rig.api.expect(200, 'GET', '/api/instances')).toEqual([]);
}
