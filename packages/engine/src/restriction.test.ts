import { expect, test } from 'vitest';
import type { Node } from './node.ts';
import { stanzaEvents } from './parse/stanza-events.ts';

const SELF = { pn: '15550001111@s.whatsapp.net', name: '' };
const mex = (op: string, data: object): Node => ({
  tag: 'notification',
  attrs: { type: 'mex', from: '@s.whatsapp.net', id: '1', t: '1780000000' },
  content: [{ tag: 'update', attrs: { op_name: op }, content: Buffer.from(JSON.stringify({ data })) }],
});
const lock = (fields: object) =>
  mex('NotificationUserReachoutTimelockUpdate', { xwa2_notify_account_reachout_timelock: fields });

test('a time-lock is told with its end and cause, and its end', () => {
  const active = { is_active: true, time_enforcement_ends: '1780086400', enforcement_type: 'WEB_COMPANION_ONLY' };
  expect(stanzaEvents(lock(active), SELF)).toEqual([
    {
      type: 'restricted',
      cause: 'reachout_timelock',
      isActive: true,
      until: 1780086400,
      detail: 'WEB_COMPANION_ONLY',
      timestamp: 1780000000,
    },
  ]);
  expect(stanzaEvents(lock({ is_active: true }), SELF)).toMatchObject([{ isActive: true, until: 1780000060 }]);
  expect(stanzaEvents(lock({ is_active: false }), SELF)).toMatchObject([{ isActive: false, until: null }]);
});

test('the share of new chats is a limit when it is used up, and none while it only warns', () => {
  const cap = (capping_status: string) =>
    mex('MessageCappingInfoNotification', {
      xwa2_notify_new_chat_messages_capping_info_update: { capping_status, cycle_end_timestamp: '1781000000' },
    });
  expect(stanzaEvents(cap('CAPPED'), SELF)).toMatchObject([
    { cause: 'new_chat_cap', isActive: true, until: 1781000000, detail: 'CAPPED' },
  ]);
  expect(stanzaEvents(cap('SECOND_WARNING'), SELF)).toMatchObject([{ cause: 'new_chat_cap', isActive: false }]);
});

test('the answer to the question reads the same, and everything else tells nothing', () => {
  const answer = (json: string): Node => ({
    tag: 'iq',
    attrs: { type: 'result', t: '1780000000' },
    content: [{ tag: 'result', attrs: {}, content: Buffer.from(json) }],
  });
  const data = { xwa2_fetch_account_reachout_timelock: { is_active: true, time_enforcement_ends: '1780086400' } };
  expect(stanzaEvents(answer(JSON.stringify({ data })), SELF)).toMatchObject([{ until: 1780086400, detail: '' }]);
  for (const other of ['', '{', '[]', '{"data":null}', '{"data":{"xwa2_other":{}}}']) {
    expect(stanzaEvents(answer(other), SELF)).toEqual([]);
  }
  expect(stanzaEvents(mex('NotificationNewsletterUpdate', { x: 1 }), SELF)).toEqual([]);
});
