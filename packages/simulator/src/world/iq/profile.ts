import { child, childrenOf, formatJid, type Node, SERVER_PN, text } from '@ponte/engine';
import { publicJid, tellContacts, tellOwnDevices } from '../announcements.ts';
import { channelQuery } from '../channels/channel-queries.ts';
import { nowSeconds } from '../clock.ts';
import { TIMELOCK_QUERY, timelockOf } from '../restrictions.ts';
import { hexId } from '../rng.ts';
import { el } from '../stanzas.ts';
import type { Sender, Tenant } from '../tenant.ts';
import { badRequest, type IqAnswer, type IqHandler, IqRefusal, type IqRequest, notFound } from './iq-handler.ts';

const ABOUT_MAX_CHARS = 139;
const AUDIENCE_MAX = 1000;
const AUDIENCES = ['contacts', 'whitelist', 'blacklist'] as const;
/** The GraphQL mutation that WhatsApp Web sets the about with since 2026-08 (whatsmeow user.go). */
const MEX_UPDATE_ABOUT = '9152604461510864';
/** Off, a day, a week, 90 days. */
const DISAPPEARING_S = new Set(['0', '86400', '604800', '7776000']);

/**
 * What an account says of itself, and to whom (shapes: Baileys chats.js, whatsmeow user.go and
 * broadcast.go).
 */
export const profileHandlers: IqHandler[] = [
  { xmlns: 'status', type: 'set', child: 'status', answer: setAbout },
  { xmlns: 'status', type: 'get', child: 'privacy', answer: getAudience },
  { xmlns: 'status', type: 'set', child: 'privacy', answer: setAudience },
  { xmlns: 'w:mex', type: 'get', child: 'query', answer: mex },
  { xmlns: 'w:qr', type: 'set', child: 'qr', answer: ownQr },
  { xmlns: 'w:qr', type: 'get', child: 'qr', answer: whoseQr },
  { xmlns: 'w:biz', type: 'get', child: 'business_profile', answer: business },
  { xmlns: 'disappearing_mode', type: 'set', child: 'disappearing_mode', answer: setDisappearing },
];

function setAbout({ tenant, from, child: status }: IqRequest): IqAnswer {
  return { content: [], afterwards: changeAbout(tenant, from, text(status) ?? '') };
}

function changeAbout(tenant: Tenant, from: Sender, about: string): () => void {
  const account = tenant.accounts.byPn(from.pn);
  if (!account) throw notFound();
  if (about.length > ABOUT_MAX_CHARS) throw new IqRefusal(406, 'not-acceptable');
  tenant.accounts.save({ ...account, about, aboutAt: nowSeconds(tenant.clock) });
  return () => {
    const notice = [el('set', {}, about)];
    tellContacts(tenant, account, 'status', notice);
    tellOwnDevices(tenant, from, [el('status', {})]);
  };
}

/** `<query query_id>` with JSON variables: channels, and the about that WhatsApp Web moved here. */
function mex({ tenant, from, child: query }: IqRequest): IqAnswer {
  if (query.attrs.query_id === TIMELOCK_QUERY) {
    const lock = from.lineId === undefined ? undefined : tenant.faults(from.lineId).restrictedUntilMs;
    const body = { data: { xwa2_fetch_account_reachout_timelock: timelockOf(lock) } };
    return { content: [el('result', {}, Buffer.from(JSON.stringify(body)))] };
  }
  const answer = channelQuery(tenant, from, query.attrs.query_id ?? '', text(query));
  if (answer) return answer;
  if (query.attrs.query_id !== MEX_UPDATE_ABOUT) throw new IqRefusal(501, 'feature-not-implemented');
  const about = aboutOf(text(query));
  if (about === undefined) throw badRequest();
  const afterwards = changeAbout(tenant, from, about);
  const body = JSON.stringify({ data: { xwa2_update_text_status: { result: 'SUCCESS' } } });
  return { content: [el('result', {}, Buffer.from(body))], afterwards };
}

