import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router';
import { mode } from './mode.ts';
import { Loading } from './parts/layout.tsx';
import { queries } from './queries.ts';
import { Broken, NotFound } from './scenes/broken.tsx';
import { linesQuery } from './scenes/lines-query.ts';
import { Shell } from './scenes/shell.tsx';
import { stateQuery } from './session.ts';
import { useWords } from './words/words.ts';

const root = createRootRoute({ notFoundComponent: NotFound, errorComponent: Broken });

const setUp = createRoute({
  getParentRoute: () => root,
  path: '/set-up',
  component: lazyRouteComponent(() => import('./scenes/set-up.tsx'), 'SetUp'),
});
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { to?: string } =>
    // Only a path of ours: nobody is sent elsewhere by a link.
    typeof search.to === 'string' && /^\/(?!\/)/.test(search.to) ? { to: search.to } : {},
  component: lazyRouteComponent(() => import('./scenes/sign-in.tsx'), 'SignIn'),
});
const docs = createRoute({
  getParentRoute: () => root,
  path: '/docs',
  component: lazyRouteComponent(() => import('./scenes/reference.tsx'), 'Reference'),
});

/** Everything that needs somebody who is signed in. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Shell,
  beforeLoad: async ({ location }) => {
    const state = await queries.ensureQueryData(stateQuery);
    if (!state.set_up) throw redirect({ to: '/set-up' });
    if (!state.user)
      throw redirect({ to: '/sign-in', search: location.pathname === '/' ? {} : { to: location.pathname } });
  },
});
const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/lines' });
  },
});
const lines = createRoute({
  getParentRoute: () => inside,
  path: '/lines',
  // Asked for while the page's own code is on its way.
  loader: () => void queries.prefetchQuery(linesQuery(mode.get())),
  component: lazyRouteComponent(() => import('./scenes/lines.tsx'), 'Lines'),
});
const line = createRoute({
  getParentRoute: () => inside,
  path: '/lines/$lineId',
  // A new line is shown with its code at once.
  validateSearch: (search: Record<string, unknown>): { pair?: boolean } => (search.pair === true ? { pair: true } : {}),
  component: lazyRouteComponent(() => import('./scenes/line.tsx'), 'LinePage'),
});
const chats = createRoute({
  getParentRoute: () => inside,
  path: '/lines/$lineId/chats',
  validateSearch: (search: Record<string, unknown>): { chat?: string } =>
    typeof search.chat === 'string' ? { chat: search.chat } : {},
  component: lazyRouteComponent(() => import('./scenes/chats.tsx'), 'Chats'),
});
const keys = createRoute({
  getParentRoute: () => inside,
  path: '/keys',
  component: lazyRouteComponent(() => import('./scenes/keys.tsx'), 'Keys'),
});
const approvals = createRoute({
  getParentRoute: () => inside,
  path: '/approvals',
  component: lazyRouteComponent(() => import('./scenes/approvals.tsx'), 'Approvals'),
});
const webhooks = createRoute({
  getParentRoute: () => inside,
  path: '/webhooks',
  component: lazyRouteComponent(() => import('./scenes/webhooks.tsx'), 'Webhooks'),
});
const webhook = createRoute({
  getParentRoute: () => inside,
  path: '/webhooks/$webhookId',
  component: lazyRouteComponent(() => import('./scenes/webhook.tsx'), 'WebhookPage'),
});
const usage = createRoute({
  getParentRoute: () => inside,
  path: '/usage',
  component: lazyRouteComponent(() => import('./scenes/usage.tsx'), 'UsagePage'),
});
const playground = createRoute({
  getParentRoute: () => inside,
  path: '/playground',
  validateSearch: (search: Record<string, unknown>): { op?: string } =>
    typeof search.op === 'string' ? { op: search.op } : {},
  component: lazyRouteComponent(() => import('./scenes/playground.tsx'), 'Playground'),
});
const settings = createRoute({
  getParentRoute: () => inside,
  path: '/settings',
  component: lazyRouteComponent(() => import('./scenes/settings.tsx'), 'Settings'),
});

function Pending() {
  return <Loading label={useWords().loading} />;
}

export const router = createRouter({
  routeTree: root.addChildren([
    setUp,
    signIn,
    docs,
    inside.addChildren([home, lines, line, chats, keys, approvals, webhooks, webhook, usage, playground, settings]),
  ]),
  defaultPreload: 'intent',
  defaultPendingComponent: Pending,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
