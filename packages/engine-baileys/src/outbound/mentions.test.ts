import type { OutboundContent } from '@ponte/engine';
import { expect, test } from 'vitest';
import { addressMentions } from './mentions.ts';

const GROUP = '120363000000000000@g.us';
const BOB = { jid: '15550003333@s.whatsapp.net', lid: '2002@lid', pn: '15550003333@s.whatsapp.net' };
const lids = {
  lidOf: async (pn: string) => (pn === BOB.pn ? '200200200@lid' : undefined),
  pnOf: async (lid: string) => (lid === '200200200@lid' ? BOB.pn : undefined),
};
const address = (content: OutboundContent, mode: 'lid' | 'pn', to = GROUP) =>
  addressMentions(content, to, { lids, addressing: async () => mode });
const text = (body: string, mentions: string[]): OutboundContent => ({ kind: 'text', body, context: { mentions } });

test('in a group that goes by LIDs, text and mention carry the LID', async () => {
  const { wording, mentions } = await address(text('Hi @15550003333, see a@15550003333.com', [BOB.pn]), 'lid');
  expect(wording).toEqual(text('Hi @200200200, see a@15550003333.com', ['200200200@lid']));
  expect(mentions).toEqual([{ jid: BOB.pn, lid: '200200200@lid', pn: BOB.pn }]);
  const plus = await address(text('Hi @+15550003333!', [BOB.pn]), 'lid');
  expect(plus.wording).toMatchObject({ body: 'Hi @200200200!' });
});

test('a caption is worded like a text', async () => {
  const file = { name: 'f', mimeType: 'image/jpeg', sizeBytes: 1, sha256: '' };
  const content: OutboundContent = { kind: 'image', file, caption: '@15550003333', context: { mentions: [BOB.pn] } };
  expect((await address(content, 'lid')).wording).toMatchObject({ caption: '@200200200' });
});

test('in a group that goes by numbers, a LID becomes the number', async () => {
  const { wording } = await address(text('Hi @200200200', ['200200200@lid']), 'pn');
  expect(wording).toEqual(text('Hi @15550003333', [BOB.pn]));
});

test('who is not known by the other address stays, and so does everything in a chat of two', async () => {
  const stranger = text('Hi @15550009999', ['15550009999@s.whatsapp.net']);
  expect((await address(stranger, 'lid')).wording).toEqual(stranger);
  const private_ = text('Hi @15550003333', [BOB.pn]);
  expect((await address(private_, 'lid', '1@lid')).wording).toEqual(private_);
});
