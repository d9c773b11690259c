// Builds the app and the manual into dist. `--without-manual`: the app alone.
import { join } from 'node:path';
import { build } from 'vite';
import { compress } from './compress.mjs';
import { buildManual } from './manual/build.mjs';

const here = import.meta.dirname;
await build({ root: here, logLevel: 'warn' });
compress(join(here, 'dist'));
if (!process.argv.includes('--without-manual')) buildManual(join(here, 'dist'));
