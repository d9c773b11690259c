import { QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { cleanup, render, screen } from '@testing-library/react';
import { userEvent } from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, vi } from 'vitest';
import { mode } from '../src/mode.ts';
import { FocusMemory } from '../src/parts/focus-memory.tsx';
import { Toasts } from '../src/parts/toasts.tsx';
import { queries } from '../src/queries/client.ts';
import { loadWords } from '../src/words/words.ts';

/** One request to the console's API, as the component sent it. */
export interface Call {
  method: string;
  /** Below /api/console/v1. */
  path: string;
  mode: string | null;
  body: unknown;
}
/** What the server answers to `METHOD /path`; a function sees the body, a Refusal is a refusal. */
export type Answers = Record<string, unknown>;

/** An answer with a status other than 200. */
export class Refusal {
  readonly status: number;
  readonly body: object;
  constructor(status: number, body: object) {
    this.status = status;
    this.body = body;
  }
}

const API = '/api/console/v1';

/**
 * Stands in for the server of one test. What is not in `answers` is a 404, so that no component
 * waits for the network. The returned list grows with the calls.
 */
export function serve(answers: Answers): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
    const path = url.startsWith(API) ? url.slice(API.length) : url;
    const { method = 'GET' } = init;
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
    calls.push({ method, path, mode: new Headers(init.headers).get('x-ponte-mode'), body });
    const found = answers[`${method} ${path}`];
    const answer = typeof found === 'function' ? await found(body) : found;
    if (answer instanceof Refusal) return Response.json(answer.body, { status: answer.status });
    if (answer === undefined) return Response.json({ error: 'not_found', message: 'Not found.' }, { status: 404 });
    return Response.json(answer);
  });
  return calls;
}

/** Shows a part of the console as the app does, in English: with its cache, router and toasts. */
export async function show(part: ReactNode) {
  const user = userEvent.setup();
  const history = createMemoryHistory({ initialEntries: ['/'] });
  const router = createRouter({ routeTree: createRootRoute({ component: () => part }), history });
  await router.load();
  render(
    <QueryClientProvider client={queries}>
      <FocusMemory>
        <RouterProvider router={router} />
      </FocusMemory>
      <Toasts />
    </QueryClientProvider>,
  );
  return { user, screen };
}

/** To be called once in a file: an empty cache, storage and page before and after each test. */
export function freshPage(): void {
  beforeEach(async () => {
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
    localStorage.clear();
    // Answers come at once; a real time-out would outlive the test.
    vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
    mode.show('test');
    // What was done is otherwise kept for minutes, by a timer that clear() leaves.
    const { mutations, ...rest } = queries.getDefaultOptions();
    queries.setDefaultOptions({ ...rest, mutations: { ...mutations, gcTime: Number.POSITIVE_INFINITY } });
    await loadWords();
  });
  afterEach(async () => {
    cleanup();
    await queries.cancelQueries();
    queries.clear();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });
}
