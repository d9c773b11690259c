import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './console.css';
import { Notices } from './parts/notices.tsx';
import { queries } from './queries.ts';
import { router } from './router.tsx';
import { stateQuery } from './session.ts';
import { applyTheme } from './theme.ts';

applyTheme();
// Every page begins with it.
void queries.prefetchQuery(stateQuery);
const root = document.getElementById('app');
if (!root) throw new Error('the page has no #app');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
      <Notices />
    </QueryClientProvider>
  </StrictMode>,
);

// For the time in which the server does not answer; there are no service workers over plain http.
void navigator.serviceWorker?.register('/sw.js').catch(() => {});
