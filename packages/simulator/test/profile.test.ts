import { get } from 'node:https';
import { child, children, childrenOf, type Node as Stanza, text } from '@ponte/engine';
import { beforeEach, expect, test, vi } from 'vitest';
import { fixtureOf } from '../src/phone/media/media-fixtures.ts';
import { ask, stanza } from './ask.ts';
import type { BaileysLine } from './baileys-line.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, CAROL, Fixture, pnJid } from './fixture.ts';

const JPEG = Buffer.from(fixtureOf('image', 'image').bytes);

let net: Fixture;
let call: ReturnType<typeof controlOf>;
let line: BaileysLine;

beforeEach(async () => {
  net = await Fixture.open();
  call = controlOf(net);
  line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
});

/** Alice and Bob write: from then on they are each other's contacts. */
async function meet(): Promise<void> {
  await call(`POST /phones/${BOB}/messages`, { to: ALICE, type: 'text', body: 'hi' });
  await line.text('hi');
}

function fetched(url: string): Promise<{ status: number | undefined; type: string | undefined; body: Buffer }> {
  return new Promise((resolve, reject) => {
    get(url, { ca: net.simulator.mediaCaPem, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, type: response.headers['content-type'], body: Buffer.concat(chunks) });
      });
    }).on('error', reject);
  });
}

const notice = (type: string, tag: string): Promise<Stanza> =>
  line.until(`the notification ${type} ${tag}`, () =>
    (line.stanzas as Stanza[]).find((n) => n.tag === 'notification' && n.attrs.type === type && child(n, tag)),
  );

const code = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: { data?: unknown }) => error.data,
  );

test('a picture of a phone is seen by the line, announced, changed and removed', async () => {
  await meet();
  expect(await code(line.sock?.profilePictureUrl(pnJid(BOB)) ?? Promise.resolve())).toBe(404);
  const { picture_id: first } = await call(`PUT /phones/${BOB}/avatar`, { fixture: 'image' });
  const set = child(await notice('picture', 'set'), 'set');
  expect(set?.attrs).toMatchObject({ jid: pnJid(BOB), author: pnJid(BOB), id: first });
  const url = (await line.sock?.profilePictureUrl(pnJid(BOB), 'image')) ?? '';
  expect(await fetched(url)).toEqual({ status: 200, type: 'image/jpeg', body: JPEG });
  const { picture_id: second } = await call(`PUT /phones/${BOB}/avatar`, { data: JPEG.toString('base64') });
  expect(Number(second)).toBeGreaterThan(Number(first));
  expect((await fetched(url)).status).toBe(404);
  await call(`DELETE /phones/${BOB}/avatar`);
  await notice('picture', 'delete');
  expect(await code(line.sock?.profilePictureUrl(pnJid(BOB)) ?? Promise.resolve())).toBe(404);
  const refused = await call.raw(`PUT /phones/${BOB}/avatar`, { data: Buffer.from('no').toString('base64') });
  expect(refused).toMatchObject({ status: 400, body: { message: 'data: must be a JPEG' } });
});

test('a line sets and removes its own picture; its contacts and its other devices hear of it', async () => {
  await meet();
  const other = await net.linked('line_a2', ALICE);
  const bobs = await net.linked('line_b', BOB);
  const answer = await ask(line, 'w:profile:picture', 'set', [stanza('picture', { type: 'image' }, JPEG)]);
  const id = child(answer, 'picture')?.attrs.id;
  expect(Number(id)).toBeGreaterThan(0);
  const seen = await bobs.until('the picture', () => bobs.stanzas.find((n) => n.attrs.type === 'picture'));
  expect(children(seen as Stanza)[0]).toMatchObject({ tag: 'set', attrs: { jid: pnJid(ALICE), id } });
  const sync = await other.until('the sync', () => other.stanzas.find((n) => n.attrs.type === 'account_sync'));
  expect(children(sync as Stanza)[0]?.tag).toBe('picture');
  expect(await bobs.sock?.profilePictureUrl(pnJid(ALICE))).toContain(`:${net.simulator.mediaPort}/pps/`);
  await line.sock?.removeProfilePicture(pnJid(ALICE));
  expect(await code(bobs.sock?.profilePictureUrl(pnJid(ALICE)) ?? Promise.resolve())).toBe(404);
  const refused = ask(line, 'w:profile:picture', 'set', [stanza('picture', {}, Buffer.from('text'))]);
  expect(await code(refused)).toBe(406);
});

