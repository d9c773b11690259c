// `npm run fleet -- --minutes 30 --lines 300 --seed 7`: three nodes on PostgreSQL
// (TEST_DATABASE_URL) and NATS, under traffic both ways, with faults by chance; says at the end
// what was lost or doubled.
import { parseArgs } from 'node:util';

const NAMES = { minutes: '30', lines: '300', seed: '1', nodes: '3', 'per-second': '50' };
const options = Object.fromEntries(
  Object.entries(NAMES).map(([name, value]) => [name, { type: 'string', default: value }]),
);
const { values } = parseArgs({ options, args: process.argv.slice(2) });
for (const name of Object.keys(NAMES)) {
  if (!/^\d{1,6}$/.test(values[name]) || Number(values[name]) < 1) {
    process.stderr.write(`--${name} takes a whole number from 1\n`);
    process.exit(2);
  }
  process.env[`FLEET_${name.toUpperCase().replace('-', '_')}`] = values[name];
}
if (!process.env.TEST_DATABASE_URL) {
  process.stderr.write('TEST_DATABASE_URL is not set: it names a PostgreSQL to make a schema in\n');
  process.exit(2);
}
process.argv = [process.execPath, 'vitest', 'run', 'packages/gateway/test/fleet.long.flow.test.ts'];
await import('../node_modules/vitest/vitest.mjs');
