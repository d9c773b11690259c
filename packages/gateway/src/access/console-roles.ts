/** Rights in the console: everything, everything but people and audit, or reading. */
export type Role = 'owner' | 'developer' | 'viewer';
export const ROLES: readonly Role[] = ['owner', 'developer', 'viewer'];

const RANK: Record<Role, number> = { viewer: 0, developer: 1, owner: 2 };

/** True when `role` may do what `needed` may. */
export const mayAct = (role: Role, needed: Role): boolean => RANK[role] >= RANK[needed];

const READING = ['account:read', 'lines:read', 'messages:read', 'contacts:read', 'webhooks:read', 'sandbox:read'];

/** The scopes a role has in commands, in the words of API keys. */
export const scopesOf = (role: Role): readonly string[] => (role === 'viewer' ? READING : ['*']);
