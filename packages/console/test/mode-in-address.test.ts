// @vitest-environment happy-dom
import { createMemoryHistory } from '@tanstack/react-router';
import { expect, it } from 'vitest';
import { ApiError } from '../src/api.ts';
import { inItsMode } from '../src/its-mode.ts';
import { mode } from '../src/mode.ts';
import { router } from '../src/router.tsx';
import { line, state } from './examples.ts';
import { freshPage, Refusal, serve } from './rendered.tsx';

freshPage();
const NO_LINES = { ok: true, lines: [] };

/** Where an address leads. */
async function open(address: string): Promise<string> {
  router.update({ ...router.options, history: createMemoryHistory({ initialEntries: [address] }) });
  await router.load();
  return router.state.location.href;
}

it('shows the mode of the address, and writes it into one that has none', async () => {
  const calls = serve({ 'GET /state': state(), 'GET /lines': NO_LINES });
  expect(await open('/lines?mode=live')).toBe('/lines?mode=live');
  expect(mode.get()).toBe('live');
  await expect.poll(() => calls.find(({ path }) => path === '/lines')?.mode).toBe('live');
  // The mode that was looked at last.
  expect(await open('/keys')).toBe('/keys?mode=live');
  expect(await open('/keys?mode=test')).toBe('/keys?mode=test');
  expect(mode.get()).toBe('test');
});

it('takes anything but a mode for none, and keeps the rest of the address', async () => {
  serve({ 'GET /state': state() });
  expect(await open('/log?q=req_1&mode=prod')).toBe('/log?q=req_1&mode=test');
  expect(await open('/search?q=1555')).toMatch(/^\/search\?q=(?:1555|%221555%22)&mode=test$/);
});

it('leads to the sign-in and remembers where to, but never to another site', async () => {
  serve({ 'GET /state': state({ user: null }) });
  const signIn = new URL(await open('/webhooks/wh_1?mode=live'), 'http://console');
  expect(signIn.pathname).toBe('/sign-in');
  expect(signIn.searchParams.get('to')).toBe('/webhooks/wh_1?mode=live');
  expect(await open('/')).toBe('/sign-in');
  for (const to of ['//evil.example', 'https://evil.example', '/\\evil.example']) {
    await open(`/sign-in?to=${encodeURIComponent(to)}`);
    expect(router.state.matches.at(-1)?.search).toEqual({ to: undefined });
  }
});

it('leads to the set-up while there is no owner', async () => {
  serve({ 'GET /state': state({ set_up: false, user: null }) });
  expect(await open('/lines?mode=test')).toBe('/set-up');
});

it('finds an object in the other mode, and says which one it is of', async () => {
  let of = 'live';
  const only = (wanted: string) => () => (of === wanted ? line() : new Refusal(404, { error: 'not_found' }));
  serve({ 'GET /lines/line_1': only('test') });
  await expect(inItsMode('/lines/line_1')).rejects.toBeInstanceOf(ApiError);
  of = 'test';
  expect(await inItsMode('/lines/line_1')).toMatchObject({ line_id: 'line_1', mode: 'test' });
});
