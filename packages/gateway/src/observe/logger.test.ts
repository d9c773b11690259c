import { expect, test } from 'vitest';
import { writtenError } from './logger.ts';

test('an error is written without the connection it came from', () => {
  const error = Object.assign(new Error('Connection terminated unexpectedly'), {
    code: '57P01',
    client: { host: 'db.example', parsedStatements: { one: 'select 1' } },
  });
  const text = JSON.stringify(writtenError(error));
  expect(text).toContain('Connection terminated unexpectedly');
  expect(text).toContain('57P01');
  expect(text).not.toContain('db.example');
  expect(JSON.stringify(writtenError('no error' as unknown as Error))).toBe('"no error"');
});
