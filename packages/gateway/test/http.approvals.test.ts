import { afterEach, beforeEach, expect, it } from 'vitest';
import { APPROVAL_TTL_MS } from '../src/commands/approvals/approvals.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { ManualClock } from './support/manual-clock.ts';

const OWNER = { accountId: 'acc_one', mode: 'test' } as const;
const TO = '+34600000000';
const YES = { isYes: true, by: 'ana@example.com' };
const NO = { isYes: false, by: 'ana@example.com' };

let h: HttpHarness;
let clock: ManualClock;
let lineId: string;
let careful: { id: string; key: string };

type Result = { isError?: boolean; structuredContent?: Record<string, unknown>; content: { text?: string }[] };
/** A tool called by the key whose sends wait. */
async function tool(name: string, args: Record<string, unknown>, key = careful.key): Promise<Result> {
  const reply = await h.call('POST', '/api/bridge/mcp', {
    key,
    headers: { accept: 'application/json, text/event-stream' },
    body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } },
  });
  const message = /^data: (.*)$/m.exec(reply.text)?.[1] ?? reply.text;
  return (JSON.parse(message) as { result: Result }).result;
}
const send = async (more: Record<string, unknown> = {}) => {
  const { structuredContent } = await tool('bridge_send_message', { line_id: lineId, to: TO, message: 'Hi', ...more });
  return structuredContent as { status: string; approval_id: string; expires_at: string };
};
const stateOf = async (id: string, key?: string) =>
  (await tool('bridge_get_approval', { approval_id: id }, key)).structuredContent;
const sends = () => h.router.count('send');

