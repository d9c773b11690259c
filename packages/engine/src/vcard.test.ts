import { expect, test } from 'vitest';
import { vcardPhones } from './vcard.ts';

test('the numbers of a card, in its order, each once', () => {
  const card = [
    'BEGIN:VCARD',
    'VERSION:3.0',
    'FN:Bob',
    'TEL;type=CELL;type=VOICE;waid=15550003333:+1 555 000 3333',
    'item1.TEL;type=WORK:+44 20 7946 0958',
    'item1.X-ABLabel:Office',
    'TEL:0049 30 901820',
    'TEL;VALUE=uri:tel:+34600000000',
    'TEL;type=HOME:555-1234',
    'TEL;type=CELL;waid=15550003333:+15550003333',
    'END:VCARD',
  ].join('\r\n');
  expect(vcardPhones(card)).toEqual(['+15550003333', '+442079460958', '+4930901820', '+34600000000', '555-1234']);
});

test('folded lines are read as one, and a card without numbers has none', () => {
  expect(vcardPhones('TEL;type=CELL;wa\r\n id=15550003333:+1 555\n\t 000 3333')).toEqual(['+15550003333']);
  expect(vcardPhones('BEGIN:VCARD\nFN:TEL:1\nTEL:\nEND:VCARD')).toEqual([]);
  expect(vcardPhones('')).toEqual([]);
});