test('the about changes by either query, and by the phone, which its contacts are told', async () => {
  const about = async (jid: string): Promise<unknown> => {
    const [user] = (await line.sock?.fetchStatus(jid)) ?? [];
    return (user?.status as { status?: string } | undefined)?.status;
  };
  await line.sock?.updateProfileStatus('by the old query');
  expect(await about(pnJid(ALICE))).toBe('by the old query');
  const variables = { input: { text: 'by the new one', ephemeral_duration_sec: 0 } };
  const query = stanza('query', { query_id: '9152604461510864' }, Buffer.from(JSON.stringify({ variables })));
  const answer = await ask(line, 'w:mex', 'get', [query]);
  expect(JSON.parse(text(child(answer, 'result')) ?? '')).toHaveProperty('data.xwa2_update_text_status.result');
  expect(await about(pnJid(ALICE))).toBe('by the new one');
  expect(await call(`GET /phones/${ALICE}`)).toMatchObject({ about: 'by the new one' });
  expect(await code(ask(line, 'w:mex', 'get', [stanza('query', { query_id: '1' }, Buffer.from('{}'))]))).toBe(501);
  await meet();
  await call(`PUT /phones/${BOB}/about`, { about: 'Away' });
  expect(text(child(await notice('status', 'set'), 'set'))).toBe('Away');
  expect(await about(pnJid(BOB))).toBe('Away');
  expect(await call.raw(`PUT /phones/${BOB}/about`, { about: 'x'.repeat(140) })).toMatchObject({ status: 400 });
});

test('privacy hides picture and about from strangers, from everybody, or from nobody', async () => {
  await call(`PUT /phones/${BOB}/avatar`, {});
  await call(`PUT /phones/${BOB}/about`, { about: 'Here' });
  const seen = async (): Promise<unknown[]> => {
    const picture = await code(line.sock?.profilePictureUrl(pnJid(BOB)) ?? Promise.resolve());
    const users = [stanza('user', { jid: pnJid(BOB) })];
    const query = stanza('query', {}, [stanza('status'), stanza('picture')]);
    const usync = stanza('usync', { sid: '1', mode: 'query', last: 'true', index: '0', context: 'interactive' }, [
      query,
      stanza('list', {}, users),
    ]);
    const answer = await ask(line, 'usync', 'get', [usync]);
    const user = childrenOf(child(child(answer, 'usync'), 'list'), 'user')[0];
    return [picture, child(user, 'status')?.attrs.code, child(user, 'picture')?.attrs.id !== undefined];
  };
  expect(await seen()).toEqual([undefined, undefined, true]);
  await call(`PUT /phones/${BOB}/privacy`, { avatar: 'contacts', about: 'contacts' });
  expect(await seen()).toEqual([401, '401', false]);
  await meet();
  expect(await seen()).toEqual([undefined, undefined, true]);
  await call(`PUT /phones/${BOB}/privacy`, { avatar: 'none', about: 'none' });
  expect(await seen()).toEqual([401, '401', false]);
  expect(await call.raw(`PUT /phones/${BOB}/privacy`, {})).toMatchObject({ status: 400 });
  expect(await call.raw(`PUT /phones/${BOB}/privacy`, { avatar: 'friends' })).toMatchObject({
    status: 409,
    body: { error: 'refused' },
  });
});

test('a trusted-contact token opens what only contacts may see', async () => {
  await call(`PUT /phones/${BOB}/avatar`, {});
  await call(`PUT /phones/${BOB}/privacy`, { avatar: 'contacts' });
  const bobs = await net.linked('line_b', BOB);
  expect(await code(line.sock?.profilePictureUrl(pnJid(BOB)) ?? Promise.resolve())).toBe(401);
  const t = String(Math.floor(Date.now() / 1000));
  const token = stanza('token', { jid: pnJid(ALICE), t, type: 'trusted_contact' });
  await ask(bobs, 'privacy', 'set', [stanza('tokens', {}, [token])]);
  const given = child(child(await notice('privacy_token', 'tokens'), 'tokens'), 'token');
  expect(given?.attrs).toMatchObject({ type: 'trusted_contact', t, jid: pnJid(ALICE) });
  // Baileys keeps the token and shows it with the query.
  await vi.waitFor(async () => expect(await line.sock?.profilePictureUrl(pnJid(BOB))).toContain('/pps/'));
});

test('a first message to somebody gives them a token; it comes with the next one they send', async () => {
  const bobs = await net.linked('line_b', BOB);
  await line.ack(await line.sendText(pnJid(BOB), 'first'));
  await bobs.until('the token', () => bobs.stanzas.find((n) => n.attrs.type === 'privacy_token'));
  await bobs.text('first');
  await bobs.ack(await bobs.sendText(pnJid(ALICE), 'second'));
  const log = net.world.wire('test', 'line_b', 0);
  const sent = log.find((entry) => entry.direction === 'in' && entry.tag === 'message');
  expect(sent?.children).toContain('tctoken');
});

