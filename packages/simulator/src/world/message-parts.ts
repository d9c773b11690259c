import { createHash } from 'node:crypto';
import { child, childrenOf, type Node } from '@ponte/engine';
import { nowSeconds } from './clock.ts';
import type { Parcel } from './delivery.ts';
import { el } from './stanzas.ts';
import type { Tenant } from './tenant.ts';

/** One device's copy of a message; anything real is far below (media travel outside of stanzas). */
export const COPY_MAX_BYTES = 512 * 1024;
/** Attributes of a sent message that its receivers see. */
export const PASSED_ON = ['type', 'edit', 'category', 'expiration', 'push_priority'] as const;
/** Children that are for the server, or are added per device. */
export const NOT_PASSED_ON = new Set(['participants', 'enc', 'device-identity', 'tctoken', 'reporting']);

/**
 * What the sender has for one device: ciphertexts, or the word that this device does not get the
 * message (view once).
 */
export function copyIn(to: Node): Node[] {
  const enc = childrenOf(to, 'enc');
  return enc.length > 0 ? enc : childrenOf(to, 'unavailable');
}

/** What a message has for each device. */
export function copiesOf(message: Node): { jid: string; enc: Node[] }[] {
  const participants = child(message, 'participants');
  if (participants) {
    return childrenOf(participants, 'to').map((to) => ({ jid: to.attrs.jid ?? '', enc: copyIn(to) }));
  }
  const enc = childrenOf(message, 'enc');
  return enc.length > 0 ? [{ jid: message.attrs.to ?? '', enc }] : [];
}

/** What became of a sent message. */
export interface MessageOutcome {
  /** The `<ack class="message">` for its sender. */
  ack: Node;
  parcels: Parcel[];
  note: string | undefined;
}

/** The message with the time that the server took it at: the ack and every copy carry the same. */
export function stamped(tenant: Tenant, message: Node): Node {
  return { ...message, attrs: { ...message.attrs, t: String(nowSeconds(tenant.clock)) } };
}

/**
 * `<ack class="message">` of a stamped message, with an error code, or the hash of the devices the
 * sender should have known.
 */
export function ackOf(message: Node, extra: { error?: string; phash?: string | undefined }): Node {
  const { id, to, participant, t } = message.attrs;
  return el('ack', { class: 'message', id, from: to, participant, t, ...extra });
}

/** The message is not delivered; its sender gets the code. */
export function refuse(message: Node, code: number, note: string): MessageOutcome {
  return { ack: ackOf(message, { error: String(code) }), parcels: [], note };
}

/**
 * Version 2 of the participant hash: sorted `user.agent:device@server` texts, SHA-256, first 6
 * bytes (whatsmeow send.go).
 */
export function participantHash(jids: string[]): string {
  const names = jids.map((jid) => {
    const at = jid.indexOf('@');
    const [user, device] = jid.slice(0, at).split(':');
    return `${user}.0:${device ?? '0'}${jid.slice(at)}`;
  });
  const hash = createHash('sha256').update(names.sort().join('')).digest();
  return `2:${hash.subarray(0, 6).toString('base64').replace(/=+$/, '')}`;
}
