import type { Node } from '@ponte/engine';
import { el } from './stanzas.ts';
import { showsToken } from './tc-tokens.ts';
import type { Tenant } from './tenant.ts';

const WHO = ['all', 'contacts', 'contact_blacklist', 'none'];

/**
 * Categories of WhatsApp Web with their defaults and values (whatsmeow types/user.go,
 * PrivacySettings).
 */
export const PRIVACY: Record<string, { initial: string; values: string[] }> = {
  last: { initial: 'all', values: WHO },
  online: { initial: 'all', values: ['all', 'match_last_seen'] },
  profile: { initial: 'all', values: WHO },
  status: { initial: 'all', values: WHO },
  readreceipts: { initial: 'all', values: ['all', 'none'] },
  groupadd: { initial: 'all', values: WHO },
  calladd: { initial: 'all', values: ['all', 'known'] },
  messages: { initial: 'all', values: ['all', 'contacts'] },
  defense: { initial: 'off', values: ['off', 'on_standard'] },
};

/** The value of a category that an account chose, or WhatsApp's default. */
export function privacyOf(tenant: Tenant, pn: string, category: string): string {
  return tenant.settings.get(pn, 'privacy', category) ?? PRIVACY[category]?.initial ?? 'all';
}

/**
 * Whether `viewer` may see something of `owner`, or add them to a group. Contacts are, in this
 * network, accounts that wrote with the owner or show a token of theirs (a `<tctoken>` in
 * `stanza`); there are no address books here, and the black list of `contact_blacklist` is empty.
 */
export function maySee(
  tenant: Tenant,
  viewer: string,
  owner: string,
  category: 'last' | 'online' | 'profile' | 'status' | 'groupadd',
  stanza?: Node,
): boolean {
  if (viewer === owner) return true;
  if (tenant.settings.get(owner, 'block', viewer) !== undefined) return false;
  const chosen = privacyOf(tenant, owner, category);
  const value = chosen === 'match_last_seen' ? privacyOf(tenant, owner, 'last') : chosen;
  if (value === 'none') return false;
  if (value !== 'contacts') return true;
  return tenant.peers.of(owner).includes(viewer) || showsToken(tenant, stanza, owner, viewer);
}

export function privacyNode(tenant: Tenant, pn: string): Node {
  const categories = Object.keys(PRIVACY).map((name) => el('category', { name, value: privacyOf(tenant, pn, name) }));
  return el('privacy', {}, categories);
}
