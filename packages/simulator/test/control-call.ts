import { expect } from 'vitest';
import { createControl } from '../src/control/control.ts';
import { type Fixture, TENANT } from './fixture.ts';

/**
 * Calls of the sandbox API for tests: a call that is refused fails the test, `raw` answers whatever
 * came. Bodies are what JSON makes of them.
 */
export function controlOf(net: Fixture) {
  async function raw(request: string, body?: unknown) {
    const [method = '', target = ''] = request.split(' ');
    const url = new URL(target, 'http://sandbox');
    const query = Object.fromEntries(url.searchParams);
    const control = createControl(net.world);
    const answer = await control.handle({ tenant: TENANT, method, path: url.pathname, query, body });
    return { status: answer.status, body: JSON.parse(JSON.stringify(answer.body ?? null)) };
  }
  async function call(request: string, body?: unknown) {
    const answer = await raw(request, body);
    expect(answer.status, `${request}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  }
  return Object.assign(call, { raw });
}
