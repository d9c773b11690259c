import { describe, expect, it } from 'vitest';
import { parseChat, parsePhone } from './address.ts';

describe('a phone number as people type it', () => {
  it.each([
    ['+44 (0)20 7946 0958', '442079460958'],
    ['0044 (0) 20 7946 0958', '442079460958'],
    ['+49 ( 0 ) 30 123456', '4930123456'],
    ['44(0)2079460958', '442079460958'],
    ['+1 (555) 000-1234', '15550001234'],
    ['+1‑555‑000‑1234', '15550001234'],
    ['+1–555—000−1234', '15550001234'],
    ['＋15550001234', '15550001234'],
    ['+１５５５０００１２３４', '15550001234'],
    ['\u202a+1 555 000 1234\u202c', '15550001234'],
    ['+1\u00a0555\u2009000\u200b1234\ufeff', '15550001234'],
    ['+1555\u00ad0001234', '15550001234'],
    ['15550001234@c.us', '15550001234'],
    ['+1 555 000 1234@c.us', '15550001234'],
    ['15550001234@s.whatsapp.net', '15550001234'],
    ['+39 06 1234567', '39061234567'],
    ['+39 (06) 1234567', '39061234567'],
    ['+225 07 07 07 07 07', '2250707070707'],
  ])('%j is %s', (typed, digits) => {
    expect(parsePhone(typed)).toBe(digits);
    if (!typed.endsWith('@s.whatsapp.net')) expect(parseChat(typed)).toBe(`${digits}@s.whatsapp.net`);
  });

  it.each([
    '(0)20 7946 0958',
    '+4420 (0)7946 0958',
    '+44 (020) 7946 0958',
    '+39 (0)6 1234567',
    '+225 (0)7 07070707',
    '+44 (0)(0)20 79460958',
    '020 7946 0958',
    '+1 555 CALL ME',
    '15550001234@g.us',
    '12345',
    '+1234567890123456',
    '',
  ])('%j is nobody: it is refused rather than guessed', (typed) => {
    expect(parsePhone(typed)).toBeUndefined();
  });

  it('names groups and LIDs with invisible marks around them', () => {
    expect(parseChat('\u200e120363000000000000@g.us\u200b')).toBe('120363000000000000@g.us');
    expect(parseChat(' 901@lid ')).toBe('901@lid');
    expect(parseChat('status@broadcast')).toBe('status@broadcast');
    expect(parseChat('group@g.us')).toBeUndefined();
  });
});
