import { expect, test } from 'vitest';
import { type Piece, readMarkup } from './markup.ts';

/** As HTML would read, for comparison only. */
const shown = (pieces: Piece[]): string =>
  pieces
    .map((piece) => {
      if (piece.kind === 'text') return piece.text;
      if (piece.kind === 'link') return `<a ${piece.href}>`;
      if (piece.kind === 'code') return `<code>${piece.text}</code>`;
      return `<${piece.kind}>${shown(piece.pieces)}</${piece.kind}>`;
    })
    .join('');

test.each([
  ['plain', 'plain'],
  ['*bold* and _italic_ and ~gone~', '<bold>bold</bold> and <italic>italic</italic> and <strike>gone</strike>'],
  ['_*both*_', '<italic><bold>both</bold></italic>'],
  ['a_b_c and 2*3*4', 'a_b_c and 2*3*4'],
  ['* no *', '* no *'],
  ['`x *y*` and ```a\n*b*```', '<code>x *y*</code> and <code>a\n*b*</code>'],
  ['see https://example.com/a_b_c?x=1.', 'see <a https://example.com/a_b_c?x=1>.'],
  ['(https://example.com/a)', '(<a https://example.com/a>)'],
  ['javascript:alert(1)', 'javascript:alert(1)'],
  ['*مرحبا*', '<bold>مرحبا</bold>'],
  ['', ''],
])('%s', (text, expected) => expect(shown(readMarkup(text))).toBe(expected));

test('a long text of marks that close nothing is read at once', () => {
  const started = performance.now();
  readMarkup('*a _b '.repeat(2_000));
  readMarkup(`${'`'.repeat(5_000)}x`);
  expect(performance.now() - started).toBeLessThan(2_000);
});
