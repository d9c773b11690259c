import { createSimulator, SANDBOX_CALLS, type Simulator } from '@ponte/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Route } from '../src/http/route.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';

const BASE = '/api/sandbox/v1';
const ALICE = '15550001111';
const BOB = '15550002222';
const CAROL = '15550003333';
const LINE = 'line_xxx';

type Body = Record<string, unknown>;

let h: HttpHarness;
let simulator: Simulator;
let rows: Route[];

beforeAll(async () => {
  simulator = await createSimulator();
  const control = { baseUrl: `http://127.0.0.1:${simulator.port}`, token: simulator.controlToken };
  h = await openHttp({ simulator: () => control });
  rows = h.dialects.find(({ name, prefix }) => name === 'sandbox' && prefix === BASE)?.routes ?? [];
});
afterAll(async () => {
  await h.close();
  await simulator.close();
});

const post = async (path: string, body: Body): Promise<Body> => {
  const reply = await h.call('POST', BASE + path, { body });
  expect(reply.status, `${path}: ${reply.text}`).toBeLessThan(300);
  return reply.body;
};

/**
 * What the example of a row needs to be there, and what stands in it for ids that the world draws.
 */
interface Scene {
  params?: Record<string, string>;
  body?: Body;
}
type Prepare = () => Promise<Scene>;

