import { child, childrenOf, formatJid, type Node, SERVER_LID, SERVER_PN } from '@ponte/engine';
import { el } from '../stanzas.ts';
import type { Tenant } from '../tenant.ts';
import { badRequest, type IqHandler, type IqRequest, notFound } from './iq-handler.ts';

const BLOCKED_MAX = 1000;

/** Categories of WhatsApp Web with their defaults and values (whatsmeow types/user.go, PrivacySettings). */
const PRIVACY: Record<string, { initial: string; values: string[] }> = {
  last: { initial: 'all', values: ['all', 'contacts', 'contact_blacklist', 'none'] },
  online: { initial: 'all', values: ['all', 'match_last_seen'] },
  profile: { initial: 'all', values: ['all', 'contacts', 'contact_blacklist', 'none'] },
  status: { initial: 'all', values: ['all', 'contacts', 'contact_blacklist', 'none'] },
  readreceipts: { initial: 'all', values: ['all', 'none'] },
  groupadd: { initial: 'all', values: ['all', 'contacts', 'contact_blacklist', 'none'] },
  calladd: { initial: 'all', values: ['all', 'known'] },
  messages: { initial: 'all', values: ['all', 'contacts'] },
  defense: { initial: 'off', values: ['off', 'on_standard'] },
};

const empty = (): { content?: Node[] } => ({});

/** The small queries that every client sends after its login. */
export const accountHandlers: IqHandler[] = [
  { xmlns: 'w:p', type: 'get', child: 'ping', answer: empty },
  { xmlns: 'w:p', type: 'get', child: '', answer: empty },
  { xmlns: 'passive', type: 'set', child: 'active', answer: activate },
  { xmlns: 'passive', type: 'set', child: 'passive', answer: empty },
  { xmlns: 'urn:xmpp:whatsapp:dirty', type: 'set', child: 'clean', answer: empty },
  { xmlns: 'urn:xmpp:ping', type: 'get', child: 'ping', answer: empty },
  // Telemetry is taken and thrown away.
  { xmlns: 'w:stats', type: 'set', child: 'add', answer: empty },
  {
    xmlns: 'abt',
    type: 'get',
    child: 'props',
    answer: () => ({
      content: [el('props', { ab_key: 'sandbox', hash: 'sandbox', refresh: '86400', protocol: '1' }, [])],
    }),
  },
  {
    xmlns: 'privacy',
    type: 'get',
    child: 'privacy',
    answer: ({ tenant, from }) => ({ content: [privacyNode(tenant, from.pn)] }),
  },
  { xmlns: 'privacy', type: 'set', child: 'privacy', answer: setPrivacy },
  // Trusted-contact tokens are accepted; nothing in this network asks for one yet.
  { xmlns: 'privacy', type: 'set', child: 'tokens', answer: () => ({ content: [el('tokens', {}, [])] }) },
  {
    xmlns: 'blocklist',
    type: 'get',
    child: '',
    answer: ({ tenant, from }) => ({ content: [blocklist(tenant, from.pn)] }),
  },
  { xmlns: 'blocklist', type: 'set', child: 'item', answer: block },
];

function activate({ tenant, from }: IqRequest): { afterwards: () => void } {
  return { afterwards: () => tenant.delivery.mailbox(from.pn, from.device)?.startDrain() };
}

function privacyNode(tenant: Tenant, pn: string): Node {
  const categories = Object.entries(PRIVACY).map(([name, { initial }]) =>
    el('category', { name, value: tenant.settings.get(pn, 'privacy', name) ?? initial }),
  );
  return el('privacy', {}, categories);
}

function setPrivacy({ tenant, from, child: privacy }: IqRequest): { content: Node[] } {
  const changes = childrenOf(privacy, 'category').map(({ attrs }) => ({
    name: attrs.name ?? '',
    value: attrs.value ?? '',
  }));
  if (changes.length === 0) throw badRequest();
  for (const { name, value } of changes) {
    if (!Object.hasOwn(PRIVACY, name) || !PRIVACY[name]?.values.includes(value)) throw badRequest();
  }
  for (const { name, value } of changes) tenant.settings.set(from.pn, 'privacy', name, value);
  return {
    content: [
      el(
        'privacy',
        {},
        changes.map((change) => el('category', change)),
      ),
    ],
  };
}

function blocklist(tenant: Tenant, pn: string): Node {
  const items = tenant.settings.all(pn, 'block').flatMap(({ name }) => {
    const account = tenant.accounts.byPn(name);
    if (!account) return [];
    return [el('item', { jid: formatJid(account.lid, SERVER_LID), pn_jid: formatJid(account.pn, SERVER_PN) })];
  });
  return el('list', { addressing_mode: 'lid' }, items);
}

function block({ tenant, from, iq }: IqRequest): { content: Node[] } {
  const item = child(iq, 'item');
  const account = tenant.accounts.resolve(item?.attrs.jid)?.account;
  if (!item || (item.attrs.action !== 'block' && item.attrs.action !== 'unblock')) throw badRequest();
  if (!account) throw notFound();
  const blocked = tenant.settings.all(from.pn, 'block');
  if (item.attrs.action === 'block' && blocked.length >= BLOCKED_MAX) throw badRequest();
  tenant.settings.set(from.pn, 'block', account.pn, item.attrs.action === 'block' ? '1' : undefined);
  return { content: [blocklist(tenant, from.pn)] };
}
