import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { explain, LINE_REASONS, type LineReason } from '../src/core/line-reasons.ts';
import { openInstallation } from '../src/installation.ts';
import type { Store } from '../src/store/db/store.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const ALICE = '15550002222';
const LINES = '/api/bridge/v1';
const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

interface Shown {
  status: string;
  status_reason: string | null;
  status_code: number | null;
  status_until: string | null;
  status_remedy: string | null;
}

describe.each(databases)('states and their causes, on %s', (database) => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await Rig.start({ database });
    await rig.sandbox.phone(ALICE, 'Alice');
    await rig.api.expect(200, 'POST', `${LINES}/webhooks`, { url: `${rig.receiver.url}/lines`, events: ['*'] });
  }, 60_000);
  afterAll(() => rig?.close());

  const shown = (line: LinkedLine) => rig.api.expect<Shown>(200, 'GET', `${LINES}/lines/${line.lineId}`);
  const send = (line: LinkedLine, message = 'hello', more = {}) =>
    rig.api.call<{ error?: string; message?: string; status?: string; status_reason?: string; message_id?: string }>(
      'POST',
      `${LINES}/messages/send`,
      { line_id: line.lineId, to: ALICE, message, ...more },
    );
  const toldReasons = (line: LinkedLine, event: string, path: string) =>
    rig.receiver.requests.flatMap((request) => {
      if (!request.path.startsWith(path)) return [];
      const { event: name, line_id: lineId, data, ...flat } = JSON.parse(request.body) as Record<string, unknown>;
      if (name !== event || (lineId !== undefined && lineId !== line.lineId)) return [];
      return [data ?? flat] as { reason: string; remedy: string; whatsapp_code: number }[];
    });
  async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const at = await openInstallation(rig.environment);
    try {
      return await work(at.store);
    } finally {
      await at.close();
    }
  }
  const damage = (line: LinkedLine, kind: string) =>
    inStore((store) =>
      store.db
        .updateTable('line_keys')
        .set({ value: randomBytes(64) })
        .where('line_id', '=', line.lineId)
        .where('kind', '=', kind)
        .executeTakeFirstOrThrow(),
    );

  test.each<[string, Record<string, unknown>, LineReason, number | null]>([
    ['402', { kind: 'stream_error', code: 402 }, 'temporarily_banned', 402],
    ['403', { kind: 'stream_error', code: 403 }, 'banned', 403],
    ['405', { kind: 'stream_error', code: 405 }, 'client_outdated', 405],
    ['440', { kind: 'replaced' }, 'replaced', 440],
    ['401', { kind: 'logged_out' }, 'logged_out', 401],
  ])('WhatsApp’s %s is told apart from the others, with its remedy, everywhere', async (name, fault, reason, code) => {
    const line = await rig.linkLine(`code-${name}`, `1555100${name}`);
    await rig.api.expect(200, 'PATCH', `/api/instances/${line.ref}`, { webhook_events: ['line_status'] });
    await rig.sandbox.fault(line.lineId, fault);
    await until(`the reason of ${name}`, async () => (await shown(line)).status_reason === reason);
    const { remedy } = LINE_REASONS[reason];
    const seen = await shown(line);
    expect(seen).toMatchObject({ status_code: code, status_remedy: remedy });
    const bridge = await rig.api.expect(200, 'GET', `/api/instances/${line.ref}`);
    expect(bridge).toMatchObject({ status: seen.status, status_reason: reason, status_remedy: remedy });
    const state = await rig.api.expect(200, 'GET', `/api/instances/${line.ref}/proxy/status`);
    expect(state).toMatchObject({ status: seen.status, status_reason: reason });
    const refused = await send(line);
    expect(refused).toMatchObject({ status: 409, body: { error: 'line_not_connected', status_reason: reason } });
    expect(refused.body.message).toBe(explain(reason));
    for (const [event, path] of [
      ['line.status', '/lines'],
      ['line_status', `/bridges/${line.ref}`],
    ] as const) {
      const told = await until(`${event} of ${name}`, () =>
        toldReasons(line, event, path).find((one) => one.reason === reason),
      );
      expect(told).toMatchObject({ remedy, whatsapp_code: code });
    }
  });

  test('a damaged session with one person is made anew: the send leaves, and the line stays connected', async () => {
    const line = await rig.linkLine('session', '15551005000');
    expect((await send(line, 'before')).status).toBe(200);
    await rig.stopGateway();
    expect(Number((await damage(line, 'session')).numUpdatedRows)).toBeGreaterThan(0);
    await rig.startGateway();
    await rig.untilConnected(line.ref);
    const { body, status } = await send(line, 'after');
    expect(status).toBe(200);
    const arrived = await until('it arrives', async () =>
      (await rig.sandbox.inbox(ALICE)).find((item) => item.message_id === body.message_id),
    );
    expect(arrived).toMatchObject({ body: 'after', copies: 1 });
    expect(await shown(line)).toMatchObject({ status: 'connected', status_reason: null });
  });

  test('unreadable credentials: said everywhere, what waits fails, and a log-out makes the line new', async () => {
    const line = await rig.linkLine('damaged', '15551006000');
    // One leaves, the next waits for its turn: nothing of it was on the wire.
    const pacing = { min_gap_ms: 600_000, max_gap_ms: 600_000, burst: 1, pause_ms: 600_000 };
    await rig.api.expect(200, 'PATCH', `${LINES}/lines/${line.lineId}`, { pacing });
    expect((await send(line, 'leaves')).status).toBe(200);
    const waiting = await send(line, 'waits', { wait: 0 });
    expect(waiting.status).toBe(202);
    await rig.killGateway();
    await damage(line, 'creds');
    await rig.startGateway();
    const reason = 'credentials_unreadable';
    await until('it says so', async () => (await shown(line)).status_reason === reason);
    expect(await shown(line)).toMatchObject({ status: 'disconnected', status_remedy: LINE_REASONS[reason].remedy });
    const refused = await send(line);
    expect(refused).toMatchObject({ status: 409, body: { status: 'disconnected', status_reason: reason } });
    const report = await until('the waiting send ends', async () => {
      const path = `${LINES}/messages/${waiting.body.message_id}?line_id=${line.lineId}`;
      const answer = await rig.api.call<{ status: string; error: { code: string; message: string } }>('GET', path);
      return answer.body.status === 'failed' && answer.body;
    });
    expect(report.error).toMatchObject({ code: 'line_not_connected', message: explain(reason) });
    await until('the webhook', () => toldReasons(line, 'line.status', '/lines').some((one) => one.reason === reason));

    await rig.api.expect(200, 'POST', `${LINES}/lines/${line.lineId}/logout`);
    expect(await shown(line)).toMatchObject({ status: 'unpaired', status_reason: null });
    await rig.sandbox.scan(line.phone, { line_id: line.lineId });
    await rig.untilConnected(line.ref);
    await rig.api.expect(200, 'PATCH', `${LINES}/lines/${line.lineId}`, { pacing: null });
    expect((await send(line, 'again')).status).toBe(200);
  });
});
