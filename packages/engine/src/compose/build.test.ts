import { describe, expect, it } from 'vitest';
import { child, childrenOf, type Node } from '../node.ts';
import { ackFor } from './ack.ts';
import { readReceipt } from './read-receipt.ts';
import { parseUsyncNumbers, parseUsyncUsername, usyncNumbers, usyncUsername } from './usync.ts';

const user = (jid: string | undefined, contact: Record<string, string>, echo: string, ...more: Node[]): Node => ({
  tag: 'user',
  attrs: jid === undefined ? {} : { jid },
  content: [{ tag: 'contact', attrs: contact, content: Buffer.from(echo) }, ...more],
});
const answer = (...users: Node[]): Node => ({
  tag: 'iq',
  attrs: { type: 'result' },
  content: [{ tag: 'usync', attrs: {}, content: [{ tag: 'list', attrs: {}, content: users }] }],
});

describe('questions about numbers', () => {
  it('are answered in the order asked, matched by the number asked for', () => {
    // Brazil: asked with the ninth digit, known without it.
    const known = user('551188887777@s.whatsapp.net', { type: 'in' }, '+5511988887777', {
      tag: 'lid',
      attrs: { val: '42@lid' },
    });
    const verified = { tag: 'business', attrs: {}, content: [{ tag: 'verified_name', attrs: { v: '1' } }] };
    const shop = user('15550002222@s.whatsapp.net', { type: 'in' }, '+15550002222', verified);
    const nobody = user('15550003333@s.whatsapp.net', { type: 'out' }, '+15550003333');
    const phones = ['15550003333', '5511988887777', '15550002222', '15550004444'];
    expect(parseUsyncNumbers(answer(known, shop, nobody), phones)).toEqual([
      { phone: '15550003333', registered: false, isBusiness: false },
      { phone: '5511988887777', registered: true, pn: '551188887777@s.whatsapp.net', lid: '42@lid', isBusiness: false },
      { phone: '15550002222', registered: true, pn: '15550002222@s.whatsapp.net', isBusiness: true },
      { phone: '15550004444', registered: false, isBusiness: false },
    ]);
  });

  it('are read by LID as well, with the number and the handle beside it', () => {
    const byLid = {
      ...user('42@lid', { type: 'in' }, '+15550002222', { tag: 'username', attrs: {}, content: Buffer.from('nora') }),
      attrs: { jid: '42@lid', pn_jid: '15550002222@s.whatsapp.net' },
    };
    expect(parseUsyncNumbers(answer(byLid), ['15550002222'])).toEqual([
      {
        ...{ phone: '15550002222', registered: true, isBusiness: false },
        ...{ pn: '15550002222@s.whatsapp.net', lid: '42@lid', username: 'nora' },
      },
    ]);
  });

  it('about usernames name them, and their key where there is one', () => {
    const asked = (query: Node) =>
      childrenOf(child(child(query, 'usync'), 'list'), 'user').map((one) => child(one, 'contact'));
    expect(asked(usyncUsername({ username: 'nora' }, 'sid-2'))).toEqual([
      { tag: 'contact', attrs: { username: 'nora' } },
    ]);
    expect(asked(usyncUsername({ username: 'nora', key: '4711' }, 'sid-3'))).toMatchObject([
      { attrs: { pin: '4711' } },
    ]);
    const found = { tag: 'user', attrs: { jid: '42@lid' }, content: [{ tag: 'contact', attrs: { type: 'in' } }] };
    expect(parseUsyncUsername(answer(found))).toEqual({ person: { jid: '42@lid', lid: '42@lid' } });
    expect(parseUsyncUsername(answer({ ...found, attrs: {} }))).toEqual({ needsKey: true });
    expect(parseUsyncUsername(answer(user(undefined, { type: 'out' }, '')))).toEqual({ needsKey: false });
    expect(parseUsyncUsername(answer())).toEqual({ needsKey: false });
  });

  it('ask for each number once, in international form', () => {
    const query = usyncNumbers(['15550002222'], 'sid-1');
    expect(JSON.stringify(query)).toContain('+15550002222');
  });
});

describe('receipts and acks', () => {
  it('name all messages of a read receipt', () => {
    const chat = '2002@lid';
    const receipt = readReceipt({ chat, ids: ['A', 'B'], sender: undefined, type: 'read', nowSeconds: 5 });
    expect(receipt.attrs).toEqual({ id: 'A', to: chat, type: 'read', t: '5' });
    expect(receipt.content).toEqual([{ tag: 'list', attrs: {}, content: [{ tag: 'item', attrs: { id: 'B' } }] }]);
    expect(() => readReceipt({ chat, ids: [], sender: undefined, type: 'read', nowSeconds: 5 })).toThrow(
      'at least one',
    );
  });

  it('acknowledge a stanza with what identifies it', () => {
    const stanza = { tag: 'notification', attrs: { id: 'N', from: '@s.whatsapp.net', type: 'encrypt', t: '1' } };
    expect(ackFor(stanza).attrs).toEqual({ class: 'notification', id: 'N', to: '@s.whatsapp.net', type: 'encrypt' });
  });
});
