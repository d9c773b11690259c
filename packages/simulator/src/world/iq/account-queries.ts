import { child, childrenOf, formatJid, intAttr, type Node, SERVER_LID, SERVER_PN } from '@ponte/engine';
import { tellOwnDevices } from '../announcements.ts';
import { nowSeconds } from '../clock.ts';
import { PRIVACY, privacyNode } from '../privacy.ts';
import { el } from '../stanzas.ts';
import { issueToken } from '../tc-tokens.ts';
import type { Tenant } from '../tenant.ts';
import { badRequest, type IqAnswer, type IqHandler, type IqRequest, notFound } from './iq-handler.ts';

const BLOCKED_MAX = 1000;
const TOKENS_MAX = 100;

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
  { xmlns: 'privacy', type: 'set', child: 'tokens', answer: giveTokens },
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

function setPrivacy({ tenant, from, child: privacy }: IqRequest): IqAnswer {
  const changes = childrenOf(privacy, 'category').map(({ attrs }) => ({
    name: attrs.name ?? '',
    value: attrs.value ?? '',
  }));
  if (changes.length === 0) throw badRequest();
  for (const { name, value } of changes) {
    if (!Object.hasOwn(PRIVACY, name) || !PRIVACY[name]?.values.includes(value)) throw badRequest();
  }
  for (const { name, value } of changes) tenant.settings.set(from.pn, 'privacy', name, value);
  const categories = changes.map((change) => el('category', change));
  return {
    content: [el('privacy', {}, categories)],
    afterwards: () => tellOwnDevices(tenant, from, [el('privacy', {}, categories)]),
  };
}

/**
 * Gives trusted-contact tokens to people: their devices are told, and may show them from then on.
 */
function giveTokens({ tenant, from, child: tokens }: IqRequest): IqAnswer {
  const given = childrenOf(tokens, 'token').slice(0, TOKENS_MAX);
  const parcels = given.flatMap((token) => {
    const account = tenant.accounts.resolve(token.attrs.jid)?.account;
    const t = intAttr(token, 't') ?? nowSeconds(tenant.clock);
    return account && account.pn !== from.pn ? issueToken(tenant, from, account, t) : [];
  });
  return { content: [el('tokens', {}, [])], afterwards: () => tenant.post(parcels) };
}

function blocklist(tenant: Tenant, pn: string): Node {
  const items = tenant.settings.all(pn, 'block').flatMap(({ name }) => {
    const account = tenant.accounts.byPn(name);
    if (!account) return [];
    return [el('item', { jid: formatJid(account.lid, SERVER_LID), pn_jid: formatJid(account.pn, SERVER_PN) })];
  });
  return el('list', { addressing_mode: 'lid' }, items);
}

function block({ tenant, from, iq }: IqRequest): IqAnswer {
  const item = child(iq, 'item');
  const account = tenant.accounts.resolve(item?.attrs.jid)?.account;
  if (!item || (item.attrs.action !== 'block' && item.attrs.action !== 'unblock')) throw badRequest();
  if (!account) throw notFound();
  const blocked = tenant.settings.all(from.pn, 'block');
  if (item.attrs.action === 'block' && blocked.length >= BLOCKED_MAX) throw badRequest();
  tenant.settings.set(from.pn, 'block', account.pn, item.attrs.action === 'block' ? '1' : undefined);
  const { action } = item.attrs;
  const jid = formatJid(account.lid, SERVER_LID);
  const change = el('blocklist', { action: 'modify' }, [el('item', { jid, action })]);
  return { content: [blocklist(tenant, from.pn)], afterwards: () => tellOwnDevices(tenant, from, [change]) };
}
