import { page } from './scenes/page.ts';

process.stdout.write(page.title);
