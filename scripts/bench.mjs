import { fileURLToPath } from 'node:url';
import { endAs, runChild } from './child.mjs';

/*
 * npm run bench [-- --short …]             the whole product beside the bare engine and a plain
 *                                          Baileys server (docs/measuring.md)
 * npm run bench -- webhooks [...]          the webhook engine alone
 * npm run bench -- simulator [--lines 2000] [--messages 10] [--data-file F]
 *                                          what one process of the simulated network carries
 */
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const BENCHES = {
  gateway: [at('packages/gateway/src/bench/main.ts')],
  webhooks: [at('packages/gateway/src/bench/webhooks.ts')],
  simulator: ['--expose-gc', at('packages/simulator/bench/lines.ts')],
};

const given = process.argv.slice(2);
const isNamed = given[0] !== undefined && !given[0].startsWith('-');
const [wanted, ...rest] = isNamed ? given : ['gateway', ...given];
const bench = BENCHES[wanted];
if (!bench) {
  process.stderr.write(`There is no bench ${wanted}. There are: ${Object.keys(BENCHES).join(', ')}.\n`);
  process.exit(2);
}
endAs(await runChild(process.execPath, [...bench, ...rest]));
