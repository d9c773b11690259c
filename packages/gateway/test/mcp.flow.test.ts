import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createConsoleAccess } from '../src/access/console-access.ts';
import { systemClock } from '../src/core/clock.ts';
import { openInstallation } from '../src/installation.ts';
import { Agent, connectAgent, textOf } from './support/mcp-agent.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const OWNER = '15550001111';
const ALICE = '15550002222';
const BOB = '15550003333';
const SECOND = '15550004444';
const PHONES = '/api/sandbox/v1/phones';
const chatOf = (phone: string) => `${phone}@s.whatsapp.net`;

/** What the console's own pages send along. */
const CONSOLE = { 'x-ponte-console': '1' };

type Body = Record<string, unknown>;
type Sent = { message_id: string; status: string; chat_id: string };
type Item = {
  message_id: string;
  type: string;
  body: string;
  edited?: boolean;
  revoked?: boolean;
  reactions?: unknown;
  status?: string;
};

describe('an agent, through the official client, on the simulated network', () => {
  let rig: Rig;
  let agent: Recorder;
  let line: LinkedLine;
  const called = new Set<string>();

  /** Remembers which tools were called and did what they say. */
  class Recorder extends Agent {
    override async call(name: string, args: Body = {}) {
      const result = await super.call(name, args);
      if (!result.isError) called.add(name);
      return result;
    }
  }

  beforeAll(async () => {
    rig = await Rig.start();
    await rig.api.expect(201, 'POST', PHONES, { phone: ALICE, name: 'Alice', about: 'Hey!' });
    await rig.sandbox.phone(BOB, 'Bob');
    line = await rig.linkLine('agent', OWNER);
    const { client } = await connectAgent({ url: `${rig.base}/api/bridge/mcp`, key: rig.testKey });
    agent = new Recorder(client);
  }, 60_000);
  afterAll(async () => {
    await agent?.close();
    await rig?.close();
  });

  const inLine = (args: Body = {}) => ({ line_id: line.lineId, ...args });
  const send = (name: string, args: Body) => agent.get<Sent & Body>(name, inLine(args));
  /** What a virtual phone decrypted, once it is as wanted. */
  const onPhone = (phone: string, id: string, wanted: (item: Item) => boolean = () => true) =>
    until(`${id} on ${phone}`, async () =>
      (await rig.api.expect<Item[]>(200, 'GET', `${PHONES}/${phone}/inbox?sent=true`)).find(
        (item) => item.message_id === id && wanted(item),
      ),
    );

  test('finds its line, its account and what it used', async () => {
    expect((await agent.get<{ lines: Body[] }>('bridge_list_lines')).lines).toMatchObject([
      { line_id: line.lineId, status: 'connected', phone: `+${OWNER}` },
    ]);
    expect(await agent.get('bridge_get_line', inLine())).toMatchObject({ status: 'connected' });
    expect(await agent.get('bridge_get_account')).toMatchObject({ api_key: { mode: 'test' } });
    expect(await agent.get('bridge_get_usage')).toMatchObject({ metrics: { lines: { used: 1 } } });
    expect(await agent.get('bridge_get_usage_over_time', { step: 'hour' })).toMatchObject({ step: 'hour' });
  });

  test('sends texts, and every other kind of message, which arrive on the phone', async () => {
    const first = await send('bridge_send_message', { to: `+${ALICE}`, message: 'Hello from an agent' });
    expect(first).toMatchObject({ status: 'sent', to: `+${ALICE}` });
    expect(await onPhone(ALICE, first.message_id)).toMatchObject({ type: 'text', body: 'Hello from an agent' });
    const kinds: [string, string, Body][] = [
      ['bridge_send_text_with_options', 'text', { message: 'Urgent', priority: 'high' }],
      ['bridge_send_location', 'location', { lat: 40.4168, lng: -3.7038, name: 'Puerta del Sol' }],
      ['bridge_send_contact', 'contact', { contacts: [{ name: 'Bob', phone: `+${BOB}` }] }],
      ['bridge_send_poll', 'poll', { question: 'When?', options: ['Monday', 'Tuesday'] }],
      ['bridge_send_event', 'event', { name: 'Meeting', start_time: 1_900_000_000 }],
    ];
    for (const [tool, type, content] of kinds) {
      const sent = await send(tool, { to: `+${ALICE}`, ...content });
      expect([tool, (await onPhone(ALICE, sent.message_id)).type]).toEqual([tool, type]);
    }
  });

  test('sends files, and downloads what is sent to it', async () => {
    const bytes = await somePicture();
    rig.receiver.use(({ path }) =>
      path === '/picture.png'
        ? { answer: 200, headers: { 'content-type': 'image/png' }, body: bytes }
        : { answer: 200 },
    );
    const file = { media_url: `${rig.receiver.url}/picture.png` };
    const picture = await send('bridge_send_media', { to: `+${ALICE}`, ...file, caption: 'Look' });
    expect(await onPhone(ALICE, picture.message_id)).toMatchObject({ type: 'image', caption: 'Look' });
    const document = await send('bridge_send_media_with_options', {
      to: `+${ALICE}`,
      ...file,
      media_type: 'document',
      filename: 'plan.png',
    });
    expect(await onPhone(ALICE, document.message_id)).toMatchObject({ type: 'document' });
    const sticker = await send('bridge_send_sticker', { to: `+${ALICE}`, ...file });
    expect((await onPhone(ALICE, sticker.message_id)).type).toBe('sticker');
    // A status is for the people in the address book.
    const book = { contacts: [{ phone: ALICE, name: 'Alice' }] };
    await rig.api.expect(200, 'POST', `${PHONES}/${OWNER}/contacts`, book);
    const status = await until('the line knows the address book', async () => {
      const result = await agent.call('bridge_publish_status', inLine({ body: 'Open until nine' }));
      return !result.isError && (result.structuredContent as Body);
    });
    expect(status.chat_id).toBe('status@broadcast');
    const said = await rig.api.expect<{ message_id: string }>(201, 'POST', `${PHONES}/${ALICE}/messages`, {
      to: OWNER,
      type: 'image',
      data: bytes.toString('base64'),
    });
    const media = inLine({ message_id: said.message_id });
    const shown = await until('the file', async () => {
      const result = await agent.call('bridge_get_media', media);
      return !result.isError && result;
    });
    const image = shown.content.find(({ type }) => type === 'image');
    expect(image?.type === 'image' && Buffer.from(image.data, 'base64').length).toBeGreaterThan(100);
    const voice = await rig.api.expect<{ message_id: string }>(201, 'POST', `${PHONES}/${ALICE}/messages`, {
      to: OWNER,
      type: 'voice',
      fixture: 'voice',
    });
    const heard = await until('the voice note', async () => {
      const result = await agent.call('bridge_get_media', inLine({ message_id: voice.message_id }));
      return !result.isError && result;
    });
    expect(heard.content.find(({ type }) => type === 'audio')).toMatchObject({ mimeType: 'audio/ogg' });
  });

  test('waits for a person when its key needs one', async () => {
    const at = await openInstallation(rig.environment);
    const account = { accountId: at.defaultAccountId, mode: 'test' as const };
    const { key } = await at.keys.create({ ...account, name: 'careful', needsApproval: true });
    const access = createConsoleAccess({ ...at, clock: systemClock, accountId: at.defaultAccountId });
    const token = await access.newSetUpToken();
    await at.close();
    const person = { email: 'ana@example.com', name: 'Ana', password: 'correct horse battery' };
    const signedIn = await rig.api.call('POST', '/api/console/v1/set-up', { token, ...person }, CONSOLE);
    expect([signedIn.status, signedIn.raw]).toEqual([200, signedIn.raw]);
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    const { client } = await connectAgent({ url: `${rig.base}/api/bridge/mcp`, key });
    const careful = new Recorder(client);
    const asked = await careful.get<{ status: string; approval_id: string }>(
      'bridge_send_message',
      inLine({ to: `+${BOB}`, message: 'May I?' }),
    );
    expect(asked.status).toBe('pending_approval');
    const approval = { approval_id: asked.approval_id };
    const waiting = careful.get<Body>('bridge_get_approval', { ...approval, wait: 20 });
    const path = `/api/console/v1/approvals/${asked.approval_id}/approve`;
    expect(await rig.api.call('POST', path, undefined, CONSOLE)).toMatchObject({ status: 401 });
    await rig.api.expect(200, 'POST', path, undefined, { ...CONSOLE, cookie });
    const { status, message } = (await waiting) as { status: string; message: { message_id: string } };
    expect(status).toBe('sent');
    expect(await onPhone(BOB, message.message_id)).toMatchObject({ body: 'May I?' });
    expect(await careful.get('bridge_list_approvals')).toMatchObject({ approvals: [{ ...approval, status: 'sent' }] });
    const audit = await rig.api.expect<{ entries: Body[] }>(200, 'GET', '/api/console/v1/audit', undefined, { cookie });
    expect(audit.entries).toContainEqual(
      expect.objectContaining({ actor: person.email, action: 'approveSend', outcome: 'ok', target: path }),
    );
    await careful.close();
  });

  test('sends once, however often it repeats a call with its idempotency_key', async () => {
    const args = { to: `+${BOB}`, message: 'Only once', idempotency_key: 'flow-1' };
    const ids = await Promise.all(Array.from({ length: 5 }, () => send('bridge_send_message', args)));
    expect(new Set(ids.map((sent) => sent.message_id)).size).toBe(1);
    await onPhone(BOB, ids[0]?.message_id ?? '');
    expect((await rig.sandbox.inbox(BOB)).filter(({ body }) => body === 'Only once')).toHaveLength(1);
  });

  test('waits for a reply, answers it by quoting, reacts, and marks it read', async () => {
    await send('bridge_send_message', { to: `+${ALICE}`, message: 'Any questions?' });
    const waiting = agent.get<{ messages: Body[]; timed_out: boolean }>(
      'bridge_wait_for_reply',
      inLine({ phone: `+${ALICE}`, wait: 20 }),
    );
    const said = await rig.sandbox.say(ALICE, OWNER, 'What does it cost?');
    const { messages, timed_out: timedOut } = await waiting;
    expect([messages.map(({ message_id: id }) => id), timedOut]).toEqual([[said.message_id], false]);
    const reply = await send('bridge_reply_message', {
      to: `+${ALICE}`,
      message: 'Ten euros',
      quoted_message_id: said.message_id,
    });
    expect(await onPhone(ALICE, reply.message_id)).toMatchObject({ quoted_message_id: said.message_id });
    const nothing = await agent.get('bridge_wait_for_reply', inLine({ phone: `+${ALICE}`, wait: 0 }));
    expect(nothing).toMatchObject({ messages: [], timed_out: true });
    await send('bridge_react_message', { jid: chatOf(ALICE), message_id: said.message_id, emoji: '👍' });
    await onPhone(ALICE, said.message_id, ({ reactions }) => JSON.stringify(reactions ?? null).includes('👍'));
    await agent.get('bridge_mark_read', inLine({ phone: `+${ALICE}` }));
    await onPhone(ALICE, said.message_id, ({ status }) => status === 'read');
  });

  test('reads chats and messages, marked as what strangers wrote', async () => {
    const chats = await agent.get<{ chats: Body[]; untrusted_content: Body }>('bridge_get_chats', inLine());
    expect(chats.chats.map(({ phone }) => phone)).toContain(`+${ALICE}`);
    expect(chats.untrusted_content.fields).toContain('chats[].last_message.body');
    const cursor = Buffer.from('9999999999999 zzz').toString('base64url');
    const more = await agent.get<{ chats: Body[] }>('bridge_get_more_chats', inLine({ cursor, limit: 1 }));
    expect(more.chats).toHaveLength(1);
    const read = await agent.call('bridge_get_messages', inLine({ phone: `+${ALICE}`, limit: 50 }));
    expect(textOf(read)).toMatch(/<untrusted-\w{12}>[\s\S]*What does it cost\?[\s\S]*<\/untrusted-\w{12}>/);
    const found = await agent.get<{ messages: Body[] }>('bridge_search_messages', inLine({ q: 'cost' }));
    expect(found.messages.map(({ body }) => body)).toEqual(['What does it cost?']);
    expect(await agent.get('bridge_ask_older_messages', inLine({ phone: `+${ALICE}` }))).toMatchObject({
      status: 'requested',
    });
    const [message] = found.messages;
    const one = await agent.get('bridge_get_message', inLine({ message_id: message?.message_id }));
    expect(one).toMatchObject({ body: 'What does it cost?', timeline: [{ state: 'received' }] });
  });

  test('edits and deletes what it sent, shows typing, and archives', async () => {
    const sent = await send('bridge_send_message', { to: `+${ALICE}`, message: 'Tne euros' });
    const target = { jid: chatOf(ALICE), message_id: sent.message_id };
    await send('bridge_edit_message', { ...target, message: 'Ten euros' });
    await onPhone(ALICE, sent.message_id, ({ body }) => body === 'Ten euros');
    await send('bridge_revoke_message', target);
    await onPhone(ALICE, sent.message_id, ({ revoked }) => revoked === true);
    await agent.get('bridge_show_typing', inLine({ to: `+${ALICE}`, state: 'composing' }));
    await until('Alice sees it', async () => {
      const chats = await rig.api.expect<{ chat: string; typing?: Body }[]>(200, 'GET', `${PHONES}/${ALICE}/chats`);
      return chats.find(({ chat }) => chat === chatOf(OWNER))?.typing;
    });
    // Right after the pairing the phone may not have shared its keys yet.
    await until('the phone takes it', async () => {
      const result = await agent.call('bridge_archive_chat', inLine({ phone: `+${ALICE}` }));
      return !result.isError && (result.structuredContent as Body | undefined)?.archived === true;
    });
    await until('the phone shows it archived', async () => {
      const chats = await rig.api.expect<{ archived: boolean }[]>(200, 'GET', `${PHONES}/${OWNER}/chats`);
      return chats.some(({ archived }) => archived);
    });
  });

  test('looks into the queue and takes a message back', async () => {
    const later = await send('bridge_send_text_with_options', {
      to: `+${BOB}`,
      message: 'Later',
      send_at: new Date(Date.now() + 3_600_000).toISOString(),
    });
    expect(later.status).toBe('queued');
    expect(await agent.get('bridge_get_queue', inLine())).toMatchObject({
      scheduled: 1,
      items: [{ message_id: later.message_id, state: 'scheduled' }],
    });
    await agent.get('bridge_cancel_message', inLine({ message_id: later.message_id }));
    expect(await agent.get('bridge_get_queue', inLine())).toMatchObject({ scheduled: 0 });
    const refused = await agent.refused('bridge_cancel_message', inLine({ message_id: 'nobody' }));
    expect(refused.code).toBe('message_not_found');
  });

  test('knows people', async () => {
    const checked = await agent.get<{ numbers: Body[] }>(
      'bridge_check_numbers',
      inLine({ phones: [`+${ALICE}`, '+15559999999'] }),
    );
    expect(checked.numbers.map(({ registered }) => registered)).toEqual([true, false]);
    const contacts = await agent.get<{ contacts: Body[] }>('bridge_list_contacts', inLine());
    expect(contacts.contacts.map(({ phone }) => phone)).toContain(`+${ALICE}`);
    expect(await agent.get('bridge_get_contact', inLine({ jid: `+${ALICE}` }))).toMatchObject({
      untrusted_content: { fields: ['name', 'about'] },
      about: 'Hey!',
    });
    const picture = `${rig.receiver.url}/picture.png`;
    expect((await agent.refused('bridge_get_avatar', inLine({ jid: `+${ALICE}` }))).code).toBe('avatar_not_found');
    const bytes = await somePicture();
    rig.receiver.use(({ path }) =>
      path === '/picture.png'
        ? { answer: 200, headers: { 'content-type': 'image/png' }, body: bytes }
        : { answer: 200 },
    );
    await rig.api.expect(200, 'PUT', `${PHONES}/${ALICE}/avatar`, {});
    const shown = await agent.call('bridge_get_avatar', inLine({ jid: `+${ALICE}` }));
    expect(shown.content.find(({ type }) => type === 'image')).toMatchObject({ mimeType: 'image/jpeg' });
    await agent.get('bridge_set_own_avatar', inLine({ url: picture }));
    const own = await agent.call('bridge_get_own_avatar', inLine());
    expect(own.content.find(({ type }) => type === 'image')).toMatchObject({ mimeType: 'image/jpeg' });
    await agent.get('bridge_remove_own_avatar', inLine());
    expect((await agent.refused('bridge_get_own_avatar', inLine())).code).toBe('avatar_not_found');
  });

  test('keeps the profile and presence of its line', async () => {
    await agent.get('bridge_set_about', inLine({ status: 'Here from 9 to 5' }));
    await until('the About text is there', async () => {
      const profile = await agent.get('bridge_get_profile', inLine());
      return profile.about === 'Here from 9 to 5';
    });
    expect(await agent.get('bridge_get_contact_link', inLine())).toMatchObject({
      link: expect.stringMatching(/^https/),
    });
    await agent.get('bridge_set_presence', inLine({ state: 'available' }));
    await agent.get('bridge_subscribe_presence', inLine({ jid: `+${ALICE}` }));
    expect(await agent.get('bridge_get_status_privacy', inLine())).toMatchObject({ privacy: expect.any(Array) });
  });

  test('makes a group, keeps it, and leaves it', async () => {
    type Group = { jid: string; subject: string; participants: { phone: string; role: string }[] };
    const made = await agent.get<{ group: Group; untrusted_content: Body }>(
      'bridge_create_group',
      inLine({ subject: 'Neighbours', participants: [`+${ALICE}`] }),
    );
    const group = inLine({ jid: made.group.jid });
    const text = await send('bridge_send_message', { to: made.group.jid, message: 'Hello, neighbours' });
    expect(await onPhone(ALICE, text.message_id)).toMatchObject({ body: 'Hello, neighbours' });
    await agent.get('bridge_change_group', { ...group, subject: 'Third floor', join_approval: true });
    const shown = await agent.get<{ group: Group }>('bridge_get_group', group);
    expect(shown).toMatchObject({ group: { subject: 'Third floor', join_approval: true } });
    const listed = await agent.get<{ groups: Group[] }>('bridge_list_groups', inLine());
    expect(listed.groups.map(({ jid }) => jid)).toEqual([made.group.jid]);
    const promotion = { ...group, action: 'promote', participants: [`+${ALICE}`] };
    expect(await agent.get('bridge_change_group_members', promotion)).toMatchObject({
      participants: [{ status: 'ok' }],
    });
    const members = await agent.get<{ participants: Group['participants'] }>('bridge_list_group_members', group);
    expect(members.participants.find(({ phone }) => phone === `+${ALICE}`)?.role).toBe('admin');
    const { link } = await agent.get<{ link: string }>('bridge_get_group_link', group);
    expect((await agent.get('bridge_revoke_group_link', group)).link).not.toBe(link);
    const { link: now } = await agent.get<{ link: string }>('bridge_get_group_link', group);
    expect(await agent.get('bridge_look_at_group_link', inLine({ link: now }))).toMatchObject({
      group: { jid: made.group.jid },
    });
    await rig.api.expect(200, 'POST', `${PHONES}/${BOB}/join`, { invite_code: now });
    const asked = await agent.get<{ requests: Body[] }>('bridge_list_group_requests', group);
    expect(asked.requests).toMatchObject([{ phone: `+${BOB}` }]);
    const decision = { ...group, action: 'approve', participants: [`+${BOB}`] };
    expect(await agent.get('bridge_decide_group_requests', decision)).toMatchObject({
      participants: [{ status: 'ok' }],
    });
    await agent.get('bridge_set_group_picture', { ...group, url: `${rig.receiver.url}/picture.png` });
    const picture = await agent.call('bridge_get_group_picture', group);
    expect(picture.content.find(({ type }) => type === 'image')).toMatchObject({ mimeType: 'image/jpeg' });
    await agent.get('bridge_remove_group_picture', group);
    await agent.get('bridge_change_group', { ...group, join_approval: false });
    await agent.get('bridge_leave_group', group);
    expect(await agent.get('bridge_join_group', inLine({ link: now }))).toMatchObject({ status: 'joined' });
  });

  test('makes, tests, changes and repairs a webhook', async () => {
    const made = await agent.get<{ id: string; secret: string }>('bridge_create_webhook', {
      url: `${rig.receiver.url}/agent`,
      events: ['message.received'],
    });
    expect(made.secret).toMatch(/^wzb_whsec_/);
    const webhook = { webhook_id: made.id };
    expect(await agent.get('bridge_test_webhook', webhook)).toMatchObject({ ok: true, status_code: 200 });
    await rig.sandbox.say(BOB, OWNER, 'To the webhook');
    const delivered = await until('the delivery', async () => {
      const { deliveries } = await agent.get<{ deliveries: Body[] }>('bridge_list_deliveries', webhook);
      return deliveries.find(({ status, event }) => status === 'delivered' && event);
    });
    const delivery = { delivery_id: delivered.id };
    expect(await agent.get('bridge_get_delivery', delivery)).toMatchObject({ status: 'delivered', attempts: 1 });
    await agent.get('bridge_replay_delivery', delivery);
    await until(
      'it came twice',
      () =>
        rig.receiver.requests.filter(({ path, body }) => path === '/agent' && body.includes('To the webhook')).length >=
        2,
    );
    expect(await agent.get('bridge_replay_webhook', { ...webhook, since: 1_700_000_000 })).toMatchObject({
      replayed: 0,
    });
    rig.receiver.use(({ path }) => ({ answer: path === '/agent' ? 500 : 200 }));
    await rig.sandbox.say(BOB, OWNER, 'To a broken endpoint');
    const stuck = await until('a delivery that waits', async () => {
      const { deliveries } = await agent.get<{ deliveries: Body[] }>('bridge_list_deliveries', webhook);
      return deliveries.find(({ status, attempts }) => status === 'pending' && attempts === 1);
    });
    await agent.get('bridge_give_up_delivery', { delivery_id: stuck.id });
    expect(await agent.get('bridge_get_delivery', { delivery_id: stuck.id })).toMatchObject({ attempts: 1 });
    expect((await agent.get('bridge_get_delivery', { delivery_id: stuck.id })).status).not.toBe('pending');
    expect(await agent.get('bridge_rotate_webhook_secret', webhook)).toMatchObject({
      rotating_until: expect.any(String),
    });
    expect(await agent.get('bridge_finish_webhook_rotation', webhook)).toMatchObject({ rotating_until: null });
    expect(await agent.get('bridge_change_webhook', { ...webhook, status: 'disabled' })).toMatchObject({
      status: 'disabled',
    });
    expect(await agent.get('bridge_get_webhook', webhook)).toMatchObject({ status: 'disabled' });
    expect(await agent.get('bridge_list_webhooks')).toMatchObject({ webhooks: expect.any(Array) });
    await agent.get('bridge_delete_webhook', webhook);
    expect((await agent.refused('bridge_get_webhook', webhook)).code).toBe('webhook_not_found');
  });

  test('creates a line, pairs it by QR code, by code and by link, and deletes it', async () => {
    const made = await agent.get<{ line_id: string }>('bridge_create_line', { label: 'Second' });
    const second = { line_id: made.line_id };
    expect(await agent.get('bridge_change_line', { ...second, label: 'Sales' })).toMatchObject({ label: 'Sales' });
    expect(await agent.get('bridge_create_connect_link', second)).toMatchObject({
      url: expect.stringMatching(/^http/),
    });
    await rig.sandbox.phone(SECOND, 'Second');
    const pairing = await agent.get<{ code: string }>('bridge_pair_with_code', { ...second, phone: `+${SECOND}` });
    expect(pairing.code).toMatch(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
    const { content, structuredContent } = await agent.call('bridge_get_qr', second);
    const image = content.find((part) => part.type === 'image');
    expect(image?.type === 'image' && Buffer.from(image.data, 'base64').subarray(1, 4).toString()).toBe('PNG');
    await rig.api.expect(200, 'POST', `${PHONES}/${SECOND}/scan`, { qr: (structuredContent as { qr: string }).qr });
    await until('it is connected', async () => (await agent.get('bridge_get_line', second)).status === 'connected');
    expect(await agent.get('bridge_start_trace', second)).toMatchObject({ tracing: true });
    await until('a stanza is seen', async () => {
      const { stanzas } = await agent.get<{ stanzas: unknown[] }>('bridge_read_trace', second);
      if (stanzas.length === 0) await agent.get('bridge_check_numbers', { ...second, phones: [`+${ALICE}`] });
      return stanzas.length > 0;
    });
    expect(await agent.get('bridge_stop_trace', second)).toMatchObject({ tracing: false });
    await agent.get('bridge_restart_line', second);
    await until('it is again', async () => (await agent.get('bridge_get_line', second)).status === 'connected');
    await rig.sandbox.fault(made.line_id, { kind: 'stream_error', code: 401 });
    await until('it can be restored', async () => {
      const { status, credentials_kept_until: keptUntil } = await agent.get('bridge_get_line', second);
      return status === 'logged_out' && keptUntil !== null;
    });
    await agent.get('bridge_restore_line', second);
    await until('it is back', async () => (await agent.get('bridge_get_line', second)).status === 'connected');
    await agent.get('bridge_logout_line', second);
    await until('it is not any more', async () => (await agent.get('bridge_get_line', second)).status !== 'connected');
    await agent.get('bridge_delete_line', second);
    expect((await agent.refused('bridge_get_line', second)).code).toBe('line_not_found');
  });

  test('has called every tool there is', async () => {
    expect((await agent.tools()).filter((name) => !called.has(name))).toEqual([]);
  });
});

async function somePicture(): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp({ create: { width: 200, height: 200, channels: 3, background: '#3366cc' } })
    .png()
    .toBuffer();
}
