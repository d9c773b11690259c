import {
  child,
  children,
  formatJid,
  type Node,
  otherWayToWrite,
  parsePhone,
  SERVER_LID,
  SERVER_PN,
  text,
} from '@ponte/engine';
import type { Account, Address } from '../accounts.ts';
import { maySee } from '../privacy.ts';
import { el } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { badRequest, type IqHandler, type IqRequest } from './iq-handler.ts';

const USERS_MAX = 2000;

/** Whom a `<user>` of the list means, and how it was asked for. */
interface Asked {
  user: Node;
  /**
   * Echoed as it came; a user asked for by phone number gets its PN, by username its LID. Undefined
   * when no account has the username, or it is not to be found without its key.
   */
  jid: string | undefined;
  address: Address | undefined;
}

type Protocol = (tenant: Tenant, from: Sender, asked: Asked) => Node | undefined;

/**
 * `<iq xmlns="usync">`: what the server tells about users (shapes: Baileys WAUSync/, whatsmeow
 * user.go).
 */
export const usyncHandlers: IqHandler[] = [{ xmlns: 'usync', type: 'get', child: 'usync', answer }];

const PROTOCOLS: Record<string, Protocol> = {
  devices: (tenant, _from, { address }) => devices(tenant, address?.account),
  lid: (_tenant, _from, { address }) =>
    address?.mode === 'pn' ? el('lid', { val: formatJid(address.account.lid, SERVER_LID) }) : undefined,
  contact: (tenant, _from, { user, address }) => {
    const { username } = child(user, 'contact')?.attrs ?? {};
    if (username === undefined)
      return el('contact', { type: address ? 'in' : 'out' }, text(child(user, 'contact')) ?? '');
    const isThere = tenant.settings.ownerOf('username', '', username) !== undefined;
    return el('contact', { type: isThere ? 'in' : 'out', username });
  },
  username: (tenant, _from, { address }) => {
    const username = address && tenant.settings.get(address.account.pn, 'username', '');
    return username === undefined ? undefined : el('username', {}, username);
  },
  status: (tenant, from, { user, address }) => about(tenant, from, user, address?.account),
  business: (_tenant, _from, { user, address }) => business(address?.account, user),
  picture: (tenant, from, { address }) => {
    const isSeen = address && maySee(tenant, from.pn, address.account.pn, 'profile');
    return el('picture', { id: isSeen ? tenant.pictures.of(address.account.pn)?.id : undefined });
  },
  disappearing_mode: (tenant, _from, { address }) => {
    if (!address) return undefined;
    const duration = tenant.settings.get(address.account.pn, 'disappearing', 'duration') ?? '0';
    return el('disappearing_mode', {
      duration,
      t: tenant.settings.get(address.account.pn, 'disappearing', 't') ?? '0',
    });
  },
};

function answer({ tenant, from, child: usync }: IqRequest): { content: Node[] } {
  const wanted = children(child(usync, 'query')).map((node) => node.tag);
  const users = children(child(usync, 'list')).filter((node) => node.tag === 'user');
  if (wanted.length === 0 || users.length > USERS_MAX) throw badRequest();
  const known = wanted.filter((tag) => Object.hasOwn(PROTOCOLS, tag));
  const list = users.flatMap((user) => {
    const asked = whom(tenant, user);
    if (!asked) return [];
    const content = known.flatMap((tag) => PROTOCOLS[tag]?.(tenant, from, asked) ?? []);
    return [el('user', { jid: asked.jid }, content)];
  });
  const result = wanted.map((tag) =>
    Object.hasOwn(PROTOCOLS, tag)
      ? el(tag, tag === 'devices' ? { version: '2' } : {})
      : el(tag, {}, [el('error', { code: '501', text: 'feature-not-implemented' })]),
  );
  const { sid, index, last, mode, context } = usync.attrs;
  return {
    content: [el('usync', { sid, index, last, mode, context }, [el('result', {}, result), el('list', {}, list)])],
  };
}

function whom(tenant: Tenant, user: Node): Asked | undefined {
  const jid = user.attrs.jid;
  if (jid !== undefined) return { user, jid, address: tenant.accounts.resolve(jid) };
  const { username } = child(user, 'contact')?.attrs ?? {};
  if (username !== undefined) return named(tenant, user, username);
  const typed = text(child(user, 'contact'));
  const phone = typed === undefined ? undefined : parsePhone(typed);
  if (phone === undefined) return undefined;
  // WhatsApp answers with the number it has the account under, which may be written otherwise.
  const other = otherWayToWrite(phone);
  const isOther = other !== undefined && !tenant.accounts.byPn(phone) && tenant.accounts.byPn(other) !== undefined;
  const pnJid = formatJid(isOther ? other : phone, SERVER_PN);
  return { user, jid: pnJid, address: tenant.accounts.resolve(pnJid) };
}

function devices(tenant: Tenant, account: Account | undefined): Node {
  if (!account) return el('devices', {}, [el('device-list', {}, [])]);
  const list = tenant.accounts.devices(account.pn).filter((device) => device.identity !== undefined);
  const content = [
    // Baileys drops devices above 0 that have no key-index, and reads key-index 0 as none.
    el(
      'device-list',
      {},
      list.map((d) => el('device', { id: String(d.id), 'key-index': d.id === 0 ? undefined : String(d.keyIndex) })),
    ),
  ];
  const newest = list.reduce((latest, device) => Math.max(latest, device.linkedAt), 0);
  if (list.length > 1) content.push(el('key-index-list', { ts: String(newest) }));
  return el('devices', {}, content);
}

function about(tenant: Tenant, from: Sender, user: Node, account: Account | undefined): Node | undefined {
  if (!account) return undefined;
  if (!maySee(tenant, from.pn, account.pn, 'status', user)) return el('status', { code: '401' });
  return el('status', { t: String(account.aboutAt) }, account.about);
}

/** Also where a number is disclosed to a caller who asked by username (whatsapp-rust #1381). */
function business(account: Account | undefined, asked: Node): Node | undefined {
  const isNamed = child(asked, 'contact')?.attrs.username !== undefined;
  const pn_jid = account && isNamed && !account.isLidOnly ? formatJid(account.pn, SERVER_PN) : undefined;
  const profile = account?.isBusiness ? [el('verified_name', { v: '1' }), el('profile', {})] : [];
  return pn_jid === undefined && profile.length === 0 ? undefined : el('business', { pn_jid }, profile);
}

/** The account with a username; none without its key, where it has one. */
function named(tenant: Tenant, user: Node, username: string): Asked {
  const pn = tenant.settings.ownerOf('username', '', username);
  const account = pn === undefined ? undefined : tenant.accounts.byPn(pn);
  const key = pn === undefined ? undefined : tenant.settings.get(pn, 'username_key', '');
  const isOpen = key === undefined || key === child(user, 'contact')?.attrs.pin;
  if (!account || !isOpen) return { user, jid: undefined, address: undefined };
  const jid = formatJid(account.lid, SERVER_LID);
  return { user, jid, address: tenant.accounts.resolve(jid) };
}
