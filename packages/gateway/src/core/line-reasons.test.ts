import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AppError, sentenceOf, standingDetails } from './app-error.ts';
import { explain, LINE_REASONS, REASON_CODES, toReason } from './line-reasons.ts';

/** What earlier versions told their webhooks. */
const PUBLISHED = [
  'connection_lost',
  'server_unavailable',
  'replaced',
  'conflict',
  'logged_out',
  'banned',
  'temporarily_banned',
  'client_outdated',
  'untrusted_server',
  'store_failed',
  'pairing_expired',
  'pairing_failed',
  'passkey_required',
] as const;

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');

describe('the list of reasons', () => {
  it('keeps every code that was published', () => {
    expect(REASON_CODES).toEqual(expect.arrayContaining([...PUBLISHED]));
  });

  it('says of each what is the case and what to do, in sentences that fit both APIs', () => {
    for (const code of REASON_CODES) {
      const { means, remedy } = LINE_REASONS[code];
      expect(`${means} ${remedy}`, code).not.toMatch(/\b(?:line|bridge)s?\b/i);
      expect(means, code).toMatch(/^[A-Z].*\.$/);
      expect(remedy, code).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('is the one of the documentation, and of the console in each of its languages', () => {
    const page = read('docs/line-reasons.md');
    const console = read('packages/console/src/words/reasons.ts');
    for (const code of REASON_CODES) {
      expect(page, code).toContain(`\n| \`${code}\` |`);
      expect(console.match(new RegExp(`^  ${code}: \\{$`, 'gm')), code).toHaveLength(3);
    }
    expect(page.match(/^\| `\w+` \|/gm)).toHaveLength(REASON_CODES.length);
  });

  it('takes a stored word that is not on it for no reason', () => {
    expect(toReason('banned')).toBe('banned');
    expect(toReason('made_up')).toBeNull();
    expect(toReason('constructor')).toBeNull();
    expect(toReason(null)).toBeNull();
  });
});

describe('a refusal because of the line’s standing', () => {
  const until = Date.UTC(2027, 0, 2);
  const details = standingDetails({
    ...{ status: 'disconnected', reason: 'temporarily_banned', until, whatsappCode: 402 },
  });

  it('names status, reason and end, and says the remedy', () => {
    expect(details).toEqual({
      status: 'disconnected',
      status_reason: 'temporarily_banned',
      status_until: '2027-01-02T00:00:00.000Z',
    });
    expect(new AppError('line_not_connected', details).message).toBe(explain('temporarily_banned', until));
    expect(explain('temporarily_banned', until)).toContain('Until 2027-01-02T00:00:00.000Z.');
  });

  it('has the ordinary sentence when there is no reason', () => {
    const plain = standingDetails({ status: 'unpaired', reason: null, until: null, whatsappCode: null });
    expect(plain).toEqual({ status: 'unpaired' });
    expect(sentenceOf('line_not_connected', plain)).toBe(new AppError('line_not_connected').message);
  });
});
