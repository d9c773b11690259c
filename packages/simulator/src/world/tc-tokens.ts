import { createHmac, timingSafeEqual } from 'node:crypto';
import { bytes, child, formatJid, type Node, SERVER_LID, SERVER_PN } from '@ponte/engine';
import type { Account } from './accounts.ts';
import { nowSeconds } from './clock.ts';
import type { Parcel } from './delivery.ts';
import { el } from './stanzas.ts';
import type { Sender, Tenant } from './tenant.ts';

const TOKEN_BYTES = 32;
/** Clients throw tokens away after four weeks (Baileys tc-token-utils.js, as WhatsApp Web). */
const TOKEN_TTL_S = 28 * 24 * 3600;
const KIND = 'tctoken';
const SALT = 'nct-salt';

/**
 * Trusted-contact tokens: an account issues one to a person it wrote with; its holder may see what
 * the account shows its contacts. Issuing again gives the same token. Shapes: Baileys
 * tc-token-utils.js, whatsmeow notification.go.
 */
export function issueToken(tenant: Tenant, from: Sender, to: Account, t: number): Parcel[] {
  const issuer = tenant.accounts.byPn(from.pn);
  if (!issuer) return [];
  const token = tokenOf(tenant, from.pn, to.pn)?.token ?? tenant.rng.bytes(TOKEN_BYTES);
  tenant.settings.set(from.pn, KIND, to.pn, `${t} ${Buffer.from(token).toString('base64')}`);
  const attrs = { from: formatJid(issuer.pn, SERVER_PN), sender_lid: formatJid(issuer.lid, SERVER_LID) };
  return tenant.accounts
    .devices(to.pn)
    .filter((device) => device.identity !== undefined && !tenant.delivery.isFull(to.pn, device.id))
    .map((device) => {
      const jid = formatJid(to.pn, SERVER_PN);
      const content = [el('tokens', {}, [el('token', { jid, t: String(t), type: 'trusted_contact' }, token)])];
      const parcel = tenant.notification({ pn: to.pn, device: device.id }, 'privacy_token', content, attrs);
      return { ...parcel, sender: from.pn };
    });
}

/** True when the stanza carries, as a child, a valid token that `owner` gave to `holder`. */
export function showsToken(tenant: Tenant, stanza: Node | undefined, owner: string, holder: string): boolean {
  const shown = bytes(child(stanza, 'tctoken'));
  const known = tokenOf(tenant, owner, holder);
  if (!shown || !known || known.t + TOKEN_TTL_S < nowSeconds(tenant.clock)) return false;
  return shown.length === known.token.length && timingSafeEqual(shown, known.token);
}

/** The salt of an account's tokens for strangers; its phone hands it to companions. */
export function contactSalt(tenant: Tenant, pn: string): Uint8Array {
  const known = tenant.settings.get(pn, SALT, '');
  if (known !== undefined) return Buffer.from(known, 'base64');
  const salt = tenant.rng.bytes(TOKEN_BYTES);
  tenant.settings.set(pn, SALT, '', Buffer.from(salt).toString('base64'));
  return salt;
}

/**
 * True when the stanza carries the token that the account makes for this stranger (whatsmeow
 * cstoken.go).
 */
export function showsContactToken(tenant: Tenant, stanza: Node, pn: string, to: Account): boolean {
  const shown = bytes(child(stanza, 'cstoken'));
  const right = createHmac('sha256', contactSalt(tenant, pn)).update(formatJid(to.lid, SERVER_LID)).digest();
  return shown?.length === right.length && timingSafeEqual(shown, right);
}

function tokenOf(tenant: Tenant, owner: string, holder: string): { t: number; token: Uint8Array } | undefined {
  const [t, token] = tenant.settings.get(owner, KIND, holder)?.split(' ') ?? [];
  return t === undefined || token === undefined ? undefined : { t: Number(t), token: Buffer.from(token, 'base64') };
}
