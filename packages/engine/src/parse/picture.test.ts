import { expect, test } from 'vitest';
import type { Node } from '../node.ts';
import { stanzaEvents } from './stanza-events.ts';

const self = { pn: '15550001111@s.whatsapp.net', lid: '900@lid', name: 'Me' };
const notice = (type: string, content: Node[]): Node => ({
  tag: 'notification',
  attrs: { from: '901@lid', type, t: '5' },
  content,
});

test('a picture that was set, removed, or set without saying which', () => {
  const read = (tag: string, attrs: Record<string, string>) =>
    stanzaEvents(notice('picture', [{ tag, attrs: { jid: '901@lid', ...attrs } }]), self);
  const about = { type: 'picture.updated', of: { jid: '901@lid', lid: '901@lid' }, timestamp: 5 };
  expect(read('set', { id: '12' })).toEqual([{ ...about, removed: false, pictureId: '12' }]);
  expect(read('set', { hash: 'x' })).toEqual([{ ...about, removed: false }]);
  expect(read('delete', {})).toEqual([{ ...about, removed: true }]);
  expect(read('request', {})).toEqual([]);
});

test('the own picture, changed on another device', () => {
  const own = { jid: self.pn, pn: self.pn, lid: self.lid };
  expect(stanzaEvents(notice('account_sync', [{ tag: 'picture', attrs: { id: '12' } }]), self)).toEqual([
    { type: 'picture.updated', of: own, removed: false, pictureId: '12', timestamp: 5 },
  ]);
  expect(stanzaEvents(notice('account_sync', [{ tag: 'status', attrs: {} }]), self)).toEqual([]);
});
