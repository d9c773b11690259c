import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/*
 * npm run bench                            the whole product, through its front door
 * npm run bench -- webhooks [...]          the webhook engine alone
 * npm run bench -- simulator [--lines 2000] [--messages 10] [--data-file F]
 *                                          what one process of the simulated network carries
 */
const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const BENCHES = {
  gateway: [at('packages/gateway/dist/bench/main.js')],
  webhooks: [at('packages/gateway/dist/bench/webhooks.js')],
  simulator: ['--import', 'tsx', '--conditions=source', '--expose-gc', at('packages/simulator/bench/lines.ts')],
};

const [wanted = 'gateway', ...rest] = process.argv.slice(2);
const bench = BENCHES[wanted];
if (!bench) {
  process.stderr.write(`There is no bench ${wanted}. There are: ${Object.keys(BENCHES).join(', ')}.\n`);
  process.exit(2);
}
const child = spawn(process.execPath, [...bench, ...rest], { stdio: 'inherit' });
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
