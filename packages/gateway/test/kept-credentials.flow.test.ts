import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openInstallation } from '../src/installation.ts';
import { KEEP_CREDENTIALS_MS } from '../src/store/lines/kept-keys.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const ALICE = '15550002222';
const LINES = '/api/bridge/v1';
const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('a line that the phone logged out, on %s', (database) => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await Rig.start({ database });
    await rig.sandbox.phone(ALICE, 'Alice');
  }, 60_000);
  afterAll(() => rig?.close());

  const shown = (line: LinkedLine) =>
    rig.api.expect<{ status: string; credentials_kept_until: string | null }>(
      200,
      'GET',
      `${LINES}/lines/${line.lineId}`,
    );
  const restore = (line: LinkedLine) =>
    rig.api.call<{ error?: string }>('POST', `${LINES}/lines/${line.lineId}/restore`);
  interface Stored {
    status: string;
    keys: { table: string; kind: string; value: Buffer }[];
  }
  const keys = async (line: LinkedLine) => (await stored(line)).keys;
  async function stored(line: LinkedLine): Promise<Stored> {
    const at = await openInstallation(rig.environment);
    try {
      const row = at.store.db.selectFrom('lines').select('status').where('id', '=', line.lineId);
      const status = (await row.executeTakeFirst())?.status ?? 'deleted';
      const of = (table: 'line_keys' | 'kept_keys') =>
        at.store.db.selectFrom(table).select(['kind', 'value']).where('line_id', '=', line.lineId).execute();
      const [used, kept] = await Promise.all([of('line_keys'), of('kept_keys')]);
      const keys = [
        ...used.map((key) => ({ table: 'used', ...key })),
        ...kept.map((key) => ({ table: 'kept', ...key })),
      ];
      return { status, keys };
    } finally {
      await at.close();
    }
  }
  async function loggedOut(line: LinkedLine, fault: Record<string, unknown>): Promise<string> {
    await rig.sandbox.fault(line.lineId, fault);
    return until('its credentials are set aside', async () => {
      const { status, credentials_kept_until: keptUntil } = await shown(line);
      if (status !== 'logged_out' || keptUntil === null) return undefined;
      // What is shown is ahead of the row by a moment, and a kill may fall into it.
      const row = await stored(line);
      const isCleared = row.keys.every(({ table }) => table === 'kept');
      return row.status === status && isCleared ? keptUntil : undefined;
    });
  }

  test('a 401 that was wrong: what is kept for 7 days connects again, and sends to the same people', async () => {
    const line = await rig.linkLine('wrong', '15551007001');
    const send = (message: string) =>
      rig.api.call<{ message_id: string }>('POST', `${LINES}/messages/send`, {
        ...{ line_id: line.lineId, to: ALICE, message },
      });
    expect((await send('before')).status).toBe(200);
    const began = Date.now();
    const until7 = Date.parse(await loggedOut(line, { kind: 'stream_error', code: 401 }));
    expect(until7 - began).toBeGreaterThanOrEqual(KEEP_CREDENTIALS_MS);
    expect(until7 - Date.now()).toBeLessThanOrEqual(KEEP_CREDENTIALS_MS);
    const kept = await keys(line);
    expect(kept.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['creds', 'session']));
    // Sealed as they were: nothing of it can be read.
    expect(kept.some(({ value }) => value.includes('noiseKey') || value.includes('signedIdentityKey'))).toBe(false);
    await rig.killGateway();
    await rig.startGateway();
    expect((await shown(line)).status).toBe('logged_out');
    expect((await restore(line)).status).toBe(200);
    await rig.untilConnected(line.ref);
    await until('nothing is kept any more', async () => (await keys(line)).every(({ table }) => table === 'used'));
    expect(await shown(line)).toMatchObject({ status: 'connected', credentials_kept_until: null });
    const { body, status } = await send('after');
    expect(status).toBe(200);
    const arrived = await until('it arrives', async () =>
      (await rig.sandbox.inbox(ALICE)).find((item) => item.message_id === body.message_id),
    );
    expect(arrived).toMatchObject({ body: 'after', copies: 1 });
    expect(await restore(line)).toMatchObject({ status: 409, body: { error: 'already_paired' } });
  });

  test('a device that was removed: WhatsApp refuses again, and the days do not begin anew', async () => {
    const line = await rig.linkLine('removed', '15551007002');
    const first = await loggedOut(line, { kind: 'logged_out' });
    expect((await restore(line)).status).toBe(200);
    const again = await until('it is logged out again', async () => {
      const { status, credentials_kept_until: keptUntil } = await shown(line);
      const isKept = (await keys(line)).some(({ table, kind }) => table === 'kept' && kind === 'creds');
      return status === 'logged_out' && isKept ? keptUntil : undefined;
    });
    expect(again).toBe(first);
  });

  test('a logout by the API destroys at once, also what is kept', async () => {
    const line = await rig.linkLine('asked', '15551007003');
    await rig.api.expect(200, 'POST', `${LINES}/lines/${line.lineId}/logout`);
    expect(await keys(line)).toEqual([]);
    expect(await shown(line)).toMatchObject({ credentials_kept_until: null });
    expect(await restore(line)).toMatchObject({ status: 409, body: { error: 'nothing_kept' } });

    const second = await rig.linkLine('second', '15551007004');
    await loggedOut(second, { kind: 'logged_out' });
    await rig.api.expect(200, 'POST', `${LINES}/lines/${second.lineId}/logout`);
    expect(await keys(second)).toEqual([]);
    expect(await restore(second)).toMatchObject({ status: 409, body: { error: 'nothing_kept' } });
  });

  test('deleting the line destroys what is kept', async () => {
    const line = await rig.linkLine('deleted', '15551007005');
    await loggedOut(line, { kind: 'logged_out' });
    await rig.api.expect(200, 'DELETE', `${LINES}/lines/${line.lineId}`);
    expect(await keys(line)).toEqual([]);
  });
});
