import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import { fetched } from './fetched.ts';
import { type Mode, mode, readMode } from './mode.ts';
import { Loading } from './parts/layout.tsx';
import { stateQuery } from './queries/account.ts';
import { queries } from './queries/client.ts';
import { linesQuery } from './queries/lines.ts';
import { Broken, NotFound } from './scenes/shell/broken.tsx';
import { Shell } from './scenes/shell/shell.tsx';
import { useWords } from './words/words.ts';

/**
 * What stands behind the `?` of an address. A route names each of its members, absent ones as
 * undefined: the router puts what a route returns over what the address says, so a member that is
 * left out would come through unchecked.
 */
type Asked = Record<string, unknown>;

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const root = createRootRoute({ notFoundComponent: NotFound, errorComponent: Broken });

const setUp = createRoute({
  getParentRoute: () => root,
  path: '/set-up',
  component: lazyRouteComponent(
    fetched(() => import('./scenes/sign-in/set-up.tsx')),
    'SetUp',
  ),
});
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  // Only a path of ours: a link must not redirect to another site.
  validateSearch: ({ to }: Asked): { to?: string | undefined } => ({
    to: typeof to === 'string' && /^\/(?![/\\])/.test(to) ? to : undefined,
  }),
  component: lazyRouteComponent(
    fetched(() => import('./scenes/sign-in/sign-in.tsx')),
    'SignIn',
  ),
});
const docs = createRoute({
  getParentRoute: () => root,
  path: '/docs/api',
  component: lazyRouteComponent(
    fetched(() => import('./scenes/reference/reference.tsx')),
    'Reference',
  ),
});

/** Everything that needs a signed-in user. */
const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Shell,
  // A link leads to pages of the same mode, unless it says otherwise.
  validateSearch: (asked: Asked): { mode?: Mode | undefined } => ({ mode: readMode(asked.mode) }),
  search: { middlewares: [retainSearchParams(['mode'])] },
  beforeLoad: async ({ location, search, preload }) => {
    const state = await queries.ensureQueryData(stateQuery);
    if (!state.set_up) throw redirect({ to: '/set-up' });
    if (!state.user) throw redirect({ to: '/sign-in', search: location.pathname === '/' ? {} : { to: location.href } });
    if (!search.mode) throw redirect({ href: withMode(location.href, mode.last()), replace: true });
    if (!preload) mode.show(search.mode);
  },
});

function withMode(href: string, of: Mode): string {
  const url = new URL(href, window.location.origin);
  url.searchParams.set('mode', of);
  return url.pathname + url.search + url.hash;
}

const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  component: lazyRouteComponent(
    fetched(() => import('./scenes/overview/overview.tsx')),
    'Overview',
  ),
});
const lines = createRoute({
  getParentRoute: () => inside,
  path: '/lines',
  // Asked for while the page's own code is on its way.
  loader: () => void queries.prefetchQuery(linesQuery(mode.get())),
  component: lazyRouteComponent(
    fetched(() => import('./scenes/lines/lines.tsx')),
    'Lines',
  ),
});
const line = createRoute({
  getParentRoute: () => inside,
  path: '/lines/$lineId',
  // A new line is shown with its code at once.
  validateSearch: ({ pair }: Asked): { pair?: boolean | undefined } => ({ pair: pair === true ? true : undefined }),
  component: lazyRouteComponent(
    fetched(() => import('./scenes/line/line.tsx')),
    'LinePage',
  ),
});
const chats = createRoute({
  getParentRoute: () => inside,
  path: '/lines/$lineId/chats',
  validateSearch: ({ chat }: Asked): { chat?: string | undefined } => ({ chat: textOf(chat) }),
  component: lazyRouteComponent(
    fetched(() => import('./scenes/chats/chats.tsx')),
    'Chats',
  ),
});
const keys = createRoute({
  getParentRoute: () => inside,
  path: '/keys',
  component: lazyRouteComponent(
    fetched(() => import('./scenes/keys/keys.tsx')),
    'Keys',
  ),
});
const approvals = createRoute({
  getParentRoute: () => inside,
  path: '/approvals',
  component: lazyRouteComponent(
    fetched(() => import('./scenes/approvals/approvals.tsx')),
    'Approvals',
  ),
});
const webhooks = createRoute({
  getParentRoute: () => inside,
  path: '/webhooks',
  component: lazyRouteComponent(
    fetched(() => import('./scenes/webhooks/webhooks.tsx')),
    'Webhooks',
  ),
});
const webhook = createRoute({
  getParentRoute: () => inside,
  path: '/webhooks/$webhookId',
  component: lazyRouteComponent(
    fetched(() => import('./scenes/webhooks/webhook.tsx')),
    'WebhookPage',
  ),
});
const log = createRoute({
  getParentRoute: () => inside,
  path: '/log',
  // What is looked for: an id, a name, a part of an address.
  validateSearch: ({ q }: Asked): { q?: string | undefined } => ({ q: textOf(q) }),
  component: lazyRouteComponent(
    fetched(() => import('./scenes/log/live-log.tsx')),
    'LiveLog',
  ),
});
const search = createRoute({
  getParentRoute: () => inside,
  path: '/search',
  // Digits alone come as a number.
  validateSearch: ({ q }: Asked): { q?: string | undefined } => ({ q: typeof q === 'number' ? String(q) : textOf(q) }),
  component: lazyRouteComponent(
    fetched(() => import('./scenes/search/search-all.tsx')),
    'SearchAll',
  ),
});
const usage = createRoute({
  getParentRoute: () => inside,
  path: '/usage',
  component: lazyRouteComponent(
    fetched(() => import('./scenes/usage/usage.tsx')),
    'UsagePage',
  ),
});
const playground = createRoute({
  getParentRoute: () => inside,
  path: '/playground',
  validateSearch: ({ op }: Asked): { op?: string | undefined } => ({ op: textOf(op) }),
  component: lazyRouteComponent(
    fetched(() => import('./scenes/playground/playground.tsx')),
    'Playground',
  ),
});
const settings = createRoute({
  getParentRoute: () => inside,
  path: '/settings',
  component: lazyRouteComponent(
    fetched(() => import('./scenes/settings/settings.tsx')),
    'Settings',
  ),
});

function Pending() {
  return <Loading label={useWords().loading} />;
}

export const router = createRouter({
  routeTree: root.addChildren([
    setUp,
    signIn,
    docs,
    inside.addChildren([
      home,
      lines,
      line,
      chats,
      keys,
      approvals,
      webhooks,
      webhook,
      log,
      search,
      usage,
      playground,
      settings,
    ]),
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
