#!/usr/bin/env node
/*
 * What `npm start`, systemd and containers run. Plain JavaScript that old versions of Node can read, too: one that is too old is told so before
 * anything else is loaded.
 */
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { isNewEnough, nodeAdvice } from './src/config/node-floor.js';
import { YOUNG_HEAP_MIB } from './src/core/young-heap.js';

if (isNewEnough()) {
  // The product runs from its sources; what Node has made of them once is kept. Not in the common
  // folder for temporary files, where others could put code of theirs.
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('../../node_modules/.cache/ponte', import.meta.url));
  nodeModule.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  setFlagsFromString(`--max-semi-space-size=${YOUNG_HEAP_MIB}`);
  await import('./src/main.ts');
} else {
  process.stderr.write(`ponte: ${nodeAdvice()}\n`);
  process.exitCode = 1;
}
