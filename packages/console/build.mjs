// Builds the app into dist, and writes .br and .gz beside everything that compresses: the server
// hands those out as they are.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
await build({ root: here, logLevel: 'warn' });

const dist = join(here, 'dist');
for (const entry of readdirSync(dist, { recursive: true })) {
  const path = join(dist, String(entry));
  if (!['.js', '.css', '.html', '.svg'].includes(extname(path))) continue;
  const data = readFileSync(path);
  if (data.length < 1_024) continue;
  writeFileSync(`${path}.br`, brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
  writeFileSync(`${path}.gz`, gzipSync(data, { level: 9 }));
}
