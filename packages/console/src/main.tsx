import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { lazy, StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import './console.css';
import { fetched } from './fetched.ts';
import { FocusMemory } from './parts/focus-memory.tsx';
import { stateQuery } from './queries/account.ts';
import { queries } from './queries/client.ts';
import { router } from './router.tsx';
import { applyTheme } from './theme.ts';
import { loadWords } from './words/words.ts';

const Toasts = lazy(fetched(async () => ({ default: (await import('./parts/toasts.tsx')).Toasts })));

applyTheme();
// Every page begins with it.
void queries.prefetchQuery(stateQuery);
const root = document.getElementById('app');
if (!root) throw new Error('the page has no #app');
await loadWords();
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <FocusMemory>
        <RouterProvider router={router} />
      </FocusMemory>
      <Suspense>
        <Toasts />
      </Suspense>
    </QueryClientProvider>
  </StrictMode>,
);

// For the time in which the server does not answer; there are no service workers over plain http.
void navigator.serviceWorker?.register('/sw.js').catch(() => {});
