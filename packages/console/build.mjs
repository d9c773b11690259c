// Copies the page to dist. Nothing is compiled.
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
mkdirSync(join(here, 'dist'), { recursive: true });
cpSync(join(here, 'src'), join(here, 'dist'), { recursive: true });
