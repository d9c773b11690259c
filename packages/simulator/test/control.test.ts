import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createControl } from '../src/control/control.ts';
import { createSimulator, type Simulator } from '../src/simulator.ts';
import { SystemClock } from '../src/world/clock.ts';
import { BaileysLine } from './baileys-line.ts';

const ALICE = '15550001111';
const BOB = '15550002222';
const jid = (phone: string): string => `${phone}@s.whatsapp.net`;

interface Item {
  cursor: number;
  message_id: string;
  [field: string]: unknown;
}

describe('the sandbox API', () => {
  let simulator: Simulator;
  const lines: BaileysLine[] = [];

  beforeEach(async () => {
    simulator = await createSimulator();
  });

  afterEach(async () => {
    for (const line of lines.splice(0)) await line.close();
    await simulator.close();
    expect(simulator.world.problems).toEqual([]);
  });

  async function call(request: string, body?: unknown, tenant = 'test') {
    const [method = '', target = ''] = request.split(' ');
    const url = new URL(target, 'http://sandbox');
    const query = Object.fromEntries(url.searchParams);
    const control = createControl(simulator.world);
    const answer = await control.handle({ tenant, method, path: url.pathname, query, body });
    return { status: answer.status, body: JSON.parse(JSON.stringify(answer.body ?? null)) };
  }

  async function createPhones(): Promise<void> {
    await call('POST /phones', { phone: ALICE, name: 'Alice' });
    await call('POST /phones', { phone: BOB, name: 'Bob' });
  }

  async function send(from: string, to: string, body: string): Promise<string> {
    const answer = await call(`POST /phones/${from}/messages`, { to, type: 'text', body });
    expect(answer.status).toBe(201);
    return answer.body.message_id;
  }

  const inbox = async (phone: string, query = ''): Promise<Item[]> =>
    (await call(`GET /phones/${phone}/inbox${query}`)).body;

  const arrived = (phone: string, count: number, query = ''): Promise<Item[]> =>
    vi.waitFor(async () => {
      const items = await inbox(phone, query);
      expect(items).toHaveLength(count);
      return items;
    });

  it('creates phones, answers the existing one for the same number, lists, shows and deletes them', async () => {
    const made = await call('POST /phones', { phone: '+1 555 000-1111', name: 'Alice', about: 'hello' });
    expect(made).toMatchObject({ status: 201, body: { phone: ALICE, jid: jid(ALICE), name: 'Alice', about: 'hello' } });
    expect(made.body.lid).toMatch(/^\d+@lid$/);
    const again = await call('POST /phones', { phone: ALICE, name: 'Other' });
    expect(again.body).toMatchObject({ name: 'Alice', lid: made.body.lid });
    expect((await call('GET /phones')).body).toHaveLength(1);
    expect((await call('GET /phones', undefined, 'elsewhere')).body).toEqual([]);
    expect((await call(`GET /phones/${ALICE}`)).body.lid).toBe(made.body.lid);
    expect((await call(`DELETE /phones/${ALICE}`)).status).toBe(204);
    expect(await call(`GET /phones/${ALICE}`)).toMatchObject({ status: 404, body: { error: 'phone_not_found' } });
  });

  it('carries texts between phones and shows them with their status', async () => {
    await createPhones();
    const first = await send(ALICE, BOB, 'hello');
    await arrived(BOB, 1);
    const second = await send(BOB, jid(ALICE), 'hi Alice');
    const [item] = await arrived(ALICE, 1);
    expect(item).toMatchObject({
      message_id: second,
      chat: jid(BOB),
      from: jid(BOB),
      from_me: false,
      push_name: 'Bob',
      type: 'text',
      body: 'hi Alice',
      status: 'received',
      edited: false,
      revoked: false,
      reactions: [],
      copies: 1,
    });
    await vi.waitFor(async () => {
      const own = (await inbox(ALICE, '?sent=true')).find((entry) => entry.message_id === first);
      expect(own).toMatchObject({ from_me: true, status: 'delivered' });
    });
    await call(`POST /phones/${BOB}/receipts`, { to: ALICE, message_ids: [first], type: 'read' });
    await vi.waitFor(async () => {
      const own = (await inbox(ALICE, '?sent=true')).find((entry) => entry.message_id === first);
      expect(own).toMatchObject({ status: 'read' });
    });
    expect((await call(`GET /phones/${BOB}/chats`)).body).toMatchObject([{ chat: jid(ALICE), unread: 0 }]);
    expect((await call(`GET /phones/${ALICE}/chats`)).body).toMatchObject([{ chat: jid(BOB), unread: 1 }]);
  });

  it('answers the time that everybody gets with the message, however long it takes', async () => {
    await simulator.close();
    const clock = new SystemClock();
    let hurriedMs = 0;
    const nowMs = (): number => {
      hurriedMs += 700;
      return clock.nowMs() + hurriedMs;
    };
    simulator = await createSimulator({ clock: { nowMs, after: (delayMs, work) => clock.after(delayMs, work) } });
    await createPhones();
    const { jid: group } = (await call('POST /groups', { subject: 'Team', owner: ALICE, participants: [BOB] })).body;
    const { jid: channel } = (await call('POST /channels', { owner: ALICE, name: 'News' })).body;
    await call(`POST /channels/${channel}/followers`, { phone: BOB });
    const text = { type: 'text', body: 'Hi' };
    for (const [path, body] of [
      [`/phones/${ALICE}/messages`, { to: BOB, ...text }],
      [`/phones/${ALICE}/messages`, { to: group, ...text }],
      [`/phones/${ALICE}/status`, { to: [BOB], ...text }],
      [`/channels/${channel}/messages`, text],
    ] as const) {
      const { message_id: id, timestamp } = (await call(`POST ${path}`, body)).body;
      await vi.waitFor(async () => {
        const item = (await inbox(BOB)).find(({ message_id }) => message_id === id);
        expect([path, item?.timestamp]).toEqual([path, timestamp]);
      });
    }
    clock.close();
  });

  it('pages an inbox after a cursor or a message id, and by chat', async () => {
    await createPhones();
    await call('POST /phones', { phone: '15550003333', name: 'Carol' });
    for (const body of ['one', 'two', 'three']) await send(ALICE, BOB, body);
    await send('15550003333', BOB, 'from Carol');
    const items = await arrived(BOB, 4);
    const fromAlice = items.filter((item) => item.chat === jid(ALICE));
    expect(fromAlice.map((item) => item.body)).toEqual(['one', 'two', 'three']);
    const bodies = async (query: string) => (await inbox(BOB, query)).map((item) => item.body);
    expect(await bodies(`?chat=${ALICE}&after=${fromAlice[0]?.cursor}`)).toEqual(['two', 'three']);
    expect(await bodies(`?chat=${ALICE}&after=${fromAlice[1]?.message_id}`)).toEqual(['three']);
    expect(await bodies('?chat=15550003333')).toEqual(['from Carol']);
    expect(await call(`GET /phones/${BOB}/inbox?after=nonsense`)).toMatchObject({ status: 400 });
  });

  it('keeps the mail of a phone that is offline and gives it when it returns', async () => {
    await createPhones();
    await call(`PUT /phones/${BOB}/settings`, { online: false });
    const id = await send(ALICE, BOB, 'are you there');
    expect(await call(`POST /phones/${BOB}/messages`, { to: ALICE, type: 'text', body: 'no' })).toMatchObject({
      status: 409,
      body: { error: 'phone_offline' },
    });
    await vi.waitFor(async () => {
      expect((await inbox(ALICE, '?sent=true'))[0]).toMatchObject({ message_id: id, status: 'sent' });
    });
    expect(await inbox(BOB)).toEqual([]);
    await call(`PUT /phones/${BOB}/settings`, { online: true });
    await arrived(BOB, 1);
    await vi.waitFor(async () => {
      expect((await inbox(ALICE, '?sent=true'))[0]).toMatchObject({ status: 'delivered' });
    });
  });

  it('says what is wrong with a request, by field', async () => {
    await createPhones();
    const cases: [string, unknown, number, string, string][] = [
      ['POST /phones', { name: 'x' }, 400, 'validation_error', 'phone: '],
      ['POST /phones', { phone: '12', name: 'x' }, 400, 'validation_error', 'phone: '],
      ['POST /phones', { phone: ALICE, name: 'x', business: 'yes' }, 400, 'validation_error', 'business: '],
      ['POST /phones', [], 400, 'validation_error', 'body: '],
      [`POST /phones/${ALICE}/messages`, { to: BOB, type: 'song', body: 'x' }, 400, 'validation_error', 'type: '],
      [`POST /phones/${ALICE}/messages`, { to: BOB, type: 'text' }, 400, 'validation_error', 'body: '],
      [`POST /phones/${ALICE}/messages`, { to: 'x', type: 'text', body: 'x' }, 400, 'validation_error', 'to: '],
      [
        `POST /phones/${ALICE}/messages`,
        { to: '15559999999', type: 'text', body: 'x' },
        422,
        'not_on_whatsapp',
        '15559999999',
      ],
      [
        `POST /phones/${ALICE}/receipts`,
        { to: BOB, type: 'read', message_ids: ['3A0'] },
        404,
        'message_not_found',
        '3A0',
      ],
      [`POST /phones/${ALICE}/scan`, { qr: 'https://example.org' }, 400, 'validation_error', 'qr: '],
      [`POST /phones/${ALICE}/unlink`, { line_id: 'line_x' }, 409, 'not_linked', 'line_x'],
      [`PUT /phones/${ALICE}/settings`, { auto_receipts: 'maybe' }, 400, 'validation_error', 'auto_receipts: '],
      [`PUT /phones/${ALICE}/settings`, {}, 400, 'validation_error', 'at least one'],
      ['POST /lines/line_x/faults', { kind: 'fire' }, 400, 'validation_error', 'kind'],
      ['GET /phones/15557777777/inbox', undefined, 404, 'phone_not_found', '15557777777'],
      ['GET /nowhere', undefined, 404, 'not_found', '/nowhere'],
      ['PATCH /phones', {}, 405, 'method_not_allowed', 'POST, GET'],
    ];
    for (const [request, body, status, error, message] of cases) {
      const answer = await call(request, body);
      expect(answer, request).toMatchObject({ status, body: { error } });
      expect(answer.body.message).toContain(message);
    }
  });

  it('links a line by its QR, carries texts both ways, shows its wire, and unlinks it', async () => {
    await createPhones();
    const line = new BaileysLine(() => simulator, 'line_a');
    lines.push(line);
    line.connect();
    const qr = await line.until('a QR code', () => line.qr);
    const linked = await call(`POST /phones/${ALICE}/scan`, { qr });
    expect(linked).toEqual({ status: 200, body: { device_jid: `${ALICE}:1@s.whatsapp.net` } });
    await line.until('the login', () => line.isOpen && line.isDrained);
    expect(await call(`POST /phones/${ALICE}/scan`, { qr })).toMatchObject({
      status: 409,
      body: { error: 'qr_expired' },
    });

    await send(BOB, ALICE, 'to the line');
    await line.text('to the line');
    const [onPhone] = await arrived(ALICE, 1);
    expect(onPhone).toMatchObject({ body: 'to the line', from: jid(BOB) });

    const id = await line.sendText(jid(BOB), 'from the line');
    await line.ack(id);
    const [fromLine] = await arrived(BOB, 1);
    expect(fromLine).toMatchObject({ message_id: id, body: 'from the line', chat: jid(ALICE), copies: 1 });
    const copy = (await arrived(ALICE, 2))[1];
    expect(copy).toMatchObject({ message_id: id, body: 'from the line', chat: jid(BOB), from_me: true });

    const own = await send(ALICE, BOB, 'from the phone');
    const seen = await line.text('from the phone');
    expect(seen.key).toMatchObject({ id: own, fromMe: true });

    const wire = (await call('GET /lines/line_a/wire?after=0')).body;
    expect(
      wire.some((entry: { tag: string; direction: string }) => entry.tag === 'message' && entry.direction === 'in'),
    ).toBe(true);
    expect(JSON.stringify(wire)).not.toContain('from the line');

    expect(await call(`POST /phones/${BOB}/unlink`, { line_id: 'line_a' })).toMatchObject({ status: 409 });
    expect(await call(`POST /phones/${ALICE}/unlink`, { line_id: 'line_a' })).toMatchObject({ status: 200 });
    await line.until('the logout', () => line.closes.includes(401));
  });

  it('sends a message again that was damaged on its way to a line', async () => {
    await createPhones();
    const line = new BaileysLine(() => simulator, 'line_a');
    lines.push(line);
    line.connect();
    const qr = await line.until('a QR code', () => line.qr);
    await call(`POST /phones/${ALICE}/scan`, { qr });
    await line.until('the login', () => line.isOpen && line.isDrained);
    await send(BOB, ALICE, 'sound');
    await line.text('sound');
    expect(await call('POST /lines/line_a/faults', { kind: 'bad_mac', count: 1 })).toMatchObject({ status: 201 });
    await send(BOB, ALICE, 'damaged');
    await line.text('damaged');
    expect((await call('GET /lines/line_a/faults')).body).toEqual([]);
  });

  it('empties the world on reset', async () => {
    await createPhones();
    expect((await call('POST /reset')).status).toBe(204);
    expect((await call('GET /phones')).body).toEqual([]);
    await createPhones();
    await send(ALICE, BOB, 'a new world');
    await arrived(BOB, 1);
  });
});
