import { describe, expect, it } from 'vitest';
import { toCsv } from './csv.ts';

const linesOf = (rows: object[]): string[] => toCsv(rows).slice(1).split('\r\n').slice(0, -1);

describe('rows as CSV', () => {
  it('begins with the mark of UTF-8 and ends each row as the RFC says', () => {
    expect(toCsv([{ name: 'Zoë' }])).toBe('\uFEFFname\r\nZoë\r\n');
  });

  it('has the columns of all rows, members of members by dotted names, lists as JSON', () => {
    expect(
      linesOf([
        { id: 1, event: { type: 'a', at: null } },
        { id: 2, event: null, to: ['x', 'y'] },
      ]),
    ).toEqual(['id,event.type,event.at,event,to', '1,a,,,', '2,,,,"[""x"",""y""]"']);
  });

  it('quotes commas, quotes and line ends', () => {
    expect(linesOf([{ text: 'a, "b"\nc' }]).join('\r\n')).toBe('text\r\n"a, ""b""\nc"');
  });

  it('holds nothing that a spreadsheet would calculate, and leaves numbers as they are', () => {
    const texts = ['=1+1', '@SUM(A1)', '+cmd|x', '-2+A1', '\t=1', '+1 555 0100', '-12.5', '+15550100'];
    expect(linesOf(texts.map((text) => ({ text }))).slice(1)).toEqual([
      "'=1+1",
      "'@SUM(A1)",
      "'+cmd|x",
      "'-2+A1",
      "'\t=1",
      '+1 555 0100',
      '-12.5',
      '+15550100',
    ]);
  });

  it('is a mark alone where there is nothing', () => {
    expect(toCsv([])).toBe('\uFEFF\r\n');
  });
});