function aboutOf(json: string | undefined): string | undefined {
  try {
    const about: unknown = JSON.parse(json ?? '')?.variables?.input?.text;
    return typeof about === 'string' || about === null ? (about ?? '') : undefined;
  } catch {
    // No JSON: a bad request like any other that lacks the text.
    return undefined;
  }
}

function getAudience({ tenant, from }: IqRequest): IqAnswer {
  const chosen = tenant.settings.get(from.pn, 'status-privacy', 'type') ?? 'contacts';
  const lists = AUDIENCES.map((type) => {
    const people = tenant.settings.get(from.pn, 'status-privacy', `list ${type}`)?.split(' ') ?? [];
    return { type, people: people.filter((jid) => jid !== '') };
  });
  // The chosen one comes first and says so; the others are listed when they name people.
  const shown = [
    ...lists.filter((l) => l.type === chosen),
    ...lists.filter((l) => l.type !== chosen && l.people.length),
  ];
  const content = shown.map(({ type, people }) => {
    const users = people.map((jid) => el('user', { jid }));
    return el('list', { type, default: type === chosen ? 'true' : undefined }, users);
  });
  return { content: [el('privacy', {}, content)] };
}

function setAudience({ tenant, from, child: privacy }: IqRequest): IqAnswer {
  const list = child(privacy, 'list');
  const type = AUDIENCES.find((audience) => audience === list?.attrs.type);
  const people = childrenOf(list, 'user').map((user) => tenant.accounts.resolve(user.attrs.jid)?.account);
  if (!type || people.length > AUDIENCE_MAX || people.includes(undefined)) throw badRequest();
  const jids = people.flatMap((account) => (account ? formatJid(account.pn, SERVER_PN) : []));
  tenant.settings.set(from.pn, 'status-privacy', 'type', type);
  tenant.settings.set(from.pn, 'status-privacy', `list ${type}`, jids.join(' '));
  return { content: [] };
}

/** The code of `https://wa.me/qr/…`: one per account until it is revoked. */
function ownQr({ tenant, from, child: qr }: IqRequest): IqAnswer {
  const { type, action } = qr.attrs;
  if (type !== 'contact' || (action !== 'get' && action !== 'revoke')) throw badRequest();
  const known = action === 'get' ? tenant.settings.get(from.pn, 'qr', 'contact') : undefined;
  const code = known ?? hexId(tenant.rng, 8);
  if (!known) tenant.settings.set(from.pn, 'qr', 'contact', code);
  return { content: [el('qr', { code })] };
}

function whoseQr({ tenant, child: qr }: IqRequest): IqAnswer {
  const owner = tenant.settings.ownerOf('qr', 'contact', qr.attrs.code ?? '');
  const account = owner === undefined ? undefined : tenant.accounts.byPn(owner);
  if (!account) throw notFound();
  return { content: [el('qr', { type: 'contact', jid: publicJid(account), notify: account.name })] };
}

function business({ tenant, child: asked }: IqRequest): IqAnswer {
  const jid = child(asked, 'profile')?.attrs.jid;
  const account = tenant.accounts.resolve(jid)?.account;
  if (!account?.isBusiness) return { content: [el('business_profile', {}, [])] };
  const categories = el('categories', {}, [el('category', { id: '629412378414563' }, 'Other Business')]);
  const profile: Node[] = [
    el('address', {}, ''),
    el('description', {}, account.about),
    el('email', {}, ''),
    categories,
    el('business_hours', { timezone: 'UTC' }, []),
  ];
  return { content: [el('business_profile', {}, [el('profile', { jid }, profile)])] };
}

function setDisappearing({ tenant, from, child: mode }: IqRequest): IqAnswer {
  const { duration = '' } = mode.attrs;
  if (!DISAPPEARING_S.has(duration)) throw badRequest();
  const t = String(nowSeconds(tenant.clock));
  tenant.settings.set(from.pn, 'disappearing', 'duration', duration);
  tenant.settings.set(from.pn, 'disappearing', 't', t);
  return { content: [], afterwards: () => tellOwnDevices(tenant, from, [el('disappearing_mode', { duration, t })]) };
}