forEachStore((open) => {
  beforeEach(async () => {
    clock = new ManualClock();
    h = await openHttp({ open, clock });
    lineId = String((await h.call('POST', '/api/bridge/v1/lines', { body: {} })).body.line_id);
    await h.setLine(lineId, { status: 'connected', phone: '34600111222', jid: '34600111222@s.whatsapp.net' });
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 7 }));
    careful = await h.keyWithApproval();
  });
  afterEach(() => h.close());

  it('a send waits for a person, and is sent once after the yes', async () => {
    const { status, approval_id: id } = await send();
    expect([status, sends()]).toEqual(['pending_approval', 0]);
    expect(await stateOf(id)).toMatchObject({
      status: 'pending',
      operation: 'sendMessage',
      asked_by: 'careful',
      request: { line_id: lineId, to: TO, message: 'Hi' },
    });
    const decided = await h.approvals.decide(OWNER, id, YES);
    expect([decided.state, sends()]).toEqual(['sent', 1]);
    expect(await stateOf(id)).toMatchObject({
      status: 'sent',
      decided_by: 'ana@example.com',
      message: { message_id: expect.stringMatching(/^3EB0/), timestamp: 7 },
    });
    await expect(h.approvals.decide(OWNER, id, YES)).rejects.toMatchObject({ code: 'approval_over' });
    expect(sends()).toBe(1);
  });

  it('of many yeses at once one counts', async () => {
    const { approval_id: id } = await send();
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => h.approvals.decide(OWNER, id, YES)));
    expect([all.filter(({ status }) => status === 'fulfilled').length, sends()]).toEqual([1, 1]);
  });

  it('after a no, or when nobody decides in time, nothing is ever sent, and the agent is told', async () => {
    const denied = await send();
    await h.approvals.decide(OWNER, denied.approval_id, NO);
    expect(await stateOf(denied.approval_id)).toMatchObject({ status: 'denied' });
    const late = await send();
    expect(Date.parse(late.expires_at)).toBe(clock.now() + APPROVAL_TTL_MS);
    await clock.advance(APPROVAL_TTL_MS);
    expect(await stateOf(late.approval_id)).toMatchObject({ status: 'expired' });
    await expect(h.approvals.decide(OWNER, late.approval_id, YES)).rejects.toMatchObject({ code: 'approval_over' });
    expect(sends()).toBe(0);
  });

  it('the same call with the same idempotency_key asks once; another call with it is a conflict', async () => {
    const once = { idempotency_key: 'order-1' };
    const first = await send(once);
    expect(await send(once)).toEqual(first);
    const other = await tool('bridge_send_message', { line_id: lineId, to: TO, message: 'Other', ...once });
    expect(other.content[0]?.text).toContain('idempotency_conflict');
    await h.approvals.decide(OWNER, first.approval_id, YES);
    expect(await send(once)).toMatchObject({ status: 'sent', approval_id: first.approval_id });
    expect(sends()).toBe(1);
  });

  it('there is no way around it: REST refuses the key’s sends, and no key decides', async () => {
    const rest = await h.call('POST', '/api/bridge/v1/messages/send', {
      key: careful.key,
      body: { line_id: lineId, to: TO, message: 'Hi' },
    });
    expect([rest.status, rest.body.error]).toEqual([403, 'approval_required']);
    const { approval_id: id } = await send();
    const bridges = await h.call('POST', `/api/instances/${lineId}/proxy/send/text`, {
      key: careful.key,
      body: { chat: TO, body: 'Hi' },
    });
    expect(bridges.status).toBeGreaterThanOrEqual(400);
    const successor = await h.rotate(careful.id);
    const { structuredContent } = await tool(
      'bridge_send_message',
      { line_id: lineId, to: TO, message: 'Hi' },
      successor,
    );
    expect(structuredContent).toMatchObject({ status: 'pending_approval' });
    const decide = await h.call('POST', `/api/console/v1/approvals/${id}/approve`, { key: careful.key });
    // The console's door is for people who signed in; no key opens it.
    expect([401, 403]).toContain(decide.status);
    expect(sends()).toBe(0);
  });

  it('a key that was revoked meanwhile sends nothing', async () => {
    const { approval_id: id } = await send();
    await h.revoke(careful.id);
    expect(await h.approvals.decide(OWNER, id, YES)).toMatchObject({
      state: 'failed',
      outcome: { error: { code: 'unauthorized' } },
    });
    expect(sends()).toBe(0);
  });

  it('what WhatsApp refuses after the yes is told', async () => {
    h.router.scriptSends(async () => ({ state: 'failed', code: 'not_on_whatsapp', details: {} }));
    const { approval_id: id } = await send();
    await h.approvals.decide(OWNER, id, YES);
    expect(await stateOf(id)).toMatchObject({ status: 'failed', error: { code: 'not_on_whatsapp' } });
  });

  it('a crash between the yes and the send: the next start sends it once', async () => {
    const { approval_id: id } = await send();
    const cut = { state: 'approved' as const, decided_at: clock.now(), decided_by: 'ana@example.com' };
    await h.db.store.db.updateTable('approvals').set(cut).where('id', '=', id).execute();
    await h.approvals.resume();
    await h.approvals.resume();
    expect([(await stateOf(id))?.status, sends()]).toEqual(['sent', 1]);
  });

  it('an old yes that was never followed up is not sent hours later', async () => {
    const { approval_id: id } = await send();
    const cut = { state: 'approved' as const, decided_at: clock.now(), decided_by: 'ana@example.com' };
    await h.db.store.db.updateTable('approvals').set(cut).where('id', '=', id).execute();
    await clock.advance(3_600_000);
    await h.approvals.resume();
    expect([(await stateOf(id))?.status, sends()]).toEqual(['failed', 0]);
  });

  it('others neither see nor decide it', async () => {
    const { approval_id: id } = await send();
    const seen = await tool('bridge_get_approval', { approval_id: id }, h.keys.stranger);
    expect(seen.content[0]?.text).toContain('approval_not_found');
    const stranger = { accountId: 'acc_two', mode: 'test' } as const;
    await expect(h.approvals.decide(stranger, id, YES)).rejects.toMatchObject({ code: 'approval_not_found' });
  });

  it('at most a hundred wait', async () => {
    for (let n = 0; n < 100; n += 1) expect((await send({ message: `n ${n}` })).status).toBe('pending_approval');
    const full = await tool('bridge_send_message', { line_id: lineId, to: TO, message: 'x' });
    expect(full.content[0]?.text).toContain('Too many sends wait');
  });

  it('a line that is not the key’s is refused at once', async () => {
    const refused = await tool('bridge_send_message', { line_id: 'line_nobody', to: TO, message: 'x' });
    expect(refused.content[0]?.text).toContain('line_not_found');
  });
});
