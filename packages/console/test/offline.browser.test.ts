import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, openBench } from './bench.ts';
import { canBrowse, picture, violations } from './browser.ts';

const TWO_MINUTES_MS = 120_000;

describe.skipIf(!canBrowse)('while the server is down', { timeout: TWO_MINUTES_MS }, () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await openBench();
  }, TWO_MINUTES_MS);
  afterAll(() => bench?.close());

  it('an address that is typed leads to words of Ponte, and to the page once it answers', async () => {
    const { page, product } = bench;
    await page.evaluate('navigator.serviceWorker.ready.then(() => true)');
    await page.waitForFunction('navigator.serviceWorker.controller !== null');
    await product.close();
    await page.goto(`${product.url}/lines?mode=test`);
    await page.getByRole('heading', { name: 'Ponte does not answer' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await picture(page, 'offline');
    // A proxy in front that cannot reach Ponte shows people the same page.
    const port = Number(new URL(product.url).port);
    let isUp = false;
    const server = createServer((_request, response) => {
      response
        .writeHead(isUp ? 200 : 502, { 'content-type': 'text/html' })
        .end(isUp ? '<title>Up</title><h1>Up</h1>' : '<h1>Bad gateway</h1>');
    });
    server.listen(port, 'localhost');
    await once(server, 'listening');
    try {
      await page.goto(`${product.url}/keys?mode=test`);
      await page.getByRole('heading', { name: 'Ponte does not answer' }).waitFor();
      await page.evaluate(`localStorage.setItem('ponte.locale', 'es')`);
      await page.reload();
      await page.getByRole('heading', { name: 'Ponte no responde' }).waitFor();
      isUp = true;
      await page.getByRole('heading', { name: 'Up' }).waitFor();
      expect(new URL(page.url()).pathname).toBe('/keys');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
