import type { ListedKey } from '../../access/api-keys.ts';
import type { AuditedEntry } from '../../access/console-audit.ts';
import type { Role } from '../../access/console-roles.ts';
import type { ConsoleUser } from '../../access/console-users.ts';

export const rfc3339 = (ms: number): string => new Date(ms).toISOString();
export const rfc3339OrNull = (ms: number | null): string | null => (ms === null ? null : rfc3339(ms));

export const signedInUser = ({ id, email, name, role }: { id: string; email: string; name: string; role: Role }) => ({
  id,
  email,
  name,
  role,
});

export const user = (of: ConsoleUser) => ({
  ...signedInUser(of),
  created_at: rfc3339(of.createdAt),
  signed_in_at: rfc3339OrNull(of.signedInAt),
  disabled: of.disabledAt !== null,
});

export const key = (of: ListedKey) => ({
  id: of.keyId,
  name: of.keyName,
  prefix: of.keyPrefix,
  mode: of.mode,
  scopes: of.scopes,
  created_at: rfc3339(of.createdAt),
  expires_at: rfc3339OrNull(of.expiresAt),
  revoked_at: rfc3339OrNull(of.revokedAt),
  last_used_at: rfc3339OrNull(of.lastUsedAt),
  approval: of.needsApproval ? 'required' : 'none',
  line_ids: of.lines ?? null,
  networks: of.networks ?? null,
});

export const auditEntry = ({ at, requestId, userId: _, ...rest }: AuditedEntry) => ({
  ...rest,
  at: rfc3339(at),
  request_id: requestId,
});