/** Alice writes to Bob; the answers tell the id on either phone. */
async function written(message: Body): Promise<string> {
  const { message_id: id } = await post(`/phones/${ALICE}/messages`, { to: BOB, ...message });
  for (;;) {
    const { body } = await h.call('GET', `${BASE}/phones/${BOB}/inbox?chat=${ALICE}`);
    if ((body as unknown as Body[]).some(({ message_id }) => message_id === id)) return String(id);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const group = async (settings: Body = {}): Promise<string> =>
  String((await post('/groups', { subject: 'Team', owner: ALICE, participants: [BOB], ...settings })).jid);
const channel = async (): Promise<string> => String((await post('/channels', { owner: ALICE, name: 'News' })).jid);
const ringing = async (): Promise<string> =>
  String((await post(`/phones/${ALICE}/calls`, { to: BOB, video: false })).call_id);

const SCENES: Record<string, Prepare> = {
  sandboxReact: async () => ({ body: { message_id: await written({ type: 'text', body: 'a' }) } }),
  sandboxEdit: async () => ({ body: { message_id: await written({ type: 'text', body: 'b' }) } }),
  sandboxRevoke: async () => ({ body: { message_id: await written({ type: 'text', body: 'c' }) } }),
  sandboxVote: async () => ({
    body: { poll_id: await written({ type: 'poll', question: 'Which?', options: ['Red', 'Blue'] }) },
  }),
  sandboxRsvp: async () => ({
    body: { event_id: await written({ type: 'event', name: 'x', start_time: 1777334400 }) },
  }),
  sandboxReceipts: async () => ({
    params: { phone: BOB },
    body: { to: ALICE, message_ids: [await written({ type: 'text', body: 'd' })] },
  }),
  sandboxChangeChat: async () => ({ params: { chat: BOB } }),
  sandboxEndCall: async () => ({ params: { call_id: await ringing() } }),
  sandboxAcceptCall: async () => {
    const callId = await ringing();
    for (;;) {
      const { body } = await h.call('GET', `${BASE}/phones/${BOB}/calls`);
      if ((body as unknown as Body[]).some(({ call_id }) => call_id === callId)) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { params: { phone: BOB, call_id: callId } };
  },
  sandboxGetGroup: async () => ({ params: { jid: await group() } }),
  sandboxChangeGroup: async () => ({ params: { jid: await group() } }),
  sandboxChangeParticipants: async () => ({ params: { jid: await group() } }),
  sandboxRevokeInvite: async () => ({ params: { jid: await group() } }),
  sandboxLeaveGroup: async () => ({ params: { jid: await group() } }),
  sandboxDecideRequests: async () => {
    const jid = await group({ membership_approval: true });
    const { body } = await h.call('GET', `${BASE}/groups/${jid}`);
    await post(`/phones/${CAROL}/join`, { invite_code: body.invite_code });
    return { params: { jid } };
  },
  sandboxJoinGroup: async () => {
    const { body } = await h.call('GET', `${BASE}/groups/${await group()}`);
    return { params: { phone: CAROL }, body: { invite_code: body.invite_code } };
  },
  sandboxGetChannel: async () => ({ params: { jid: await channel() } }),
  sandboxPostToChannel: async () => ({ params: { jid: await channel() } }),
  sandboxFollowChannel: async () => ({ params: { jid: await channel() } }),
  sandboxUnfollowChannel: async () => {
    const jid = await channel();
    await post(`/channels/${jid}/followers`, { phone: BOB });
    return { params: { jid } };
  },
};

/**
 * These need a line that shows a QR or a code: `first-light.flow` and the simulator's own tests run
 * them.
 */
const WITH_LINES = new Set(['sandboxScan', 'sandboxEnterCode', 'sandboxUnlink']);

describe('the document of the Sandbox API', () => {
  it('lists exactly the calls that the simulator serves', () => {
    const plain = (call: string): string => call.replace(/:[a-z_]+|\{[a-z_]+\}/g, '{}');
    const documented = rows.map(({ method, path }) => plain(`${method} ${path}`));
    expect(documented.toSorted()).toEqual(SANDBOX_CALLS.map(plain).toSorted());
  });

  it('has an example for every body and every answer', () => {
    for (const { operation, body, requestExample, answers } of rows) {
      expect(body === undefined || requestExample !== undefined, operation).toBe(true);
      for (const { schema, example } of Object.values(answers)) {
        expect(schema === undefined || example !== undefined, operation).toBe(true);
      }
    }
  });

  it('is right: every example is taken by the simulator, and answered as published', async () => {
    for (const row of rows) {
      if (WITH_LINES.has(row.operation)) continue;
      await post('/reset', {});
      for (const [phone, name] of [
        [ALICE, 'Alice'],
        [BOB, 'Bob'],
        [CAROL, 'Carol'],
      ]) {
        await post('/phones', { phone, name });
      }
      const scene = (await SCENES[row.operation]?.()) ?? {};
      const params: Record<string, string> = { phone: ALICE, line_id: LINE, ...scene.params };
      const path = row.path.replace(/:([a-z_]+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
      const body = row.requestExample === undefined ? undefined : { ...(row.requestExample as Body), ...scene.body };
      // The harness compares every answer with the schema of its row.
      const reply = await h.call(row.method, BASE + path, body === undefined ? {} : { body });
      expect(Object.keys(row.answers), `${row.operation}: ${reply.text}`).toContain(String(reply.status));
    }
  });

  it('promises of examples what is really answered: the same members', async () => {
    await post('/reset', {});
    await post('/phones', { phone: ALICE, name: 'Alice' });
    await post('/phones', { phone: BOB, name: 'Bob' });
    await written({ type: 'text', body: 'Hi' });
    const members = async (operation: string, path: string) => {
      const row = rows.find((one) => one.operation === operation);
      const example = row?.answers[200]?.example as Body | Body[];
      const { body } = await h.call('GET', BASE + path);
      const one = (of: unknown) => Object.keys((Array.isArray(of) ? of[0] : of) as Body).sort();
      expect(one(body), operation).toEqual(one(example));
    };
    await members('sandboxGetPhone', `/phones/${ALICE}`);
    await members('sandboxListPhones', '/phones');
    await members('sandboxInbox', `/phones/${BOB}/inbox`);
    await members('sandboxChats', `/phones/${BOB}/chats`);
    await members('sandboxGetGroup', `/groups/${await group()}`);
    await members('sandboxListGroups', '/groups');
    await members('sandboxGetChannel', `/channels/${await channel()}`);
    await post(`/phones/${ALICE}/calls`, { to: BOB });
    await members('sandboxCalls', `/phones/${ALICE}/calls`);
    await members('sandboxAppState', `/phones/${ALICE}/app-state`);
  });
});
