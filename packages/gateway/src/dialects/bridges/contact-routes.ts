import type { Route } from '../../http/route.ts';

/** People, the own profile, and presence. */
export const contactRoutes: Route[] = [];
