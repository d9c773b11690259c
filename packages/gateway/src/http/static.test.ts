import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { fastify } from 'fastify';
import { afterAll, expect, it } from 'vitest';
import { createStaticFiles } from './static.ts';

const folder = mkdtempSync(join(tmpdir(), 'ponte-static-'));
const app = fastify();
const files = createStaticFiles(folder);
app.setNotFoundHandler(async (request, reply) =>
  (await files(request, reply)) ? reply : reply.code(404).send({ error: 'not_found' }),
);
afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

/** Writes a built file as the console's build does, with one modification time for every build. */
function build(name: string, text: string): void {
  for (const [ending, data] of [
    ['', Buffer.from(text)],
    ['.br', brotliCompressSync(text)],
    ['.gz', gzipSync(text)],
  ] as const) {
    writeFileSync(join(folder, name + ending), data);
    utimesSync(join(folder, name + ending), 1_000_000_000, 1_000_000_000);
  }
}
const get = (url: string, headers: Record<string, string> = {}) => app.inject({ url, headers });

it('validates a page by its content: a new build of the same size and time is not a 304', async () => {
  build('index.html', '<script src="/assets/console-1111.js"></script>');
  const before = await get('/', { 'accept-encoding': 'br' });
  expect(before.headers).toMatchObject({ 'content-encoding': 'br', vary: 'Accept-Encoding' });
  const etag = String(before.headers.etag);
  expect((await get('/', { 'accept-encoding': 'br', 'if-none-match': etag })).statusCode).toBe(304);

  build('index.html', '<script src="/assets/console-2222.js"></script>');
  const after = await get('/', { 'accept-encoding': 'br', 'if-none-match': etag });
  expect(after.statusCode).toBe(200);
  expect(after.headers['content-length']).toBe(before.headers['content-length']);
  expect(after.headers.etag).not.toBe(etag);
});

it('serves the best encoding that the reader takes', async () => {
  build('notes.txt', 'x'.repeat(2_000));
  const encoding = async (accepted: string) =>
    (await get('/notes.txt', { 'accept-encoding': accepted })).headers['content-encoding'];
  expect(await encoding('gzip, br')).toBe('br');
  expect(await encoding('br;q=0, gzip')).toBe('gzip');
  expect(await encoding('identity')).toBeUndefined();
});

it('leaves the answer for a missing file to the server', async () => {
  expect((await get('/assets/gone.js')).json()).toEqual({ error: 'not_found' });
});