test('a restricted line writes to those who gave it a token, and is refused by 463 elsewhere', async () => {
  const bobs = await net.linked('line_b', BOB);
  net.fault('line_a', { kind: 'restricted', for_ms: 60_000 });
  expect((await line.ack(await line.sendText(pnJid(BOB), 'from a stranger'))).error).toBe('463');
  await bobs.ack(await bobs.sendText(pnJid(ALICE), 'hello'));
  await notice('privacy_token', 'tokens');
  await vi.waitFor(async () => {
    expect((await line.ack(await line.sendText(pnJid(BOB), 'with a token'))).error).toBeUndefined();
  });
  await bobs.text('with a token');
});

test('settings of one device reach the others: privacy, blocking, disappearing messages', async () => {
  const other = await net.linked('line_a2', ALICE);
  const synced = (tag: string): Promise<Stanza | undefined> =>
    other.until(`the sync of ${tag}`, () => {
      const nodes = (other.stanzas as Stanza[]).filter((n) => n.attrs.type === 'account_sync');
      return nodes.map((n) => child(n, tag)).find((n) => n !== undefined);
    });
  await line.sock?.updateLastSeenPrivacy('contacts');
  expect(child(await synced('privacy'), 'category')?.attrs).toEqual({ name: 'last', value: 'contacts' });
  const { lid } = await call(`GET /phones/${BOB}`);
  await ask(line, 'blocklist', 'set', [stanza('item', { action: 'block', jid: lid })]);
  expect(child(await synced('blocklist'), 'item')?.attrs).toEqual({ jid: lid, action: 'block' });
  await line.sock?.updateDefaultDisappearingMode(86_400);
  expect((await synced('disappearing_mode'))?.attrs.duration).toBe('86400');
});

test('status privacy: contacts by default, then whom the phone chose', async () => {
  const lists = async (): Promise<unknown[]> => {
    const answer = await ask(line, 'status', 'get', [stanza('privacy')]);
    return childrenOf(child(answer, 'privacy'), 'list').map((list) => ({
      ...list.attrs,
      users: childrenOf(list, 'user').map((user) => user.attrs.jid),
    }));
  };
  expect(await lists()).toEqual([{ type: 'contacts', default: 'true', users: [] }]);
  await net.phone(CAROL);
  await call(`PUT /phones/${ALICE}/privacy`, { status_audience: { type: 'whitelist', phones: [BOB, CAROL] } });
  expect(await lists()).toEqual([{ type: 'whitelist', default: 'true', users: [pnJid(BOB), pnJid(CAROL)] }]);
  await call(`PUT /phones/${ALICE}/privacy`, { status_audience: { type: 'contacts' } });
  expect(await lists()).toMatchObject([{ type: 'contacts', default: 'true' }, { type: 'whitelist' }]);
});

test('a contact QR stays until it is revoked, and leads to its owner', async () => {
  const qr = async (action: string): Promise<string> => {
    const answer = await ask(line, 'w:qr', 'set', [stanza('qr', { type: 'contact', action })]);
    return child(answer, 'qr')?.attrs.code ?? '';
  };
  const first = await qr('get');
  expect(first).toMatch(/^[0-9A-F]{16}$/);
  expect(await qr('get')).toBe(first);
  const whose = await ask(line, 'w:qr', 'get', [stanza('qr', { code: first })]);
  expect(child(whose, 'qr')?.attrs).toMatchObject({ type: 'contact', jid: pnJid(ALICE) });
  const second = await qr('revoke');
  expect(second).not.toBe(first);
  expect(await code(ask(line, 'w:qr', 'get', [stanza('qr', { code: first })]))).toBe(404);
});

test('a business has a profile, others have none', async () => {
  await net.phone(CAROL, { isBusiness: true, about: 'Shoes' });
  expect(await line.sock?.getBusinessProfile(pnJid(CAROL))).toMatchObject({ wid: pnJid(CAROL), description: 'Shoes' });
  expect(await line.sock?.getBusinessProfile(pnJid(BOB))).toBeUndefined();
});

test('the picture of a group is set by a member and announced to all', async () => {
  const { jid } = await call('POST /groups', { subject: 'All of us', owner: BOB, participants: [ALICE] });
  await line.until('the group', () => line.stanzas.find((n) => n.attrs.type === 'w:gp2'));
  expect(await code(line.sock?.profilePictureUrl(jid) ?? Promise.resolve())).toBe(404);
  const phone = await net.phone(BOB);
  const picture = stanza('picture', { type: 'image' }, JPEG);
  await phone.query(
    stanza('iq', { type: 'set', xmlns: 'w:profile:picture', target: jid, to: '@s.whatsapp.net' }, [picture]),
  );
  const seen = await notice('picture', 'set');
  expect([seen.attrs.from, child(seen, 'set')?.attrs.author]).toEqual([jid, pnJid(BOB)]);
  expect((await fetched((await line.sock?.profilePictureUrl(jid)) ?? '')).body).toEqual(JPEG);
});
