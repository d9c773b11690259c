import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LineRef } from '../src/journal/accept.ts';
import { LineRig } from './support/line-rig.ts';
import { until } from './support/until.ts';

const OWNER = '15550001111';
const ALICE = '15550002222';
const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('a line in a worker process, on the simulated network, on %s', (database) => {
  let rig: LineRig;
  let line: LineRef;

  beforeAll(async () => {
    rig = await LineRig.start(database);
    for (const phone of [OWNER, ALICE]) await rig.phone(phone);
    line = await rig.newLine();
    await rig.pair(line, OWNER);
  }, 60_000);
  afterAll(() => rig?.close(), 30_000);

  const sent = async (body: string) => {
    const { messageId, outcome } = await rig.send(line, ALICE, body);
    expect(await outcome).toMatchObject({ state: 'sent' });
    return messageId;
  };
  const statuses = async () =>
    (await rig.journal(line, 'line.status')).map((event) => `${event.previous}>${event.status}`);
  const received = async () => (await rig.journal(line, 'message.received')).map((event) => event.messageId);
  const fault = (body: Record<string, unknown>) => rig.world('POST', `/lines/${line.id}/faults`, body);

  it('was paired by its QR, and the restart after it was told to nobody', async () => {
    expect(await statuses()).toEqual(['unpaired>pairing', 'pairing>connected']);
    expect(await rig.row(line)).toMatchObject({ status: 'connected', phone: OWNER, status_reason: null });
    // The row is committed by the worker; the live view follows by IPC.
    await until('the live view says so too', () => rig.supervisor.live.latest(line.id)?.status === 'connected');
    expect(rig.supervisor.live.latest(line.id)).toMatchObject({ status: 'connected', phone: OWNER, qr: null });
    expect(rig.supervisor.view(line.id)).toMatchObject({ state: 'running', health: 'healthy', worker: 'test-1' });
  });

  it('sends, and hears how far its message came', async () => {
    const id = await sent('Hello Alice');
    await until('Alice has it', async () =>
      (await rig.inbox(ALICE)).some((m) => m.message_id === id && m.body === 'Hello Alice'),
    );
    const journaled = (await rig.journal(line, 'message.sent')).find((event) => event.messageId === id);
    expect(journaled).toMatchObject({ fromMe: true, content: { kind: 'text', body: 'Hello Alice' } });
    await until('delivered', async () =>
      (await rig.journal(line, 'message.status')).some((e) => e.messageId === id && e.status === 'delivered'),
    );
    const row = await rig.test.store.db
      .selectFrom('messages')
      .selectAll()
      .where('message_id', '=', id)
      .executeTakeFirst();
    expect(row).toMatchObject({ from_me: 1, body: 'Hello Alice' });
  });

  it('keeps the order of the messages of a chat', async () => {
    const sends = [];
    for (let i = 0; i < 20; i++) sends.push(await rig.send(line, ALICE, `number ${i}`));
    for (const { outcome } of sends) expect(await outcome).toMatchObject({ state: 'sent' });
    const wanted = sends.map((send) => send.messageId);
    await until(
      'Alice has all',
      async () => (await rig.inbox(ALICE)).filter((m) => wanted.includes(m.message_id)).length === 20,
    );
    expect((await rig.inbox(ALICE)).filter((m) => wanted.includes(m.message_id)).map((m) => m.message_id)).toEqual(
      wanted,
    );
  });

  it('receives, with the number of the sender beside the LID', async () => {
    const { message_id: id } = await rig.say(ALICE, OWNER, 'Hello line');
    await until('journaled', async () => (await received()).includes(id));
    const event = (await rig.journal(line, 'message.received')).find((each) => each.messageId === id);
    expect(event).toMatchObject({
      fromMe: false,
      content: { kind: 'text', body: 'Hello line' },
      sender: { pn: `${ALICE}@s.whatsapp.net` },
    });
  });

  it('journals a redelivered stanza once', async () => {
    await fault({ kind: 'duplicate', count: 3 });
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push((await rig.say(ALICE, OWNER, `twice ${i}`)).message_id);
    await until('journaled', async () => (await received()).filter((id) => ids.includes(String(id))).length >= 3);
    const after = (await rig.say(ALICE, OWNER, 'after')).message_id;
    await until('the next one', async () => (await received()).includes(after));
    expect((await received()).filter((id) => ids.includes(String(id))).sort()).toEqual([...ids].sort());
  });

  it('comes back by itself when the socket is cut, and tells both', async () => {
    const before = (await statuses()).length;
    await fault({ kind: 'cut' });
    await until('it came back', async () => (await statuses()).length >= before + 2);
    expect((await statuses()).slice(before)).toEqual(['connected>disconnected', 'disconnected>connected']);
    await sent('after the cut');
  });

  it('sends again as the same message what was never acknowledged', async () => {
    await fault({ kind: 'lose_acks', count: 1 });
    const { messageId, outcome } = await rig.send(line, ALICE, 'unacknowledged');
    await until('Alice has it', async () => (await rig.inbox(ALICE)).some((m) => m.message_id === messageId));
    await fault({ kind: 'cut' });
    expect(await outcome).toMatchObject({ state: 'sent' });
    const copies = (await rig.inbox(ALICE)).filter((m) => m.message_id === messageId);
    expect(copies).toHaveLength(1);
    expect((await rig.journal(line, 'message.sent')).filter((e) => e.messageId === messageId)).toHaveLength(1);
  });

  it('says what WhatsApp refused, once', async () => {
    await fault({ kind: 'reject_sends', code: 463, count: 1 });
    const { messageId, outcome } = await rig.send(line, ALICE, 'refused');
    expect(await outcome).toEqual({ state: 'failed', code: 'recipient_restricted', details: { whatsapp_code: 463 } });
    const failed = (await rig.journal(line, 'message.status')).filter((event) => event.messageId === messageId);
    expect(failed).toMatchObject([{ status: 'failed', error: { code: 'recipient_restricted', whatsappCode: 463 } }]);
    await sent('after the refusal');
  });

  it('says that a number is not on WhatsApp', async () => {
    const { outcome } = await rig.send(line, '15550009999', 'nobody');
    expect(await outcome).toMatchObject({ state: 'failed', code: 'not_on_whatsapp' });
    const numbers = await rig.supervisor.run(
      line.id,
      'numbers.check',
      { phones: [ALICE, '15550009999'] },
      { timeoutMs: 10_000 },
    );
    expect(numbers.map(({ phone, registered }) => [phone, registered])).toEqual([
      [ALICE, true],
      ['15550009999', false],
    ]);
  });

  it('tells what its process needs', async () => {
    const stats = await rig.supervisor.run(line.id, 'stats', {}, { timeoutMs: 5_000 });
    expect(stats).toMatchObject({ worker: 'test-1', linesInWorker: 1 });
    expect(stats.rssBytes).toBeGreaterThan(1_000_000);
    expect(stats.eventLoopLagMs).toBeGreaterThanOrEqual(0);
    // A process that loaded the engine has collected garbage many times.
    expect(stats.gcCycles).toBeGreaterThan(0);
  });

  it('loses and doubles nothing when its worker is killed while mail and sends run', async () => {
    const inbound: string[] = [];
    const outbound: { messageId: string; outcome: Promise<unknown> }[] = [];
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 15; i++) {
        inbound.push((await rig.say(ALICE, OWNER, `in ${round}.${i}`)).message_id);
        const send = await rig.send(line, ALICE, `out ${round}.${i}`);
        send.outcome.catch(() => {});
        outbound.push(send);
        if (i === 3 + 2 * round) for (const pid of rig.supervisor.pids()) process.kill(pid, 'SIGKILL');
      }
      await until('hosted again', () => {
        const { state, failCount } = rig.supervisor.view(line.id);
        return state === 'running' && failCount === round + 1;
      });
    }
    const everySent = () =>
      rig.test.store.db
        .selectFrom('outbox')
        .select('id')
        .where('line_id', '=', line.id)
        .where('finished_at', 'is', null)
        .execute();
    await until('all sent', async () => (await everySent()).length === 0);
    await until('all journaled', async () => {
      const ids = new Set(await received());
      return inbound.every((id) => ids.has(id));
    });
    const journaled = (await received()).filter((id) => inbound.includes(String(id)));
    expect(journaled).toHaveLength(inbound.length);
    const wanted = outbound.map((send) => send.messageId);
    await until('Alice has all', async () => {
      const ids = new Set((await rig.inbox(ALICE)).map((m) => m.message_id));
      return wanted.every((id) => ids.has(id));
    });
    expect((await rig.inbox(ALICE)).filter((m) => m.type === 'undecryptable')).toEqual([]);
    const sentEvents = (await rig.journal(line, 'message.sent')).map((event) => event.messageId);
    for (const id of wanted) expect(sentEvents.filter((each) => each === id)).toHaveLength(1);
    await sent('after the kills');
    expect(rig.supervisor.view(line.id)).toMatchObject({ state: 'running', health: 'degraded', failCount: 4 });
  }, 90_000);

  it('goes on where it was after all processes ended in order, and tells nobody who knew', async () => {
    const before = (await statuses()).length;
    const pids = rig.supervisor.pids();
    await rig.restart();
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
    await rig.reaches(line, 'connected');
    await until('connected now', () => rig.supervisor.live.latest(line.id)?.status === 'connected');
    await sent('after the restart');
    expect(await statuses()).toHaveLength(before);
  });

  it('can be logged out and paired again without a restart', async () => {
    expect(await rig.supervisor.run(line.id, 'logout', { timeoutMs: 5_000 }, { timeoutMs: 10_000 })).toEqual({
      unlinked: true,
    });
    await rig.reaches(line, 'unpaired');
    await rig.pair(line, OWNER);
    await sent('paired again');
  });

  it('that its owner removed says so, and can be paired again', async () => {
    await rig.world('POST', `/phones/${OWNER}/unlink`, { line_id: line.id });
    await rig.reaches(line, 'logged_out');
    await rig.pair(line, OWNER);
    await sent('and again');
  });
});
