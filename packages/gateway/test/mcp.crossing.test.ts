import { expect, it } from 'vitest';
import { openHttp } from './support/http-harness.ts';

const URL = '/api/bridge/mcp';
const CALLS = 10_000;
const AT_ONCE = 100;

it('of 10 000 interleaved calls of two keys no answer reaches the other one', async () => {
  const h = await openHttp();
  try {
    const lineOf = async (key: string, label: string) =>
      String((await h.call('POST', '/api/bridge/v1/lines', { key, body: { label } })).body.line_id);
    const sides = [
      { key: h.keys.test, lineId: await lineOf(h.keys.test, 'mine') },
      { key: h.keys.stranger, lineId: await lineOf(h.keys.stranger, 'theirs') },
    ];
    let next = 0;
    let wrong = 0;
    const call = async (n: number): Promise<void> => {
      // Both ask for both lines, under the same request ids, so that whatever is told apart wrongly
      // shows.
      const side = sides[n % 2];
      const asked = sides[(n >> 1) % 2];
      const response = await h.app.inject({
        method: 'POST',
        url: URL,
        headers: {
          authorization: `Bearer ${side?.key}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'x-request-id': `call-${n}`,
        },
        payload: JSON.stringify({
          jsonrpc: '2.0',
          id: n % 10,
          method: 'tools/call',
          params: { name: 'bridge_get_line', arguments: { line_id: asked?.lineId } },
        }),
      });
      const message = /^data: (.*)$/m.exec(response.body)?.[1] ?? response.body;
      const { id, result } = JSON.parse(message) as {
        id: number;
        result: { isError?: boolean; structuredContent?: { line_id: string }; _meta?: { error: { code: string } } };
      };
      const isOwn = side === asked;
      const isRight = isOwn
        ? result.structuredContent?.line_id === side?.lineId
        : result.isError && result._meta?.error.code === 'line_not_found';
      if (!isRight || id !== n % 10 || response.headers['x-request-id'] !== `call-${n}`) wrong += 1;
    };
    const worker = async () => {
      while (next < CALLS) await call(next++);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect([next, wrong]).toEqual([CALLS, 0]);
  } finally {
    await h.close();
  }
}, 120_000);
