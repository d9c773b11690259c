import { queryOptions, useQuery } from '@tanstack/react-query';
import { api } from './api.ts';
import type { Role, State } from './shapes.ts';

export const stateQuery = queryOptions({
  queryKey: ['state'],
  queryFn: () => api<State>('GET', '/state'),
  staleTime: 60_000,
});

const RANK: Record<Role, number> = { viewer: 0, developer: 1, owner: 2 };

/**
 * True when whoever is signed in may do what `role` may. The server decides; this only hides what
 * it would refuse.
 */
export function useMay(role: Role): boolean {
  const { data } = useQuery(stateQuery);
  return data?.user ? RANK[data.user.role] >= RANK[role] : false;
}
