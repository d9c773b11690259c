import { useQuery } from '@tanstack/react-query';
import { stateQuery } from './queries/account.ts';
import type { Role } from './shapes.ts';

const RANK: Record<Role, number> = { viewer: 0, developer: 1, owner: 2 };

/**
 * True when the signed-in user may do what `role` may. The server decides; this only hides what it
 * would refuse.
 */
export function useMay(role: Role): boolean {
  const { data } = useQuery(stateQuery);
  return data?.user ? RANK[data.user.role] >= RANK[role] : false;
}
