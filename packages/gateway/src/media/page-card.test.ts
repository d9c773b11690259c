import { expect, it } from 'vitest';
import { linkIn, pageText, readCard } from './page-card.ts';

const AT = 'https://a.example/dir/page';

it.each([
  ['see https://a.example/x, and b', 'https://a.example/x'],
  ['(https://a.example/x)', 'https://a.example/x'],
  ['https://en.example/wiki/A_(b)', 'https://en.example/wiki/A_(b)'],
  ['HTTP://A.example?q=1&r=2!', 'HTTP://A.example?q=1&r=2'],
  ['two https://a.example https://b.example', 'https://a.example'],
  ['none: a.example, ftp://a.example, https://', undefined],
])('finds the link of %j', (text, link) => {
  expect(linkIn(text)).toBe(link);
});

it.each([
  ['<title> A\n b </title>', { title: 'A b' }],
  [
    '<title>t</title><meta name=description content="d &lt;3 &#x1F600; &#128512;">',
    { title: 't', description: 'd <3 😀 😀' },
  ],
  [
    '<META CONTENT="T" PROPERTY="og:title"><meta property="og:image" content="../i.png"><meta property="og:title" content="later">',
    { title: 'T', image: 'https://a.example/i.png' },
  ],
  ['<meta property="og:description" content="no title">', undefined],
  ['<title>&#xD83D;x</title>', { title: 'x' }],
])('reads the card of %j', (html, card) => {
  expect(readCard(html, AT)).toEqual(card);
});

it('bounds what a page says', () => {
  const card = readCard(`<title>${'😀'.repeat(1_000)}</title>`, AT);
  expect([card?.title.length, /\p{Surrogate}/u.test(card?.title ?? '')]).toEqual([300, false]);
});

it('reads pages in the encoding they name', () => {
  const latin = Buffer.from('<title>Caf\xe9</title>', 'latin1');
  expect(pageText(latin, 'text/html; charset=iso-8859-1')).toContain('Café');
  expect(pageText(Buffer.from('<meta charset="utf-8">é'), 'text/html')).toContain('é');
  expect(pageText(Buffer.from('é'), 'text/html; charset=nonsense')).toBe('é');
});
