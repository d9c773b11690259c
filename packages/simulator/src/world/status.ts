import { bytes, child, children, childrenOf, formatJid, type Node, SERVER_PN, STATUS_BROADCAST } from '@ponte/engine';
import { deviceJid } from './accounts.ts';
import type { Parcel } from './delivery.ts';
import { ackOf, COPY_MAX_BYTES, type MessageOutcome, NOT_PASSED_ON, PASSED_ON, refuse } from './message-parts.ts';
import { definedOnly, el } from './stanzas.ts';
import type { Sender, Tenant } from './tenant.ts';

const DEVICES_MAX = 4000;

/**
 * Routes a status: the devices with an entry in `<participants>` are its audience and get that
 * entry and the `<enc type="skmsg">`. People who blocked the sender get nothing. With `participant`
 * it is an answer to a retry receipt, for that one device.
 */
export function routeStatus(tenant: Tenant, from: Sender, message: Node): MessageOutcome {
  const sender = tenant.accounts.byPn(from.pn);
  if (!sender || !message.attrs.id) return refuse(message, 400, 'message without an id');
  const shared = childrenOf(message, 'enc');
  const { participant } = message.attrs;
  const entries =
    participant === undefined
      ? childrenOf(child(message, 'participants'), 'to').map((to) => ({
          jid: to.attrs.jid,
          enc: childrenOf(to, 'enc'),
        }))
      : [{ jid: participant, enc: [] }];
  const size = (enc: Node[]): number => enc.reduce((sum, node) => sum + (bytes(node)?.length ?? 0), 0);
  const isTooLarge =
    entries.length > DEVICES_MAX || entries.some(({ enc }) => size([...enc, ...shared]) > COPY_MAX_BYTES);
  if (isTooLarge) return refuse(message, 400, 'too large');
  const passed = Object.fromEntries(PASSED_ON.map((name) => [name, message.attrs[name]]));
  const rest = children(message).filter((node) => !NOT_PASSED_ON.has(node.tag));
  const identity = child(message, 'device-identity');
  const parcels = entries.flatMap(({ jid, enc }): Parcel[] => {
    const target = tenant.accounts.resolve(jid);
    if (!target || !tenant.accounts.device(target.account.pn, target.device)) return [];
    const { pn } = target.account;
    if (pn === from.pn && target.device === from.device) return [];
    if (tenant.settings.get(pn, 'block', from.pn) !== undefined || tenant.delivery.isFull(pn, target.device)) return [];
    const own = [...enc, ...shared];
    const withIdentity = identity && own.some((node) => node.attrs.type === 'pkmsg') ? [identity] : [];
    const isPnKnown = target.mode === 'lid' && !sender.isLidOnly;
    const attrs = definedOnly({
      id: message.attrs.id,
      from: STATUS_BROADCAST,
      participant: deviceJid(sender, from.device, target.mode),
      participant_pn: isPnKnown ? formatJid(sender.pn, SERVER_PN) : undefined,
      t: message.attrs.t,
      notify: sender.name,
      ...passed,
    });
    // Phones of this network know the older form only.
    const form = tenant.demands.statusStanzas && target.device !== 0 ? 'status' : 'message';
    const node = el(form, attrs, [...own, ...rest, ...withIdentity]);
    return [{ pn, device: target.device, stanzaClass: form, sender: from.pn, node }];
  });
  return { ack: ackOf(message, {}), parcels, note: parcels.length === 0 ? 'a status without an audience' : undefined };
}
