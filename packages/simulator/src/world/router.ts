import { formatJid, type Node, parseJid, SERVER_PN, STATUS_BROADCAST } from '@ponte/engine';
import { routeCall } from './calls.ts';
import { answerIq, type IqOutcome } from './iq/table.ts';
import { ackOf, stamped } from './message-parts.ts';
import { routeMessage } from './messages.ts';
import { createPresence, type Presence } from './presence.ts';
import type { QueuedClass } from './queue.ts';
import { routeReceipt } from './receipts.ts';
import { el } from './stanzas.ts';
import { showsContactToken, showsToken } from './tc-tokens.ts';
import type { Sender, Tenant } from './tenant.ts';

/** The router's answer to the sender of a stanza. */
export interface Answering {
  /** Sends at once; never queued. */
  reply(node: Node): void;
  /** Sends the ack of a message: a line's faults may delay or lose it. */
  acknowledge(ack: Node): void;
}

export type Router = ReturnType<typeof createRouter>;

const QUEUED: readonly QueuedClass[] = ['message', 'status', 'receipt', 'notification', 'call'];

/**
 * The one place where stanzas of logged-in devices are understood, whether they come from a socket
 * or a virtual phone. Stanzas of one sender are handled in the order they came, each completely
 * before the next.
 */
export function createRouter(tenant: Tenant): {
  take(from: Sender, node: Node, answering: Answering): void;
  presence: Presence;
} {
  const presence = createPresence(tenant);

  function take(from: Sender, node: Node, answering: Answering): void {
    switch (node.tag) {
      case 'iq':
        query(from, node, answering);
        return;
      case 'message':
        message(from, node, answering);
        return;
      case 'receipt':
        receipt(from, node, answering);
        return;
      case 'ack':
        acknowledged(from, node);
        return;
      case 'notification':
        notification(from, node);
        return;
      case 'call':
        call(from, node, answering);
        return;
      case 'presence':
        presence.presence(from, node);
        return;
      case 'chatstate':
        presence.chatState(from, node);
        return;
      case 'ib':
        return;
      default:
        tenant.log.annotate(from.lineId, 'unsupported');
        if (node.attrs.id) {
          answering.reply(el('ack', { class: node.tag, id: node.attrs.id, from: node.attrs.to, error: '501' }));
        }
    }
  }

  function query(from: Sender, iq: Node, answering: Answering): void {
    if (iq.attrs.type === 'result' || iq.attrs.type === 'error') return;
    const finish = (outcome: IqOutcome): void => {
      if (outcome.note !== undefined) tenant.log.annotate(from.lineId, outcome.note);
      answering.reply(outcome.answer);
      outcome.afterwards();
    };
    const outcome = answerIq(tenant, from, iq);
    if (!(outcome instanceof Promise)) finish(outcome);
    else outcome.then(finish).catch((cause: unknown) => tenant.problem('a late answer was not given', cause));
  }

  function message(from: Sender, sent: Node, answering: Answering): void {
    const node = stamped(tenant, sent);
    const code = refusalOf(tenant, from, node);
    if (code !== undefined) {
      answering.acknowledge(ackOf(node, { error: String(code) }));
      return;
    }
    const { ack, parcels, note } = routeMessage(tenant, from, node);
    if (note !== undefined) tenant.log.annotate(from.lineId, note);
    const chat = parseJid(node.attrs.to ?? '') && tenant.accounts.resolve(node.attrs.to);
    tenant.post(parcels, () => {
      if (chat && ack.attrs.error === undefined) tenant.peers.met(from.pn, chat.account.pn);
    });
    const isMoved = ack.attrs.error === undefined && chat && from.lineId !== undefined;
    const isStale = isMoved && tenant.faults(from.lineId ?? '').take('refresh_lid');
    answering.acknowledge(isStale ? { ...ack, attrs: { ...ack.attrs, refresh_lid: 'true' } } : ack);
  }

  function receipt(from: Sender, node: Node, answering: Answering): void {
    const { ack, parcels, note } = routeReceipt(tenant, from, node);
    if (note !== undefined) tenant.log.annotate(from.lineId, note);
    tenant.post(parcels);
    answering.reply(ack);
  }

  function call(from: Sender, node: Node, answering: Answering): void {
    const { ack, parcels, note } = routeCall(tenant, from, node);
    if (note !== undefined) tenant.log.annotate(from.lineId, note);
    tenant.post(parcels);
    answering.reply(ack);
  }

  /**
   * Only a phone sends one, to its own companions: the answer to a request to upload a file again.
   */
  function notification(from: Sender, node: Node): void {
    const to = tenant.accounts.resolve(node.attrs.to);
    const { type = '', id = '' } = node.attrs;
    const sender = tenant.accounts.byPn(from.pn);
    if (from.device !== 0 || type !== 'mediaretry' || to?.account.pn !== from.pn || to.device === 0 || !sender) return;
    const attrs = { id, from: formatJid(sender.pn, SERVER_PN) };
    const content = Array.isArray(node.content) ? node.content : [];
    tenant.post([tenant.notification({ pn: from.pn, device: to.device }, type, content, attrs)]);
  }

  /**
   * The device has what was pushed to it, or (with `error`) gives it up; either way it is not sent
   * again. A status is the exception: refused, it stays the first thing to be delivered, and
   * nothing else is (Baileys #2779).
   */
  function acknowledged(from: Sender, ack: Node): void {
    const stanzaClass = QUEUED.find((c) => c === ack.attrs.class);
    const id = ack.attrs.id;
    if (!stanzaClass || id === undefined) return;
    if (ack.attrs.error !== undefined && ack.attrs.to === STATUS_BROADCAST) {
      tenant.delivery.withhold(from, stanzaClass, id);
      return;
    }
    const sender = tenant.accounts.resolve(ack.attrs.to)?.account.pn;
    const narrowed = stanzaClass === 'message' ? sender : undefined;
    tenant.delivery.acknowledge(from, { stanzaClass, id, sender: narrowed, all: false });
  }

  return { take, presence };
}

/**
 * 463: a restricted account wrote to a person without a token of theirs (Baileys messages-recv.js
 * handleBadAck).
 */
const RESTRICTED = 463;

/** The error that a fault of the line wants for this message. */
function refusalOf(tenant: Tenant, from: Sender, message: Node): number | undefined {
  if (from.lineId === undefined) return undefined;
  const faults = tenant.faults(from.lineId);
  const code = faults.takeReject();
  if (code !== undefined || !(faults.isRestricted || faults.wantsTokens)) return code;
  const chat = tenant.accounts.resolve(message.attrs.to)?.account;
  const isFree =
    !chat ||
    chat.pn === from.pn ||
    showsToken(tenant, message, chat.pn, from.pn) ||
    (!faults.isRestricted && showsContactToken(tenant, message, from.pn, chat));
  return isFree ? undefined : RESTRICTED;
}
