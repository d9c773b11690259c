import { expect, test } from 'vitest';
import { readConfig } from '../config/config.ts';
import { explainFailure } from './explain-failure.ts';

const machine = { cores: 2, cwd: '/srv/ponte' };
const sqlite = readConfig({}, machine);
const postgres = readConfig({ DATABASE_URL: 'postgres://u:canary@db/wa' }, machine);
const failure = (fields: Record<string, unknown>, message = 'm') => Object.assign(new Error(message), fields);

test.each([
  ['a port of the system', { code: 'EACCES', syscall: 'listen' }, 'may not listen on port 8080'],
  ['a port in use', { code: 'EADDRINUSE', syscall: 'listen' }, 'set PORT'],
  ['no space for the database', { code: 'SQLITE_FULL' }, 'no space left'],
  ['a damaged database', { code: 'SQLITE_CORRUPT_VTAB' }, 'ponte restore'],
  ['a database that is read-only', { code: 'SQLITE_READONLY_DIRECTORY' }, 'read and write access'],
  ['a bad disk', { code: 'SQLITE_IOERR_FSYNC' }, 'reports an error'],
  ['no space for a file', { code: 'ENOSPC', path: '/data/master.key' }, 'no space left for /data/master.key'],
  ['a file of somebody else', { code: 'EACCES', path: '/data/master.key' }, '/data/master.key cannot be used'],
])('%s', (_what, fields, told) => expect(explainFailure(failure(fields), sqlite)).toContain(told));

test.each([
  ['28P01', 'refuses the user or the password'],
  ['3D000', 'has no database wa'],
  ['42501', 'does not let this user make tables'],
  ['ECONNREFUSED', 'does not answer (ECONNREFUSED)'],
  ['57P03', 'does not answer (57P03)'],
])('PostgreSQL: %s, without the password', (code, told) => {
  const said = explainFailure(failure({ code }), postgres);
  expect(said).toContain(told);
  expect(said).toContain('db:5432');
  expect(said).not.toContain('canary');
});

test('a fault of ours is not explained away', () => {
  expect(explainFailure(new TypeError('x is undefined'), sqlite)).toBeUndefined();
});
