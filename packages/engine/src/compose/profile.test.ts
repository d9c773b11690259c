import { expect, test } from 'vitest';
import type { Node } from '../node.ts';
import {
  contactQr,
  parseContactQr,
  parsePictureUrl,
  parseStatusAudience,
  pictureOf,
  setAboutByMex,
} from './profile.ts';
import { parseUsyncPerson, usyncPerson } from './usync.ts';

const answer = (...content: Node[]): Node => ({ tag: 'iq', attrs: { type: 'result' }, content });
const node = (tag: string, attrs: Record<string, string> = {}, content?: Node['content']): Node => ({
  tag,
  attrs,
  content,
});

test('the link of the contact QR is its code behind the published address', () => {
  expect(parseContactQr(answer(node('qr', { code: 'ABCDEFGHIJKL' })))).toBe('https://wa.me/qr/ABCDEFGHIJKL');
  expect(parseContactQr(answer())).toBeUndefined();
  expect(contactQr().attrs).toMatchObject({ type: 'set', xmlns: 'w:qr' });
});

test('the audience of status updates: the list in force first, all contacts when none was ever chosen', () => {
  const lists = answer(
    node('privacy', {}, [
      node('list', { type: 'whitelist' }, [node('user', { jid: '15550001111:3@s.whatsapp.net' })]),
      node('list', { type: 'blacklist', default: 'true' }, []),
      node('list', { type: 'something new' }, []),
    ]),
  );
  expect(parseStatusAudience(lists)).toEqual([
    { type: 'blacklist', people: [], isDefault: true },
    { type: 'whitelist', people: ['15550001111@s.whatsapp.net'], isDefault: false },
  ]);
  expect(parseStatusAudience(answer())).toEqual([{ type: 'contacts', people: [], isDefault: true }]);
});

test('the About text travels as the variables of a mutation', () => {
  const [query] = setAboutByMex('say "hi"').content as Node[];
  const sent = JSON.parse(Buffer.from(query?.content as Uint8Array).toString()) as unknown;
  expect(sent).toEqual({ variables: { input: { text: 'say "hi"' } } });
});

test('a token goes where WhatsApp looks for it', () => {
  const token = node('tctoken', { t: '1' }, Uint8Array.of(1));
  expect(pictureOf('901@lid', token)).toMatchObject({
    attrs: { target: '901@lid' },
    content: [{ tag: 'picture', attrs: { type: 'image', query: 'url' }, content: [token] }],
  });
  expect(JSON.stringify(usyncPerson('901@lid', 's', token))).toContain('tctoken');
  expect(JSON.stringify(usyncPerson('901@lid', 's', undefined))).not.toContain('tctoken');
});

test('a picture without an address is no picture', () => {
  expect(parsePictureUrl(answer(node('picture', { id: '7', url: 'https://pps.whatsapp.net/x' })))).toEqual({
    id: '7',
    url: 'https://pps.whatsapp.net/x',
  });
  expect(parsePictureUrl(answer(node('picture', { id: '7' })))).toBeUndefined();
  expect(parsePictureUrl(answer())).toBeUndefined();
});

test.each([
  ['shown', [node('status', { t: '1' }, Buffer.from('Hey!'))], { about: 'Hey!', isBusiness: false }],
  ['hidden', [node('status', { code: '401' })], { about: null, isBusiness: false }],
  ['empty', [node('status', {}, '')], { about: null, isBusiness: false }],
  ['of a business', [node('business', {}, [node('verified_name')])], { about: null, isBusiness: true }],
])('an About that is %s', (_, facts, expected) => {
  const list = [node('user', { jid: '901@lid' }, facts)];
  expect(parseUsyncPerson(answer(node('usync', {}, [node('list', {}, list)])))).toEqual(expected);
});

test('a person whom the answer leaves out is nobody', () => {
  expect(parseUsyncPerson(answer(node('usync', {}, [node('list', {}, [])])))).toBeUndefined();
});
