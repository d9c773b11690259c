import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const COMPRESSED = ['.js', '.css', '.html', '.svg', '.json', '.txt', '.md'];

/** Writes .br and .gz beside everything that compresses: the server hands those out as they are. */
export function compress(folder) {
  for (const entry of readdirSync(folder, { recursive: true })) {
    const path = join(folder, String(entry));
    if (!COMPRESSED.includes(extname(path))) continue;
    const data = readFileSync(path);
    if (data.length < 1_024) continue;
    writeFileSync(`${path}.br`, brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
    writeFileSync(`${path}.gz`, gzipSync(data, { level: 9 }));
  }
}
